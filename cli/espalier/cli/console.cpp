#include "espalier/cli/console.hpp"

#include "espalier/cli/text_cells.hpp"
#include "espalier/supervisor/observe/log_output.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  gmtime_r(&now, &utc);
  std::array<char, 32> text = {};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

/// The lines of a text, all other control characters escaped, with something between them.
std::string join_lines(std::string_view text, std::string_view between) {
  std::string out;
  while (!text.empty() && text.back() == '\n')
    text.remove_suffix(1);
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos;) {
    out += escape_controls(std::string(text.substr(0, end)));
    out += between;
    text.remove_prefix(end + 1);
  }
  return out + escape_controls(std::string(text));
}

std::string json_string(const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return '"' + join_lines(quoted, "\\n") + '"';
}

}  // namespace

bool wants_color(const std::string& choice, int fd) {
  if (choice != "auto") return choice == "always";
  return variable("NO_COLOR").empty() && is_screen(fd);
}

bool is_screen(int fd) {
  const std::string term = variable("TERM");
  return isatty(fd) == 1 && !term.empty() && term != "dumb";
}

bool is_utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = variable(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

sv::LogFormat log_format_of(const std::string& word) {
  if (word == "text" || (word == "auto" && isatty(STDERR_FILENO) == 1)) return sv::LogFormat::text;
  const bool journald =
      word == "journald" || (word == "auto" && sv::is_read_by_journald(STDERR_FILENO));
  return journald ? sv::LogFormat::journald : sv::LogFormat::json;
}

sv::Severity severity_of_word(const std::string& word) {
  for (const sv::Severity x : {sv::Severity::debug, sv::Severity::warning, sv::Severity::error}) {
    if (word == sv::to_string(x)) return x;
  }
  return sv::Severity::info;
}

void say(sv::LogFormat format, sv::Severity severity, const std::string& text) {
  std::string line;
  if (format == sv::LogFormat::json) {
    line = "{\"at\":\"" + now_text() + "\",\"severity\":\"" + sv::to_string(severity) +
           "\",\"system\":\"cpp\",\"message\":" + json_string(text) + "}\n";
  } else if (format == sv::LogFormat::journald) {
    const std::string priority = severity == sv::Severity::error     ? "<3>"
                                 : severity == sv::Severity::warning ? "<4>"
                                                                     : "<6>";
    line = priority + join_lines(text, "\n" + priority) + "\n";
  } else {
    line = "espalier: " + join_lines(text, "\nespalier:   ") + "\n";
  }
  static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
}

std::string render_problems(const std::vector<sv::ConfigProblem>& problems) {
  std::string out;
  for (const sv::ConfigProblem& problem : problems)
    out += problem.to_string() + "\n";
  const std::size_t count = problems.size();
  out +=
      std::to_string(count) + (count == 1 ? " problem" : " problems") + "; nothing was started\n";
  return out;
}

}  // namespace espalier::cli
