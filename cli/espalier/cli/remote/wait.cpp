#include "espalier/cli/exit_codes.hpp"
#include "espalier/cli/remote/follow.hpp"
#include "espalier/cli/remote/interrupt.hpp"
#include "espalier/cli/remote/select_paths.hpp"
#include "espalier/cli/remote/session.hpp"
#include "espalier/cli/remote/words.hpp"
#include "espalier/cli/text_cells.hpp"
#include "espalier/supervisor/core/path_pattern.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <thread>

namespace espalier::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* default_wait = "30s";
constexpr auto slice = std::chrono::milliseconds{200};
/// Also without an event it looks again so often: an event may fall between a look and the first
/// of the stream, and a target that came back has another tree.
constexpr auto look_again = std::chrono::seconds{1};

bool is_meant(const ipc::NodeInfo& node, const std::string& pattern) {
  return supervisor::is_pattern(pattern)
             ? node.path != "/" && supervisor::fits_pattern(pattern, node.path)
             : node.path == pattern;
}

// What is known of the children that are meant; the target may be away for a while.
struct Look {
  bool reached = false;
  std::optional<Failure> failure = {};
  std::vector<ipc::NodeInfo> nodes = {};
};

class Waiter {
 public:
  Waiter(const RemoteOptions& options, const Terminal& terminal, supervisor::Duration limit)
      : options_(options), terminal_(terminal), end_(Clock::now() + limit), limit_(limit) {}

  int run() {
    // A request gets the usual time, not the whole of the wait.
    RemoteOptions connecting = options_;
    connecting.timeout.clear();
    auto session = Session::open(connecting);
    if (!session) return fail(terminal_, session.error().code, session.error().message);
    ipc::EventStream::Options stream_options;
    stream_options.client = session->client_options();
    ipc::EventStream stream(std::move(stream_options));
    std::optional<Session> now(std::move(*session));
    const Interrupt interrupt;
    while (true) {
      const Look seen = look(now, connecting);
      if (seen.reached) return done(seen);
      if (seen.failure && seen.failure->code != exit_not_running)
        return fail(terminal_, seen.failure->code, seen.failure->message);
      if (Clock::now() >= end_) return too_late(seen);
      wait_for_news(stream, interrupt);
      if (interrupt.was_pressed()) return exit_interrupted;
    }
  }

 private:
  [[nodiscard]] Look look(std::optional<Session>& session, const RemoteOptions& connecting) const {
    Look out;
    if (!session) {
      auto again = Session::open(connecting, "1s");
      if (!again) {
        out.failure = again.error();
        return out;
      }
      session.emplace(std::move(*again));
    }
    const auto state = session->state();
    if (!state) {
      session.reset();
      out.failure = state.error();
      return out;
    }
    for (const ipc::NodeInfo& node : state->value.snapshot.nodes) {
      if (is_meant(node, options_.path())) out.nodes.push_back(node);
    }
    out.reached = is_reached(state->value.snapshot.nodes, options_.path(), options_.until);
    return out;
  }

  // Until an event, or it is time to look again. Events that wait are taken all at once.
  void wait_for_news(ipc::EventStream& stream, const Interrupt& interrupt) const {
    const auto until = std::min(Clock::now() + look_again, end_);
    bool has_news = false;
    while (!interrupt.was_pressed() && (has_news || Clock::now() < until)) {
      const auto left = std::max<Clock::duration>(until - Clock::now(), Clock::duration::zero());
      const auto item = stream.next(has_news ? supervisor::Duration::zero()
                                             : std::min<supervisor::Duration>(left, slice));
      if (!item) {
        std::this_thread::sleep_for(slice);
        return;
      }
      if (has_news && !*item) return;
      if (*item && (*item)->kind != ipc::EventStream::Item::Kind::connected) has_news = true;
    }
  }

  [[nodiscard]] int done(const Look& seen) const {
    ipc::Json nodes = ipc::Json::array();
    for (const ipc::NodeInfo& node : seen.nodes)
      nodes.push_back(json_of(node));
    const ipc::Json json = {{"path", options_.path()}, {"for", options_.until}, {"nodes", nodes}};
    if (options_.output == "json") terminal_.out << safe_json_pretty(json) << "\n";
    if (options_.output == "ndjson") terminal_.out << safe_json(json) << "\n";
    if (options_.output == "text")
      terminal_.out << escape_controls(options_.path() + ": " + options_.until) << "\n";
    return exit_done;
  }

  [[nodiscard]] int too_late(const Look& seen) const {
    std::string text =
        options_.path() + " is not " + options_.until + " after " + short_span(limit_);
    if (seen.failure) text += ": " + seen.failure->message;
    if (!seen.failure && seen.nodes.empty()) text += ": there is no such child";
    for (std::size_t i = 0; i < seen.nodes.size() && i < 3; ++i)
      text += (i == 0 ? ": " : ", ") + seen.nodes[i].path + " is " + phase_word(seen.nodes[i]);
    text += "; espalier why " + options_.path() + " may tell more";
    return fail(terminal_, seen.failure ? exit_not_running : exit_timed_out, text);
  }

  const RemoteOptions& options_;
  const Terminal& terminal_;
  Clock::time_point end_;
  supervisor::Duration limit_;
};

}  // namespace

bool is_reached(const std::vector<ipc::NodeInfo>& nodes, const std::string& pattern,
                const std::string& state) {
  bool any = false;
  for (const ipc::NodeInfo& node : nodes) {
    if (!is_meant(node, pattern)) continue;
    any = true;
    if (state == "removed") return false;
    const bool is_down =
        node.lifecycle == ipc::Lifecycle::stopped || node.lifecycle == ipc::Lifecycle::failed;
    if (state == "ready" ? node.lifecycle != ipc::Lifecycle::ready : !is_down) return false;
  }
  return any || state == "removed";
}

int wait_verb(const RemoteOptions& options, const Terminal& terminal) {
  const auto limit = timeout_of(options, default_wait);
  if (!limit) return fail(terminal, limit.error().code, limit.error().message);
  return Waiter(options, terminal, *limit).run();
}

}  // namespace espalier::cli
