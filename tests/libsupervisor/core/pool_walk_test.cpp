// Whatever happens in whatever order, the promises of support/pool_driver.hpp hold; and whatever
// has happened, nothing is left behind.
#include "libsupervisor/core/support/pool_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <array>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace espalier::supervisor {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using testing_support::plain_pool;
using testing_support::PoolDriver;

/// One pool, treated at random.
class Walk {
 public:
  explicit Walk(unsigned seed) : random_(seed), pool_(spec(), coin(4)) {}

  void go(int steps) {
    pool_.start();
    for (int n = 0; n < steps && !pool_.finished(); ++n) {
      step();
      check();
    }
  }

  /// Nothing fails any more: every order is answered, every instance is where it was sent.
  void calm_down() {
    for (int n = 0; n < 60 && !pool_.finished(); ++n) {
      pool_.advance(2s);
      admit();
      probe(true);
      for (auto& [i, child] : pool_.children()) {
        if (child.abandoned && child.live) pool_.exit(i);
      }
      pool_.settle();
      for (auto& [i, child] : pool_.children()) {
        if (!child.live || child.stopping || child.aborting) continue;
        pool_.ready(i);
        pool_.feed(input::ChildAlive{i, child.live});
      }
    }
    EXPECT_FALSE(pool_.open_orders());
    EXPECT_EQ(pool_.engine().pending_orders(), 0u);
    if (pool_.finished()) return;
    for (const auto& [i, child] : pool_.children()) {
      const auto phase = pool_.view(i).phase;
      const bool rests = phase == ChildPhase::quarantined || phase == ChildPhase::stopped ||
                         phase == ChildPhase::running || phase == ChildPhase::removed;
      EXPECT_TRUE(rests || (runs_out_ && phase != ChildPhase::idle))
          << child.name << " is " << to_string(phase);
    }
    pool_.feed(input::Stop{"end", {}, {}});
    pool_.settle();
    EXPECT_TRUE(pool_.finished());
  }

  [[nodiscard]] const PoolDriver& pool() const { return pool_; }

 private:
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  bool coin(unsigned one_in) { return below(one_in) == 0; }

  PoolSpec spec() {
    auto spec = plain_pool(below(6), static_cast<RestartType>(below(3)));
    auto& policy = spec.child.policy;
    spec.min = below(2);
    spec.max = 12;
    spec.shutdown.abort_wait = 1s;
    spec.shutdown.total_timeout = 8s;
    policy.stop.grace = 2s;
    policy.stop.kind = static_cast<StopPolicy::Kind>(below(3));
    policy.on_exhausted = static_cast<OnExhausted>(below(3));
    policy.severity = static_cast<SeverityClass>(below(3));
    policy.start_timeout = 3s;
    if (coin(2)) policy.readiness = Readiness::explicit_report;
    if (coin(2)) policy.backoff = {100ms, 2s, Jitter::full, 5s};
    if (coin(3)) policy.restart_limit = RestartLimit{below(4), 10s};
    if (coin(4)) spec.restart_limit = RestartLimit{below(10), 10s};
    if (coin(4)) policy.budget = RestartBudget{2, 1};
    if (coin(5)) policy.watchdog = 20s;
    runs_out_ = coin(5);
    if (runs_out_) policy.run_timeout = 30s;
    if (coin(5)) policy.health_check = std::make_shared<const ProbeSpec>();
    if (coin(5)) spec.child.gates = {StartGate{}};
    spec.child.permissions.restart = true;
    return spec;
  }

  void step() {
    switch (below(10)) {
      case 0:
        pool_.advance(std::chrono::milliseconds{below(3000)});
        break;
      case 1:
        admit();
        break;
      case 2:
        probe(!coin(3));
        break;
      case 3:
      case 4:
        order();
        break;
      case 5:
        if (coin(30)) end();
        break;
      default:
        report();
        break;
    }
  }

  void admit() {
    for (const auto& asked : std::exchange(pool_.requests(), {}))
      pool_.feed(input::Admitted{asked.child, asked.number});
  }
  void probe(bool ok) {
    for (const auto& asked : std::exchange(pool_.probes(), {}))
      pool_.feed(input::ProbeResult{asked.child, asked.purpose, asked.number, ok, "probed"});
  }
  void end() {
    if (coin(2)) {
      pool_.feed(input::Stop{"walk", std::chrono::seconds{below(9)}, {}});
    } else {
      pool_.feed(input::Abort{500ms, {}});
    }
  }

  void order() {
    static constexpr std::array kinds = {CommandKind::remove_child, CommandKind::restart_child,
                                         CommandKind::resume_child, CommandKind::quarantine_child,
                                         CommandKind::reset_child,  CommandKind::pause_child};
    Command with;
    with.dry_run = coin(8);
    with.size = below(14);
    if (coin(3)) {
      pool_.order(CommandKind::scale_pool, {}, with);
    } else if (coin(4)) {
      pool_.order(CommandKind::add_child, {}, with);
    } else if (!pool_.children().empty()) {
      const auto slot = below(static_cast<unsigned>(pool_.children().size()));
      pool_.order(kinds[below(kinds.size())], pool_.children()[slot].name, with);
    }
  }

