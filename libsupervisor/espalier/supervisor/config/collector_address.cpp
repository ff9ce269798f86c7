#include "espalier/supervisor/config/collector_address.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace espalier::supervisor {

namespace {

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; }) &&
         std::stoul(std::string{text}) >= 1 && std::stoul(std::string{text}) <= 65'535;
}

}  // namespace

expected<CollectorAddress, std::string> parse_collector(const std::string& url) {
  const auto fail = [&](const std::string& why) {
    return unexpected<std::string>("\"" + url + "\" " + why +
                                   "; write it as http://127.0.0.1:4318/v1/traces");
  };
  constexpr std::string_view scheme = "http://";
  if (url.starts_with("https://")) {
    return fail("asks for TLS, which a collector on this machine can do better");
  }
  if (!url.starts_with(scheme)) return fail("does not begin with http://");
  const auto rest = url.substr(scheme.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  auto authority = rest.substr(0, slash);
  CollectorAddress result{.port = "4318", .path = rest.substr(slash)};
  if (result.path.size() < 2) result.path = "/v1/traces";
  const auto bracket = authority.find(']');
  const auto colon = authority.find(':', bracket == std::string::npos ? 0 : bracket);
  if (colon != std::string::npos) {
    result.port = authority.substr(colon + 1);
    authority.resize(colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  result.host = authority;
  if (result.host.empty()) return fail("names no machine");
  if (!is_port(result.port)) return fail("has no port from 1 to 65535");
  const bool odd = std::ranges::any_of(
      url, [](unsigned char c) { return c <= ' ' || c == 0x7f || c == '@' || c == '#'; });
  if (odd) return fail("holds what does not belong into an address");
  return result;
}

}  // namespace espalier::supervisor
