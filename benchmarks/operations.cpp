// What an operator's wishes cost: pools, listings, children added and removed, commands, and
// functions in processes of their own.
#include "common.hpp"
#include "espalier/child_main.hpp"

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>
#include <thread>

namespace espalier::benchmarks {
namespace {

const RegisteredChild isolated_idle{"isolated_idle", [](ChildContext& context) {
                                      while (context.sleep_for(std::chrono::hours{1})) {
                                      }
                                    }};

constexpr auto patience = std::chrono::minutes{2};

std::optional<SupervisorHandle> started(SupervisorSpec spec, const ChildFactories& factories) {
  auto tree = Supervisor::start(std::move(spec), factories, with_ring());
  if (tree) return *tree;
  std::printf("did not start: %s\n", tree.error().message.c_str());
  return {};
}

// False, and a line that says why, where a command failed: its figure would mean nothing.
bool done(const CommandResult& result) {
  if (!result) std::printf("refused: %s\n", result.error().message.c_str());
  return result.has_value();
}

void print_round_trips(const char* what, const std::vector<double>& us) {
  if (us.empty()) return;
  double total = 0;
  for (const auto x : us)
    total += x;
  std::printf("%s: p50 %.1f us, p99 %.1f us, rate %.0f /s\n", what, quantile(us, 0.5),
              quantile(us, 0.99), static_cast<double>(us.size()) / total * 1e6);
}

// Microseconds of each of `rounds` calls; ends early where one of them fails.
template <class Operation>
std::vector<double> timed(int rounds, Operation operation) {
  std::vector<double> result;
  for (int i = 0; i < rounds; ++i) {
    const auto begin = Clock::now();
    if (!operation(i)) return {};
    result.push_back(ms_since(begin) * 1000.0);
  }
  return result;
}

void pool(std::uint32_t size) {
  auto of = std::make_shared<PoolSpec>();
  of->child = actor_child("instance");
  of->restart_limit.reset();
  ChildSpec pool;
  pool.name = "pool";
  pool.kind = ChildKind::pool;
  pool.pool = of;
  SupervisorSpec spec;
  spec.children = {pool};
  const auto tree = started(std::move(spec), idle_factories());
  if (!tree) return;
  auto begin = Clock::now();
  const auto grown = tree->scale_pool("/pool", size, who, patience);
  const auto start_ms = ms_since(begin);
  begin = Clock::now();
  const auto shrunk = tree->scale_pool("/pool", 0, who, patience);
  const auto stop_ms = ms_since(begin);
  if (done(grown) && done(shrunk)) {
    std::printf("pool of %u: start %.1f ms, stop %.1f ms\n", size, start_ms, stop_ms);
  }
  (void)tree->shutdown(who);
}

void flat(std::size_t children) {
  const auto tree = started(flat_tree(children), idle_factories());
  if (!tree) return;
  auto begin = Clock::now();
  const auto state = tree->current_state();
  std::printf("list %zu children: time %.1f ms, found %zu nodes\n", children, ms_since(begin),
              state ? state->nodes.size() : 0);
  const auto last = "/c" + std::to_string(children - 1);
  print_round_trips("list one of them",
                    timed(1000, [&](int) { return tree->current_state({last}).has_value(); }));
  print_round_trips("add a child and remove it", timed(2000, [&](int i) {
                      const auto name = "added" + std::to_string(i);
                      return done(tree->add_child("/", actor_child(name), who)) &&
                             done(tree->remove_child("/" + name, who));
                    }));
  print_round_trips("restart_child, until it runs again",
                    timed(5000, [&](int) { return done(tree->restart_child(last, who)); }));
  (void)tree->shutdown(who);
}

void isolated() {
  ChildSpec child;
  child.name = "isolated";
  child.kind = ChildKind::blocking;
  child.isolation = Isolation::process;
  child.factory = "isolated_idle";
  SupervisorSpec spec;
  spec.children = {child};
  const auto tree = started(std::move(spec), registered_children());
  if (!tree) return;
  std::vector<double> launch;
  std::vector<double> stop;
  for (int i = 0; i < 200; ++i) {
    auto begin = Clock::now();
    if (!done(tree->stop_child("/isolated", who))) break;
    stop.push_back(ms_since(begin) * 1000.0);
    begin = Clock::now();
    if (!done(tree->start_child("/isolated", who))) break;
    launch.push_back(ms_since(begin) * 1000.0);
  }
  print_round_trips("isolated, launch -> running", launch);
  print_round_trips("isolated, stop -> gone", stop);
  print_round_trips("isolated, stop -> gone -> running",
                    timed(200, [&](int) { return done(tree->restart_child("/isolated", who)); }));
  (void)tree->shutdown(who);
}

// Children that take their time when they are asked to stop, in order and all at once.
void slow_stops(const char* what, ShutdownOrder order) {
  constexpr int children = 100;
  SupervisorSpec spec;
  spec.shutdown.order = order;
  spec.shutdown.total_timeout = std::chrono::minutes{1};
  ChildFactories factories;
  factories.add_blocking("slow", [](ChildContext& context) {
    while (context.sleep_for(std::chrono::hours{1})) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  });
  for (int i = 0; i < children; ++i) {
    spec.children.push_back(
        {.name = "c" + std::to_string(i), .kind = ChildKind::blocking, .factory = "slow"});
  }
  const auto tree = started(std::move(spec), factories);
  if (!tree) return;
  const auto begin = Clock::now();
  const auto result = tree->shutdown(who);
  std::printf("stop of %d that take 50 ms each, %s: time %.1f ms, in order %zu children\n",
              children, what, ms_since(begin),
              result ? result->report.count(ChildShutdownOutcome::graceful) : 0);
}

double cpu_ms() {
  return static_cast<double>(std::clock()) * 1000.0 / CLOCKS_PER_SEC;
}

void idle(std::size_t children) {
  const auto tree = started(flat_tree(children), idle_factories());
  if (!tree) return;
  std::this_thread::sleep_for(std::chrono::seconds{1});
  const auto before = cpu_ms();
  const auto begin = Clock::now();
  std::this_thread::sleep_for(std::chrono::seconds{5});
  const auto used = cpu_ms() - before;
  std::printf("idle tree of %zu: of a core %.4f %%\n", children, 100.0 * used / ms_since(begin));
  (void)tree->shutdown(who);
}

}  // namespace

void measure_operations() {
  idle(10'000);
  slow_stops("one after the other", ShutdownOrder::reverse);
  slow_stops("all at once", ShutdownOrder::parallel);
  pool(100'000);
  flat(1'000);
  flat(100'000);
  isolated();
}

}  // namespace espalier::benchmarks
