// Results as they come: the fast ones first, no further than needed, and never more in memory than
// the stages may hold.
#include <espalier/pipeline.hpp>

#include <atomic>
#include <chrono>
#include <iostream>
#include <optional>
#include <thread>
#include <vector>

namespace pipeline = espalier::pipeline;
using namespace std::chrono_literals;

int main() {
  auto wait = pipeline::from<int>()
                  .stage("wait",
                         [](const int& ms) {
                           std::this_thread::sleep_for(std::chrono::milliseconds(ms));
                           return ms;
                         },
                         {.workers = 3})
                  .build();

  std::cout << "as they come:";
  for (const auto& result : wait.stream(std::vector<int>{150, 75, 1}))
    std::cout << ' ' << *result;
  std::cout << "\nin the order of the input:";
  const pipeline::StreamOptions in_order{.order = pipeline::Order::input};
  for (const auto& result : wait.stream(std::vector<int>{60, 30, 1}, in_order))
    std::cout << ' ' << *result;

  // A source without an end, read only as fast as results are taken.
  std::atomic<int> asked = 0;
  const auto numbers = [&]() -> std::optional<int> { return ++asked % 2; };
  int taken = 0;
  for (const auto& result : wait.stream(numbers)) {
    if (result && ++taken == 10) break;
  }
  std::cout << "\ntook 10 of an endless source, which was asked less than 200 times: "
            << (asked < 200 ? "yes" : "no") << '\n';
}
