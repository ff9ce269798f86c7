#include "espalier/supervisor/config/internal/node.hpp"
#include "espalier/supervisor/config/internal/value.hpp"

#include <array>
#include <cctype>
#include <charconv>

namespace espalier::supervisor::internal {

namespace {

struct Unit {
  const char* name = "";
  std::int64_t nanoseconds = 1;
};

// Largest first: the first that divides a span is the one to write it in.
constexpr std::array<Unit, 6> units{{{"h", 3'600'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"s", 1'000'000'000},
                                     {"ms", 1'000'000},
                                     {"us", 1'000},
                                     {"ns", 1}}};

// A year: far above any sensible setting, far below where adding to an instant overflows.
constexpr std::int64_t longest = 8760LL * 3'600'000'000'000LL;

std::string as_json_list(const std::vector<std::string>& words) {
  std::string text = "[";
  for (const auto& word : words)
    text += (text.size() > 1 ? ", " : "") + quote(word);
  return text + "]";
}

}  // namespace

std::optional<std::int64_t> parse_integer(const Text& text, std::int64_t min, std::int64_t max) {
  if (text.quoted) return std::nullopt;
  std::string digits = text.text;
  int base = 10;
  if (digits.rfind("0o", 0) == 0 || digits.rfind("0x", 0) == 0) {
    base = digits[1] == 'o' ? 8 : 16;
    digits.erase(0, 2);
    if (digits.rfind('-', 0) == 0) return std::nullopt;
  } else if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') {
    digits.erase(0, 1);
  }
  std::int64_t number = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stop, fault] = std::from_chars(digits.data(), end, number, base);
  if (fault != std::errc{} || stop != end || number < min || number > max) return std::nullopt;
  return number;
}

std::optional<Duration> parse_duration(const std::string& text) {
  const auto digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string::npos) return std::nullopt;
  for (const auto& unit : units) {
    if (text.substr(digits) != unit.name) continue;
    const auto number =
        parse_integer({text.substr(0, digits), false}, 0, longest / unit.nanoseconds);
    if (!number) return std::nullopt;
    return Duration{*number * unit.nanoseconds};
  }
  return std::nullopt;
}

std::string render_duration(Duration value) {
  if (value == Duration::zero()) return "0s";
  for (const auto& unit : units) {
    if (value.count() % unit.nanoseconds == 0) {
      return std::to_string(value.count() / unit.nanoseconds) + unit.name;
    }
  }
  return {};
}

std::string quote(const std::string& text) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += hex[byte >> 4U];
      out += hex[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string render_text(const std::string& text) {
  static const std::vector<std::string> reserved{"null", "true", "false"};
  auto lower = text;
  for (auto& c : lower)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (is_valid_name(text) && std::find(reserved.begin(), reserved.end(), lower) == reserved.end()) {
    return text;
  }
  auto escaped = text;
  for (auto at = escaped.find("${"); at != std::string::npos; at = escaped.find("${", at + 3)) {
    escaped.insert(at, "$");
  }
  return quote(escaped);
}

std::string snake_case(const std::string& word) {
  std::string out;
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isupper(byte) != 0 && !out.empty() && out.back() != '_') out += '_';
    out += static_cast<char>(std::tolower(byte));
  }
  return out;
}

std::string camel_case(const std::string& word) {
  std::string out;
  bool upper = true;
  for (const char c : word) {
    if (c != '_') {
      out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    }
    upper = c == '_';
  }
  return out;
}

std::string words_schema(const std::vector<std::string>& words) {
  auto all = words;
  for (const auto& word : words)
    all.push_back(camel_case(word));
  return "{\"enum\": " + as_json_list(all) + "}";
}

std::string range_schema(std::int64_t min, std::int64_t max) {
  return "{\"type\": \"integer\", \"minimum\": " + std::to_string(min) +
         ", \"maximum\": " + std::to_string(max) + "}";
}

std::string range_text(std::int64_t min, std::int64_t max) {
  return "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
}

std::string words_text(const std::vector<std::string>& words) {
  return one_of(words);
}

}  // namespace espalier::supervisor::internal
