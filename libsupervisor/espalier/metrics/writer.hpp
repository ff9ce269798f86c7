#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string_view>

namespace espalier::metrics {

enum class Type : std::uint8_t { counter, gauge, histogram };

/// One name that is exposed, as long as the program: a literal somewhere.
struct Family {
  std::string_view name = {};
  std::string_view help = {};
  Type type = Type::counter;
  std::string_view labels = {};  ///< Of each series, with commas between; empty: none.
};

struct Label {
  std::string_view name = {};
  std::string_view value = {};
};
using Labels = std::initializer_list<Label>;

/// What a histogram has come to.
struct HistogramValue {
  static constexpr std::size_t most_bounds = 8;
  std::array<double, most_bounds> bounds = {};  ///< Upper ones, rising; infinity is not among them.
  std::size_t bound_count = 0;
  /// Of each bound what lies in it and in no smaller one; the last is what lies above all.
  std::array<std::uint64_t, most_bounds + 1> counts = {};
  double sum = 0;
};

/// Takes what sources tell in a scrape: a family, then its series. Whoever implements it sees to
/// it that label values are of at most 96 bytes of UTF-8 without line ends, whatever a source says
/// (`bounded_label`). One thread.
class Writer {
 public:
  virtual ~Writer() = default;
  virtual void family(const Family& family) = 0;
  virtual void sample(Labels labels, double value) = 0;
  virtual void histogram(Labels labels, const HistogramValue& value) = 0;
};

/// Knows some figures. `write` is called by whoever is scraped, on his thread, each family once.
class Source {
 public:
  virtual ~Source() = default;
  virtual void write(Writer& to) const = 0;
};

}  // namespace espalier::metrics
