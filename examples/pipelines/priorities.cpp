// Urgent items overtake the others where they wait; equal ones keep their order.
#include <espalier/pipeline.hpp>

#include <iostream>
#include <latch>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace pipeline = espalier::pipeline;

int main() {
  std::latch begun(1);
  std::latch all_fed(1);
  std::mutex mutex;
  std::vector<std::string> order;
  auto work = pipeline::from<std::string>()
                  .sink("work",
                        [&](const std::string& name) {
                          if (name == "first") {  // Keeps the only worker busy.
                            begun.count_down();
                            all_fed.wait();
                          }
                          const std::lock_guard lock(mutex);
                          order.push_back(name);
                        },
                        {.batch_limit = 1})
                  .build();
  work.start();
  work.feed("first");
  begun.wait();
  const std::vector<std::pair<std::string, int>> items{
      {"background", 500}, {"ordinary 1", 100}, {"urgent", 10}, {"ordinary 2", 100}, {"now", 0}};
  for (const auto& [name, priority] : items)
    work.feed(name, {.priority = priority});
  all_fed.count_down();
  work.drain();
  for (const auto& name : order)
    std::cout << name << '\n';
}
