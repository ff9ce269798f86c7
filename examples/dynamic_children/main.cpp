#include <espalier/supervisor.hpp>

#include <iostream>
#include <thread>

namespace sv = espalier::supervisor;
using namespace std::chrono_literals;

namespace {

sv::ChildSpec worker(const std::string& name) {
  return {.name = name, .kind = sv::ChildKind::blocking, .factory = "work"};
}

bool show(const char* what, const sv::CommandResult& result) {
  std::cout << what << ": " << (result ? result->text : result.error().message) << std::endl;
  return result.has_value();
}

}  // namespace

int main() {
  sv::ChildFactories factories;
  factories.add_blocking("work", [](sv::ChildContext& self) { self.sleep_for(1h); });

  sv::PoolSpec jobs{.child = worker("job"), .size = 2};
  sv::ChildSpec pool{.name = "jobs", .kind = sv::ChildKind::pool};
  pool.pool = std::make_shared<const sv::PoolSpec>(jobs);
  sv::SupervisorSpec tree;
  tree.children = {worker("first"), pool};

  const auto handle = sv::Supervisor::start(tree, factories);
  if (!handle) return std::cerr << handle.error().message << '\n', 1;
  const sv::CommandMeta meta{"main", "to show how"};
  bool well = show("add", handle->add_child("/", worker("second"), meta));
  well = show("restart", handle->restart_child("/second", meta)) && well;
  well = show("remove", handle->remove_child("/second", meta)) && well;
  well = show("scale", handle->scale_pool("/jobs", 50, meta)) && well;
  // A name that is taken is refused, and nothing has changed.
  well = !show("add again", handle->add_child("/", worker("first"), meta)) && well;
  return handle->shutdown(meta) && well ? 0 : 1;
}
