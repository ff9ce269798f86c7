#include <espalier/child_main.hpp>
#include <espalier/supervisor.hpp>

#include <iostream>
#include <thread>

namespace sv = espalier::supervisor;
using namespace std::chrono_literals;

namespace {

volatile int* nowhere = nullptr;

// Registered before main, so that the copy of this program knows it too.
const espalier::RegisteredChild decoder{"decoder", [](sv::ChildContext& self) {
                                          self.sleep_for(100ms);
                                          if (self.generation() == 1) *nowhere = 1;
                                          self.sleep_for(1h);
                                        }};

class Printer final : public sv::EventSink {
 public:
  void publish(const sv::Event& event) override {
    std::cout << event.path << ' ' + sv::describe(event.body, event.path) + '\n' << std::flush;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (const auto code = espalier::child_main(argc, argv)) return *code;

  sv::ChildSpec child{.name = "decoder", .kind = sv::ChildKind::blocking, .factory = "decoder"};
  child.isolation = sv::Isolation::process;  // The one line that moves it out of this process.
  child.policy.backoff.initial = 100ms;
  sv::SupervisorSpec tree;
  tree.children = {child};
  sv::SupervisorOptions options;
  options.events = {std::make_shared<Printer>()};

  const auto handle = sv::Supervisor::start(tree, espalier::registered_children(), options);
  if (!handle) return std::cerr << handle.error().message << '\n', 1;
  std::this_thread::sleep_for(2s);
  const auto result = handle->shutdown({"main", "the example is over"});
  return result && result->report.reconcile.clean() ? 0 : 1;
}
