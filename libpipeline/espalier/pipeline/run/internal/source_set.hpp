#pragma once

#include "espalier/pipeline/run/runner.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
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

    // A source may give one item and block before the next. So what it has given in one pull can
    // be fetched by others meanwhile, and it is told that they look.
    bool by_item = false;                ///< It gives fewer items than it is asked for.
    bool proven = false;                 ///< It gave all it was asked for.
    Item* first = nullptr;               ///< Of the pull under way.
    std::atomic<std::size_t> given = 0;  ///< So many from there on are complete.
    std::size_t fetched = 0;             ///< So many of them others have.
    std::atomic<bool> watched = false;   ///< The pull is to end with the next item.
    Chunk over = {};                     ///< What it gave above what it was asked for.

    /// Makes ready for `fill`.
    void begin(Chunk& chunk, std::size_t most) {
      busy = true;
      chunk.items.reserve(most);
      given = fetched = 0;
      watched = false;
    }
    /// Pulls until there are `most`, or somebody watches. Not under the lock.
    void fill(Chunk& chunk, std::size_t most) {
      auto* into = &chunk;
      while (true) {
        at_end = true;  // Also if it throws.
        const auto before = chunk.items.size();
        at_end = !pull(*into, most - before);
        // From the first call on others may read the chunk, which must stay where it is: a source
        // that gives too many is not to move it.
        if (into == &chunk) first = chunk.items.data();
        into = &over;
        if (over.items.size() > chunk.items.capacity() - chunk.items.size()) return;
        take_over(chunk);
        const auto now = chunk.items.size();
        given.store(now, std::memory_order_release);
        if (at_end || now >= most || now == before || !by_item) return;
        if (watched.load(std::memory_order_relaxed)) return;
      }
    }
    /// Puts what is in `over` into the chunk.
    void take_over(Chunk& chunk) {
      std::move(over.items.begin(), over.items.end(), std::back_inserter(chunk.items));
      over.items.clear();
    }
    /// May be pulled now, or (busy) fetched from.
    [[nodiscard]] bool has_something() const {
      return !busy || (watched && given.load(std::memory_order_acquire) > fetched);
    }
  };

  void add(NodeId node, Source source) {
    entries_.push_back(std::make_unique<Entry>());
    entries_.back()->node = node;
    entries_.back()->pull = std::move(source);
    entries_.back()->number = next_number_++;
  }
  /// One for which `wanted(entry)`, in turn; null: none.
  template <class Wanted>
  [[nodiscard]] Entry* next(const Wanted& wanted) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto& entry = *entries_[(turn_ + i) % entries_.size()];
      if (!wanted(entry)) continue;
      turn_ = (turn_ + i + 1) % entries_.size();
      return &entry;
    }
    return nullptr;
  }
  /// `next` would give one.
  template <class Wanted>
  [[nodiscard]] bool ready(const Wanted& wanted) const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [&](const auto& entry) { return wanted(std::as_const(*entry)); });
  }
  /// Whether one is being pulled that may hold items back, and nobody watches it.
  [[nodiscard]] bool may_hold_back() const {
    return std::any_of(entries_.begin(), entries_.end(), [](const auto& entry) {
      return entry->busy && entry->by_item && !entry->watched;
    });
  }
  void watch() {
    for (const auto& entry : entries_)
      entry->watched = true;
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
