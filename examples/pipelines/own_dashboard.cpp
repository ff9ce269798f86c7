// A dashboard of one's own: three functions, called with a view that never changes afterwards.
#include <espalier/pipeline.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace pipeline = espalier::pipeline;
using namespace std::chrono_literals;

namespace {

class Plain final : public pipeline::DashboardProtocol {
 public:
  void on_start(const std::string& name, std::optional<std::uint64_t> total) override {
    std::cout << name << ": " << total.value_or(0) << " items to come\n";
  }
  void on_update(const pipeline::DashboardView& view) override {
    grows_ = grows_ && view.done() >= last_;
    last_ = view.done();
  }
  void on_finish(const pipeline::DashboardView& view,
                 const pipeline::ErrorSummary& summary) override {
    std::cout << view.done() << " done, " << summary.total_failed
              << " failed; the bar only grew: " << (grows_ ? "yes" : "no") << '\n';
  }

 private:
  std::uint64_t last_ = 0;
  bool grows_ = true;
};

}  // namespace

int main() {
  auto line = pipeline::from<int>()
                  .stage("work",
                         [](const int& x) {
                           std::this_thread::sleep_for(1ms);
                           return x;
                         },
                         {.workers = 2})
                  .build({.name = "mine"});
  const std::vector<int> items(50, 1);
  const pipeline::Show show([&] { return line.snapshot(); }, std::make_shared<Plain>(),
                            {.total = items.size(), .interval = 5ms});
  line.run(items);
}
