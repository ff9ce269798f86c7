// Pools of real actors: thousands come, crash and go, and nothing stays behind.
#include "libsupervisor/runtime/runtime_fixture.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <random>
#include <thread>

namespace espalier::supervisor::testing {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t how_many = 3'000;
constexpr bool memory_is_measurable = false;
#else
constexpr std::uint64_t how_many = 100'000;
constexpr bool memory_is_measurable = true;
#endif

std::size_t resident_bytes() {
  malloc_trim(0);
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream{"/proc/self/statm"} >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// Waits for many answers at once.
class Answers {
 public:
  SupervisorHandle::Answer expect() {
    const std::lock_guard lock{mutex_};
    ++open_;
    return [this](const CommandResult& result) {
      const std::lock_guard lock2{mutex_};
      if (!result) refusals_.push_back(result.error().message);
      if (--open_ == 0) none_open_.notify_all();
    };
  }
  bool wait(Duration limit) {
    std::unique_lock lock{mutex_};
    return none_open_.wait_for(lock, limit, [this] { return open_ == 0; });
  }
  [[nodiscard]] std::vector<std::string> refusals() {
    const std::lock_guard lock{mutex_};
    return refusals_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_open_;
  std::size_t open_ = 0;
  std::vector<std::string> refusals_;
};

/// How many instances live, as they count themselves.
struct Alive {
  std::shared_ptr<std::atomic<std::int64_t>> count;
  explicit Alive(std::shared_ptr<std::atomic<std::int64_t>> where) : count(std::move(where)) {
    ++*count;
  }
  ~Alive() { --*count; }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;
};

class PoolTree : public RuntimeFixture {
 protected:
  PoolTree() {
    // Every hundredth throws at the first chance it gets, every second time it is asked to.
    add_actor(
        factories_, "member",
        [alive = alive_](caf::event_based_actor* self, std::shared_ptr<ChildContext> context) {
          auto counted = std::make_shared<Alive>(alive);
          const auto name = context->path().substr(context->path().rfind('/') + 1);
          const bool crashes = std::stoull(name) % 100 == 0 && context->generation() % 2 == 1;
          if (crashes) self->send(self, caf::tick_atom_v);
          return caf::behavior{
              [counted](int x) { return x; },
              [](caf::tick_atom) { throw std::runtime_error{"one in a hundred"}; },
          };
        });
  }

  static SupervisorSpec tree_with(PoolSpec pool) {
    ChildSpec child{.name = "pool", .kind = ChildKind::pool, .policy = quick_policy()};
    child.pool = std::make_shared<const PoolSpec>(std::move(pool));
    return {.children = {child}};
  }
  static PoolSpec pool_of(std::uint32_t size, const std::string& factory = "member") {
    PoolSpec pool{.child = actor("", factory), .size = size};
    pool.restart_limit.reset();
    return pool;
  }
  SupervisorHandle must_start(SupervisorSpec spec) {
    auto tree = Supervisor::start(std::move(spec), factories_, quiet());
    if (!tree) throw std::runtime_error{tree.error().message};
    return *tree;
  }
  SupervisorOptions quiet() {
    auto result = options();
    result.events.clear();
    return result;
  }
  Command about(CommandKind kind, const std::string& path, std::uint32_t size = 0) {
    Command command;
    command.kind = kind;
    command.path = path;
    command.meta = meta_;
    command.size = size;
    return command;
  }
  static bool eventually(const std::function<bool()>& holds, Duration limit = 20s) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(5ms);
    }
    return true;
  }

  std::shared_ptr<std::atomic<std::int64_t>> alive_ =
      std::make_shared<std::atomic<std::int64_t>>(0);
};

TEST_F(PoolTree, ScalesUpAndDownAndStopsAllAtOnce) {
  const auto tree = must_start(tree_with(pool_of(3)));
  // Ready tells that an instance is there; its behaviour begins a moment later.
  EXPECT_TRUE(eventually([&] { return *alive_ == 3; }));
  auto result = tree.execute(about(CommandKind::scale_pool, "/pool", 50), 10s);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(eventually([&] { return *alive_ == 50; }));
  result = tree.execute(about(CommandKind::scale_pool, "/pool", 2), 10s);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(eventually([&] { return *alive_ == 2; }));
  EXPECT_EQ(tree.current_state({.path = "/pool", .depth = 1})->nodes.size(), 3u);
  const auto added = tree.add_instance("/pool", meta_);
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(added->path, "/pool/51");
  EXPECT_TRUE(tree.execute(about(CommandKind::restart_child, "/pool/51"), 10s));
  EXPECT_TRUE(tree.execute(about(CommandKind::remove_child, "/pool/51"), 10s));
  const auto ended = tree.shutdown(meta_);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->kind, TreeResult::Kind::stopped);
  EXPECT_TRUE(ended->report.reconcile.clean());
  EXPECT_EQ(*alive_, 0);
}

