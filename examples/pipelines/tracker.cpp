// Everything that happens to each item: subscribers on a thread of their own, and questions.
#include <espalier/pipeline.hpp>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

namespace pipeline = espalier::pipeline;
using namespace std::chrono_literals;

int main() {
  const auto tracker = std::make_shared<pipeline::StatusTracker>();
  std::atomic<int> changes = 0;
  std::atomic<int> retries = 0;
  const auto on_change =
      tracker->on_status_change([&](const pipeline::StatusEvent&) { ++changes; });
  const auto on_retry = tracker->on_task_retry([&](const pipeline::TaskEvent& event) {
    ++retries;
    if (event.attempt > 5) throw std::runtime_error("a subscriber that throws harms nobody");
  });

  auto line = pipeline::from<int>()
                  .stage("halve",
                         [](const int& x) {
                           if (x % 2 != 0) throw std::invalid_argument("odd");
                           return x / 2;
                         },
                         {.retry = pipeline::fixed(2, 1ms)})
                  .stage("add", [](const int& x) { return x + 1; })
                  .build();
  line.track(tracker);
  line.run({2, 3, 4});
  tracker->flush();

  const auto stats = tracker->get_stats();
  std::cout << stats[pipeline::Status::completed] << " completed, "
            << stats[pipeline::Status::failed] << " failed, " << retries << " retry\n";
  std::cout << "item 0:";
  for (const auto& event : tracker->get_history("0"))
    std::cout << ' ' << pipeline::to_string(event.status) << '@' << event.stage;
  std::cout << '\n' << pipeline::to_string(tracker->get_error_summary()) << '\n';
  return changes > 0 ? 0 : 1;
}
