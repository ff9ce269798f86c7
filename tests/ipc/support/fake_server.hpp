#pragma once

#include "ipc/support/socket_folder.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::ipc::testing {

/// One connection of a FakeServer, as its script sees it.
class FakePeer {
 public:
  explicit FakePeer(int fd) : fd_(fd) {}
  ~FakePeer() { ::close(fd_); }
  FakePeer(const FakePeer&) = delete;
  FakePeer& operator=(const FakePeer&) = delete;

  /// The next line of the client; empty: it is gone, or the server stops.
  std::optional<std::string> line() {
    while (true) {
      if (const auto end = in_.find('\n'); end != std::string::npos) {
        std::string found = in_.substr(0, end);
        in_.erase(0, end + 1);
        return found;
      }
      char bytes[4096];
      const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
      if (got <= 0) return {};
      in_.append(bytes, static_cast<std::size_t>(got));
    }
  }
  /// The request_id of the next line; "" when there is none.
  std::string request() {
    const auto text = line();
    if (!text) return "";
    last_ = nlohmann::json::parse(*text);
    return last_["request_id"];
  }
  [[nodiscard]] const nlohmann::json& last() const { return last_; }
  /// Raw bytes. False: the client is gone.
  bool raw(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const auto n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return true;
  }
  bool say(const std::string& text) { return raw(text + "\n"); }
  bool answer(const std::string& id, const std::string& result) {
    return say(R"({"request_id":")" + id + R"(","ok":true,"result":)" + result + "}");
  }
  /// Answers `hello`, as any target does.
  void greet(std::uint64_t epoch = 1, const std::string& version = "supervisor-ipc.v1") {
    answer(request(), R"({"protocol_version":")" + version +
                          R"(","target_id":"shop","display_name":"Shop","pid":7,"version":"1.0",)"
                          R"("started_at":"2026-01-31T12:03:07.001234Z","epoch":)" +
                          std::to_string(epoch) +
                          R"(,"capabilities":["state"],"supported_commands":[],"limits":{)"
                          R"("max_line_bytes":65536,"requests_per_second":1000,)"
                          R"("request_burst":200,"replay_window_ms":60000,)"
                          R"("command_lifetime_ms":600000,"idle_timeout_ms":300000,)"
                          R"("max_queued_bytes":1048576,"max_queued_events":4096},)"
                          R"("allowed":["read"]})");
  }
  /// Returns when the client has gone or the server stops.
  void until_gone() {
    while (line())
      continue;
  }
  void interrupt() const { ::shutdown(fd_, SHUT_RDWR); }

 private:
  int fd_;
  std::string in_;
  nlohmann::json last_;
};

/// Listens at a path and plays a script to each connection, on a thread of its own: the first
/// script to the first one, and so on, the last script to all further ones. A connection is closed
/// where its script ends.
class FakeServer {
 public:
  using Script = std::function<void(FakePeer&)>;
  FakeServer(std::string path, std::vector<Script> scripts)
      : path_(std::move(path)), scripts_(std::move(scripts)), listener_(listen_at(path_)) {
    acceptor_ = std::thread([this] { accept(); });
  }
  /// As after kill -9: the socket file stays.
  ~FakeServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (const auto& peer : peers_) {
      if (const auto alive = peer.lock()) alive->interrupt();
    }
    for (auto& thread : threads_)
      thread.join();
    ::close(listener_);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept() {
    while (true) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const auto index = static_cast<std::size_t>(connections_++);
      auto peer = std::make_shared<FakePeer>(fd);
      peers_.push_back(peer);
      const Script& script = scripts_[std::min(index, scripts_.size() - 1)];
      threads_.emplace_back([script, own = std::move(peer)]() mutable {
        script(*own);
        own.reset();
      });
    }
  }

  std::string path_;
  std::vector<Script> scripts_;
  int listener_;
  std::thread acceptor_;
  std::atomic<int> connections_ = 0;
  std::vector<std::weak_ptr<FakePeer>> peers_;  ///< Of the acceptor; then of the destructor.
  std::vector<std::thread> threads_;
};

}  // namespace espalier::ipc::testing
