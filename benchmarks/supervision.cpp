// What supervision costs, with policy, events and the journal ring on: start and stop of many
// children, memory a child, crash to replacement, commands. Prints one line a measure; see
// README.md here.
#include "common.hpp"
#include "espalier/child_main.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <fstream>

namespace espalier::benchmarks {
namespace {

double resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void many(const char* what, SupervisorSpec spec, const ChildFactories& factories) {
  const auto children = static_cast<double>(spec.children.size());
  const auto before = resident_bytes();
  auto begin = Clock::now();
  auto tree = Supervisor::start(std::move(spec), factories, with_ring());
  if (!tree) {
    std::printf("%s: did not start: %s\n", what, tree.error().message.c_str());
    return;
  }
  const auto start_ms = ms_since(begin);
  const auto bytes = (resident_bytes() - before) / children;
  begin = Clock::now();
  const auto result = tree->shutdown(who);
  const auto stop_ms = ms_since(begin);
  const auto stopped = result ? result->report.count(ChildShutdownOutcome::graceful) : 0;
  std::printf("%s: start %.1f ms, stop %.1f ms, in order %zu children\n", what, start_ms, stop_ms,
              stopped);
  // Later trees live in what the first one has let go of.
  static bool is_first = true;
  if (std::exchange(is_first, false)) std::printf("%s: memory %.0f B/child\n", what, bytes);
}

// One child that ends its own life as soon as it lives, `rounds` times.
void crash_loop(std::size_t siblings, int rounds) {
  auto spec = flat_tree(siblings);
  auto child = actor_child("crashing");
  child.factory = "crash";
  child.policy.restart_limit.reset();
  child.policy.backoff = {Duration::zero(), Duration::zero(), Jitter::none, Duration::zero()};
  spec.children.push_back(child);
  auto lives = std::make_shared<std::atomic<int>>(0);
  auto crashed_at = std::make_shared<std::atomic<Clock::rep>>(0);
  auto delays = std::make_shared<std::vector<double>>();
  delays->reserve(static_cast<std::size_t>(rounds));
  auto factories = idle_factories();
  add_actor(factories, "crash", [=](caf::event_based_actor* self, std::shared_ptr<ChildContext>) {
    self->send(self, 1);
    return caf::behavior{[=](int) {
      const auto now = Clock::now().time_since_epoch().count();
      const auto crash = crashed_at->load();
      if (crash != 0) delays->push_back(static_cast<double>(now - crash) / 1000.0);
      if (lives->fetch_add(1) >= rounds) return;
      crashed_at->store(Clock::now().time_since_epoch().count());
      self->quit(caf::make_error(caf::sec::runtime_error));
    }};
  });
  const auto tree = Supervisor::start(std::move(spec), factories, with_ring());
  if (!tree) return;
  const auto begin = Clock::now();
  while (lives->load() <= rounds && ms_since(begin) < 60'000)
    usleep(1000);
  const auto total_ms = ms_since(begin);
  (void)tree->shutdown(who);
  if (delays->empty()) return;
  std::printf(
      "crash -> serving among %zu siblings: p50 %.1f us, p99 %.1f us, rate %.0f restarts/s\n",
      siblings, quantile(*delays, 0.5), quantile(*delays, 0.99), rounds / total_ms * 1000.0);
}

SupervisorSpec processes(std::size_t count) {
  auto process = std::make_shared<ProcessSpec>();
  process->command = {"sleep", "1000"};
  SupervisorSpec spec;
  for (std::size_t i = 0; i < count; ++i) {
    ChildSpec child;
    child.name = "p" + std::to_string(i);
    child.kind = ChildKind::process;
    child.process = process;
    spec.children.push_back(std::move(child));
  }
  return spec;
}

}  // namespace

void measure_supervision() {
  many("100,000 actors", flat_tree(100'000), idle_factories());
  many("10,000 actors", flat_tree(10'000), idle_factories());
  many("1,000 processes", processes(1000), {});
  crash_loop(0, 50'000);
  crash_loop(10'000, 50'000);
  crash_loop(100'000, 50'000);
}

}  // namespace espalier::benchmarks

int main(int argc, char** argv) {
  if (const auto code = espalier::child_main(argc, argv)) return *code;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  espalier::benchmarks::measure_supervision();
  espalier::benchmarks::measure_storms();
  espalier::benchmarks::measure_operations();
}
