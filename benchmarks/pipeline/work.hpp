#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::benchmarks {

/// What every design has to do: `items` numbers through three stages, two workers each, in order.
struct Job {
  std::uint64_t items = 0;
  std::uint64_t rounds = 0;  ///< Of the loop that stands for work; zero: nearly none.
};

/// What came out: all designs must agree.
struct Tally {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  bool in_order = true;
};

/// The loop that stands for work, and one stage of three.
inline std::uint64_t burn(std::uint64_t rounds, std::uint64_t seed) {
  for (std::uint64_t i = 0; i < rounds; ++i) {
    seed ^= seed << 13U;
    seed ^= seed >> 7U;
    seed ^= seed << 17U;
  }
  return seed;
}
inline std::uint64_t stage(std::uint64_t x, std::uint64_t rounds) {
  x = x * 6364136223846793005ULL + 1442695040888963407ULL;
  return rounds == 0 ? x : x ^ (burn(rounds, x | 1U) & 1U);
}

using Design = Tally (*)(const Job&);
[[nodiscard]] Tally with_espalier(const Job& job);
[[nodiscard]] Tally with_espalier_tracked(const Job& job);
[[nodiscard]] Tally with_threads(const Job& job);
[[nodiscard]] Tally with_threads_in_batches(const Job& job);
[[nodiscard]] Tally with_tbb(const Job& job);
[[nodiscard]] Tally with_tbb_in_batches(const Job& job);
[[nodiscard]] Tally with_caf_stream(const Job& job);

/// Waits of 10 ms, 10,000 at once, and one item from start to stop; ours alone.
void measure_waits();
void measure_one_item();

}  // namespace espalier::benchmarks
