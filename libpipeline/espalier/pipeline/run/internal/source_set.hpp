#pragma once

#include "espalier/pipeline/run/runner.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace espalier::pipeline::internal {

/// The sources of a run, pulled in turn, each by one thread at a time. Not thread-safe: belongs to
/// the Runner's lock.
class SourceSet {
 public:
  struct Entry {
    NodeId node = 0;
    Source pull = {};
    std::uint64_t number = 0;
    ChunkPtr left = {};  ///< Pulled, but there was no room any more.
    bool busy = false;
    bool at_end = false;  ///< Nothing more to pull; `left` may still be to give.
  };

  void add(NodeId node, Source source) {
    entries_.push_back(std::make_unique<Entry>());
    entries_.back()->node = node;
    entries_.back()->pull = std::move(source);
    entries_.back()->number = next_number_++;
  }
  /// One that may be pulled now, in turn; null: none. `has_room(node)` says where items may go.
  template <class HasRoom>
  [[nodiscard]] Entry* next(const HasRoom& has_room) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto& entry = *entries_[(turn_ + i) % entries_.size()];
      if (entry.busy || !has_room(entry.node)) continue;
      turn_ = (turn_ + i + 1) % entries_.size();
      return &entry;
    }
    return nullptr;
  }
  template <class HasRoom>
  [[nodiscard]] bool ready(const HasRoom& has_room) const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [&](const auto& entry) { return !entry->busy && has_room(entry->node); });
  }
  void remove(const Entry* entry) {
    std::erase_if(entries_, [entry](const auto& one) { return one.get() == entry; });
    turn_ = 0;
  }
  /// All that are not being pulled; those end when their thread comes back.
  void remove_idle() {
    std::erase_if(entries_, [](const auto& one) { return !one->busy; });
    turn_ = 0;
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// The number the next source will have.
  [[nodiscard]] std::uint64_t next_number() const { return next_number_; }
  /// Whether all with a smaller number are at their end.
  [[nodiscard]] bool ended_before(std::uint64_t number) const {
    return std::none_of(entries_.begin(), entries_.end(),
                        [number](const auto& entry) { return entry->number < number; });
  }

 private:
  std::vector<std::unique_ptr<Entry>> entries_;
  std::size_t turn_ = 0;
  std::uint64_t next_number_ = 0;
};

}  // namespace espalier::pipeline::internal
