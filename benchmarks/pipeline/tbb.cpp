// oneTBB's parallel_pipeline, in order at both ends, 16 tokens, two threads.
#include "work.hpp"

#include <tbb/global_control.h>
#include <tbb/parallel_pipeline.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace espalier::benchmarks {
namespace {

constexpr std::size_t batch_size = 64;
struct Batch {
  std::array<std::uint64_t, batch_size> values = {};
  std::size_t count = 0;
};

}  // namespace

Tally with_tbb(const Job& job) {
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 2);
  Tally tally;
  std::uint64_t next = 0;
  const auto work = [&](std::uint64_t x) { return stage(x, job.rounds); };
  const auto parallel = tbb::filter_mode::parallel;
  const auto serial = tbb::filter_mode::serial_in_order;
  tbb::parallel_pipeline(
      16, tbb::make_filter<void, std::uint64_t>(serial,
                                                [&](tbb::flow_control& control) {
                                                  if (next == job.items) control.stop();
                                                  return next == job.items ? next : next++;
                                                }) &
              tbb::make_filter<std::uint64_t, std::uint64_t>(parallel, work) &
              tbb::make_filter<std::uint64_t, std::uint64_t>(parallel, work) &
              tbb::make_filter<std::uint64_t, std::uint64_t>(parallel, work) &
              tbb::make_filter<std::uint64_t, void>(serial, [&](std::uint64_t x) {
                tally.sum += x;
                ++tally.count;
              }));
  return tally;
}

Tally with_tbb_in_batches(const Job& job) {
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 2);
  Tally tally;
  std::uint64_t next = 0;
  const auto work = [&](Batch batch) {
    for (std::size_t i = 0; i < batch.count; ++i)
      batch.values[i] = stage(batch.values[i], job.rounds);
    return batch;
  };
  const auto parallel = tbb::filter_mode::parallel;
  const auto serial = tbb::filter_mode::serial_in_order;
  tbb::parallel_pipeline(
      16, tbb::make_filter<void, Batch>(serial,
                                        [&](tbb::flow_control& control) {
                                          Batch batch;
                                          if (next == job.items) control.stop();
                                          while (batch.count < batch_size && next < job.items)
                                            batch.values[batch.count++] = next++;
                                          return batch;
                                        }) &
              tbb::make_filter<Batch, Batch>(parallel, work) &
              tbb::make_filter<Batch, Batch>(parallel, work) &
              tbb::make_filter<Batch, Batch>(parallel, work) &
              tbb::make_filter<Batch, void>(serial, [&](const Batch& batch) {
                for (std::size_t i = 0; i < batch.count; ++i)
                  tally.sum += batch.values[i];
                tally.count += batch.count;
              }));
  return tally;
}

}  // namespace espalier::benchmarks
