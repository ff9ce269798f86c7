#include "libpipeline/core/support/script_kernel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> allocations{0};
}

// Every allocation of this test program is counted.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size > 0 ? size : 1);
}
void* operator new(std::size_t size) {
  if (void* memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace espalier::pipeline::testing {
namespace {

/// Feeds, works and takes as a Runner does, `count` items in all; gives back how many came out.
std::size_t flow_through(Flow& flow, TimePoint& now, std::size_t count) {
  std::size_t fed = 0;
  std::size_t out = 0;
  while (out < count) {
    if (const auto room = std::min({flow.room(0), chunk_limit, count - fed}); room > 0) {
      auto chunk = flow.new_chunk();
      for (std::size_t i = 0; i < room; ++i)
        chunk->items.emplace_back().value = Value::of<int>(1);
      flow.recycle(flow.accept(0, std::move(chunk), now));
      fed += room;
    }
    while (auto work = flow.claim(now)) {
      for (; work; work = flow.finish(*work, now))
        now += std::chrono::nanoseconds{100};
    }
    while (auto chunk = flow.take_outputs()) {
      out += chunk->items.size();
      flow.recycle(std::move(chunk));
    }
  }
  return out;
}

void expect_no_allocation(Plan plan) {
  Flow flow(std::move(plan));
  auto now = TimePoint{seconds{1}};
  EXPECT_EQ(flow_through(flow, now, 10'000), 10'000u);
  const auto before = allocations.load();
  EXPECT_EQ(flow_through(flow, now, 100'000), 100'000u);
  EXPECT_EQ(allocations.load() - before, 0u);
}

TEST(FlowCost, NothingIsAllocatedInALineOfThreeStages) {
  expect_no_allocation(line(3));
}

TEST(FlowCost, NothingIsAllocatedWithLargeBatches) {
  expect_no_allocation(line(3, {.capacity = 2048}));
}

TEST(FlowCost, NothingIsAllocatedWhereOrderIsKept) {
  auto plan = line(3, {.capacity = 512, .order = Order::input});
  plan.options.output_order = Order::input;
  expect_no_allocation(std::move(plan));
}

TEST(FlowCost, NothingIsAllocatedWithATimeoutAndARate) {
  StageOptions options;
  options.timeout = seconds{30};
  options.rate = {.per_second = 1e12, .burst = 1e6};
  expect_no_allocation(line(2, options));
}

}  // namespace
}  // namespace espalier::pipeline::testing
