#include "espalier/supervisor/trace/collector.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <exception>
#include <utility>

namespace espalier::supervisor {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Kind = SpanOutlet::Outcome::Kind;

constexpr auto time_limit = std::chrono::seconds{5};
constexpr std::size_t longest_answer = 64UL * 1024;
constexpr std::size_t quoted = 200;

SpanOutlet::Outcome outcome_of(const http::response<http::string_body>& response) {
  const auto status = response.result_int();
  if (status >= 200 && status < 300) return {};
  const bool passes = status == 429 || status == 502 || status == 503 || status == 504;
  return {passes ? Kind::later : Kind::never, "the collector answers " + std::to_string(status) +
                                                  " " + response.body().substr(0, quoted)};
}

http::request<http::string_body> post_of(const CollectorAddress& address,
                                         const std::string& request) {
  http::request<http::string_body> post{http::verb::post, address.path, 11};
  const bool is_v6 = address.host.find(':') != std::string::npos;
  post.set(http::field::host,
           (is_v6 ? "[" + address.host + "]" : address.host) + ":" + address.port);
  post.set(http::field::user_agent, "espalier");
  post.set(http::field::content_type, "application/json");
  post.set(http::field::connection, "close");
  post.body() = request;
  post.prepare_payload();
  return post;
}

asio::awaitable<SpanOutlet::Outcome> exchange(const CollectorAddress& address,
                                              const std::string& request) {
  const auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver{executor};
  const auto places =
      co_await resolver.async_resolve(address.host, address.port, asio::use_awaitable);
  beast::tcp_stream stream{executor};
  stream.expires_after(time_limit);
  co_await stream.async_connect(places, asio::use_awaitable);
  const auto post = post_of(address, request);
  co_await http::async_write(stream, post, asio::use_awaitable);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(longest_answer);
  co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
  co_return outcome_of(parser.get());
}

}  // namespace

SpanOutlet::Outcome send_to_collector(const CollectorAddress& address, const std::string& request) {
  const auto where = "http://" + address.host + ":" + address.port + address.path;
  SpanOutlet::Outcome outcome{Kind::later, where + ": no answer"};
  asio::io_context context{1};
  asio::co_spawn(context, exchange(address, request),
                 [&](const std::exception_ptr& thrown, SpanOutlet::Outcome result) {
                   if (!thrown) {
                     outcome = std::move(result);
                     return;
                   }
                   try {
                     std::rethrow_exception(thrown);
                   } catch (const boost::system::system_error& error) {
                     outcome.why = where + ": " + error.code().message();
                   } catch (const std::exception& error) {
                     outcome.why = where + ": " + error.what();
                   }
                 });
  context.run();
  return outcome;
}

}  // namespace espalier::supervisor
