// A pipeline that waits for work: two producers feed it from other threads, one of them a stage
// further on, and it ends when they are done.
#include <espalier/pipeline.hpp>

#include <iostream>
#include <numeric>
#include <optional>
#include <thread>

namespace pipeline = espalier::pipeline;

int main() {
  auto line = pipeline::from<int>()
                  .stage("double", [](const int& x) { return 2 * x; }, {.workers = 2})
                  .stage("add", [](const int& x) { return x + 1; })
                  .build({.name = "line"});
  line.start();
  {
    const std::jthread by_hand([&] {
      for (int x = 0; x < 100; ++x)
        line.feed(x);
    });
    const std::jthread in_the_middle([&] {
      for (int x = 0; x < 100; ++x)
        line.feed_to("add", x);
    });
  }
  int next = 0;
  line.feed_async([next]() mutable -> std::optional<int> {
    return next < 100 ? std::optional<int>(next++) : std::nullopt;
  });
  line.runner()->wait_for_sources();
  line.drain();
  long sum = 0;
  for (const auto& result : line.results())
    sum += *result;
  std::cout << line.counts().succeeded << " items, sum " << sum << '\n';
  try {
    line.start();
    line.feed_to("ad", 1);
  } catch (const std::exception& error) {
    std::cout << error.what() << '\n';
  }
}
