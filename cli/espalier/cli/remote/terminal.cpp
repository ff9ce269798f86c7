#include "espalier/cli/remote/terminal.hpp"

#include "espalier/cli/console.hpp"
#include "espalier/cli/text_cells.hpp"

#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

namespace espalier::cli {
namespace {

constexpr std::size_t least_width = 20;

std::size_t width_here() {
  if (const char* const text = std::getenv("COLUMNS")) {
    std::size_t columns = 0;
    const auto parsed = std::from_chars(text, text + std::strlen(text), columns);
    if (parsed.ec == std::errc() && columns > 0) return std::max(columns, least_width);
  }
  if (isatty(STDOUT_FILENO) != 1) return Terminal::unlimited;
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return std::max<std::size_t>(size.ws_col, least_width);
}

// Two or three bytes of UTF-8 that nlohmann writes as they are: DEL, C1, and what turns the
// direction of reading. In JSON they can only stand within a string.
std::size_t harmful(std::string_view text, unsigned& rune) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) == 0x7f) {
    rune = 0x7f;
    return 1;
  }
  if (text.size() >= 2 && byte(0) == 0xc2 && byte(1) < 0xa0) {
    rune = byte(1);
    return 2;
  }
  if (text.size() < 3 || byte(0) != 0xe2) return 0;
  rune = 0x2000U + ((byte(1) & 0x3fU) << 6U) + (byte(2) & 0x3fU);
  const bool turns = (rune >= 0x200e && rune <= 0x200f) || (rune >= 0x2028 && rune <= 0x202e) ||
                     (rune >= 0x2066 && rune <= 0x2069);
  return turns ? 3 : 0;
}

std::string escape_json(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    unsigned rune = 0;
    const std::size_t size = harmful(std::string_view(text).substr(i), rune);
    if (size == 0) {
      out += text[i++];
      continue;
    }
    std::array<char, 8> escape = {};
    std::snprintf(escape.data(), escape.size(), "\\u%04x", rune);
    out += escape.data();
    i += size;
  }
  return out;
}

}  // namespace

Terminal terminal_of(const Streams& streams, const RemoteOptions& options) {
  Terminal terminal{.out = streams.out, .err = streams.err};
  terminal.width = width_here();
  terminal.color = wants_color(options.color, STDOUT_FILENO);
  terminal.unicode = is_utf8_locale();
  terminal.asks = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
  return terminal;
}

std::string paint(const std::string& text, Ink ink, bool color) {
  if (!color || text.empty()) return text;
  const char* code = nullptr;
  switch (ink) {
    case Ink::plain:
      return text;
    case Ink::faint:
      code = "2";
      break;
    case Ink::strong:
      code = "1";
      break;
    case Ink::good:
      code = "32";
      break;
    case Ink::busy:
      code = "33";
      break;
    case Ink::bad:
      code = "31";
      break;
  }
  return std::string("\x1b[") + code + "m" + text + "\x1b[0m";
}

std::string safe_json(const ipc::Json& json) {
  return escape_json(json.dump(-1, ' ', false, ipc::Json::error_handler_t::replace));
}

std::string safe_json_pretty(const ipc::Json& json) {
  return escape_json(json.dump(2, ' ', false, ipc::Json::error_handler_t::replace));
}

int fail(const Terminal& terminal, int code, const std::string& message) {
  std::string_view rest = message;
  bool first = true;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) {
      terminal.err << (first ? "espalier: " : "  ") << escape_controls(rest.substr(0, end)) << "\n";
    }
    first = false;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  terminal.err.flush();
  return code;
}

bool confirm(const Terminal& terminal, const std::string& question) {
  terminal.err << escape_controls(question) << " [y/N] " << std::flush;
  std::string answer;
  if (!std::getline(std::cin, answer)) {
    terminal.err << "\n";
    return false;
  }
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace espalier::cli
