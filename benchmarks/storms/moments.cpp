// What an operator does in the middle of a storm: S10.
#include "crash_loop.hpp"
#include "storm.hpp"

#include <algorithm>
#include <random>
#include <thread>

namespace espalier::benchmarks {

namespace {

SupervisorSpec stormy() {
  PoolSpec pool;
  pool.child = actor_child("instance");
  pool.child.factory = "crash";
  pool.child.policy = without_limits();
  pool.restart_limit.reset();
  pool.size = 5;
  ChildSpec of_pool;
  of_pool.name = "pool";
  of_pool.kind = ChildKind::pool;
  of_pool.pool = std::make_shared<PoolSpec>(std::move(pool));
  auto spec = flat_tree(20);
  for (auto& child : spec.children) {
    child.policy = without_limits();
    child.factory = child.name < "c15" ? "crash" : "idle";
  }
  spec.children.push_back(std::move(of_pool));
  return spec;
}

}  // namespace

void storm_of_moments() {
  constexpr int moments = 1000;
  auto factories = idle_factories();
  add_actor(factories, "crash", [](caf::event_based_actor* self, auto) {
    self->send(self, 1);
    return caf::behavior{[self](int) { self->quit(caf::make_error(caf::sec::runtime_error)); }};
  });
  std::minstd_rand random{1};
  std::vector<double> stops;
  int unclean = 0;
  int refused = 0;
  for (int i = 0; i < moments; ++i) {
    const auto tree = Supervisor::launch(stormy(), factories, with_ring());
    if (!tree) return tell("S10", false, tree.error().message);
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 3000});
    if (i % 3 == 1) {
      auto changed = stormy();
      changed.children.erase(changed.children.begin() + static_cast<std::ptrdiff_t>(random() % 20));
      changed.children[3].policy.stop.grace = std::chrono::seconds{1};
      tree->execute(Command{.kind = CommandKind::reload,
                            .path = "/",
                            .meta = who,
                            .tree = std::make_shared<SupervisorSpec>(std::move(changed))},
                    [](const CommandResult&) {});
    } else if (i % 3 == 2) {
      refused += tree->scale_pool("/pool", static_cast<std::uint32_t>(random() % 10), who) ? 0 : 1;
    }
    const auto begin = Clock::now();
    const auto result = tree->shutdown(who);
    stops.push_back(ms_since(begin));
    unclean += result && result->report.reconcile.clean() ? 0 : 1;
  }
  const auto longest = *std::max_element(stops.begin(), stops.end());
  tell("S10", unclean == 0 && longest < 5000,
       text("stop, reload or scale at 1,000 random moments of a storm of restarts: %d ended with "
            "something alive, stop p50 %.1f ms, longest %.1f ms (budget 5,000), %d scalings came "
            "too early",
            unclean, quantile(stops, 0.5), longest, refused));
}

}  // namespace espalier::benchmarks
