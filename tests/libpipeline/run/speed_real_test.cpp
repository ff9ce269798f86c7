// Prints what an item costs; the benchmarks compare it with others. Asserts only orders of size.
#include "libpipeline/run/pipes.hpp"
#include "support/sanitized.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

namespace espalier::pipeline::testing {
namespace {

double cpu_ns() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

class Empty final : public Kernel {
 public:
  bool run(std::span<Item> items, RunContext&) override {
    for (auto& item : items) {
      item.verdict = Verdict::pass;
      item.port = 0;
    }
    return true;
  }
  [[nodiscard]] std::span<const std::string> tasks() const override { return tasks_; }

 private:
  std::vector<std::string> tasks_ = {"nothing"};
};

class Counters final : public TrackSink {
 public:
  void on_events(const std::vector<TrackEvent>& events) override {
    for (const auto& event : events)
      by_status[static_cast<std::size_t>(event.status)] += event.count;
  }
  [[nodiscard]] bool wants_tasks() const override { return false; }
  std::uint64_t by_status[8] = {};
};

/// CPU nanoseconds an item through three stages of two workers each, in order.
double cost(std::size_t capacity, bool counters) {
  constexpr std::uint64_t count = 1'000'000;
  PipelineOptions options;
  options.output_order = Order::input;
  options.output_capacity = capacity;
  std::vector<NodePlan> nodes;
  for (const char* name : {"a", "b", "c"}) {
    NodePlan node;
    node.name = name;
    node.kernel = std::make_shared<Empty>();
    node.options.workers = 2;
    node.options.capacity = capacity;
    nodes.push_back(std::move(node));
  }
  Runner runner(line(std::move(nodes), options), {});
  if (counters) runner.track(std::make_shared<Counters>());
  std::uint64_t taken = 0;
  std::uint64_t next = 0;
  const auto begin = cpu_ns();
  runner.start(Runner::Caller::helps);
  runner.feed_from(0, [&](Chunk& chunk, std::size_t most) {
    const auto end = std::min(std::uint64_t{count}, next + most);
    for (; next < end; ++next) {
      auto& item = chunk.items.emplace_back();
      item.value.emplace<std::uint64_t>(next);
    }
    return next < count;
  });
  runner.close_input_after_sources();
  for (;;) {
    auto chunk = runner.help_and_take();
    if (!chunk) break;
    for (const auto& item : chunk->items) {
      EXPECT_EQ(item.seq, taken);
      ++taken;
    }
    runner.recycle(std::move(chunk));
  }
  runner.stop();
  EXPECT_EQ(taken, count);
  return (cpu_ns() - begin) / static_cast<double>(count);
}

TEST(Speed, ThreeEmptyStagesOfTwoWorkersInOrder) {
  if (espalier::testing::sanitized) GTEST_SKIP() << "it would be the sanitizer that is measured";
  for (const std::size_t capacity : {20U, 256U, 1024U}) {
    std::vector<double> plain;
    std::vector<double> counted;
    for (int i = 0; i < 5; ++i) {
      plain.push_back(cost(capacity, false));
      counted.push_back(cost(capacity, true));
    }
    std::sort(plain.begin(), plain.end());
    std::sort(counted.begin(), counted.end());
    std::printf(
        "capacity %4zu: %.1f ns CPU an item [%.1f - %.1f], with counters %.1f [%.1f - %.1f]\n",
        capacity, plain[2], plain.front(), plain.back(), counted[2], counted.front(),
        counted.back());
    EXPECT_LT(plain[2], 5'000);
  }
}

}  // namespace
}  // namespace espalier::pipeline::testing
