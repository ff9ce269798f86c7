#include "espalier/cli/top/top_screen.hpp"

#include "espalier/cli/console.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/commander.hpp"
#include "espalier/cli/top/top_feed.hpp"
#include "espalier/cli/top/top_terminal.hpp"
#include "espalier/cli/top/top_view.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <utility>

namespace espalier::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto between_pictures = std::chrono::milliseconds{50};
constexpr auto tick_time = std::chrono::milliseconds{1000};
// A lone Esc is told from the keys whose sequences begin with it by what follows.
constexpr auto escape_time = std::chrono::milliseconds{50};

class Screen {
 public:
  Screen(const RemoteOptions& options, Session session, const TopLook& look)
      : look_(look),
        model_({.user = login_name(), .read_only = options.read_only}),
        commander_(pinned(options, session), inbox_),
        feed_(options, std::move(session), inbox_),
        terminal_(inbox_.fd()) {}

  int run() {
    take(TopTerminal::size());
    while (!quit_ && terminal_.end_signal() == 0 && !terminal_.is_closed()) {
      wait();
      if (terminal_.was_resized()) take(TopTerminal::size());
      for (const TopInput& input : inbox_.take())
        take(input);
      read_keys();
      take(TopTick{});
      draw_if_due();
    }
    terminal_.close();
    if (const int signal = terminal_.end_signal(); signal != 0 && !quit_) std::raise(signal);
    return interrupted_ ? exit_interrupted : exit_done;
  }

 private:
  static RemoteOptions pinned(RemoteOptions options, const Session& session) {
    options.socket = session.socket();
    options.timeout.clear();
    return options;
  }

  void take(const TopInput& input) {
    TopEffects effects = model_.take(input, std::chrono::system_clock::now());
    if (!std::holds_alternative<TopTick>(input)) changed_ = true;
    if (effects.follow) feed_.follow(std::move(*effects.follow));
    if (effects.why) feed_.ask_why(std::move(*effects.why));
    if (effects.command) commander_.send(std::move(*effects.command));
    quit_ = quit_ || effects.quit;
    interrupted_ = interrupted_ || effects.interrupted;
    redraw_ = redraw_ || effects.redraw;
  }

  void wait() {
    auto limit = tick_time;
    if (changed_) limit = between_pictures;
    if (keys_.is_waiting()) limit = std::min(limit, escape_time);
    std::array<pollfd, 2> watched = {pollfd{STDIN_FILENO, POLLIN, 0},
                                     pollfd{inbox_.fd(), POLLIN, 0}};
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(limit.count()));
    typed_ = ready > 0 && (watched[0].revents & POLLIN) != 0;
    hung_up_ = ready > 0 && (watched[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
  }

  void read_keys() {
    std::vector<Key> keys;
    const std::string bytes = typed_ ? terminal_.read() : "";
    if (!bytes.empty()) {
      keys = keys_.read(bytes);
    } else if (hung_up_) {
      quit_ = true;
    } else if (keys_.is_waiting()) {
      keys = keys_.flush();
    }
    for (Key& key : keys)
      take(std::move(key));
  }

  void draw_if_due() {
    const auto now = Clock::now();
    if (now - drawn_at_ < (changed_ ? between_pictures : tick_time)) return;
    TopFrame frame = render_top(model_, look_);
    model_.limit_scroll(frame.scroll_limit);
    terminal_.draw(std::move(frame.lines), redraw_);
    drawn_at_ = now;
    changed_ = redraw_ = false;
  }

  TopLook look_;
  TopModel model_;
  TopInbox inbox_;
  TopCommander commander_;
  TopFeed feed_;
  TopTerminal terminal_;
  KeyReader keys_;
  bool typed_ = false;
  bool hung_up_ = false;
  bool quit_ = false;
  bool interrupted_ = false;
  bool redraw_ = true;
  bool changed_ = true;
  Clock::time_point drawn_at_ = {};
};

// The whole tree on as many lines as it needs.
int print_once(Session& session, const RemoteOptions& options, const Terminal& terminal) {
  constexpr std::size_t lines_around = 5;
  constexpr std::size_t usual_width = 80;
  const std::size_t width = terminal.width == Terminal::unlimited ? usual_width : terminal.width;
  auto state = session.state("/", {}, width >= top_wide_columns);
  if (!state) return fail(terminal, state.error().code, state.error().message);
  TopModel model({.user = login_name(), .read_only = options.read_only});
  const auto now = std::chrono::system_clock::now();
  const std::size_t rows = std::max<std::size_t>(state->value.snapshot.nodes.size(), 6);
  for (const TopInput& input :
       {TopInput(TopSize{width, rows + lines_around}), TopInput(TopConnected{session.hello()}),
        TopInput(std::move(state->value.snapshot))}) {
    static_cast<void>(model.take(input, now));
  }
  const TopLook look{terminal.color, terminal.unicode, false};
  for (const std::string& line : render_top(model, look).lines) {
    const std::size_t end = line.find_last_not_of(' ');
    if (end != std::string::npos) terminal.out << line.substr(0, end + 1) << "\n";
  }
  return exit_done;
}

}  // namespace

int top_verb(const RemoteOptions& options, const Terminal& terminal) {
  const bool on_screen = is_screen(STDOUT_FILENO) && isatty(STDIN_FILENO) == 1;
  if (!options.once && !on_screen) {
    return fail(terminal, exit_usage,
                "top draws on a terminal, and here is none; use espalier status, espalier events "
                "-f, or top --once for one picture as text");
  }
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error().code, session.error().message);
  if (options.once) return print_once(*session, options, terminal);
  return Screen(options, std::move(*session), {terminal.color, terminal.unicode, true}).run();
}

}  // namespace espalier::cli
