// Who does what: workers by name, what each has done, stages at any moment, and more workers while
// it runs.
#include <espalier/pipeline.hpp>

#include <chrono>
#include <iostream>
#include <numeric>
#include <thread>
#include <vector>

namespace pipeline = espalier::pipeline;
using namespace std::chrono_literals;

int main() {
  auto line = pipeline::from<int>()
                  .stage("cut",
                         [](const int& x) {
                           std::this_thread::sleep_for(1ms);
                           return x;
                         },
                         {.workers = 2})
                  .stage("paint", [](const int& x) { return x; })
                  .build({.keep_results = false});
  for (const auto& name : line.worker_names())
    std::cout << name << ' ';
  std::cout << '\n';

  line.start();
  line.resize("cut", 4);
  std::vector<int> items(60);
  std::iota(items.begin(), items.end(), 0);
  line.feed_all(items);
  line.drain();

  const auto snapshot = line.snapshot();
  std::uint64_t by_workers = 0;
  for (const auto& worker : snapshot.workers) {
    if (worker.stage == "cut") by_workers += worker.completed;
  }
  for (const auto& stage : snapshot.stages)
    std::cout << stage.name << ": " << stage.completed << " done with " << stage.workers
              << " workers\n";
  std::cout << "the workers of cut together: " << by_workers << '\n';
}
