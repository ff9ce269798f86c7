// Our own, through the builder, as users write it.
#include "espalier/pipeline.hpp"
#include "espalier/pipeline_async.hpp"
#include "work.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

namespace espalier::benchmarks {
namespace {

using namespace std::chrono_literals;

auto line(const Job& job) {
  const auto work = [rounds = job.rounds](const std::uint64_t& x) { return stage(x, rounds); };
  const pipeline::StageConfig<std::uint64_t, std::uint64_t> options{.workers = 2,
                                                                    .capacity = 1024};
  return pipeline::from<std::uint64_t>()
      .stage("one", work, options)
      .stage("two", work, options)
      .stage("three", work, options)
      .build({.output_order = pipeline::Order::input});
}

template <class Line>
Tally consume(Line& pipe, const Job& job) {
  Tally tally;
  std::uint64_t next = 0;
  const auto source = [&]() -> std::optional<std::uint64_t> {
    if (next == job.items) return std::nullopt;
    return next++;
  };
  for (auto& result : pipe.stream(source)) {
    tally.in_order = tally.in_order && result.seq() == tally.count;
    tally.sum += result.value();
    ++tally.count;
  }
  return tally;
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

Tally with_espalier(const Job& job) {
  auto pipe = line(job);
  return consume(pipe, job);
}

Tally with_espalier_tracked(const Job& job) {
  auto pipe = line(job);
  pipe.track(std::make_shared<pipeline::StatusTracker>());
  return consume(pipe, job);
}

void measure_waits() {
  constexpr std::uint32_t at_once = 10'000;
  constexpr std::uint64_t items = 500'000;
  auto pipe =
      pipeline::from<std::uint64_t>()
          .stage("wait",
                 [](const std::uint64_t& x) -> boost::asio::awaitable<std::uint64_t> {
                   boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 10ms);
                   co_await timer.async_wait(boost::asio::use_awaitable);
                   co_return x + 1;
                 },
                 {.workers = at_once, .capacity = 4 * at_once})
          .build();
  const auto cpu = cpu_seconds();
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t next = 0;
  std::uint64_t count = 0;
  const auto source = [&]() -> std::optional<std::uint64_t> {
    if (next == items) return std::nullopt;
    return next++;
  };
  for (auto& result : pipe.stream(source))
    count += result ? 1U : 0U;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  std::printf("\nwaits of 10 ms, %u at once: %.0f items/s, cpu %.0f ns an item (%llu items)\n",
              at_once, static_cast<double>(count) / wall.count(),
              (cpu_seconds() - cpu) * 1e9 / static_cast<double>(items),
              static_cast<unsigned long long>(count));
}

void measure_one_item() {
  std::vector<double> us;
  for (int i = 0; i < 200; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    auto pipe = line({.items = 1});
    const auto results = pipe.run(std::vector<std::uint64_t>{1});
    if (results.size() != 1 || !results.front()) std::abort();
    us.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
                     .count());
  }
  std::sort(us.begin(), us.end());
  std::printf("one item, built, run and destroyed: p50 %.1f us, p99 %.1f us\n", us[us.size() / 2],
              us[us.size() * 99 / 100]);
}

}  // namespace espalier::benchmarks
