#pragma once

#include "espalier/supervisor/config/listen_address.hpp"
#include "espalier/supervisor/core/expected.hpp"
#include "espalier/supervisor/os/unique_fd.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace espalier::metrics {

/// What is answered to one request.
struct Page {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
};

/// Answers GET and HEAD of some fixed paths over HTTP/1.1: for a Prometheus server, a load balancer
/// or a person with curl; it is no web server.
///
/// The problem: whoever reaches the address may send anything, slowly, and many times. So a request
/// has a header of at most 8 KiB and no body, each side has 5 seconds for its part, there are at
/// most 64 connections, and one more is told so and closed. None of it waits for another, and what
/// goes wrong ends a connection, never the program.
///
/// One thread of its own, on which the pages are made. A socket in the file system has mode 0600
/// from its first instant; one that nobody answers on is replaced, anything else left alone.
class HttpListener {
 public:
  struct Options {
    supervisor::ListenAddress address = {};
    /// A stream socket that listens already, bound by a service manager: used in place of the
    /// address, and never removed.
    supervisor::UniqueFd given = {};
    /// By path, as "/metrics". Called on the listener's thread; what one throws becomes a 500.
    std::map<std::string, std::function<Page()>> pages = {};
    std::chrono::milliseconds timeout = std::chrono::seconds{5};
    std::size_t max_connections = 64;
  };
  /// The error says what stands in the way, and what to do.
  [[nodiscard]] static expected<std::unique_ptr<HttpListener>, std::string> start(Options options);
  /// Closes all connections, and removes the socket if it is still ours.
  ~HttpListener();
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  /// "http://127.0.0.1:9464", with the port that was free where 0 was asked for; or "unix:/PATH".
  [[nodiscard]] const std::string& url() const;

 private:
  class Impl;
  explicit HttpListener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::metrics
