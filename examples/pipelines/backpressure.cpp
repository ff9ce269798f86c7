// A fast stage before a slow one: the first waits for the second, and memory stays bounded.
#include <espalier/pipeline.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <optional>
#include <thread>

namespace pipeline = espalier::pipeline;
using namespace std::chrono_literals;

int main() {
  std::atomic<int> between = 0;  // Made by the first stage, not yet seen by the second.
  std::atomic<int> most = 0;
  auto line = pipeline::from<int>()
                  .stage("fast",
                         [&](const int& x) {
                           const int now = ++between;
                           int seen = most;
                           while (now > seen && !most.compare_exchange_weak(seen, now)) {
                           }
                           return x;
                         },
                         {.workers = 2, .capacity = 10})
                  .stage("slow",
                         [&](const int& x) {
                           std::this_thread::sleep_for(1ms);
                           --between;
                           return x;
                         },
                         {.capacity = 5})
                  .build();
  int count = 0;
  int next = 0;
  const auto source = [&]() -> std::optional<int> {
    return next < 300 ? std::optional<int>(next++) : std::nullopt;
  };
  for (const auto& result : line.stream(source))
    count += result ? 1 : 0;
  std::cout << count
            << " items; never more than the two capacities between: " << (most <= 15 ? "yes" : "no")
            << '\n';
}
