// Pipelines: the same job in one run through Espalier, by hand, oneTBB and CAF's streams, each
// round in another order. Prints medians over the rounds; see README.md in the folder above.
#include "work.hpp"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace espalier::benchmarks {
namespace {

double seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::uint64_t rounds_per_us() {
  double best = 0;
  for (int i = 0; i < 50; ++i) {
    const auto begin = seconds(CLOCK_MONOTONIC);
    volatile auto x = burn(100000, 88172645463325252ULL);
    static_cast<void>(x);
    best = std::max(best, 0.1 / (seconds(CLOCK_MONOTONIC) - begin));
  }
  return static_cast<std::uint64_t>(best);
}

struct Entry {
  const char* name = "";
  Design design = nullptr;
  std::vector<double> cpu = {};   // ns an item
  std::vector<double> wall = {};  // ns an item
};

void run_once(Entry& entry, const Job& job, const Tally& expected) {
  const auto cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  const auto wall = seconds(CLOCK_MONOTONIC);
  const auto tally = entry.design(job);
  const auto items = static_cast<double>(job.items);
  entry.wall.push_back((seconds(CLOCK_MONOTONIC) - wall) * 1e9 / items);
  entry.cpu.push_back((seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e9 / items);
  if (tally.count == expected.count && tally.sum == expected.sum && tally.in_order) return;
  std::fprintf(stderr, "%s: wrong result\n", entry.name);
  std::exit(1);
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

void compare(const char* title, const Job& job, double work_ns, int rounds) {
  std::vector<Entry> entries{{"espalier", with_espalier},
                             {"espalier, tracked", with_espalier_tracked},
                             {"oneTBB, batches of 64", with_tbb_in_batches},
                             {"oneTBB", with_tbb},
                             {"CAF stream", with_caf_stream},
                             {"threads, batches of 64", with_threads_in_batches},
                             {"threads", with_threads}};
  Tally expected{.count = job.items};
  for (std::uint64_t i = 0; i < job.items; ++i)
    expected.sum += stage(stage(stage(i, job.rounds), job.rounds), job.rounds);
  for (int round = 0; round < rounds; ++round) {
    std::rotate(entries.begin(), entries.begin() + 1, entries.end());
    for (auto& entry : entries)
      run_once(entry, job, expected);
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return median(a.cpu) < median(b.cpu); });
  std::printf("\n%s\n%-24s %10s %8s %8s %10s %10s\n", title, "", "cpu ns", "min", "max", "wall ns",
              work_ns > 0 ? "efficiency" : "");
  for (const auto& entry : entries) {
    std::printf("%-24s %10.1f %8.1f %8.1f %10.1f", entry.name, median(entry.cpu),
                *std::min_element(entry.cpu.begin(), entry.cpu.end()),
                *std::max_element(entry.cpu.begin(), entry.cpu.end()), median(entry.wall));
    if (work_ns > 0) std::printf(" %8.1f %%", 100 * work_ns / 2 / median(entry.wall));
    std::printf("\n");
  }
  std::fflush(stdout);
}

}  // namespace
}  // namespace espalier::benchmarks

int main(int argc, char** argv) {
  using namespace espalier::benchmarks;
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 7;
  const auto us = rounds_per_us();
  std::printf("3 stages x 2 workers, in order, bounded; medians of %d rounds\n", rounds);
  compare("no work, 1,000,000 items", {.items = 1'000'000}, 0, rounds);
  // The work is shared evenly by the three stages.
  compare("1 us an item, 200,000 items", {.items = 200'000, .rounds = us / 3}, 1000, rounds);
  compare("10 us an item, 20,000 items", {.items = 20'000, .rounds = 10 * us / 3}, 10000, rounds);
  measure_waits();
  measure_one_item();
}
