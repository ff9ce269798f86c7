#pragma once

#include "espalier/metrics/writer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace espalier::metrics::internal {

/// A number that one thread at a time changes, under a lock of its own, and any thread reads.
class Count {
 public:
  void add(std::uint64_t n = 1) { set(get() + n); }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// Observed durations, in seconds; same rule as for Count.
class Histogram {
 public:
  /// At most HistogramValue::most_bounds, and as long as the program.
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds) {}

  void observe(double value) {
    const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    counts_[static_cast<std::size_t>(bound - bounds_.begin())].add();
    sum_.store(sum_.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
  }
  void add(const HistogramValue& more) {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      counts_[i].add(more.counts[i]);
    sum_.store(sum_.load(std::memory_order_relaxed) + more.sum, std::memory_order_relaxed);
  }
  [[nodiscard]] HistogramValue value() const {
    HistogramValue result;
    result.bound_count = bounds_.size();
    std::copy(bounds_.begin(), bounds_.end(), result.bounds.begin());
    for (std::size_t i = 0; i < counts_.size(); ++i)
      result.counts[i] = counts_[i].get();
    result.sum = sum_.load(std::memory_order_relaxed);
    return result;
  }

 private:
  std::span<const double> bounds_;
  std::array<Count, HistogramValue::most_bounds + 1> counts_ = {};
  std::atomic<double> sum_ = 0;
};

/// A number that every thread changes all the time: each thread mostly has a cell of its own.
class SharedCount {
 public:
  void add(std::uint64_t n = 1) { cells_[cell()].value.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const {
    std::uint64_t sum = 0;
    for (const auto& one : cells_)
      sum += one.value.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr std::size_t cells = 4;
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> value = 0;
  };
  static std::size_t cell() {
    static std::atomic<std::size_t> next = 0;
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % cells;
    return mine;
  }
  std::array<Cell, cells> cells_ = {};
};

}  // namespace espalier::metrics::internal
