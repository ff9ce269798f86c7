#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace espalier::supervisor {

/// A collector on loopback that keeps what it is sent, and answers what it is told to.
class FakeCollector {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;

  explicit FakeCollector(unsigned short port = 0)
      : acceptor_(context_, {boost::asio::ip::address_v4::loopback(), port}),
        thread_([this] { run(); }) {}
  ~FakeCollector() {
    stopping_ = true;
    boost::asio::io_context context;
    boost::asio::ip::tcp::socket waker{context};
    boost::system::error_code ignored;
    waker.connect({boost::asio::ip::address_v4::loopback(), port()}, ignored);
    thread_.join();
  }
  FakeCollector(const FakeCollector&) = delete;
  FakeCollector& operator=(const FakeCollector&) = delete;

  [[nodiscard]] unsigned short port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port()) + "/v1/traces";
  }
  void answer(unsigned status) { status_ = status; }
  [[nodiscard]] std::vector<Request> requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
  }

 private:
  void run() {
    namespace http = boost::beast::http;
    while (!stopping_) {
      boost::system::error_code fault;
      auto socket = acceptor_.accept(fault);
      if (fault || stopping_) continue;
      boost::beast::flat_buffer buffer;
      Request request;
      http::read(socket, buffer, request, fault);
      if (fault) continue;
      {
        const std::lock_guard lock{mutex_};
        requests_.push_back(std::move(request));
      }
      http::response<http::string_body> response{http::int_to_status(status_), 11};
      response.body() = "as it was told to";
      response.prepare_payload();
      http::write(socket, response, fault);
    }
  }

  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::atomic<unsigned> status_ = 200;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<Request> requests_ = {};
  std::thread thread_;
};

}  // namespace espalier::supervisor
