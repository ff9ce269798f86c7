#include "espalier/supervisor/config/listen_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <string_view>
#include <utility>

namespace espalier::supervisor {

namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

using Result = expected<ListenAddress, std::string>;

Result refuse(std::string why) {
  return unexpected<std::string>(std::move(why) +
                                 "; write 127.0.0.1:9464, [::1]:9464 or unix:/PATH");
}

Result parse_unix(std::string path) {
  if (path.empty() || path.front() != '/') return refuse("the path after unix: must begin with /");
  if (path.back() == '/') return refuse("the path after unix: is that of a folder");
  if (path.size() > longest_path) {
    return refuse("the path after unix: has " + std::to_string(path.size()) +
                  " bytes, and at most " + std::to_string(longest_path) + " are possible");
  }
  ListenAddress result;
  result.unix_path = std::move(path);
  return result;
}

bool read_port(std::string_view text, std::uint16_t& port) {
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, port);
  return !text.empty() && read.ec == std::errc{} && read.ptr == end;
}

bool read_host(ListenAddress& address) {
  in_addr v4{};
  if (::inet_pton(AF_INET, address.host.c_str(), &v4) == 1) {
    address.is_loopback = (ntohl(v4.s_addr) >> 24U) == 127;
    return true;
  }
  in6_addr v6{};
  if (::inet_pton(AF_INET6, address.host.c_str(), &v6) != 1) return false;
  address.is_loopback = IN6_IS_ADDR_LOOPBACK(&v6);
  return true;
}

}  // namespace

std::string ListenAddress::text() const {
  if (!unix_path.empty()) return std::string{unix_prefix} + unix_path;
  return (is_ipv6() ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result parse_listen_address(const std::string& text) {
  if (text.starts_with(unix_prefix)) return parse_unix(text.substr(unix_prefix.size()));
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return refuse("'" + text + "' has no port");
  ListenAddress result;
  result.host = text.substr(0, colon);
  const bool in_brackets =
      result.host.size() > 2 && result.host.front() == '[' && result.host.back() == ']';
  if (in_brackets) result.host = result.host.substr(1, result.host.size() - 2);
  if (in_brackets != result.is_ipv6()) {
    return refuse("an IPv6 address, and nothing else, stands in brackets");
  }
  if (result.host == "localhost") result.host = "127.0.0.1";
  if (!read_host(result)) return refuse("'" + result.host + "' is no IP address in numbers");
  if (!read_port(std::string_view{text}.substr(colon + 1), result.port)) {
    return refuse("'" + text.substr(colon + 1) + "' is no port from 0 to 65535");
  }
  return result;
}

}  // namespace espalier::supervisor
