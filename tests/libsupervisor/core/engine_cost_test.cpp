// What an exit costs is counted in child slots, not measured in time: it must be the same beside
// a thousand siblings and beside two hundred thousand.
#include "libsupervisor/core/support/script_runner.hpp"

#include <gtest/gtest.h>

namespace espalier::supervisor {
namespace {

class EngineCost : public testing::Test {
 protected:
  struct Counted {
    std::uint64_t exit = 0;  ///< A crash, its restart and `running`.
    std::uint64_t sign_of_life = 0;
    std::uint64_t timer = 0;  ///< A restart after its back-off.
  };

  static Counted count(std::size_t children) {
    SupervisorEngine engine{spec(children), context()};
    start(engine, children);
    const auto child = static_cast<ChildIndex>(children / 2);
    Counted counted;
    counted.exit = cost(engine, {crash(child, 1), input::ChildRunning{child, 2, {}}});
    counted.sign_of_life = cost(engine, {input::ChildAlive{child, 2}});
    const auto other = child + 1;  // Has a back-off.
    (void)engine.handle(crash(other, 1), now_);
    now_ = *engine.next_deadline();
    counted.timer = cost(engine, {input::TimePassed{}, input::ChildRunning{other, 2, {}}});
    EXPECT_EQ(engine.generation(child), 2u);
    EXPECT_EQ(engine.generation(other), 2u);
    return counted;
  }

  static Input crash(ChildIndex child, Generation generation) {
    return testing_support::exited(child, generation, ExitKind::panicked);
  }

 private:
  static SupervisorSpec spec(std::size_t children) {
    SupervisorSpec spec;
    spec.children.resize(children);
    for (std::size_t i = 0; i < children; ++i) {
      spec.children[i].name = "c" + std::to_string(i);
      spec.children[i].policy = testing_support::plain_policy();
      spec.children[i].policy.start_timeout = Duration::zero();
    }
    auto& backoff = spec.children[children / 2 + 1].policy.backoff;
    backoff.initial = backoff.max = std::chrono::milliseconds{7};
    return spec;
  }

  static EngineContext context() {
    EngineContext context;
    context.sequence = std::make_shared<std::atomic<std::uint64_t>>(0);
    return context;
  }

  static void start(SupervisorEngine& engine, std::size_t children) {
    (void)engine.handle(input::Start{}, now_);
    for (ChildIndex i = 0; i < children; ++i)
      (void)engine.handle(input::ChildRunning{i, 1, {}}, now_);
  }

  static std::uint64_t cost(SupervisorEngine& engine, const std::vector<Input>& inputs) {
    const auto before = engine.slots_touched();
    for (const auto& what : inputs)
      (void)engine.handle(what, now_);
    return engine.slots_touched() - before;
  }

  static inline TimePoint now_ = {};
};

TEST_F(EngineCost, OfAnExitDoesNotDependOnTheNumberOfSiblings) {
  const auto few = count(1000), many = count(200000);
  EXPECT_GT(few.exit, 0u);
  EXPECT_LT(few.exit, 20u);
  EXPECT_EQ(few.exit, many.exit);
  EXPECT_EQ(few.sign_of_life, many.sign_of_life);
  EXPECT_EQ(few.timer, many.timer);
}

}  // namespace
}  // namespace espalier::supervisor
