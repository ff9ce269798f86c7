// What a stream promises beyond a run: results come as they are there, and the thread that takes
// them is never kept by a slow task or a source that blocks.
#include "espalier/pipeline/build/builder.hpp"
#include "libpipeline/build/gate.hpp"
#include "libpipeline/build/values.hpp"

#include <gmock/gmock.h>

#include <iterator>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace espalier::pipeline {
namespace {

using namespace std::chrono_literals;

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const auto same = [](int x) { return x; };

/// Threads that tasks ran on.
class Threads {
 public:
  void here() {
    const std::lock_guard lock(mutex_);
    ids_.insert(std::this_thread::get_id());
  }
  [[nodiscard]] bool has(std::thread::id id) const {
    const std::lock_guard lock(mutex_);
    return ids_.contains(id);
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::thread::id> ids_;
};

/// Gives 0, 1, 2, ...; before `stop_at` it waits until the gate opens, and then it ends.
auto blocking_source(int stop_at, Gate& gate) {
  return [next = 0, stop_at, &gate]() mutable -> std::optional<int> {
    if (next < stop_at) return next++;
    gate.pass();
    return std::nullopt;
  };
}

/// Read once, as with an istream_iterator: the increment waits for the next element.
struct Numbers {
  struct End {};
  struct Iterator {
    using iterator_category = std::input_iterator_tag;
    using iterator_concept = std::input_iterator_tag;
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using pointer = const int*;
    using reference = const int&;
    const int& operator*() const { return value; }
    Iterator& operator++() {
      if (++value == 10) gate->pass();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator!=(End /*end*/) const { return value < 10; }
    int value = 0;
    Gate* gate = nullptr;
  };
  Iterator begin() const { return {.value = 0, .gate = gate}; }
  End end() const { return {}; }
  Gate* gate = nullptr;
};

TEST(Stream, GivesResultsAsTheyCome) {
  auto p = from<int>()
               .stage("s",
                      [](int x) {
                        if (x == 0) std::this_thread::sleep_for(100ms);
                        return x;
                      },
                      {.workers = 4, .batch_limit = 1})
               .build();
  std::vector<int> order;
  for (auto& result : p.stream(numbers(5)))
    order.push_back(*result);
  EXPECT_THAT(order, SizeIs(5));
  EXPECT_EQ(order.back(), 0) << "the slow one does not hold the others up";
}

TEST(Stream, CanKeepTheOrderOfTheInput) {
  auto p = from<int>()
               .stage("s",
                      [](int x) {
                        if (x == 0) std::this_thread::sleep_for(20ms);
                        return x;
                      },
                      {.workers = 4, .batch_limit = 1})
               .build();
  std::vector<int> order;
  for (auto& result : p.stream(numbers(50), {.order = Order::input}))
    order.push_back(*result);
  EXPECT_EQ(order, numbers(50));
}

TEST(Stream, EndsAlthoughItemsFail) {  // B4
  auto p = from<int>()
               .stage("s", [](int x) { return x == 2 ? throw std::runtime_error("two") : x; })
               .stage("t", same)
               .build();
  int good = 0;
  int bad = 0;
  for (auto& result : p.stream(numbers(5)))
    ++(result ? good : bad);
  EXPECT_EQ(good, 4);
  EXPECT_EQ(bad, 1);
}

TEST(Stream, ReadsOnlyAsFastAsItIsRead) {  // B5
  std::atomic<int> read = 0;
  auto p = from<int>().stage("s", same, {.capacity = 4}).build({.output_capacity = 4});
  auto stream = p.stream([&]() -> std::optional<int> { return ++read; });
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(stream.next().has_value());
    std::this_thread::sleep_for(1ms);
    EXPECT_LE(read, i + 1 + 300) << "an endless source is not read ahead without a bound";
  }
}

TEST(Stream, CanBeLeftEarly) {
  std::atomic<int> calls = 0;
  auto p = from<int>().stage("s", [&](int x) { return ++calls, x; }).build();
  {
    auto stream = p.stream([n = 0]() mutable -> std::optional<int> { return n++; });
    for (int i = 0; i < 3; ++i)
      EXPECT_TRUE(stream.next().has_value());
  }
  EXPECT_FALSE(p.running());
  EXPECT_EQ(p.counts().in_flight(), 0U);
  const int then = calls;
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(calls, then) << "nothing goes on behind the user's back";
  EXPECT_THAT(values(p.run({1})), ElementsAre(1));
}

TEST(Stream, LeavesNothingAmongTheResults) {
  auto p = from<int>().stage("s", same).build();
  for (auto& result : p.stream(numbers(5)))
    EXPECT_TRUE(result);
  EXPECT_THAT(p.results(), IsEmpty());
  EXPECT_THAT(p.run(numbers(3)), SizeIs(3));
}

TEST(Stream, TellsWhatTheSourceThrewAtTheEnd) {
  auto p = from<int>().stage("s", same).build();
  auto stream = p.stream([n = 0]() mutable -> std::optional<int> {
    return n == 3 ? throw std::runtime_error("source") : n++;
  });
  int count = 0;
  EXPECT_THROW(
      {
        while (stream.next())
          ++count;
      },
      std::runtime_error);
  EXPECT_EQ(count, 3);
  EXPECT_FALSE(stream.next());
}

TEST(Stream, WhatASourceHasGivenComesOutWhileItBlocks) {
  constexpr int items = 1000;  // More than are pulled at once, and no multiple of it.
  Gate gate;
  auto p = from<int>().stage("s", [](int x) { return x; }).build();
  int count = 0;
  for (auto& result : p.stream(blocking_source(items, gate))) {
    ASSERT_TRUE(result);
    if (++count == items) gate.open();  // If it were not so, the gate would throw.
  }
  EXPECT_EQ(count, items);
  EXPECT_EQ(p.counts().accepted, static_cast<std::uint64_t>(items));
}

TEST(Stream, OrderIsKeptOverItemsThatWereFetchedFromASource) {
  Gate gate;
  auto p = from<int>().stage("s", [](int x) { return x; }, {.workers = 2}).build();
  int expected = 0;
  for (auto& result : p.stream(blocking_source(500, gate), {.order = Order::input})) {
    EXPECT_EQ(*result, expected);
    if (++expected == 500) gate.open();
  }
  EXPECT_EQ(expected, 500);
}

TEST(Stream, ARangeThatIsReadOnceDoesNotHoldItsItemsBack) {
  Gate gate;
  auto p = from<int>().stage("s", [](int x) { return x; }).build();
  int count = 0;
  for (auto& result : p.stream(Numbers{.gate = &gate})) {
    EXPECT_TRUE(result);
    if (++count == 10) gate.open();
  }
  EXPECT_EQ(count, 10);
}

TEST(Stream, TheThreadThatTakesLeavesSlowStagesToOthers) {
  Threads quick;
  Threads slow;
  auto p = from<int>()
               .stage("quick", [&](int x) { return quick.here(), x; })
               .stage("slow",
                      [&](int x) {
                        slow.here();
                        if (x < 50) std::this_thread::sleep_for(2ms);
                        return x;
                      })
               .build();
  const auto me = std::this_thread::get_id();
  int count = 0;
  bool slow_here = false;
  for (auto& result : p.stream(
           [next = 0]() mutable { return next < 2000 ? std::optional(next++) : std::nullopt; })) {
    EXPECT_TRUE(result);
    if (++count <= 40) slow_here = slow_here || slow.has(me);
  }
  EXPECT_EQ(count, 2000);
  EXPECT_FALSE(slow_here);
}

TEST(Stream, TheThreadThatTakesWorksAlongWhereItIsWorthIt) {
  Threads threads;
  auto p = from<int>().stage("s", [&](int x) { return threads.here(), x; }).build();
  int count = 0;
  for (auto& result : p.stream([next = 0]() mutable {
         return next < 100'000 ? std::optional(next++) : std::nullopt;
       })) {
    count += result ? 1 : 0;
  }
  EXPECT_EQ(count, 100'000);
  EXPECT_TRUE(threads.has(std::this_thread::get_id()));
}

TEST(Stream, OneLongTaskDoesNotKeepTheResultsOfOthers) {
  Gate gate;
  auto p = from<int>()
               .stage("s",
                      [&](int x) {
                        if (x == 0) gate.pass();
                        return x;
                      },
                      {.workers = 2, .capacity = 8})
               .build();
  int count = 0;
  for (auto& result :
       p.stream([next = 0]() mutable { return next < 2000 ? std::optional(next++) : std::nullopt; },
                {.order = Order::completion})) {
    if (++count == 1999) gate.open();
    EXPECT_TRUE(result);
  }
  EXPECT_EQ(count, 2000);
}

}  // namespace
}  // namespace espalier::pipeline
