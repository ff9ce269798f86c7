#include "espalier/supervisor/config/internal/value.hpp"

#include <cmath>
#include <cstdlib>

namespace espalier::supervisor::internal {

namespace {

struct Address {
  std::string host = {};
  std::uint16_t port = 0;
  std::string socket = {};
  std::string path = {};
};

// "host:port" or "unix:/path"; for HTTP also with "http://" before and "/path" behind host:port.
std::optional<Address> parse_address(std::string text, bool http) {
  Address address;
  if (text.rfind("unix:", 0) == 0) {
    address.socket = text.substr(5);
    address.host = ProbeSpec{}.host;
    if (address.socket.rfind('/', 0) != 0) return std::nullopt;
    return address;
  }
  if (http && text.rfind("http://", 0) == 0) text.erase(0, 7);
  if (const auto slash = text.find('/'); slash != std::string::npos) {
    if (!http) return std::nullopt;
    address.path = text.substr(slash);
    text.erase(slash);
  }
  const auto colon = text.rfind(':');
  if (colon == 0 || colon == std::string::npos) return std::nullopt;
  const auto port = parse_integer({text.substr(colon + 1), false}, 1, 65535);
  if (!port) return std::nullopt;
  address.host = text.substr(0, colon);
  if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  address.port = static_cast<std::uint16_t>(*port);
  return address;
}

std::string render_address(const ProbeSpec& probe) {
  if (!probe.socket.empty()) return "unix:" + probe.socket;
  if (probe.port == 0) return {};
  const bool is_v6 = probe.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + probe.host + "]" : probe.host) + ":" + std::to_string(probe.port);
}

std::string render_decimal(double number) {
  char text[32] = {};
  std::snprintf(text, sizeof text, "%.9g", number);
  return text;
}

}  // namespace

Value decimal_value(double& target, double min, double max, Zero zero) {
  Value value;
  const bool above = min == 0 && zero == Zero::refused;
  value.expected = "a number " + std::string(above ? "above " : "from ") + render_decimal(min) +
                   (above ? " up to " : " to ") + render_decimal(max);
  value.schema = std::string(R"({"type": "number", ")") + (above ? "exclusiveMinimum" : "minimum") +
                 "\": " + render_decimal(min) + ", \"maximum\": " + render_decimal(max) + "}";
  value.parse = [&target, min, max, above](const std::string&, const Text& text) {
    if (text.quoted || text.text.empty() ||
        text.text.find_first_not_of("0123456789.eE+-") != std::string::npos) {
      return false;
    }
    char* end = nullptr;
    const double number = std::strtod(text.text.c_str(), &end);
    if (*end != '\0' || !std::isfinite(number) || number > max) return false;
    if (above ? number <= min : number < min) return false;
    target = number;
    return true;
  };
  value.render = [&target] { return render_decimal(target); };
  return value;
}

Value categories_value(FailureCategory& target) {
  Words<FailureCategory> words;
  for (const auto category :
       {FailureCategory::none, FailureCategory::recoverable, FailureCategory::external_dependency,
        FailureCategory::timeout, FailureCategory::panic, FailureCategory::unhealthy,
        FailureCategory::fatal_config, FailureCategory::fatal_bug}) {
    words.emplace_back(category, to_string(category));
  }
  return word_value<FailureCategory>(target, words);
}

Value probe_command_value(ProbeSpec& target) {
  auto value = text_list_value(target.command);
  value.clear = [&target] {
    target.kind = ProbeSpec::Kind::exec;
    target.command.clear();
  };
  value.render = [&target, render = value.render] {
    return target.kind == ProbeSpec::Kind::exec ? render() : std::string();
  };
  return value;
}

Value probe_function_value(ProbeSpec& target) {
  auto value = text_value(target.function);
  value.parse = [&target, parse = value.parse](const std::string& key, const Text& text) {
    target.kind = ProbeSpec::Kind::function;
    return parse(key, text);
  };
  value.render = [&target, render = value.render] {
    return target.kind == ProbeSpec::Kind::function ? render() : std::string();
  };
  return value;
}

Value probe_path_value(ProbeSpec& target) {
  auto value = text_value(target.path);
  value.expected = "a path that begins with /";
  value.parse = [&target](const std::string&, const Text& text) {
    target.path = text.text;
    return text.text.rfind('/', 0) == 0;
  };
  value.render = [&target, render = value.render] {
    return target.kind == ProbeSpec::Kind::http ? render() : std::string();
  };
  return value;
}

Value probe_address_value(ProbeSpec& target, ProbeSpec::Kind kind) {
  const bool http = kind == ProbeSpec::Kind::http;
  Value value;
  value.expected = http ? "host:port, host:port/path or unix:/path/of/socket"
                        : "host:port or unix:/path/of/socket";
  value.schema = R"({"type": "string"})";
  value.parse = [&target, kind, http](const std::string&, const Text& text) {
    const auto address = parse_address(text.text, http);
    if (!address) return false;
    target.kind = kind;
    target.host = address->host;
    target.port = address->port;
    target.socket = address->socket;
    if (!address->path.empty()) target.path = address->path;
    return true;
  };
  value.render = [&target, kind] {
    if (target.kind != kind) return std::string();
    const auto text = render_address(target);
    return text.empty() ? text : render_text(text);
  };
  return value;
}

Value gate_value(StartGate& target, StartGate::Kind kind) {
  Value value;
  value.expected = kind == StartGate::Kind::port ? range_text(1, 65535) : "an absolute path";
  value.schema = kind == StartGate::Kind::port ? range_schema(1, 65535) : R"({"type": "string"})";
  value.parse = [&target, kind](const std::string&, const Text& text) {
    const bool good = kind == StartGate::Kind::port ? parse_integer(text, 1, 65535).has_value()
                                                    : text.text.rfind('/', 0) == 0;
    if (good) target = {kind, text.text};
    return good;
  };
  value.render = [&target, kind] {
    if (target.kind != kind || target.value.empty()) return std::string();
    return kind == StartGate::Kind::port ? target.value : render_text(target.value);
  };
  return value;
}

}  // namespace espalier::supervisor::internal
