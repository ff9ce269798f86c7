// Several listeners get every change pushed, as lines of JSON: what a web page behind a socket
// would be sent. One that leaves does not disturb the others.
#include <espalier/pipeline.hpp>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pipeline = espalier::pipeline;

namespace {

class Listener {
 public:
  explicit Listener(pipeline::StatusTracker& tracker)
      : subscription_(tracker.on_status_change([this](const pipeline::StatusEvent& event) {
          lines_.push_back("{\"item\":\"" + event.item + "\",\"stage\":\"" + event.stage +
                           "\",\"status\":\"" + std::string(pipeline::to_string(event.status)) +
                           "\"}");
        })) {}
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;  // Touched by the tracker's thread alone, until flush.
  pipeline::Subscription subscription_;
};

}  // namespace

int main() {
  const auto tracker = std::make_shared<pipeline::StatusTracker>();
  const Listener page(*tracker);
  std::optional<Listener> leaves_early(*tracker);
  auto line = pipeline::from<int>().stage("work", [](const int& x) { return x; }).build();
  line.track(tracker);
  line.run({1});
  tracker->flush();
  const auto heard = leaves_early->lines().size();
  leaves_early.reset();
  line.run({2});
  tracker->flush();
  std::cout << page.lines().front() << '\n'
            << "the one that stayed heard more: " << (page.lines().size() > heard ? "yes" : "no")
            << '\n';
}
