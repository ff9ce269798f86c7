#pragma once

#include "espalier/pipeline/core/item.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace espalier::pipeline {

/// Items that wait for their next attempt: each holds an instant, not a worker. O(log n) each; the
/// heap moves small records, never items.
class RetryHeap {
 public:
  struct Waiting {
    Item item = {};
    NodeId node = 0;
    std::uint64_t group = 0;  ///< Those of one failed batch, which is tried again as one; else 0.
  };

  void push(TimePoint due, NodeId node, std::uint64_t group, Item item);
  [[nodiscard]] std::optional<TimePoint> next() const {
    return heap_.empty() ? std::nullopt : std::optional(heap_.front().due);
  }
  /// The one that is due first, of several the first that came; none: nothing is due yet.
  [[nodiscard]] std::optional<Waiting> pop_due(TimePoint now);
  /// Hands everything of which `wanted` is true to `taken`. O(n).
  void take_all(const std::function<bool(const Waiting&)>& wanted,
                const std::function<void(Waiting)>& taken);
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    TimePoint due = {};
    std::uint64_t number = 0;
    std::size_t slot = 0;
  };
  static bool later(const Entry& a, const Entry& b);
  Waiting free_slot(std::size_t slot);

  std::vector<Entry> heap_ = {};
  std::vector<Waiting> slots_ = {};
  std::vector<std::size_t> free_ = {};
  std::uint64_t pushed_ = 0;
};

}  // namespace espalier::pipeline
