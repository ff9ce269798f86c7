// One child that fails again and again: S1, S2, S8.
#include "crash_loop.hpp"
#include "storm.hpp"

namespace espalier::benchmarks {

namespace {

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
  const auto before = resident_bytes();
  const bool all = comes_true([&] { return loop->lives > loop->crashes; });
  const auto seconds = ms_since(begin) / 1000;
  const auto grown = (resident_bytes() - before) / (1024 * 1024);
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
  const auto& result = tree->join();
  const auto ended = Clock::now();
  const Clock::time_point crash{Clock::duration{loop->crashed_at}};
  const auto ms = std::chrono::duration<double, std::milli>(ended - crash).count();
  const auto state = tree->current_state({"/crashing"});
  const auto shown = state ? state->nodes.front().view.restarts_total : 0;
  const auto told = tally->count<events::ChildRestarted>();
  tell("S2",
       loop->lives == 6 && told == 5 && shown == 5 && tally->count<events::Escalated>() == 1 &&
           ms < 10 && result.kind == TreeResult::Kind::failed,
       text("limit 5 in 10 s: %llu lives, %llu restarts told, %llu shown, escalated and all "
            "over %.3f ms after the last crash (below 10)",
            static_cast<unsigned long long>(loop->lives.load()),
            static_cast<unsigned long long>(told), static_cast<unsigned long long>(shown), ms));
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
