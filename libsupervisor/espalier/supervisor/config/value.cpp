#include "espalier/supervisor/config/internal/value.hpp"

#include <csignal>
#include <cstdio>

namespace espalier::supervisor::internal {

namespace {

constexpr const char* duration_examples = "250ms, 5s, 2m or 1h, at most 8760h";
constexpr const char* duration_schema =
    R"({"type": "string", "pattern": "^([0-9]+(ns|us|ms|s|m|h)|.*\\$\\{.*)$"})";
constexpr const char* text_schema = R"({"type": ["string", "number", "boolean"]})";

const Words<int>& signals() {
  static const Words<int> table{{SIGTERM, "SIGTERM"},   {SIGINT, "SIGINT"},   {SIGHUP, "SIGHUP"},
                                {SIGQUIT, "SIGQUIT"},   {SIGKILL, "SIGKILL"}, {SIGUSR1, "SIGUSR1"},
                                {SIGUSR2, "SIGUSR2"},   {SIGABRT, "SIGABRT"}, {SIGALRM, "SIGALRM"},
                                {SIGWINCH, "SIGWINCH"}, {SIGPIPE, "SIGPIPE"}, {SIGCONT, "SIGCONT"}};
  return table;
}

bool holds_zero_byte(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

// "512MiB" as bytes; a plain number counts bytes.
std::optional<std::uint64_t> parse_bytes(const Text& text) {
  static const Words<std::int64_t> sizes{{1, ""},
                                         {1, "B"},
                                         {1'000, "KB"},
                                         {1'000'000, "MB"},
                                         {1'000'000'000, "GB"},
                                         {1LL << 10, "KiB"},
                                         {1LL << 20, "MiB"},
                                         {1LL << 30, "GiB"},
                                         {1LL << 40, "TiB"}};
  const auto digits = std::min(text.text.find_first_not_of("0123456789"), text.text.size());
  for (const auto& [factor, suffix] : sizes) {
    if (text.text.substr(digits) != suffix) continue;
    const auto number = parse_integer({text.text.substr(0, digits), text.quoted && suffix.empty()},
                                      0, std::numeric_limits<std::int64_t>::max() / factor);
    if (!number) return std::nullopt;
    return static_cast<std::uint64_t>(*number * factor);
  }
  return std::nullopt;
}

}  // namespace

Value duration_value(Duration& target, Zero zero) {
  Value value;
  value.is_duration = true;
  value.expected = std::string("a duration ") + (zero == Zero::allowed ? "" : "above zero ") +
                   "such as " + duration_examples;
  value.schema = duration_schema;
  value.parse = [&target, zero](const std::string&, const Text& text) {
    const auto span = parse_duration(text.text);
    if (!span || (*span == Duration::zero() && zero == Zero::refused)) return false;
    target = *span;
    return true;
  };
  value.render = [&target] { return render_duration(target); };
  return value;
}

Value flag_value(bool& target) {
  Value value;
  value.expected = "true or false";
  value.words = {"true", "false"};
  value.schema = R"({"type": "boolean"})";
  value.parse = [&target](const std::string&, const Text& text) {
    const auto& t = text.text;
    const bool yes = t == "true" || t == "True" || t == "TRUE";
    if (text.quoted || (!yes && t != "false" && t != "False" && t != "FALSE")) return false;
    target = yes;
    return true;
  };
  value.render = [&target] { return target ? std::string("true") : std::string("false"); };
  return value;
}

Value text_value(std::string& target) {
  Value value;
  value.expected = "text";
  value.schema = text_schema;
  value.parse = [&target](const std::string&, const Text& text) {
    if (holds_zero_byte(text.text)) return false;
    target = text.text;
    return true;
  };
  value.render = [&target] { return target.empty() ? std::string() : render_text(target); };
  return value;
}

Value name_value(std::string& target) {
  auto value = text_value(target);
  value.expected = "a name: a letter or _ first, then letters, digits, _ . -";
  value.schema = R"({"type": "string", "pattern": "^([A-Za-z_][A-Za-z0-9_.-]*|.*\\$\\{.*)$"})";
  value.parse = [&target](const std::string&, const Text& text) {
    target = text.text;
    return is_valid_name(target);
  };
  return value;
}

Value count_value(std::optional<std::uint64_t>& target, bool bytes) {
  if (!bytes) return number_value(target, 0, std::numeric_limits<std::int64_t>::max());
  Value value;
  value.expected = "a number of bytes, or a size such as 64KiB, 512MiB or 2GiB";
  value.schema = R"({"type": ["integer", "string"], "minimum": 0})";
  value.parse = [&target](const std::string&, const Text& text) {
    const auto number = parse_bytes(text);
    if (number) target = number;
    return number.has_value();
  };
  value.render = [&target] { return target ? std::to_string(*target) : std::string(); };
  return value;
}

Value umask_value(std::optional<std::uint32_t>& target) {
  Value value;
  value.expected = "an octal mask from 000 to 777, such as \"022\"";
  value.schema = R"({"type": ["string", "integer"]})";
  value.parse = [&target](const std::string&, const Text& text) {
    const auto digits = text.text.rfind("0o", 0) == 0 ? text.text.substr(2) : text.text;
    if (digits.empty() || digits.find_first_not_of("01234567") != std::string::npos) return false;
    const auto number = parse_integer({"0o" + digits, false}, 0, 0777);
    if (number) target = static_cast<std::uint32_t>(*number);
    return number.has_value();
  };
  value.render = [&target] {
    if (!target) return std::string();
    char text[16] = {};
    std::snprintf(text, sizeof text, "\"%03o\"", *target);
    return std::string(text);
  };
  return value;
}

Value signal_value(int& target) {
  Value value;
  for (const auto& [number, name] : signals())
    value.words.push_back(name);
  value.expected = "a signal such as SIGTERM, TERM or 15";
  value.schema = R"({"type": ["string", "integer"]})";
  value.parse = [&target](const std::string&, const Text& text) {
    for (const auto& [number, name] : signals()) {
      if (text.text != name && "SIG" + text.text != name) continue;
      target = number;
      return true;
    }
    const auto number = parse_integer(text, 1, 64);
    if (number) target = static_cast<int>(*number);
    return number.has_value();
  };
  value.render = [&target] {
    for (const auto& [number, name] : signals()) {
      if (number == target) return name;
    }
    return std::to_string(target);
  };
  return value;
}

Value stop_value(StopPolicy& target) {
  auto value = duration_value(target.grace, Zero::refused);
  value.expected += ", or brutal_kill, or infinity";
  value.words = {"brutal_kill", "infinity"};
  value.schema = R"({"type": "string"})";
  value.parse = [&target](const std::string&, const Text& text) {
    const auto word = snake_case(text.text);
    if (word == "brutal_kill" || word == "infinity") {
      target.kind = word == "infinity" ? StopPolicy::Kind::infinity : StopPolicy::Kind::brutal_kill;
      return true;
    }
    const auto span = parse_duration(text.text);
    if (!span || *span == Duration::zero()) return false;
    target = {StopPolicy::Kind::timed, *span};
    return true;
  };
  value.render = [&target]() -> std::string {
    if (target.kind == StopPolicy::Kind::infinity) return "infinity";
    if (target.kind == StopPolicy::Kind::brutal_kill) return "brutal_kill";
    return render_duration(target.grace);
  };
  return value;
}

Value max_restarts_value(std::optional<RestartLimit>& target) {
  constexpr auto most = std::numeric_limits<std::uint32_t>::max();
  Value value;
  value.words = {"unlimited"};
  value.expected = range_text(0, most) + ", or unlimited";
  value.schema = R"({"anyOf": [)" + range_schema(0, most) + R"(, {"const": "unlimited"}]})";
  value.parse = [&target](const std::string&, const Text& text) {
    if (snake_case(text.text) == "unlimited") {
      target.reset();
      return true;
    }
    const auto number = parse_integer(text, 0, most);
    if (!number) return false;
    if (!target) target.emplace();
    target->max_restarts = static_cast<std::uint32_t>(*number);
    return true;
  };
  value.render = [&target] {
    return target ? std::to_string(target->max_restarts) : std::string("unlimited");
  };
  return value;
}

Value window_value(std::optional<RestartLimit>& target) {
  Duration unbound = {};
  auto value = duration_value(unbound, Zero::refused);
  // Checked even where the limit is off, so that a fault does not hide until it is switched on.
  value.parse = [&target](const std::string&, const Text& text) {
    const auto span = parse_duration(text.text);
    if (!span || *span == Duration::zero()) return false;
    if (target) target->window = *span;
    return true;
  };
  value.render = [&target] { return target ? render_duration(target->window) : std::string(); };
  return value;
}

Value text_list_value(std::vector<std::string>& target) {
  Value value;
  value.shape = Value::Shape::list;
  value.expected = "text";
  value.schema = text_schema;
  value.clear = [&target] { target.clear(); };
  value.parse = [&target](const std::string&, const Text& text) {
    target.push_back(text.text);
    return !holds_zero_byte(text.text);
  };
  value.render = [&target]() -> std::string {
    std::string text;
    for (const auto& item : target)
      text += (text.empty() ? "[" : ", ") + render_text(item);
    return text.empty() ? text : text + "]";
  };
  return value;
}

Value code_list_value(std::vector<int>& target) {
  Value value;
  value.shape = Value::Shape::list;
  value.expected = range_text(0, 255);
  value.schema = range_schema(0, 255);
  value.clear = [&target] { target.clear(); };
  value.parse = [&target](const std::string&, const Text& text) {
    const auto number = parse_integer(text, 0, 255);
    if (number) target.push_back(static_cast<int>(*number));
    return number.has_value();
  };
  value.render = [&target] {
    std::string text = "[";
    for (const auto code : target)
      text += (text.size() > 1 ? ", " : "") + std::to_string(code);
    return text + "]";
  };
  return value;
}

Value text_map_value(std::map<std::string, std::string>& target) {
  Value value;
  value.shape = Value::Shape::map;
  value.expected = "text under a key that is not empty and holds no =";
  value.schema = text_schema;
  value.clear = [&target] { target.clear(); };
  value.parse = [&target](const std::string& key, const Text& text) {
    if (key.empty() || key.find('=') != std::string::npos || holds_zero_byte(key)) return false;
    target[key] = text.text;
    return !holds_zero_byte(text.text);
  };
  value.render = [&target]() -> std::string {
    std::string text;
    for (const auto& [key, item] : target) {
      text += (text.empty() ? "{" : ", ") + quote(key) + ": " +
              (item.empty() ? "\"\"" : render_text(item));
    }
    return text.empty() ? text : text + "}";
  };
  return value;
}

}  // namespace espalier::supervisor::internal
