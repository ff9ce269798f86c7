#include "espalier/pipeline/build/builder.hpp"
#include "libpipeline/build/gate.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace espalier::pipeline {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using Kind = Failure::Kind;

/// What on_failure was told.
class Told {
 public:
  [[nodiscard]] std::function<void(const ItemView&, const Failure&)> callback() {
    return [this](const ItemView& item, const Failure& failure) {
      const std::lock_guard lock(mutex_);
      ids_.push_back(item.id());
      ++kinds_[failure.kind];
      attempts_.push_back(item.attempt());
    };
  }
  [[nodiscard]] std::vector<std::string> ids() const {
    const std::lock_guard lock(mutex_);
    auto sorted = ids_;
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }
  [[nodiscard]] std::map<Kind, int> kinds() const {
    const std::lock_guard lock(mutex_);
    return kinds_;
  }
  [[nodiscard]] std::vector<std::uint32_t> attempts() const {
    const std::lock_guard lock(mutex_);
    return attempts_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> ids_ = {};
  std::map<Kind, int> kinds_ = {};
  std::vector<std::uint32_t> attempts_ = {};
};

TEST(OnFailure, IsCalledOnceAndForTheLastAttemptOnly) {  // B3
  for (const auto scope : {RetryScope::per_task, RetryScope::per_stage}) {
    auto retry = fixed(3, 1ms);
    retry.scope = scope;
    Told told;
    auto p = from<int>()
                 .stage("dead", [](int) -> int { throw std::runtime_error("dead"); },
                        {.retry = retry, .on_failure = told.callback()})
                 .build();
    const auto results = p.run({1, 2});
    EXPECT_THAT(told.ids(), ElementsAre("0", "1"));
    EXPECT_THAT(told.attempts(), ElementsAre(3U, 3U));
    EXPECT_EQ(results[0].failure()->attempts, 3U);
  }
}

TEST(OnFailure, IsCalledBeforeTheItemIsAResult) {
  Told told;
  auto p = from<int>()
               .stage("s", [](int x) { return x % 3 == 0 ? throw std::runtime_error("x") : x; },
                      {.workers = 3, .on_failure = told.callback()})
               .build();
  std::vector<int> input(300);
  for (std::size_t i = 0; i < input.size(); ++i)
    input[i] = static_cast<int>(i);
  for (auto& result : p.stream(input)) {
    if (result) continue;
    const auto ids = told.ids();
    EXPECT_TRUE(std::binary_search(ids.begin(), ids.end(), result.id())) << result.id();
  }
  EXPECT_EQ(told.ids().size(), 100U);
}

TEST(OnFailure, IsCalledForItemsThatOnlyTheirDeadlineEnds) {
  Gate gate;
  Told told;
  auto p = from<int>()
               .stage("slow", [&](int x) { return gate.pass(), x; },
                      {.capacity = 5, .batch_limit = 1, .on_failure = told.callback()})
               .build({.item_deadline = 50ms});
  p.start();
  for (int i = 0; i < 3; ++i)
    p.feed(i);
  EXPECT_TRUE(soon([&] { return told.ids().size() == 3; })) << "one in work, two in the queue";
  gate.open();
  EXPECT_TRUE(p.drain(20s));
  EXPECT_THAT(told.ids(), ElementsAre("0", "1", "2"));
  EXPECT_THAT(told.kinds(), ElementsAre(Pair(Kind::timed_out, 3)));
  EXPECT_EQ(p.counts().failed, 3U);
}

TEST(OnFailure, IsCalledForItemsThatAnOpenBreakerRefuses) {
  Told told;
  const BreakerOptions breaker{.threshold = 0.5, .window = 2, .minimum = 2, .open_for = 1h};
  auto p = from<int>()
               .stage("down", [](int) -> int { throw std::runtime_error("down"); },
                      {.breaker = breaker, .batch_limit = 1, .on_failure = told.callback()})
               .build();
  const auto results = p.run({1, 2, 3, 4, 5});
  EXPECT_THAT(told.ids(), ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_THAT(told.kinds(),
              UnorderedElementsAre(Pair(Kind::thrown, 2), Pair(Kind::circuit_open, 3)));
}

TEST(OnFailure, IsCalledForItemsThatAreCancelledOrAborted) {
  for (const bool abort : {false, true}) {
    Gate gate;
    Told told;
    auto p = from<int>()
                 .stage("slow", [&](int x) { return gate.pass(), x; },
                        {.batch_limit = 1, .on_failure = told.callback()})
                 .build();
    p.start();
    for (int i = 0; i < 4; ++i)
      p.feed(i);
    ASSERT_TRUE(gate.wait_for_waiting(1));
    if (abort)
      p.abort("enough");
    else
      p.cancel("enough");
    EXPECT_EQ(told.ids().size(), abort ? 4U : 3U) << "told when the call returns";
    gate.open();
    EXPECT_TRUE(p.drain(20s));
    EXPECT_THAT(told.kinds(), ElementsAre(Pair(Kind::cancelled, abort ? 4 : 3)));
  }
}

TEST(OnFailure, MayCallThePipelineAndWhatItThrowsIsCounted) {
  AnyPipeline* itself = nullptr;
  auto p = from<int>()
               .stage("s", [](int) -> int { throw std::runtime_error("x"); },
                      {.on_failure =
                           [&](const ItemView&, const Failure&) {
                             itself->drain();
                             itself->cancel("one is enough");
                             throw std::logic_error("callback");
                           }})
               .build();
  itself = &p;
  p.start();
  p.feed(1);
  EXPECT_TRUE(soon([&] { return p.callback_errors() == 1; }));
  EXPECT_TRUE(p.drain(20s));
  EXPECT_EQ(p.counts().failed, 1U);
  EXPECT_EQ(p.results().size(), 1U);
}

TEST(OnFailure, WithoutResultsEachIsStillTold) {
  Told told;
  auto p = from<int>()
               .stage("s", [](int x) { return x == 2 ? throw std::runtime_error("two") : x; },
                      {.on_failure = told.callback()})
               .build({.keep_results = false});
  p.start();
  for (int i = 1; i <= 3; ++i)
    p.feed(i);
  EXPECT_TRUE(p.drain(20s));
  EXPECT_THAT(told.ids(), ElementsAre("1"));
}

}  // namespace
}  // namespace espalier::pipeline
