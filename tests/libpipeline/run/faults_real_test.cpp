#include "libpipeline/run/pipes.hpp"

#include <gmock/gmock.h>
#include <pthread.h>

#include <stdexcept>

namespace espalier::pipeline::testing {
namespace {

StageOptions one_by_one(std::uint32_t workers = 1) {
  StageOptions options;
  options.workers = workers;
  options.batch_limit = 1;
  return options;
}

class RudeKernel final : public Kernel {
 public:
  bool run(std::span<Item> items, RunContext&) override {
    if (items.front().seq % 2 == 1) throw 42;
    for (auto& item : items)
      item.verdict = Verdict::pass;
    return true;
  }
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

 private:
  std::vector<std::string> tasks_ = {"rude"};
};

TEST(Faults, AKernelThatThrowsFailsItsItemsAndNothingElse) {
  NodePlan node;
  node.name = "rude";
  node.kernel = std::make_shared<RudeKernel>();
  node.options = one_by_one(2);
  Runner runner(line({std::move(node)}), {});
  const auto taken = run(runner, numbers(10));
  EXPECT_EQ(taken.values.size(), 5U);
  EXPECT_EQ(taken.errors.size(), 5U);
}

// glibc unwinds a thread that calls pthread_exit; thread sanitizers do not follow it.
#if !defined(__SANITIZE_THREAD__)
TEST(Faults, ATaskThatEndsItsThreadFailsAndTheThreadIsReplaced) {
  Runner runner(line({stage(
                          "fatal",
                          [](Item& item, RunContext&) {
                            if (item.value.as<std::uint64_t>() % 10 == 3) pthread_exit(nullptr);
                          },
                          one_by_one(2)),
                      stage("next", nothing())}),
                {});
  runner.start();
  runner.feed_from(0, numbers(100));
  runner.close_input_after_sources();
  const auto taken = take_all(runner);
  EXPECT_EQ(taken.values.size(), 90U);
  ASSERT_EQ(taken.errors.size(), 10U);
  EXPECT_THAT(taken.errors.front(), ::testing::HasSubstr("ended its thread"));
  EXPECT_LE(runner.threads(), 4U);
  EXPECT_TRUE(runner.stop(in(5s)));
  EXPECT_EQ(runner.counts().failed, 10U);
}

TEST(Faults, ItemsBehindTheOneThatEndedTheThreadAreDoneAllTheSame) {
  StageOptions options;
  options.capacity = 1000;
  std::atomic<int> done = 0;
  Runner runner(line({stage(
                    "fatal",
                    [&](Item& item, RunContext&) {
                      if (item.value.as<std::uint64_t>() == 500) pthread_exit(nullptr);
                      ++done;
                    },
                    options)}),
                {});
  runner.start();
  runner.feed(0, items(1000));
  runner.close_input();
  const auto taken = take_all(runner);
  EXPECT_EQ(taken.values.size(), 999U);
  EXPECT_EQ(taken.errors.size(), 1U);
  EXPECT_EQ(done, 999) << "none was lost, none repeated";
}

TEST(Faults, ASourceThatEndsItsThreadEndsTheInput) {
  Runner runner(line({stage("a", nothing())}), {});
  runner.start();
  runner.feed_from(0, [n = 0](Chunk& chunk, std::size_t) mutable {
    if (n == 3) pthread_exit(nullptr);
    chunk.items.push_back(item_of(static_cast<std::uint64_t>(n++)));
    return true;
  });
  runner.close_input_after_sources();
  EXPECT_EQ(take_all(runner).values.size(), 3U);
  EXPECT_TRUE(runner.input_error());
  EXPECT_TRUE(runner.stop(in(5s)));
}
#endif

TEST(Faults, ATimeOutRequestsTheStopOfItsTaskAndOfNoOther) {
  std::atomic<int> stopped = 0;
  auto options = one_by_one(2);
  options.timeout = 30ms;
  Runner runner(line({stage(
                    "slow",
                    [&](Item& item, RunContext& context) {
                      if (item.value.as<std::uint64_t>() != 1) return;
                      const auto token = context.stop_token();
                      if (!happens([&] { return token.stop_requested(); })) return;
                      ++stopped;
                      throw std::runtime_error("stopped");
                    },
                    options)}),
                {});
  runner.start();
  runner.feed(0, items(4));
  runner.close_input();
  const auto taken = take_all(runner);
  EXPECT_EQ(stopped, 1);
  EXPECT_THAT(taken.values, ::testing::UnorderedElementsAre(0, 2, 3));
  EXPECT_EQ(taken.errors.size(), 1U);
  runner.stop();
}

TEST(Faults, TheTimeIsKeptWhileAllThreadsAreInTasks) {
  auto options = one_by_one(1);
  options.timeout = 20ms;
  std::atomic<bool> told = false;
  Runner runner(line({stage(
                    "slow",
                    [&](Item&, RunContext& context) {
                      const auto token = context.stop_token();
                      told = happens([&] { return token.stop_requested(); });
                    },
                    options)}),
                {});
  const auto taken = run(runner, numbers(1));  // The caller is in the task, and no thread was made.
  EXPECT_TRUE(told);
  EXPECT_EQ(taken.errors.size(), 1U);
}

TEST(Faults, AnOldStopDoesNotReachTheNextItem) {
  auto options = one_by_one(1);
  options.timeout = 40ms;  // Longer than a busy machine keeps a quick item waiting.
  std::atomic<int> wrongly = 0;
  Runner runner(line({stage(
                    "a",
                    [&](Item& item, RunContext& context) {
                      const auto token = context.stop_token();
                      if (item.value.as<std::uint64_t>() % 2 == 0)
                        happens([&] { return token.stop_requested(); });
                      else if (token.stop_requested())
                        ++wrongly;
                    },
                    options)}),
                {});
  const auto taken = run(runner, numbers(20));
  EXPECT_EQ(wrongly, 0);
  EXPECT_EQ(taken.values.size(), 10U);
  EXPECT_EQ(taken.errors.size(), 10U);
}

TEST(Faults, RetriesWaitWithoutAThread) {
  auto options = one_by_one(1);
  options.retry.attempts = 2;
  options.retry.backoff.initial = options.retry.backoff.max = 30ms;
  options.retry.backoff.jitter = Jitter::none;
  options.capacity = 100;
  std::atomic<int> runs = 0;
  Runner runner(line({stage(
                    "a",
                    [&](Item& item, RunContext&) {
                      ++runs;
                      if (item.attempt == 0) throw std::runtime_error("first");
                    },
                    options)}),
                {});
  const auto begin = Clock::now();
  EXPECT_EQ(run(runner, numbers(50)).values.size(), 50U);
  EXPECT_EQ(runs, 100);
  EXPECT_GE(Clock::now() - begin, 30ms);
  EXPECT_LT(Clock::now() - begin, 500ms) << "50 waits of 30 ms, all at once";
}

}  // namespace
}  // namespace espalier::pipeline::testing
