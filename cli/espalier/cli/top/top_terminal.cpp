#include "espalier/cli/top/top_terminal.hpp"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string_view>
#include <utility>

namespace espalier::cli {
namespace {

constexpr std::string_view enter_screen = "\x1b[?1049h\x1b[?25l\x1b[2J";
constexpr std::string_view leave_screen = "\x1b[0m\x1b[?25h\x1b[?1049l";
constexpr std::array<int, 5> fatal_signals = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
constexpr std::array<int, 3> end_signals = {SIGINT, SIGTERM, SIGHUP};

// What signal handlers see.
std::atomic<bool> is_open{false};
termios before = {};
volatile std::sig_atomic_t ended_by = 0;
volatile std::sig_atomic_t resized = 0;
volatile std::sig_atomic_t wake_fd = -1;

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void restore() {
  if (!is_open.exchange(false)) return;
  write_all(leave_screen);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

extern "C" void top_restore_and_die(int signal) {
  restore();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

extern "C" void top_note_signal(int signal) {
  const int saved = errno;
  if (signal == SIGWINCH) {
    resized = 1;
  } else {
    ended_by = signal;
  }
  const std::uint64_t one = 1;
  if (::write(wake_fd, &one, sizeof one) < 0) errno = saved;
  errno = saved;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

void enter_raw_mode() {
  tcgetattr(STDIN_FILENO, &before);
  termios raw = before;
  cfmakeraw(&raw);
  raw.c_oflag |= OPOST;  // A message of the system still begins at the left.
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
}

}  // namespace

TopTerminal::TopTerminal(int wake) {
  wake_fd = wake;
  ended_by = 0;
  resized = 0;
  for (const int signal : fatal_signals)
    handle(signal, top_restore_and_die);
  for (const int signal : end_signals)
    handle(signal, top_note_signal);
  handle(SIGWINCH, top_note_signal);
  enter_raw_mode();
  is_open = true;
  write_all(enter_screen);
}

TopTerminal::~TopTerminal() {
  close();
}

void TopTerminal::close() {
  if (wake_fd < 0) return;
  restore();
  for (const int signal : fatal_signals)
    handle(signal, SIG_DFL);
  for (const int signal : end_signals)
    handle(signal, SIG_DFL);
  handle(SIGWINCH, SIG_DFL);
  wake_fd = -1;
}

void TopTerminal::draw(std::vector<std::string> lines, bool all) {
  std::string out = all ? "\x1b[2J" : "";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!all && i < shown_.size() && shown_[i] == lines[i]) continue;
    // Cleared first: a line as wide as the terminal leaves the cursor on its last column.
    out += "\x1b[" + std::to_string(i + 1) + ";1H\x1b[2K" + lines[i];
  }
  if (lines.size() < shown_.size()) out += "\x1b[" + std::to_string(lines.size() + 1) + ";1H\x1b[J";
  if (!out.empty()) write_all(out);
  shown_ = std::move(lines);
}

std::string TopTerminal::read() {
  std::array<char, 1024> buffer = {};
  const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (got > 0) return std::string(buffer.data(), static_cast<std::size_t>(got));
  if (got < 0 && errno != EINTR && errno != EAGAIN) closed_ = true;
  return "";
}

bool TopTerminal::was_resized() {
  const bool was = resized != 0;
  resized = 0;
  return was;
}

int TopTerminal::end_signal() const {
  return ended_by;
}

TopSize TopTerminal::size() {
  TopSize size;
  winsize now = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) == 0 && now.ws_col > 0 && now.ws_row > 0) {
    size.columns = now.ws_col;
    size.rows = now.ws_row;
  }
  return size;
}

}  // namespace espalier::cli
