#pragma once

#include "espalier/pipeline/core/internal/ring.hpp"
#include "espalier/pipeline/core/plan.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace espalier::pipeline {

/// Where items wait until they are enough for a batch or a window. The items of a window are put
/// together (and copied, when windows overlap) only when a worker takes it, so that no more items
/// are in memory than came.
///
/// A copy is a part of the same fed item: it shares its ItemInfo and counts as open. O(1) per item.
class Gather {
 public:
  explicit Gather(const NodePlan& plan) : plan_(&plan) {}

  /// False: the item lies between two windows and was not taken.
  [[nodiscard]] bool push(Item& item, TimePoint now);
  /// How many items the next batch or window has; 0: not yet. `no_more`: nothing will come.
  [[nodiscard]] std::size_t ready(TimePoint now, bool no_more) const;
  /// Appends the next one to `into`; items that should be copied and cannot be go to `refused`.
  /// Precondition: ready.
  void take(TimePoint now, bool no_more, std::vector<Item>& into, std::vector<Item>& refused);
  /// With no_more and nothing ready: items that were in their last window already.
  [[nodiscard]] std::vector<Item> take_rest();

  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  /// When the next one is ready although no item comes.
  [[nodiscard]] std::optional<TimePoint> next() const;
  [[nodiscard]] Item take_oldest();
  void take_all(const std::function<bool(const Item&)>& wanted,
                const std::function<void(Item)>& taken);
  /// A new run begins. Precondition: nothing waits.
  void reset();

 private:
  struct Entry {
    Item item = {};
    TimePoint entered = {};
    std::size_t bytes = 0;
  };
  [[nodiscard]] bool by_time() const;
  [[nodiscard]] Duration time() const;
  [[nodiscard]] std::size_t step() const;
  void scan();
  [[nodiscard]] std::size_t window_by_time(TimePoint now) const;
  void copy_into(Item& item, std::vector<Item>& into, std::vector<Item>& refused);

  const NodePlan* plan_;
  Ring<Entry> waiting_ = {};
  std::size_t seen_ = 0;     ///< The first ones have been in a window already.
  std::size_t to_skip_ = 0;  ///< Items to come before the next window begins.
  // What of the next batch is there.
  std::size_t scanned_ = 0;
  std::size_t bytes_ = 0;
  bool full_ = false;
};

}  // namespace espalier::pipeline
