#include "espalier/metrics/http_listener.hpp"

#include "espalier/metrics/internal/listening_socket.hpp"
#include "espalier/supervisor/os/internal/signals_blocked.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <exception>
#include <thread>
#include <utility>

namespace espalier::metrics {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

using Protocol = asio::generic::stream_protocol;
using Socket = asio::basic_stream_socket<Protocol>;
using Stream = beast::basic_stream<Protocol>;
using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;
using boost::system::error_code;

constexpr std::uint32_t header_limit = 8192;
constexpr auto accept_pause = std::chrono::milliseconds{100};

Page page_of(unsigned status, std::string sentence) {
  return {.status = status, .body = std::move(sentence) + "\n"};
}

std::string known_paths(const HttpListener::Options& options) {
  std::string text;
  for (const auto& [path, make] : options.pages)
    text += (text.empty() ? "" : ", ") + path;
  return text;
}

Page answer(const HttpListener::Options& options, const Request& request) {
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return page_of(405, "only GET and HEAD are answered here");
  }
  const std::string target{request.target()};
  const auto found = options.pages.find(target.substr(0, target.find('?')));
  if (found == options.pages.end()) {
    return page_of(404, "there is no such page; there are " + known_paths(options));
  }
  try {
    return found->second();
  } catch (const std::exception& error) {
    return page_of(500, std::string{"the page could not be made: "} + error.what());
  }
}

Response response_for(const HttpListener::Options& options, const Request& request) {
  auto page = answer(options, request);
  Response response{static_cast<http::status>(page.status), request.version()};
  response.set(http::field::content_type, page.content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  if (page.status == 405) response.set(http::field::allow, "GET, HEAD");
  response.keep_alive(request.keep_alive());
  response.content_length(page.body.size());
  // A HEAD gets the length of what a GET would get, and nothing of it.
  if (request.method() != http::verb::head) response.body() = std::move(page.body);
  return response;
}

Response refusal(const error_code& error) {
  Response response{error == http::error::header_limit
                        ? http::status::request_header_fields_too_large
                        : http::status::bad_request,
                    11};
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.body() = "this is no request that is answered here: " + error.message() + "\n";
  response.keep_alive(false);
  response.prepare_payload();
  return response;
}

/// One more or less, as long as it lives.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(&count) { ++count; }
  Counted(Counted&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Counted& operator=(Counted&&) = delete;
  ~Counted() {
    if (count_) --*count_;
  }

 private:
  std::size_t* count_;
};

// Not answered in earnest, so that it costs nothing: a few bytes always fit into a new socket.
void send_away(Socket& socket) {
  static constexpr std::string_view text =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 48\r\n"
      "Connection: close\r\n\r\nthere are too many connections; come again soon\n";
  static_cast<void>(
      ::send(socket.native_handle(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

}  // namespace

class HttpListener::Impl {
 public:
  Impl(Options options, internal::ListeningSocket socket)
      : options_(std::move(options)), socket_(std::move(socket)), acceptor_(context_) {
    const auto& address = socket_.address();
    url_ = address.unix_path.empty() ? "http://" + address.text() : address.text();
    // The acceptor closes what it is given; the socket keeps its own.
    acceptor_.assign(Protocol{socket_.family(), 0}, ::dup(socket_.fd()));
    asio::co_spawn(context_, accept(), asio::detached);
    const supervisor::internal::SignalsBlocked blocked;
    thread_ = std::thread{[this] {
      ::pthread_setname_np(::pthread_self(), "espalier-http");
      context_.run();
    }};
  }
  ~Impl() {
    context_.stop();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  asio::awaitable<void> accept() {
    for (;;) {
      error_code error;
      Socket socket{context_};
      co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
      if (error) {  // No descriptor is free, most likely.
        asio::steady_timer pause{context_, accept_pause};
        co_await pause.async_wait(asio::use_awaitable);
      } else if (connections_ >= options_.max_connections) {
        send_away(socket);
      } else {
        asio::co_spawn(context_, serve(Stream{std::move(socket)}, Counted{connections_}),
                       asio::detached);
      }
    }
  }

  asio::awaitable<void> serve(Stream stream, Counted) {
    beast::flat_buffer buffer{2 * std::size_t{header_limit}};
    for (bool more = true; more;) {
      error_code error;
      auto token = asio::redirect_error(asio::use_awaitable, error);
      http::request_parser<http::empty_body> parser;
      parser.header_limit(header_limit);
      stream.expires_after(options_.timeout);
      co_await http::async_read(stream, buffer, parser, token);
      const bool is_request = !error;
      if (error && (error.category() != http::make_error_code(http::error::bad_method).category() ||
                    error == http::error::end_of_stream)) {
        break;  // It broke off, or was too slow: nobody is there to be answered.
      }
      auto response = is_request ? response_for(options_, parser.get()) : refusal(error);
      more = is_request && response.keep_alive();
      stream.expires_after(options_.timeout);
      http::response_serializer<http::string_body> serializer{response};
      co_await http::async_write(stream, serializer, token);
      if (error) break;
    }
    error_code ignored;
    stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
  }

  Options options_;
  internal::ListeningSocket socket_;
  std::string url_;
  std::size_t connections_ = 0;  ///< Of the thread.
  asio::io_context context_{1};
  asio::basic_socket_acceptor<Protocol> acceptor_;
  std::thread thread_;
};

expected<std::unique_ptr<HttpListener>, std::string> HttpListener::start(Options options) {
  auto socket = options.given ? internal::ListeningSocket::adopt(std::move(options.given))
                              : internal::ListeningSocket::open(options.address);
  if (!socket) return unexpected<std::string>(std::move(socket.error()));
  try {
    return std::unique_ptr<HttpListener>{
        new HttpListener{std::make_unique<Impl>(std::move(options), std::move(*socket))}};
  } catch (const std::exception& error) {
    return unexpected<std::string>(std::string{"cannot listen: "} + error.what() +
                                   "; raise the limits of threads and open files");
  }
}

HttpListener::HttpListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpListener::~HttpListener() = default;

const std::string& HttpListener::url() const {
  return impl_->url();
}

}  // namespace espalier::metrics
