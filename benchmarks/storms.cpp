// Many children at once: all of them crash in the same moment, or one takes all others along.
#include "common.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <mutex>

namespace espalier::benchmarks {
namespace {

/// Children that say when they serve, and crash when they are sent a number above zero.
struct Troupe {
  std::mutex mutex = {};
  std::vector<caf::actor> actors = {};
  std::atomic<std::size_t> serving = 0;  ///< Lives that have handled a message.
};

ChildFactories troupe_factories(const std::shared_ptr<Troupe>& troupe) {
  ChildFactories factories;
  add_actor(factories, "idle",
            [troupe](caf::event_based_actor* self, std::shared_ptr<ChildContext>) {
              {
                const std::lock_guard lock(troupe->mutex);
                troupe->actors.push_back(caf::actor_cast<caf::actor>(self));
              }
              self->send(self, 0);
              return caf::behavior{[=](int crash) {
                if (crash > 0) return self->quit(caf::make_error(caf::sec::runtime_error));
                ++troupe->serving;
              }};
            });
  return factories;
}

bool wait_for(const Troupe& troupe, std::size_t serving) {
  const auto begin = Clock::now();
  while (troupe.serving < serving && ms_since(begin) < 60'000)
    usleep(50);
  return troupe.serving >= serving;
}

/// From the first crash until all children serve that are to serve again.
void measure(const char* what, Strategy strategy, std::size_t children, std::size_t crashing) {
  auto spec = flat_tree(children);
  spec.strategy = strategy;
  for (auto& child : spec.children) {
    child.policy.restart_limit.reset();
    child.policy.backoff = {Duration::zero(), Duration::zero(), Jitter::none, Duration::zero()};
  }
  const auto troupe = std::make_shared<Troupe>();
  const auto tree = Supervisor::start(std::move(spec), troupe_factories(troupe), with_ring());
  if (!tree || !wait_for(*troupe, children)) return;
  std::vector<caf::actor> first;
  {
    const std::lock_guard lock(troupe->mutex);
    first.swap(troupe->actors);
  }
  const auto again = strategy == Strategy::one_for_all ? children : crashing;
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < crashing; ++i)
    caf::anon_send(first[i], 1);
  const bool all = wait_for(*troupe, children + again);
  std::printf("%s: time %.1f ms%s\n", what, ms_since(begin), all ? "" : ", and NOT all");
  first.clear();
  (void)tree->shutdown(who);
  const std::lock_guard lock(troupe->mutex);
  troupe->actors.clear();
}

}  // namespace

void measure_storms() {
  measure("10000 crash at once -> all serving", Strategy::one_for_one, 10'000, 10'000);
  measure("OneForAll of 1000: crash -> all serving", Strategy::one_for_all, 1'000, 1);
}

}  // namespace espalier::benchmarks
