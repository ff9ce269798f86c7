#pragma once

#include "espalier/metrics/internal/figures.hpp"
#include "espalier/metrics/label.hpp"
#include "espalier/metrics/writer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

namespace espalier::metrics::internal {

/// Figures of what happens seldom, by the values of their labels. At most `most` series; what would
/// be one more is told in a series whose first label is "(others)". Thread-safe.
template <class Figure>
class Table {
 public:
  static constexpr std::size_t most = 512;
  static constexpr std::size_t most_labels = 3;
  using Values = std::array<std::string, most_labels>;

  /// Calls `use` on the figure of these values, which `make` makes if need be.
  template <class Make, class Use>
  void with(Values values, Make make, Use use) {
    const std::lock_guard lock{mutex_};
    auto found = figures_.find(values);
    if (found == figures_.end()) {
      if (figures_.size() >= most) values[0] = others;
      auto& made = figures_[std::move(values)];
      if (!made) made = make();
      return use(*made);
    }
    use(*found->second);
  }
  /// Calls `each` on the values and the figure of each series.
  template <class Each>
  void visit(Each each) const {
    const std::lock_guard lock{mutex_};
    for (const auto& [values, figure] : figures_)
      each(values, *figure);
  }

 private:
  mutable std::mutex mutex_;
  std::map<Values, std::unique_ptr<Figure>> figures_ = {};
};

class CountTable : public Table<Count> {
 public:
  void add(Values values, std::uint64_t n = 1) {
    with(
        std::move(values), [] { return std::make_unique<Count>(); },
        [n](Count& count) { count.add(n); });
  }
};

class HistogramTable : public Table<Histogram> {
 public:
  explicit HistogramTable(std::span<const double> bounds) : bounds_(bounds) {}
  void observe(Values values, double seconds) {
    with(
        std::move(values), [this] { return std::make_unique<Histogram>(bounds_); },
        [seconds](Histogram& histogram) { histogram.observe(seconds); });
  }

 private:
  std::span<const double> bounds_;
};

}  // namespace espalier::metrics::internal
