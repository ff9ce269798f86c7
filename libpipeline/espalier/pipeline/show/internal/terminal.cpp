#include "espalier/pipeline/show/internal/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace espalier::pipeline::internal {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = variable(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

constexpr std::string_view hide_cursor = "\x1b[?25l";
constexpr std::string_view show_cursor = "\x1b[?25h";
constexpr std::string_view enter_alone = "\x1b[?1049h";
constexpr std::string_view leave_alone = "\x1b[?1049l";

}  // namespace

bool is_screen(int fd) {
  const std::string term = variable("TERM");
  return isatty(fd) == 1 && !term.empty() && term != "dumb";
}

bool wants_color(int fd) {
  return variable("NO_COLOR").empty() && is_screen(fd);
}

Canvas canvas_of(int fd) {
  Canvas canvas;
  winsize size = {};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    canvas.columns = size.ws_col;
    canvas.rows = size.ws_row;
  }
  --canvas.columns;  // A full last column makes some terminals begin another line.
  canvas.unicode = is_utf8_locale();
  return canvas;
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Terminal::draw(const std::vector<std::string>& lines) {
  std::string out;
  if (!open_) {
    if (where_ == Where::alone) out += enter_alone;
    out += hide_cursor;
    open_ = true;
  }
  if (where_ == Where::alone) {
    out += "\x1b[H";
  } else {
    out += '\r';
    if (height_ > 1) out += "\x1b[" + std::to_string(height_ - 1) + "A";
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "\r\n";
    out += lines[i] + "\x1b[K";
  }
  out += "\x1b[J";
  height_ = lines.size();
  write_all(fd_, out);
}

void Terminal::close() {
  if (!open_) return;
  open_ = false;
  std::string out(where_ == Where::alone ? leave_alone : "\r\n");
  out += show_cursor;
  write_all(fd_, out);
  height_ = 0;
}

}  // namespace espalier::pipeline::internal
