// Many workers, but only two uploads at once: a limit for one task of a stage, which other stages
// and pipelines may share.
#include <espalier/pipeline.hpp>

#include <atomic>
#include <chrono>
#include <iostream>
#include <numeric>
#include <thread>
#include <vector>

namespace pipeline = espalier::pipeline;
using namespace std::chrono_literals;

namespace {

class Gauge {
 public:
  void enter() {
    const int now = ++inside_;
    int seen = most_;
    while (now > seen && !most_.compare_exchange_weak(seen, now)) {
    }
  }
  void leave() { --inside_; }
  [[nodiscard]] int most() const { return most_; }

 private:
  std::atomic<int> inside_ = 0;
  std::atomic<int> most_ = 0;
};

}  // namespace

int main() {
  Gauge uploads;
  Gauge polls;
  const auto visit = [](Gauge& gauge) {
    return [&gauge](const int& x) {
      gauge.enter();
      std::this_thread::sleep_for(2ms);
      gauge.leave();
      return x;
    };
  };
  const pipeline::Limit two(2);
  auto jobs = pipeline::from<int>()
                  .stage("job",
                         pipeline::tasks(pipeline::task("upload", visit(uploads), {.limit = two}),
                                         pipeline::task("poll", visit(polls))),
                         {.workers = 10})
                  .build();
  std::vector<int> items(40);
  std::iota(items.begin(), items.end(), 0);
  jobs.run(items);
  std::cout << "uploads at once: " << uploads.most() << '\n'
            << "polls at once: " << (polls.most() <= 10 ? "at most 10" : "too many") << '\n';
}
