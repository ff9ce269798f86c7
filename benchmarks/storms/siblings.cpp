// Many children of one supervisor: S3, S4, S5.
#include "crash_loop.hpp"
#include "storm.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace espalier::benchmarks {

namespace {

/// Children numbered by their names, c0, c1, ...: who lives, how often, who serves.
struct Troupe {
  explicit Troupe(std::size_t size) : actors(size), alive(size), lives(size) {}
  std::mutex mutex = {};
  std::vector<caf::actor> actors;
  std::vector<int> alive;
  std::vector<int> lives;
  bool twice_alive = false;
  std::size_t crash_at_second_life = SIZE_MAX;
  std::atomic<std::size_t> serving = 0;  ///< Lives that have handled a message.

  void began(std::size_t i, const caf::actor& self) {
    const std::lock_guard lock{mutex};
    actors[i] = self;
    ++lives[i];
    twice_alive = twice_alive || ++alive[i] > 1;
  }
  void ended(std::size_t i) {
    const std::lock_guard lock{mutex};
    --alive[i];
  }
  bool crashes_now(std::size_t i) {
    const std::lock_guard lock{mutex};
    return i == crash_at_second_life && lives[i] == 2;
  }
};

ChildFactories troupe_of(const std::shared_ptr<Troupe>& troupe) {
  ChildFactories factories;
  add_actor(factories, "idle", [troupe](caf::event_based_actor* self, auto context) {
    const auto i = static_cast<std::size_t>(std::atol(context->path().c_str() + 2));
    troupe->began(i, caf::actor_cast<caf::actor>(self));
    self->attach_functor([troupe, i](const caf::error&) { troupe->ended(i); });
    self->send(self, 0);
    return caf::behavior{[=](int crash) {
      if (crash > 0 || troupe->crashes_now(i)) {
        return self->quit(caf::make_error(caf::sec::runtime_error));
      }
      ++troupe->serving;
    }};
  });
  return factories;
}

struct Stage {
  std::shared_ptr<Troupe> troupe;
  std::shared_ptr<Tally> tally;
  expected<SupervisorHandle, Error> tree;

  /// Sends the crashes, waits until `again` more serve, and gives the milliseconds; 0: never.
  double crash(const std::vector<std::size_t>& who_crashes, std::size_t again) {
    std::vector<caf::actor> victims;
    {
      const std::lock_guard lock{troupe->mutex};
      for (const auto i : who_crashes)
        victims.push_back(troupe->actors[i]);
      troupe->serving = 0;
    }
    tally->note_starts();
    const auto begin = Clock::now();
    for (const auto& victim : victims)
      caf::anon_send(victim, 1);
    return comes_true([&] { return troupe->serving >= again; }) ? ms_since(begin) : 0;
  }
  [[nodiscard]] bool twice_alive() const {
    const std::lock_guard lock{troupe->mutex};
    return troupe->twice_alive;
  }
  void end() {
    (void)tree->shutdown(who);
    const std::lock_guard lock{troupe->mutex};
    troupe->actors.clear();
  }
};

Stage staged(Strategy strategy, std::size_t children) {
  auto spec = flat_tree(children);
  spec.strategy = strategy;
  for (auto& child : spec.children)
    child.policy = without_limits();
  auto troupe = std::make_shared<Troupe>(children);
  auto tally = std::make_shared<Tally>();
  tally->drop_exits();
  auto tree = Supervisor::start(std::move(spec), troupe_of(troupe), watched_by(tally));
  Stage stage{std::move(troupe), std::move(tally), std::move(tree)};
  if (stage.tree) (void)comes_true([&] { return stage.troupe->serving >= children; });
  return stage;
}

std::vector<std::string> paths(std::size_t from, std::size_t to) {
  std::vector<std::string> result;
  for (auto i = from; i < to; ++i)
    result.push_back("/c" + std::to_string(i));
  return result;
}

std::vector<std::size_t> numbers(std::size_t from, std::size_t to) {
  std::vector<std::size_t> result(to - from);
  std::iota(result.begin(), result.end(), from);
  return result;
}

void s3() {
  constexpr std::size_t children = 10'000;
  auto stage = staged(Strategy::one_for_one, children);
  if (!stage.tree) return tell("S3", false, stage.tree.error().message);
  const auto ms = stage.crash(numbers(0, children), children);
  const auto exits = stage.tally->count<events::ChildExited>();
  const auto decisions = stage.tally->count<events::RestartDecided>();
  tell(
      "S3",
      ms > 0 && ms < 2000 && exits == children && decisions == children && !stage.twice_alive(),
      text("10,000 siblings crash at once: all serve after %.1f ms (below 2,000), %llu exits, %llu "
           "decisions",
           ms, static_cast<unsigned long long>(exits), static_cast<unsigned long long>(decisions)));
  stage.end();
}

// The 501st crashes again as soon as it lives again: then all begin once more.
void s4() {
  constexpr std::size_t children = 1000;
  auto stage = staged(Strategy::one_for_all, children);
  if (!stage.tree) return tell("S4", false, stage.tree.error().message);
  auto& troupe = *stage.troupe;
  {
    const std::lock_guard lock{troupe.mutex};
    troupe.crash_at_second_life = 500;
  }
  const auto begin = Clock::now();
  (void)stage.crash({0}, 1);
  const bool all = comes_true([&] {
    const std::lock_guard lock{troupe.mutex};
    return troupe.lives[500] == 3 &&
           std::accumulate(troupe.alive.begin(), troupe.alive.end(), 0) == children;
  });
  const auto ms = ms_since(begin);
  const auto starts = stage.tally->starts();
  const auto last = starts.size() < children ? 0 : starts.size() - children;
  const bool in_order = std::vector(starts.begin() + static_cast<std::ptrdiff_t>(last),
                                    starts.end()) == paths(0, children);
  const bool twice = stage.twice_alive();
  tell(
      "S4", all && !twice && in_order,
      text(
          "OneForAll of 1,000, a second crash while they come back: one more full cycle, all alive "
          "after %.1f ms; %s; %s",
          ms, in_order ? "in the order of start" : "OUT OF ORDER",
          twice ? "one lived TWICE" : "none twice alive"));
  stage.end();
}

void s5() {
  constexpr std::size_t children = 1000;
  auto stage = staged(Strategy::rest_for_one, children);
  if (!stage.tree) return tell("S5", false, stage.tree.error().message);
  bool held = true;
  std::string figures;
  for (const std::size_t at : {0UL, 499UL, 999UL}) {
    const auto ms = stage.crash({at}, children - at);
    held = held && ms > 0 && stage.tally->starts() == paths(at, children);
    figures += text("%s%zu: %.1f ms", figures.empty() ? "" : ", ", at + 1, ms);
  }
  held = held && !stage.twice_alive();
  tell("S5", held,
       "RestForOne of 1,000, only the later ones begin again, in order; crash of " + figures);
  stage.end();
}

}  // namespace

void storms_of_siblings() {
  s3();
  s4();
  s5();
}

}  // namespace espalier::benchmarks
