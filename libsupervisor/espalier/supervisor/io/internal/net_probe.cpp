#include "espalier/supervisor/io/internal/net_probe.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <vector>

namespace espalier::supervisor::internal {

namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;
using Socket = asio::generic::stream_protocol::socket;
using Endpoints = std::vector<asio::generic::stream_protocol::endpoint>;

constexpr std::size_t longest_status_line = 4096;

std::string authority(const ProbeSpec& spec) {
  const bool v6 = spec.host.find(':') != std::string::npos;
  return (v6 ? "[" + spec.host + "]" : spec.host) + ":" + std::to_string(spec.port);
}

std::string target(const ProbeSpec& spec) {
  return spec.socket.empty() ? authority(spec) : spec.socket;
}

// The system's texts begin like sentences; here they follow a colon.
std::string text_of(const boost::system::error_code& error) {
  if (error == asio::error::eof) return "closed without an answer";
  if (error == asio::error::not_found) return "no HTTP answer";
  auto text = error.message();
  if (!text.empty()) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

asio::awaitable<Endpoints> endpoints_of(const ProbeSpec& spec) {
  Endpoints result;
  if (!spec.socket.empty()) {
    result.emplace_back(asio::local::stream_protocol::endpoint{spec.socket});
    co_return result;
  }
  boost::system::error_code not_numeric;
  const auto address = asio::ip::make_address(spec.host, not_numeric);
  if (!not_numeric) {
    result.emplace_back(tcp::endpoint{address, spec.port});
    co_return result;
  }
  tcp::resolver resolver{co_await asio::this_coro::executor};
  const auto found = co_await resolver.async_resolve(spec.host, std::to_string(spec.port),
                                                     tcp::resolver::numeric_service, use_awaitable);
  for (const auto& each : found)
    result.emplace_back(each.endpoint());
  co_return result;
}

asio::awaitable<void> connect(Socket& socket, const ProbeSpec& spec) {
  const Endpoints endpoints = co_await endpoints_of(spec);
  co_await asio::async_connect(socket, endpoints, use_awaitable);
}

bool is_safe(const std::string& path) {
  return !path.empty() && path.front() == '/' &&
         std::none_of(path.begin(), path.end(), [](unsigned char c) { return c <= ' '; });
}

asio::awaitable<std::string> ask(Socket& socket, const ProbeSpec& spec) {
  const std::string host = spec.socket.empty() ? authority(spec) : "localhost";
  const std::string request = "GET " + spec.path + " HTTP/1.1\r\nHost: " + host +
                              "\r\nUser-Agent: espalier\r\nAccept: */*\r\n" +
                              "Connection: close\r\n\r\n";
  co_await asio::async_write(socket, asio::buffer(request), use_awaitable);
  std::string answer;
  const std::size_t length = co_await asio::async_read_until(
      socket, asio::dynamic_buffer(answer, longest_status_line), "\r\n", use_awaitable);
  co_return answer.substr(0, length - 2);
}

asio::awaitable<ProbeAnswer> run_tcp(const ProbeSpec& spec) {
  Socket socket{co_await asio::this_coro::executor};
  co_await connect(socket, spec);
  ProbeAnswer answer;
  answer.ok = true;
  answer.message = "connected";
  co_return answer;
}

asio::awaitable<ProbeAnswer> run_http(const ProbeSpec& spec) {
  if (!is_safe(spec.path)) {
    ProbeAnswer answer;
    answer.message = "this is no HTTP path: begin it with '/' and encode spaces";
    co_return answer;
  }
  Socket socket{co_await asio::this_coro::executor};
  co_await connect(socket, spec);
  const std::string line = co_await ask(socket, spec);
  co_return judge_status_line(line);
}

}  // namespace

std::string subject_of(const ProbeSpec& spec) {
  switch (spec.kind) {
    case ProbeSpec::Kind::exec:
      return "command '" + (spec.command.empty() ? std::string{} : spec.command.front()) + "'";
    case ProbeSpec::Kind::tcp:
      return "connect to " + target(spec);
    case ProbeSpec::Kind::http:
      return "GET " + spec.path + " from " + target(spec);
    case ProbeSpec::Kind::function:
      return "probe '" + spec.function + "'";
  }
  return "probe";
}

ProbeAnswer judge_status_line(const std::string& line) {
  ProbeAnswer result;
  int status = 0;
  const auto space = line.find(' ');
  if (line.rfind("HTTP/", 0) == 0 && space != std::string::npos) {
    std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
  }
  if (status < 100 || status > 999) {
    result.message = "no HTTP answer";
    return result;
  }
  result.ok = status >= 200 && status <= 399;
  result.message = line.substr(space + 1, 200);
  return result;
}

asio::awaitable<ProbeAnswer> run_net_probe(std::shared_ptr<const ProbeSpec> spec) {
  ProbeAnswer answer;
  try {
    if (spec->kind == ProbeSpec::Kind::http) {
      answer = co_await run_http(*spec);
    } else {
      answer = co_await run_tcp(*spec);
    }
  } catch (const boost::system::system_error& error) {
    answer.message = text_of(error.code());
  } catch (const std::exception& error) {
    answer.message = error.what();
  }
  co_return answer;
}

}  // namespace espalier::supervisor::internal