TEST_F(PoolTree, WhyKnowsItsInstances) {
  factories_.add_blocking("fails_once", [](ChildContext& context) {
    if (context.generation() == 1) throw ChildFailure(FailureCategory::recoverable, "no disk");
    while (context.sleep_for(1min)) {
    }
  });
  auto pool = pool_of(1);
  pool.child = blocking("", "fails_once");
  const auto tree = must_start(tree_with(pool));
  ASSERT_TRUE(eventually([&] {
    const auto view = tree.current_state({.path = "/pool/1"})->nodes.front().view;
    return view.generation == 2 && view.phase == ChildPhase::running;
  }));
  const auto failed = tree.why("/pool/1");
  ASSERT_TRUE(failed) << failed.error().message;
  ASSERT_TRUE(failed->decision);
  EXPECT_EQ(failed->decision->exit.message, "no disk");
  EXPECT_EQ(failed->sentence, failed->decision_text);
  EXPECT_EQ(failed->sentence.find("/pool/1: "), 0u) << failed->sentence;
  ASSERT_TRUE(tree.restart_child("/pool/1", {"ann", "a new disk"}));
  const auto asked = tree.why("/pool/1");
  ASSERT_TRUE(asked);
  EXPECT_NE(asked->sentence.find("restart_child by ann (a new disk)"), std::string::npos)
      << asked->sentence;
}

TEST_F(PoolTree, APoolThatGivesUpIsRestartedByItsParent) {
  auto pool = pool_of(2);
  pool.restart_limit = RestartLimit{0, 60s};
  factories_.add_blocking("once", [n = alive_](ChildContext& context) {
    const bool fails = ++*n == 2;
    if (fails) throw ChildFailure{FailureCategory::recoverable, "once"};
    while (context.sleep_for(1min)) {
    }
  });
  pool.child = blocking("", "once");
  const auto tree = must_start(tree_with(std::move(pool)));
  EXPECT_TRUE(eventually([&] {
    const auto state = tree.current_state({.path = "/pool", .depth = 0});
    return state && state->nodes.front().view.generation == 2 &&
           state->nodes.front().view.phase == ChildPhase::running;
  }));
  EXPECT_TRUE(tree.shutdown(meta_));
}

// Adds `how_many` in batches and removes each by name, in random order, while one in a hundred
// crashes; then looks at everything that counts.
TEST_F(PoolTree, ComesBackToWhereItWasAfterManyWereAddedAndRemovedInRandomOrderWithCrashes) {
  const auto tree = must_start(tree_with(pool_of(0)));
  std::mt19937 random{7};
  std::vector<std::uint64_t> names;
  std::uint64_t added = 0;
  const auto turn = [&](std::uint64_t limit) {
    const bool grows = added < limit && (names.size() < 4'000 || random() % 2 == 0);
    if (grows) {
      const auto many = std::min<std::uint64_t>(2'500, limit - added);
      const auto size = static_cast<std::uint32_t>(names.size() + many);
      const auto result = tree.execute(about(CommandKind::scale_pool, "/pool", size), 60s);
      ASSERT_TRUE(result) << result.error().message;
      for (std::uint64_t n = 0; n < many; ++n)
        names.push_back(++added);
      return;
    }
    Answers answers;
    for (auto many = std::min<std::size_t>(2'500, names.size()); many > 0; --many) {
      std::swap(names[random() % names.size()], names.back());
      tree.execute(about(CommandKind::remove_child, "/pool/" + std::to_string(names.back())),
                   answers.expect());
      names.pop_back();
    }
    ASSERT_TRUE(answers.wait(60s));
    ASSERT_TRUE(answers.refusals().empty()) << answers.refusals().front();
  };
  const auto to_the_end = [&](std::uint64_t limit) {
    while ((added < limit || !names.empty()) && !HasFatalFailure())
      turn(limit);
    EXPECT_TRUE(eventually([&] { return *alive_ == 0; }));
  };
  to_the_end(how_many / 10);  // Buffers and tables have their size from here on.
  const auto before = resident_bytes();
  to_the_end(how_many);
  const auto after = resident_bytes();
  EXPECT_EQ(tree.counts().total, 1u) << "only the pool itself";
  EXPECT_EQ(tree.current_state({.path = "/pool", .depth = 1})->nodes.size(), 1u);
  EXPECT_TRUE(tree.is_alive());
  if (memory_is_measurable) {
    const auto grown = after > before ? (after - before) >> 20 : 0;
    RecordProperty("grown_mib", static_cast<int>(grown));
    EXPECT_LE(grown, 32u) << "MiB, after ten times as many instances";
  }
  const auto ended = tree.shutdown(meta_);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->report.children.size(), 1u);
  EXPECT_TRUE(ended->report.reconcile.clean());
}

}  // namespace
}  // namespace espalier::supervisor::testing
