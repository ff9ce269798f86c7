// The dashboards that come with the library, one after the other, and what a task says of itself.
// Run it in a terminal to see them; elsewhere each prints plain lines.
#include <espalier/pipeline.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace pipeline = espalier::pipeline;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) words = pipeline::display_words();
  std::vector<int> items(60);
  std::iota(items.begin(), items.end(), 0);
  for (const auto& word : words) {
    const auto dashboard = pipeline::make_display(word);
    if (!dashboard) return std::cerr << dashboard.error() << '\n', 1;
    const auto tracker = std::make_shared<pipeline::StatusTracker>();
    auto line = pipeline::from<int>()
                    .stage("unpack",
                           [](const int& x) {
                             pipeline::set_task_status("unpacking box " + std::to_string(x));
                             std::this_thread::sleep_for(3ms);
                             return x;
                           },
                           {.workers = 4})
                    .stage("sort",
                           [](const int& x) {
                             if (x % 20 == 19) throw std::runtime_error("a box of nothing");
                             return x;
                           })
                    .build({.name = word});
    line.track(tracker);
    const pipeline::Show show([&] { return line.snapshot(); }, *dashboard,
                              {.total = items.size(), .interval = 20ms, .tracker = tracker});
    line.run(items);
  }
  std::cout << words.size() << " dashboards shown\n";
}