  void report() {
    if (pool_.children().empty()) return;
    const auto slot = below(static_cast<unsigned>(pool_.children().size()));
    auto& child = pool_.children()[slot];
    const auto generation = coin(10) ? below(4) : child.live;
    switch (below(6)) {
      case 0:
        if (generation != child.live || child.live == 0) {
          pool_.exit_as(slot, generation == child.live ? 0 : generation, PoolDriver::failure());
        } else {
          pool_.exit(slot, coin(2) ? ExitRecord{} : PoolDriver::failure());
        }
        break;
      case 1:
        pool_.feed(input::ChildReady{slot, generation});
        break;
      case 2:
        pool_.feed(input::ChildAlive{slot, generation});
        pool_.feed(input::ChildExtend{slot, generation, 1s});
        break;
      case 3:
        pool_.feed(input::ChildAsks{slot, generation, input::Wish::restart, "walk"});
        break;
      default:
        pool_.feed(input::ChildRunning{slot, generation, {}});
        break;
    }
  }

  void check() {
    std::size_t members = 0;
    std::size_t busy = 0;
    for (const auto& [i, child] : pool_.children()) {
      const auto view = pool_.view(i);
      EXPECT_EQ(child.exists, view.phase != ChildPhase::removed);
      if (child.exists && view.intent != Intent::removed) ++members;
      const bool lives = view.phase == ChildPhase::starting || view.phase == ChildPhase::running ||
                         view.phase == ChildPhase::stopping || view.phase == ChildPhase::aborting;
      if (lives) {
        ++busy;
        EXPECT_EQ(shown(child.live), view.generation);
      }
    }
    EXPECT_EQ(members, pool_.engine().instances());
    EXPECT_LE(busy, pool_.live());
    EXPECT_LE(pool_.engine().instances(), 12u);
  }

  std::mt19937 random_;
  bool runs_out_ = false;  ///< Each run ends, so that they come and go for ever.
  PoolDriver pool_;
};

// ESPALIER_WALKS=N walks N more seeds than every build does.
unsigned walks() {
  const char* more = std::getenv("ESPALIER_WALKS");
  return 400 + (more ? static_cast<unsigned>(std::stoul(more)) : 0);
}

