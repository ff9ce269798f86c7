#include "espalier/pipeline/build/builder.hpp"
#include "support/sanitized.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

namespace espalier::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t items = espalier::testing::sanitized ? 50'000 : 1'000'000;
constexpr std::int64_t capacity = 64;
constexpr std::int64_t stages = 2;

std::int64_t resident_kib() {
  std::int64_t total = 0;
  std::int64_t resident = 0;
  std::ifstream{"/proc/self/statm"} >> total >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/// What is seen of a stream from outside, by the thread that takes its results.
struct Seen {
  std::int64_t taken = 0;
  std::int64_t failed = 0;
  std::int64_t most_in_flight = 0;  ///< Accepted and not ended: at the stages.
  std::int64_t most_ahead = 0;      ///< Read from the source and not taken.
  std::int64_t before_kib = 0;
  std::int64_t peak_kib = 0;
};

/// Takes all there is, and stands still now and then, so that everything behind it fills up.
Seen take_slowly(Pipeline<std::int64_t, std::string>& p, const std::atomic<std::int64_t>& read,
                 Stream<std::string> stream) {
  Seen seen;
  for (auto& result : stream) {
    seen.failed += result ? 0 : 1;
    if (++seen.taken % 1000 != 0) continue;
    std::this_thread::sleep_for(1ms);
    const auto in_flight = static_cast<std::int64_t>(p.counts().in_flight());
    seen.most_in_flight = std::max(seen.most_in_flight, in_flight);
    seen.most_ahead = std::max(seen.most_ahead, read - seen.taken);
    const auto memory = resident_kib();
    if (seen.taken == 10'000) seen.before_kib = memory;  // Threads and queues are there now.
    seen.peak_kib = std::max(seen.peak_kib, memory);
  }
  return seen;
}

// The results are a gigabyte together.
TEST(StreamMemory, AMillionItemsForASlowConsumerStayWithinTheBoundAndTakeNoMoreMemory) {
  auto p = from<std::int64_t>()
               .stage("number", [](std::int64_t n) { return n + 1; },
                      {.workers = 2, .capacity = capacity})
               .stage("text", [](std::int64_t) { return std::string(1024, 'x'); },
                      {.workers = 2, .capacity = capacity})
               .build({.output_capacity = capacity});
  std::atomic<std::int64_t> read = 0;
  const auto seen = take_slowly(p, read, p.stream([&]() -> std::optional<std::int64_t> {
    return read < items ? std::optional<std::int64_t>(read++) : std::nullopt;
  }));
  RecordProperty("most_in_flight", std::to_string(seen.most_in_flight));
  RecordProperty("most_ahead", std::to_string(seen.most_ahead));
  RecordProperty("before_kib", std::to_string(seen.before_kib));
  RecordProperty("peak_kib", std::to_string(seen.peak_kib));
  RecordProperty("after_kib", std::to_string(resident_kib()));
  EXPECT_EQ(seen.taken, items);
  EXPECT_EQ(seen.failed, 0);
  EXPECT_LE(seen.most_in_flight, stages * capacity);
  // Besides: results that wait, and those the stream holds, which were taken together.
  EXPECT_LE(seen.most_ahead, (stages + 2) * capacity);
  EXPECT_GE(seen.most_ahead, stages * capacity) << "it was not slow enough to show anything";
  if (espalier::testing::sanitized) return;
  EXPECT_LT(seen.peak_kib - seen.before_kib, 4096);
  EXPECT_LT(resident_kib() - seen.before_kib, 4096);
}

}  // namespace
}  // namespace espalier::pipeline
