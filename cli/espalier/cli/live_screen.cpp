#include "espalier/cli/live_screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>

namespace espalier::cli {
namespace sv = espalier::supervisor;
namespace {

constexpr std::chrono::milliseconds frame_time{100};
constexpr std::string_view enter_screen = "\x1b[?1049h\x1b[?25l\x1b[2J";
constexpr std::string_view leave_screen = "\x1b[0m\x1b[?25h\x1b[?1049l";
constexpr std::array<int, 5> fatal_signals = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};

std::atomic<bool> screen_is_open{false};

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Only what a signal handler may do: write, and die of the signal after all.
extern "C" void restore_terminal_and_die(int signal) {
  if (screen_is_open.exchange(false)) write_all(leave_screen);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

Canvas canvas_now() {
  Canvas canvas;
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    canvas.width = size.ws_col;
    canvas.height = size.ws_row;
  }
  canvas.now = std::chrono::steady_clock::now();
  return canvas;
}

}  // namespace

void TreeFeed::publish(const sv::Event& event) {
  const std::lock_guard lock(mutex_);
  view_.fold(event);
}

void TreeFeed::write(const sv::OutputLine& line) {
  const std::lock_guard lock(mutex_);
  view_.add_output(line, std::chrono::system_clock::now());
}

void TreeFeed::note(const std::string& text) {
  const std::lock_guard lock(mutex_);
  view_.add_note(text, std::chrono::system_clock::now());
}

std::vector<std::string> TreeFeed::render(const Canvas& canvas) const {
  const std::lock_guard lock(mutex_);
  return view_.render(canvas);
}

std::string TreeFeed::status_line() const {
  const std::lock_guard lock(mutex_);
  return view_.status_line();
}

bool TreeFeed::is_up() const {
  const std::lock_guard lock(mutex_);
  return view_.is_up();
}

bool TreeFeed::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return view_.is_stopping();
}

LiveScreen::LiveScreen(const TreeFeed& feed, Options options) : feed_(feed), options_(options) {
  for (const int signal : fatal_signals)
    std::signal(signal, restore_terminal_and_die);
  screen_is_open = true;
  write_all(enter_screen);
  thread_ = std::thread([this] { run(); });
}

LiveScreen::~LiveScreen() {
  close();
}

void LiveScreen::resized() {
  redraw_all_ = true;
}

void LiveScreen::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (screen_is_open.exchange(false)) write_all(leave_screen);
}

void LiveScreen::run() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    lock.unlock();  // Writing to a terminal may take as long as its reader pleases.
    draw();
    lock.lock();
    wake_.wait_for(lock, frame_time, [this] { return closing_; });
  }
}

void LiveScreen::draw() {
  Canvas canvas = canvas_now();
  canvas.color = options_.color;
  canvas.unicode = options_.unicode;
  std::vector<std::string> lines = feed_.render(canvas);
  const bool all = redraw_all_.exchange(false);
  std::string out = all ? "\x1b[2J" : "";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!all && i < shown_.size() && shown_[i] == lines[i]) continue;
    out += "\x1b[" + std::to_string(i + 1) + ";1H" + lines[i] + "\x1b[K";
  }
  if (lines.size() < shown_.size()) out += "\x1b[J";
  if (!out.empty()) write_all(out);
  shown_ = std::move(lines);
}

}  // namespace espalier::cli
