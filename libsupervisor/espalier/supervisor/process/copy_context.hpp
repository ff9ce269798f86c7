#pragma once

#include "espalier/supervisor/core/child_context.hpp"
#include "espalier/supervisor/process/copy_wire.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

namespace espalier::supervisor {

/// The context of a function in the copy of a program: the supervisor is at the other end of a
/// socket. Reports wait while the supervisor is too busy to read them; once it is gone they are
/// dropped and a stop is requested. Stop callbacks run on the thread that reads the socket.
class CopyContext final : public ChildContext {
 public:
  /// Waits for the call; null when there is none. The socket stays open until the process ends:
  /// a crash after the function is told through it.
  [[nodiscard]] static std::unique_ptr<CopyContext> receive(int socket);
  ~CopyContext() override;

  [[nodiscard]] const std::string& factory() const { return call_.factory; }
  void send(const wire::FromCopy& message) const;

  [[nodiscard]] const std::string& path() const override { return call_.path; }
  [[nodiscard]] std::uint64_t generation() const override { return call_.generation; }
  [[nodiscard]] std::uint64_t attempt() const override { return call_.attempt; }
  [[nodiscard]] const std::map<std::string, std::string>& params() const override {
    return call_.params;
  }
  [[nodiscard]] bool stop_requested() const override { return stop_.stop_requested(); }
  [[nodiscard]] std::stop_token stop_token() const override { return stop_.get_token(); }
  bool sleep_for(Duration d) override;
  [[nodiscard]] Duration heartbeat_interval() const override { return call_.heartbeat_interval; }
  void report_ready() override { send(wire::Ready{}); }
  void report_alive() override { send(wire::Alive{}); }
  void report_status(const std::string& text) override { send(wire::Status{text}); }
  void request_restart(const std::string& reason) override {
    send(wire::Asks{input::Wish::restart, reason});
  }
  void request_tree_shutdown(const std::string& reason) override {
    send(wire::Asks{input::Wish::shutdown, reason});
  }

 private:
  CopyContext(int socket, CopyCall call);
  void listen();

  int socket_;
  CopyCall call_;
  std::stop_source stop_;
  std::thread listener_;
};

}  // namespace espalier::supervisor
