#pragma once

#include "espalier/supervisor/io/probe_runner.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::supervisor::testing {

/// A folder of its own, gone at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "espalier-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

/// Takes connections one after another and answers each with one text; an empty one: never.
template <class Protocol>
class Server {
 public:
  explicit Server(const typename Protocol::endpoint& at, std::string answer = {})
      : acceptor_(context_, at), answer_(std::move(answer)) {
    thread_ = std::thread{[this] { serve(); }};
  }
  ~Server() {
    ended_ = true;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  [[nodiscard]] auto endpoint() const { return acceptor_.local_endpoint(); }
  /// Of the last connection.
  [[nodiscard]] std::string request() const {
    const std::lock_guard lock{mutex_};
    return request_;
  }

 private:
  void serve() {
    std::vector<typename Protocol::socket> open;
    while (!ended_) {
      boost::system::error_code error;
      typename Protocol::socket socket{context_};
      acceptor_.accept(socket, error);
      if (error) continue;
      if (answer_.empty()) {
        open.push_back(std::move(socket));
        continue;
      }
      std::string request;
      boost::asio::read_until(socket, boost::asio::dynamic_buffer(request), "\r\n\r\n", error);
      {
        const std::lock_guard lock{mutex_};
        request_ = request;
      }
      boost::asio::write(socket, boost::asio::buffer(answer_), error);
    }
  }

  boost::asio::io_context context_;
  typename Protocol::acceptor acceptor_;
  std::string answer_;
  std::atomic<bool> ended_ = false;
  mutable std::mutex mutex_;
  std::string request_;
  std::thread thread_;
};

using boost::asio::ip::tcp;
using local = boost::asio::local::stream_protocol;
inline tcp::endpoint any_port() {
  return {boost::asio::ip::address_v4::loopback(), 0};
}

struct Answer {
  bool ok = false;
  std::string message = {};
};

class ProbeFixture : public ::testing::Test {
 protected:
  static ProbeSpec spec(ProbeSpec::Kind kind) {
    ProbeSpec result{.kind = kind};
    result.timeout = std::chrono::seconds{10};
    return result;
  }
  static ProbeSpec shell(const std::string& script) {
    auto result = spec(ProbeSpec::Kind::exec);
    result.command = {"sh", "-c", script};
    return result;
  }
  static ProbeSpec at(ProbeSpec::Kind kind, std::uint16_t port) {
    auto result = spec(kind);
    result.port = port;
    return result;
  }
  static ProbeSpec call(const std::string& name) {
    auto result = spec(ProbeSpec::Kind::function);
    result.function = name;
    return result;
  }

  ProbeToken start(ProbeSpec what, const std::string& label = "x") {
    return start({.path = "/" + label, .spec = std::make_shared<ProbeSpec>(std::move(what))},
                 label);
  }
  ProbeToken start(ProbeRequest request, const std::string& label) {
    request.done = [this, label](bool ok, const std::string& message) {
      const std::lock_guard lock{mutex_};
      answers_[label] = {ok, message};
      ++count_;
      changed_.notify_all();
    };
    return runner_.start(std::move(request));
  }
  Answer wait(const std::string& label = "x") {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, std::chrono::seconds{20},
                           [&] { return answers_.contains(label); })) {
      ADD_FAILURE() << "no answer for " << label;
    }
    return answers_[label];
  }
  Answer ask(ProbeSpec what) {
    start(std::move(what), "asked");
    auto result = wait("asked");
    const std::lock_guard lock{mutex_};
    answers_.erase("asked");
    return result;
  }
  Answer gates(std::vector<StartGate> all) {
    start(ProbeRequest{.path = "/g", .gates = std::move(all)}, "gates");
    auto result = wait("gates");
    const std::lock_guard lock{mutex_};
    answers_.erase("gates");
    return result;
  }
  /// Everything asked before has been begun or ended.
  void settle() { gates({}); }
  std::size_t count() {
    const std::lock_guard lock{mutex_};
    return count_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Answer> answers_;
  std::size_t count_ = 0;
  ChildFactories factories_;
  ProcessHost host_;
  ProbeRunner runner_{[this]() -> ProcessHost& { return host_; }, factories_};
};

}  // namespace espalier::supervisor::testing
