#include "espalier/cli/remote/redact.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace espalier::cli {
namespace {

constexpr std::string_view hidden = "***";
constexpr std::array<std::string_view, 9> telling = {"password", "passwd",  "passphrase",
                                                     "secret",   "token",   "api_key",
                                                     "apikey",   "api-key", "credential"};

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool tells_of_secret(std::string_view name) {
  const auto low = lower(name);
  return std::ranges::any_of(
      telling, [&](std::string_view word) { return low.find(word) != std::string::npos; });
}

bool belongs_to_name(unsigned char c) {
  return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
}

// One past the value that begins at `at`: a quoted one up to its quote, else up to a blank.
std::size_t end_of_value(const std::string& text, std::size_t at) {
  if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
    const auto quote = text.find(text[at], at + 1);
    return quote == std::string::npos ? text.size() : quote + 1;
  }
  return std::min(text.find_first_of(" \t\r\n&;,]}", at), text.size());
}

// "password=x", "password: x", "\"password\": \"x\"", "--password x", "[--password, x]".
std::size_t value_after_name(const std::string& text, std::size_t name, std::size_t end) {
  auto at = end;
  if (at < text.size() && (text[at] == '"' || text[at] == '\'')) ++at;
  const bool is_option = name < text.size() && text[name] == '-';
  if (is_option && at < text.size() && text[at] == ',') ++at;  // In a list.
  const auto blank = text.find_first_not_of(' ', at);
  if (blank == std::string::npos) return std::string::npos;
  if (text[blank] == '=' || text[blank] == ':') {
    return std::min(text.find_first_not_of(' ', blank + 1), text.size());
  }
  return is_option && blank > at ? blank : std::string::npos;
}

void hide_named(std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    if (!belongs_to_name(static_cast<unsigned char>(text[at]))) {
      ++at;
      continue;
    }
    auto end = at;
    while (end < text.size() && belongs_to_name(static_cast<unsigned char>(text[end])))
      ++end;
    const auto name = std::string_view{text}.substr(at, end - at);
    const bool is_path = at > 0 && text[at - 1] == '/';
    const auto value =
        !is_path && tells_of_secret(name) ? value_after_name(text, at, end) : std::string::npos;
    if (value != std::string::npos && value < text.size()) {
      text.replace(value, end_of_value(text, value) - value, hidden);
      end = value + hidden.size();
    }
    at = end;
  }
}

// "Authorization: Bearer x"
void hide_after_scheme(std::string& text) {
  for (const std::string_view scheme : {"bearer ", "basic "}) {
    for (auto at = lower(text).find(scheme); at != std::string::npos;
         at = lower(text).find(scheme, at + scheme.size())) {
      const auto value = at + scheme.size();
      text.replace(value, end_of_value(text, value) - value, hidden);
    }
  }
}

// "postgres://user:pass@host/"
void hide_in_urls(std::string& text) {
  for (auto at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    const auto end = std::min(text.find_first_of("/ \t\r\n\"'", at + 3), text.size());
    const auto sign = text.rfind('@', end);
    if (sign == std::string::npos || sign < at + 3) continue;
    text.replace(at + 3, sign - at - 3, hidden);
  }
}

}  // namespace

std::string redact(const std::string& text) {
  auto out = text;
  hide_in_urls(out);
  hide_after_scheme(out);
  hide_named(out);
  return out;
}

void redact_all(ipc::Json& json) {
  if (json.is_string()) {
    json = redact(json.get<std::string>());
  } else if (json.is_object()) {
    for (auto& [key, value] : json.items()) {
      if (value.is_string() && tells_of_secret(key)) {
        value = hidden;
      } else {
        redact_all(value);
      }
    }
  } else if (json.is_array()) {
    bool is_value = false;  // Of an option that stands before it, as in a command.
    for (auto& value : json) {
      const auto* const text = value.get_ptr<const std::string*>();
      const bool is_option = text != nullptr && text->starts_with('-') &&
                             text->find('=') == std::string::npos && tells_of_secret(*text);
      if (is_value && text != nullptr) {
        value = hidden;
      } else {
        redact_all(value);
      }
      is_value = is_option;
    }
  }
}

}  // namespace espalier::cli
