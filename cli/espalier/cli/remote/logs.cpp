#include "espalier/cli/console.hpp"
#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/follow.hpp"
#include "espalier/cli/remote/interrupt.hpp"
#include "espalier/cli/remote/lines.hpp"
#include "espalier/cli/remote/session.hpp"
#include "espalier/cli/text_cells.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <thread>

namespace espalier::cli {
namespace {

using ipc::Json;

constexpr auto slice = std::chrono::milliseconds{200};
constexpr auto first_pause = std::chrono::milliseconds{100};
constexpr auto longest_pause = std::chrono::milliseconds{5000};
constexpr std::uint64_t most_lines = 1000;
constexpr std::uint64_t default_lines = 20;

ipc::LogsTailParams tail_of(const RemoteOptions& options) {
  ipc::LogsTailParams params;
  if (!options.paths.empty()) params.path = options.path();
  params.level = severity_of_word(options.level);
  params.lines = std::min(options.lines.value_or(default_lines), most_lines);
  if (options.follow) params.follow = true;
  return params;
}

// Follows the lines of a target over broken connections: asks again for what is kept and leaves
// out what it has shown.
class LogFollower {
 public:
  LogFollower(const RemoteOptions& options, const Terminal& terminal)
      : options_(options), terminal_(terminal), params_(tail_of(options)) {}

  int run() {
    auto session = Session::open(options_);
    if (!session) return fail(terminal_, session.error().code, session.error().message);
    const Interrupt interrupt;
    while (true) {
      const std::optional<int> code = serve(*session, interrupt);
      if (code) return *code;
      if (!reconnect(*session, interrupt)) return exit_interrupted;
    }
  }

 private:
  // Nothing: the connection broke, and a new one may mend it.
  std::optional<int> serve(Session& session, const Interrupt& interrupt) {
    const auto tail = session.ask<ipc::LogsTailResult>("logs.tail", params_);
    if (!tail) {
      if (tail.error().code == exit_not_running) return lost(tail.error().message);
      return fail(terminal_, tail.error().code, tail.error().message);
    }
    show_kept(tail->value.lines);
    while (!interrupt.was_pressed()) {
      if (!terminal_.out.good() || is_output_closed()) return exit_done;
      auto push = session.client().next(slice);
      if (!push) return lost(push.error().message);
      if (!*push) continue;
      if (const auto code = take(**push)) return code;
    }
    return exit_interrupted;
  }

  std::optional<int> take(const ipc::Push& push) {
    if (push.type == "log") {
      const auto line = ipc::decode<ipc::LogPush>(push.body, ipc::Unknown::ignore, "line");
      if (line) show(line->line);
    } else if (push.type == "gap") {
      print(options_.output == "text" ? gap_line(push.body, "line", terminal_)
                                      : safe_json(push.body));
    } else if (push.type == "end") {
      const auto end = ipc::decode<ipc::EndPush>(push.body, ipc::Unknown::ignore, "end");
      terminal_.err << "espalier: the tree has ended"
                    << (end ? ": " + escape_controls(end->reason) : "") << "\n";
      return exit_done;
    }
    return {};
  }

  // After a break, lines from before it come again; if all that are kept are new, some may be lost.
  void show_kept(const std::vector<ipc::LogLine>& lines) {
    const auto fresh = [&](const ipc::LogLine& line) { return line.at > last_; };
    const bool all_fresh = std::all_of(lines.begin(), lines.end(), fresh);
    if (was_lost_ && all_fresh && lines.size() >= most_lines) {
      const Json gap = {
          {"type", "gap"}, {"from", 0}, {"to", 0}, {"count", 0}, {"reason", "not_kept"}};
      print(options_.output == "text" ? gap_line(gap, "line", terminal_) : safe_json(gap));
    }
    const ipc::Timestamp before = last_;
    for (const ipc::LogLine& line : lines) {
      if (!was_lost_ || line.at > before) show(line);
    }
  }

  void show(const ipc::LogLine& line) {
    last_ = std::max(last_, line.at);
    print(options_.output == "text" ? log_line(line, terminal_) : safe_json(json_of(line)));
  }
  void print(const std::string& text) const { terminal_.out << text << "\n" << std::flush; }

  std::optional<int> lost(const std::string& why) {
    if (!was_lost_ || last_said_ != why)
      terminal_.err << "espalier: " << escape_controls(why) << "; trying again, Ctrl-C ends it\n";
    last_said_ = why;
    was_lost_ = true;
    params_.lines = most_lines;
    return {};
  }

  // Until there is a connection again; false: Ctrl-C.
  bool reconnect(Session& session, const Interrupt& interrupt) const {
    auto pause = first_pause;
    while (!interrupt.was_pressed()) {
      const auto end = std::chrono::steady_clock::now() + pause;
      while (!interrupt.was_pressed() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(pause, slice));
      auto again = Session::open(options_);
      if (again) {
        session = std::move(*again);
        return true;
      }
      pause = std::min<std::chrono::milliseconds>(pause * 2, longest_pause);
    }
    return false;
  }

  const RemoteOptions& options_;
  const Terminal& terminal_;
  ipc::LogsTailParams params_;
  ipc::Timestamp last_ = {};
  std::string last_said_ = {};
  bool was_lost_ = false;
};

}  // namespace

int logs_verb(const RemoteOptions& options, const Terminal& terminal) {
  if (options.follow) return LogFollower(options, terminal).run();
  auto session = Session::open(options);
  if (!session) return fail(terminal, session.error().code, session.error().message);
  const auto tail = session->ask<ipc::LogsTailResult>("logs.tail", tail_of(options));
  if (!tail) return fail(terminal, tail.error().code, tail.error().message);
  if (options.output == "json") {
    terminal.out << safe_json_pretty(tail->json) << "\n";
    return exit_done;
  }
  for (const ipc::LogLine& line : tail->value.lines) {
    terminal.out << (options.output == "text" ? log_line(line, terminal) : safe_json(json_of(line)))
                 << "\n";
  }
  return exit_done;
}

}  // namespace espalier::cli
