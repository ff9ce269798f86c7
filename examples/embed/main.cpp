#include <espalier/supervisor.hpp>

#include <iostream>
#include <thread>

namespace sv = espalier::supervisor;
using namespace std::chrono_literals;

int main() {
  sv::ChildFactories factories;
  factories.add_blocking("work", [](sv::ChildContext& self) {
    std::cout << self.path() << " begins attempt " << self.generation() << std::endl;
    if (!self.sleep_for(200ms)) return;  // false: the supervisor wants us to stop
    if (self.generation() < 3) throw std::runtime_error("the pump is stuck");
    while (self.sleep_for(1s)) self.report_status("pumping");
  });
  const sv::ChildSpec pump{.name = "pump", .kind = sv::ChildKind::blocking, .factory = "work"};
  sv::SupervisorSpec tree;
  tree.children = {pump};

  auto handle = sv::Supervisor::start(tree, factories);
  if (!handle) return std::cerr << handle.error().message << '\n', 1;
  std::this_thread::sleep_for(2s);
  const auto result = handle->shutdown({"main", "the example is over"});
  return result && result->report.reconcile.clean() ? 0 : 1;
}
