#include "libpipeline/run/pipes.hpp"
#include "support/sanitized.hpp"

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>
#include <future>
#include <set>
#include <sstream>
#include <stdexcept>

namespace espalier::pipeline::testing {
namespace {

StageOptions workers(std::uint32_t count, std::size_t capacity = 0) {
  StageOptions options;
  options.workers = count;
  options.capacity = capacity;
  return options;
}

std::size_t resident_kib() {
  std::ifstream file("/proc/self/status");
  for (std::string text; std::getline(file, text);) {
    std::istringstream words(text);
    std::string key;
    std::size_t value = 0;
    if (words >> key >> value && key == "VmRSS:") return value;
  }
  return 0;
}

TEST(Sources, ASlowConsumerHoldsTheSourceBackAndMemoryStaysFlat) {
  constexpr std::uint64_t count = espalier::testing::sanitized ? 50'000 : 1'000'000;
  PipelineOptions options;
  options.output_capacity = 64;
  Runner runner(line({stage("a", nothing(), workers(2, 64)), stage("b", nothing(), workers(2, 64)),
                      stage("c", nothing(), workers(2, 64))},
                     options),
                {});
  runner.start();
  runner.feed_from(0, numbers(count));
  runner.close_input_after_sources();
  std::uint64_t taken = 0;
  std::uint64_t most_in_flight = 0;
  std::uint64_t most_behind = 0;
  std::size_t memory = 0;
  while (auto chunk = runner.take(in(30s))) {
    taken += chunk->items.size();
    runner.recycle(std::move(chunk));
    const auto counts = runner.counts();
    most_in_flight = std::max(most_in_flight, counts.in_flight());
    if (taken < 20'000) {  // Slowly at first.
      std::this_thread::sleep_for(100us);
      most_behind = std::max(most_behind, runner.counts().accepted - taken);
      memory = resident_kib();
    }
  }
  EXPECT_EQ(taken, count);
  EXPECT_LE(most_in_flight, 3U * 64U);
  EXPECT_LE(most_behind, 4U * 64U);
  if (!espalier::testing::sanitized) {
    EXPECT_LT(resident_kib(), memory + 4096);
  }
  runner.stop();
}

TEST(Sources, SeveralSourcesAreAllPulledToTheirEnd) {
  Runner runner(line({stage("a", nothing(), workers(2))}), {});
  runner.start();
  for (int i = 0; i < 3; ++i)
    runner.feed_from(0, numbers(1000));
  auto results = std::async(std::launch::async, [&] { return take_all(runner); });
  runner.wait_for_sources();
  EXPECT_EQ(runner.counts().accepted, 3000U);
  runner.close_input();
  EXPECT_EQ(results.get().values.size(), 3000U);
  EXPECT_FALSE(runner.input_error());
}

TEST(Sources, ASourceIsNeverPulledByTwoThreads) {
  std::atomic<int> inside = 0;
  std::atomic<bool> alone = true;
  Runner runner(line({stage("a", nothing(), workers(4))}), {});
  const auto taken = run(runner, [&, next = std::uint64_t{0}](Chunk& chunk, std::size_t) mutable {
    if (++inside != 1) alone = false;
    chunk.items.push_back(item_of(next++));
    std::this_thread::yield();
    --inside;
    return next < 2000;
  });
  EXPECT_TRUE(alone);
  EXPECT_EQ(taken.values.size(), 2000U);
}

TEST(Sources, WhatASourceThrowsEndsTheInputAndNotTheItems) {
  Runner runner(line({stage("a", nothing())}), {});
  const auto taken = run(runner, [n = 0](Chunk& chunk, std::size_t) mutable {
    if (n == 3) throw std::runtime_error("the file is gone");
    chunk.items.push_back(item_of(static_cast<std::uint64_t>(n++)));
    return true;
  });
  EXPECT_EQ(taken.values.size(), 3U);
  ASSERT_TRUE(runner.input_error());
  EXPECT_THROW(std::rethrow_exception(runner.input_error()), std::runtime_error);
}

TEST(Sources, ItemsOfASlowSourceAreDoneWhileItWaits) {
  Gate gate;
  Runner runner(line({stage("a", nothing(), workers(2))}), {});
  runner.start();
  runner.feed_from(0, [&, n = 0](Chunk& chunk, std::size_t) mutable {
    if (n == 1) gate.wait();
    chunk.items.push_back(item_of(static_cast<std::uint64_t>(n)));
    return ++n < 2;
  });
  EXPECT_TRUE(runner.take(in(5s))) << "the first item, while the source waits";
  gate.open();
  EXPECT_TRUE(runner.take(in(5s)));
}

TEST(Sources, ACloseAnswersThoseWhoWaitForAnEndlessSource) {
  Runner runner(line({stage("a", nothing())}), {});
  runner.start();
  runner.feed_from(0, [](Chunk& chunk, std::size_t) {
    chunk.items.push_back(item_of(1));
    return true;
  });
  auto waiting = std::async(std::launch::async, [&] { runner.wait_for_sources(); });
  EXPECT_TRUE(runner.take(in(5s)));
  runner.cancel("enough");
  EXPECT_EQ(waiting.wait_for(5s), std::future_status::ready);
  EXPECT_TRUE(runner.stop(in(5s)));
}

TEST(Sources, WhatFoundNoRoomIsGivenLater) {
  Runner runner(line({stage("a", nothing(), workers(1, 4))}), {});
  const auto taken = run(runner, [n = std::uint64_t{0}](Chunk& chunk, std::size_t) mutable {
    for (int i = 0; i < 100; ++i)  // Does not look how many it may bring.
      chunk.items.push_back(item_of(n++));
    return n < 1000;
  });
  EXPECT_EQ(taken.values.size(), 1000U);
  EXPECT_EQ(std::set<std::uint64_t>(taken.values.begin(), taken.values.end()).size(), 1000U);
}

// The first ones are fetched while it is in the call that gives more than it was asked for.
TEST(Sources, ASourceThatGivesFewAndThenTooManyLosesNone) {
  Runner runner(line({stage("a", nothing(), workers(2, 64))}), {});
  std::uint64_t next = 0;
  const auto taken = run(runner, [&, call = 0](Chunk& chunk, std::size_t) mutable {
    const auto many = ++call % 5 == 0;
    for (int i = 0; i < (many ? 300 : 1); ++i) {
      chunk.items.push_back(item_of(next++));
      if (i == 200) std::this_thread::sleep_for(20ms);
    }
    return call < 50;
  });
  EXPECT_EQ(taken.values.size(), next);
  EXPECT_EQ(std::set<std::uint64_t>(taken.values.begin(), taken.values.end()).size(), next);
}

}  // namespace
}  // namespace espalier::pipeline::testing
