// What supervision costs, with policy, events and the journal ring on: start and stop of many
// children, memory a child, crash to replacement, commands. Prints one line a measure; see
// README.md here.
#include "crash_loop.hpp"
#include "espalier/child_main.hpp"

#include <sys/resource.h>

#include <cstdio>

namespace espalier::benchmarks {
namespace {

// Memory is told of the first tree only: later ones live in what it has let go of.
void many(const char* what, SupervisorSpec spec, const ChildFactories& factories, bool is_first) {
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
  if (is_first) std::printf("%s: memory %.0f B/child\n", what, bytes);
}

void crash_loop(std::size_t siblings, std::uint64_t rounds) {
  auto spec = flat_tree(siblings);
  spec.children.push_back(crashing_child());
  const auto loop = std::make_shared<CrashLoop>(rounds);
  const auto tree = Supervisor::start(std::move(spec), crashing(loop), with_ring());
  if (!tree) return;
  const auto begin = Clock::now();
  while (loop->lives <= rounds && ms_since(begin) < 60'000)
    usleep(1000);
  const auto total_ms = ms_since(begin);
  (void)tree->shutdown(who);
  if (loop->delays.empty()) return;
  std::printf(
      "crash -> serving among %zu siblings: p50 %.1f us, p99 %.1f us, rate %.0f restarts/s\n",
      siblings, quantile(loop->delays, 0.5), quantile(loop->delays, 0.99),
      static_cast<double>(rounds) / total_ms * 1000.0);
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
  many("100,000 actors", flat_tree(100'000), idle_factories(), true);
  many("10,000 actors", flat_tree(10'000), idle_factories(), false);
  many("1,000 processes", processes(1000), {}, false);
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
