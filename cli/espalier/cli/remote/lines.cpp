#include "espalier/cli/remote/lines.hpp"

#include "espalier/cli/remote/words.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/ipc/wire/codec.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <string_view>

namespace espalier::cli {
namespace {

using ipc::Json;

// Of every event: they stand before the text, or are for programs.
constexpr std::array<std::string_view, 12> common_fields = {
    "type",       "sequence", "epoch",          "at",        "monotonic_ns", "path",
    "generation", "attempt",  "correlation_id", "caused_by", "severity",     "subscription_id"};

bool is_common(std::string_view name) {
  return std::find(common_fields.begin(), common_fields.end(), name) != common_fields.end();
}

std::string text_of(const Json& json, const char* key) {
  const auto field = json.find(key);
  return field != json.end() && field->is_string() ? field->get<std::string>() : "";
}

std::uint64_t number_of(const Json& json, const char* key) {
  const auto field = json.find(key);
  return field != json.end() && field->is_number_integer() ? field->get<std::uint64_t>() : 0;
}

std::string value_text(const std::string& key, const Json& value) {
  if (key == "exit" && value.is_object()) {
    if (const auto exit = ipc::decode<ipc::ExitInfo>(value, ipc::Unknown::ignore, "exit"))
      return exit_text(*exit);
  }
  if (key.ends_with("_ms") && value.is_number()) return short_span(value.get<double>());
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_plain(const Json& value) {
  return !value.is_array() && !value.is_object();
}

std::string key_word(const std::string& key) {
  return key.ends_with("_ms") ? key.substr(0, key.size() - 3) : key;
}

Ink ink_of_severity(const std::string& severity) {
  if (severity == "error") return Ink::bad;
  if (severity == "warning") return Ink::busy;
  return severity == "debug" ? Ink::faint : Ink::plain;
}

// The time, the path, then the text: as wide as the terminal, and not wider.
std::string stamped(const std::string& time, const std::string& path, const std::string& text,
                    Ink ink, const Terminal& terminal) {
  const std::string head = escape_controls(time) + "  ";
  const std::string shown_path = escape_controls(path);
  const std::size_t used = cell_width(head) + cell_width(shown_path) + 2;
  const std::size_t left = terminal.width == Terminal::unlimited
                               ? terminal.width
                               : terminal.width - std::min(terminal.width, used);
  if (left < 10) return cut(head + shown_path + "  " + escape_controls(text), terminal.width);
  return paint(head, Ink::faint, terminal.color) + paint(shown_path, Ink::strong, terminal.color) +
         "  " + paint(cut(escape_controls(text), left), ink, terminal.color);
}

}  // namespace

std::string event_text(const Json& event) {
  const std::string type = text_of(event, "type");
  if (const std::string sentence = text_of(event, "explanation"); !sentence.empty())
    return type + ": " + sentence;
  std::string out = type;
  bool first = true;
  for (const auto& [key, value] : event.items()) {
    const bool is_exit = key == "exit";
    if (is_common(key) || (!is_exit && !is_plain(value))) continue;
    out += first ? ": " : ", ";
    first = false;
    const std::string text = value_text(key, value);
    out += is_exit ? text : key_word(key) + " " + text;
  }
  return out;
}

std::string event_line(const Json& event, const Terminal& terminal) {
  return stamped(short_time(text_of(event, "at")), text_of(event, "path"), event_text(event),
                 ink_of_severity(text_of(event, "severity")), terminal);
}

std::string log_line(const ipc::LogLine& line, const Terminal& terminal) {
  Ink ink = ink_of_severity(to_string(line.level));
  if (line.stream == ipc::LogStream::err && ink == Ink::plain) ink = Ink::busy;
  const std::string text = line.message + (line.truncated.value_or(false) ? " [cut]" : "");
  return stamped(short_time(line.at), line.path, text, ink, terminal);
}

std::string gap_line(const Json& gap, const std::string& what, const Terminal& terminal) {
  const std::uint64_t count = number_of(gap, "count");
  std::string text = "-- " + (count == 0 ? "some " + what + "s" : count_of(count, what)) +
                     (count == 1 ? " is missing" : " are missing");
  if (number_of(gap, "from") > 0) {
    text += " (" + std::to_string(number_of(gap, "from")) + " to " +
            std::to_string(number_of(gap, "to")) + ")";
  }
  if (const std::string reason = text_of(gap, "reason"); !reason.empty()) text += ": " + reason;
  return paint(escape_controls(text + " --"), Ink::busy, terminal.color);
}

}  // namespace espalier::cli