TEST(PoolWalk, KeepsItsPromisesWhateverHappens) {
  for (unsigned seed = 1; seed <= walks(); ++seed) {
    Walk walk{seed};
    walk.go(300);
    walk.calm_down();
    EXPECT_THAT(walk.pool().broken(), IsEmpty()) << "seed " << seed;
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

// Feeds an engine without keeping anything of what it says.
class BareEngine {
 public:
  explicit BareEngine(const PoolSpec& spec) : engine_(spec, {"/pool", {}, 7}) {}

  void feed(const Input& what) {
    for (const auto& e : engine_.handle(what, now_)) {
      if (const auto* start = std::get_if<effect::StartChild>(&e)) {
        if (live_.size() <= start->child) live_.resize(start->child + 1);
        live_[start->child] = start->generation;
        begun_.push_back(start->child);
      } else if (const auto* stop = std::get_if<effect::StopChild>(&e)) {
        asked_.push_back(stop->child);
      } else if (std::holds_alternative<effect::Reply>(e)) {
        ++replies_;
      }
    }
  }
  void order(CommandKind kind, const std::string& child = {}, std::uint32_t size = 0) {
    Command command;
    command.kind = kind;
    command.meta = {"ops", "drift"};
    command.size = size;
    ++orders_;
    feed(input::Order{orders_, child, std::make_shared<const Command>(command)});
  }
  void settle() {
    while (!begun_.empty() || !asked_.empty()) {
      for (const auto i : std::exchange(begun_, {}))
        feed(input::ChildRunning{i, live_[i], {}});
      for (const auto i : std::exchange(asked_, {}))
        exit(i);
    }
    changed_ += engine_.take_changed().size();
  }
  void exit(ChildIndex i) {
    feed(input::ChildExited{i, std::exchange(live_[i], 0), PoolDriver::failure(), {}, {}});
  }
  [[nodiscard]] bool lives(ChildIndex i) const { return i < live_.size() && live_[i] != 0; }
  [[nodiscard]] std::size_t living() const {
    return live_.size() -
           static_cast<std::size_t>(std::count(live_.begin(), live_.end(), Generation{0}));
  }
  PoolEngine& engine() { return engine_; }
  [[nodiscard]] bool all_answered() const { return replies_ == orders_; }
  void wait(Duration d) { now_ += d; }

 private:
  PoolEngine engine_;
  TimePoint now_ = TimePoint{} + 1h;
  std::vector<Generation> live_;
  std::vector<ChildIndex> begun_;
  std::vector<ChildIndex> asked_;
  std::uint64_t orders_ = 0;
  std::uint64_t replies_ = 0;
  std::uint64_t changed_ = 0;
};

// Slots touched by one crash, one removal, one addition and scaling by five, in a pool of `size`.
std::uint64_t cost_of_a_turn(std::uint32_t size) {
  auto spec = plain_pool(size);
  spec.child.policy.watchdog = 1h;
  BareEngine pool{spec};
  pool.feed(input::Start{});
  pool.settle();
  const auto before = pool.engine().slots_touched();
  pool.exit(size / 2);
  pool.settle();
  pool.order(CommandKind::remove_child, std::to_string(size / 3));
  pool.settle();
  pool.order(CommandKind::add_child);
  pool.settle();
  pool.order(CommandKind::scale_pool, {}, size - 5);
  pool.settle();
  EXPECT_EQ(pool.engine().instances(), size - 5);
  return pool.engine().slots_touched() - before;
}

TEST(PoolCost, OfAStartAnExitAndARemovalIsTheSameHoweverManyThereAre) {
  const auto small = cost_of_a_turn(1'000);
  EXPECT_GT(small, 0u);
  EXPECT_EQ(cost_of_a_turn(100'000), small);
}

// OTP 64: the property, not the stopwatch.
TEST(PoolCost, OfAStopIsLinear) {
  const auto cost = [](std::uint32_t size) {
    BareEngine pool{plain_pool(size)};
    pool.feed(input::Start{});
    pool.settle();
    const auto before = pool.engine().slots_touched();
    pool.feed(input::Stop{"done", {}, {}});
    pool.settle();
    EXPECT_EQ(pool.living(), 0u);
    return pool.engine().slots_touched() - before;
  };
  EXPECT_LE(cost(20'000), 20 * cost(1'000));
}

TEST(PoolDrift, ThereIsNoneAfter100000WereAddedAndRemovedInRandomOrderWithCrashes) {
  auto spec = plain_pool(0);
  spec.child.policy.watchdog = 1h;
  BareEngine pool{spec};
  std::mt19937 random{42};
  pool.feed(input::Start{});
  std::vector<std::uint64_t> names;
  std::uint64_t added = 0;
  std::size_t peak = 0;
  while (added < 100'000 || !names.empty()) {
    const bool grows = added < 100'000 && (names.empty() || random() % 3 != 0);
    if (grows) {
      const auto many = std::min<std::uint64_t>(1 + random() % 1'000, 100'000 - added);
      pool.order(CommandKind::scale_pool, {}, static_cast<std::uint32_t>(names.size() + many));
      for (std::uint64_t n = 0; n < many; ++n)
        names.push_back(++added);
    } else {
      for (auto many = std::min<std::size_t>(1 + random() % 1'000, names.size()); many > 0;
           --many) {
        std::swap(names[random() % names.size()], names.back());
        pool.order(CommandKind::remove_child, std::to_string(names.back()));
        names.pop_back();
      }
    }
    for (int n = 0; n < 20 && pool.engine().size() > 0; ++n) {
      const auto i = static_cast<ChildIndex>(random() % pool.engine().size());
      if (pool.lives(i) && pool.engine().view(i, {}).phase == ChildPhase::running) pool.exit(i);
    }
    pool.settle();
    peak = std::max(peak, names.size());
    ASSERT_EQ(pool.engine().instances(), names.size());
    ASSERT_EQ(pool.living(), names.size());
    ASSERT_EQ(pool.engine().pending_deadlines(), names.size());
  }
  EXPECT_EQ(pool.engine().instances(), 0u);
  EXPECT_EQ(pool.engine().pending_orders(), 0u);
  EXPECT_EQ(pool.engine().pending_deadlines(), 0u);
  EXPECT_FALSE(pool.engine().next_deadline());
  EXPECT_TRUE(pool.all_answered());
  EXPECT_LE(pool.engine().size(), peak + 1'000) << "slots are used again";
  for (ChildIndex i = 0; i < pool.engine().size(); ++i)
    ASSERT_EQ(pool.engine().view(i, {}).phase, ChildPhase::removed);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool memory_is_measurable = false;
#else
constexpr bool memory_is_measurable = true;
#endif

TEST(PoolMemory, IsUnder250BytesForAnIdleInstance) {
  if (!memory_is_measurable) GTEST_SKIP() << "a sanitizer keeps the books";
  const std::uint32_t size = 100'000;
  malloc_trim(0);
  BareEngine pool{plain_pool(0)};
  pool.feed(input::Start{});
  const auto before = mallinfo2();
  pool.order(CommandKind::scale_pool, {}, size);
  pool.settle();
  const auto after = mallinfo2();
  const auto used = (after.uordblks + after.hblkhd) - (before.uordblks + before.hblkhd);
  RecordProperty("bytes_per_instance", static_cast<int>(used / size));
  EXPECT_LE(used / size, 250u);
}

}  // namespace
}  // namespace espalier::supervisor
