// One child that fails again and again: S1, S2, S8.
#include "storm.hpp"

#include <unistd.h>

#include <fstream>

namespace espalier::benchmarks {

namespace {

double resident_mib() {
  std::ifstream statm{"/proc/self/statm"};
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

struct CrashLoop {
  explicit CrashLoop(std::uint64_t count) : crashes(count) { delays.reserve(count); }
  const std::uint64_t crashes;
  std::atomic<std::uint64_t> lives = 0;
  std::atomic<Clock::rep> crashed_at = 0;
  std::vector<double> delays;  // Microseconds, written by one life at a time.
};

ChildFactories crashing(const std::shared_ptr<CrashLoop>& loop) {
  ChildFactories factories;
  add_actor(factories, "crash", [loop](caf::event_based_actor* self, auto) {
    self->send(self, 1);
    return caf::behavior{[=](int) {
      const auto now = Clock::now().time_since_epoch().count();
      if (const auto then = loop->crashed_at.load(); then != 0) {
        loop->delays.push_back(static_cast<double>(now - then) / 1000.0);
      }
      if (loop->lives.fetch_add(1) >= loop->crashes) return;
      loop->crashed_at = Clock::now().time_since_epoch().count();
      self->quit(caf::make_error(caf::sec::runtime_error));
    }};
  });
  return factories;
}

ChildSpec crashing_child() {
  ChildSpec child;
  child.name = "crashing";
  child.factory = "crash";
  child.policy = without_limits();
  return child;
}

void s1() {
  const auto loop = std::make_shared<CrashLoop>(100'000);
  const auto tally = std::make_shared<Tally>();
  tally->drop_exits();
  SupervisorSpec spec;
  spec.restart_limit.reset();
  spec.children = {crashing_child()};
  const auto begin = Clock::now();
  const auto tree = Supervisor::start(std::move(spec), crashing(loop), watched_by(tally));
  if (!tree) return tell("S1", false, tree.error().message);
  (void)comes_true([&] { return loop->lives > 10'000; });
  const auto before = resident_mib();
  const bool all = comes_true([&] { return loop->lives > loop->crashes; });
  const auto seconds = ms_since(begin) / 1000;
  const auto grown = resident_mib() - before;
  (void)tree->shutdown(who);
  const auto rate = static_cast<double>(loop->crashes) / seconds;
  const auto p99 = quantile(loop->delays, 0.99);
  const auto decided = tally->count<events::RestartDecided>();
  tell("S1", all && rate >= 5000 && p99 < 1000 && grown < 5 && decided == loop->crashes,
       text("100,000 crashes of one child: %.0f restarts/s (at least 5,000), crash -> serving p99 "
            "%.1f us (below 1,000), memory grew by %.2f MiB (below 5), %llu decisions",
            rate, p99, grown, static_cast<unsigned long long>(decided)));
}

void s2() {
  const auto loop = std::make_shared<CrashLoop>(1000);
  const auto tally = std::make_shared<Tally>();
  SupervisorSpec spec;
  auto child = crashing_child();
  child.policy.restart_limit = RestartLimit{5, std::chrono::seconds{10}};
  child.policy.on_exhausted = OnExhausted::escalate;
  spec.children = {std::move(child)};
  const auto tree = Supervisor::launch(std::move(spec), crashing(loop), watched_by(tally));
  if (!tree) return tell("S2", false, tree.error().message);
  const auto result = tree->join();
  Event last_exit;
  Event escalated;
  for (const auto& event : tally->kept()) {
    if (std::holds_alternative<events::ChildExited>(event.body)) last_exit = event;
    if (std::holds_alternative<events::Escalated>(event.body)) escalated = event;
  }
  const auto ms =
      std::chrono::duration<double, std::milli>(escalated.monotonic - last_exit.monotonic);
  const auto state = tree->current_state({"/crashing"});
  const auto shown = state ? state->nodes.front().view.restarts_total : 0;
  const auto told = tally->count<events::ChildRestarted>();
  tell("S2",
       loop->lives == 6 && told == 5 && shown == 5 && escalated.sequence != 0 && ms.count() < 10 &&
           result.kind == TreeResult::Kind::failed,
       text("limit 5 in 10 s: %llu lives, %llu restarts told, %llu shown, escalated %.3f ms after "
            "the last exit (below 10)",
            static_cast<unsigned long long>(loop->lives.load()),
            static_cast<unsigned long long>(told), static_cast<unsigned long long>(shown),
            ms.count()));
}

// Each level allows one restart, so the leaf dies 2^5 times before the root gives up.
void s8() {
  constexpr int levels = 5;
  const auto loop = std::make_shared<CrashLoop>(100'000);
  const auto tally = std::make_shared<Tally>();
  auto leaf = crashing_child();
  SupervisorSpec spec;
  for (int level = levels; level > 0; --level) {
    SupervisorSpec around;
    around.name = "level" + std::to_string(level);
    around.restart_limit = RestartLimit{1, std::chrono::minutes{1}};
    around.children = {leaf};
    ChildSpec child;
    child.name = around.name;
    child.kind = ChildKind::supervisor;
    child.policy = without_limits();
    spec = around;
    child.supervisor = std::make_shared<SupervisorSpec>(std::move(around));
    leaf = std::move(child);
  }
  const auto tree = Supervisor::launch(std::move(spec), crashing(loop), watched_by(tally));
  if (!tree) return tell("S8", false, tree.error().message);
  const auto begin = Clock::now();
  const auto result = tree->join();
  std::size_t of_root = 0;
  bool one_at_a_time = true;
  std::string before;
  std::size_t ends = 0;
  for (const auto& event : tally->kept()) {
    ends += event.path == "/" && std::holds_alternative<events::TreeStopped>(event.body) ? 1 : 0;
    if (!std::holds_alternative<events::Escalated>(event.body)) continue;
    of_root += event.path == "/" ? 1 : 0;
    // What comes after an escalation is its own parent's, or a deeper one after a restart.
    if (!before.empty() && event.path.size() < before.size()) {
      one_at_a_time = one_at_a_time &&
                      before.substr(0, before.rfind('/')) == (event.path == "/" ? "" : event.path);
    }
    before = event.path;
  }
  tell(
      "S8",
      loop->lives == (1U << levels) && one_at_a_time && of_root == 1 && ends == 1 &&
          result.kind != TreeResult::Kind::stopped,
      text("5 levels of one restart each: %llu lives of the leaf (32), %zu escalations of the root "
           "(1), %s, %zu end of the tree (1), all over in %.1f ms",
           static_cast<unsigned long long>(loop->lives.load()), of_root,
           one_at_a_time ? "one level at a time" : "NOT one level at a time", ends,
           ms_since(begin)));
}

}  // namespace

void storms_of_restarts() {
  s1();
  s2();
  s8();
}

}  // namespace espalier::benchmarks
