#pragma once

#include "espalier/pipeline/core/internal/chunk_pool.hpp"
#include "espalier/pipeline/core/internal/ring.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace espalier::pipeline {

/// Items that wait at a stage for a worker: the most urgent first, and of one priority the first
/// that came. Holds chunks, so that a batch comes and goes as one.
///
/// With `aging`, what has waited that long counts as one priority more urgent; so nothing starves.
/// Cost: O(priorities there are) per call, O(1) per item, and nothing per item while whole chunks
/// come and go.
class ItemQueue {
 public:
  explicit ItemQueue(ChunkPool& pool) : pool_(&pool) {}
  /// Before the first item. `by_arrival`: priorities do not count.
  void set(Duration aging, bool by_arrival) {
    aging_ = aging;
    by_arrival_ = by_arrival;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// All of the same priority; not empty.
  void push(ChunkPtr chunk, TimePoint now);
  /// The most urgent ones, at most `most`, of one priority; or up to `most_of_a_piece` that came
  /// together, which costs nothing. Precondition: not empty, most > 0.
  [[nodiscard]] ChunkPtr take(std::size_t most, std::size_t most_of_a_piece = 0);
  /// What `take` would give first.
  [[nodiscard]] const Item& front() const;
  /// The one that has waited longest; of several the least urgent. Precondition: not empty.
  [[nodiscard]] Item take_oldest();
  /// The first of which `wanted` is true, in a chunk of its own; null: there is none. O(size).
  [[nodiscard]] ChunkPtr take_first(const std::function<bool(const Item&)>& wanted);
  [[nodiscard]] bool has(const std::function<bool(const Item&)>& wanted) const;
  /// Hands every item of which `wanted` is true to `taken`. O(size).
  void take_all(const std::function<bool(const Item&)>& wanted,
                const std::function<void(Item)>& taken);

 private:
  struct Piece {
    ChunkPtr chunk = {};
    std::size_t begin = 0;  ///< Those before it are gone.
    TimePoint entered = {};
    [[nodiscard]] std::size_t size() const { return chunk->items.size() - begin; }
  };
  struct Level {
    std::int32_t priority = 0;
    Ring<Piece> pieces = {};
  };

  [[nodiscard]] std::size_t most_urgent() const;
  [[nodiscard]] Level& level(std::int32_t priority);
  [[nodiscard]] bool joins(const Piece& last, std::size_t more, TimePoint now) const;
  void top_up(Chunk& chunk, Level& from, std::size_t most);
  void drop_front(Level& from);
  void drop_if_empty(std::size_t level);

  ChunkPool* pool_;
  Duration aging_ = {};
  bool by_arrival_ = false;
  std::vector<Level> levels_ = {};  ///< By priority; none is empty.
  std::vector<Ring<Piece>> spare_ = {};
  std::size_t size_ = 0;
};

}  // namespace espalier::pipeline
