#pragma once

#include "espalier/pipeline/core/internal/chunk_pool.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace espalier::pipeline {

/// Puts items back into the order in which they were fed. Items overtake each other where several
/// workers are, where some are retried, on different branches; some never come, since they ended
/// elsewhere. Holds what is too early, and lets go of it when everything before has either come or
/// been closed (will never come).
///
/// A chunk of neighbouring items is held and let go as a whole. Cost: O(1) for what comes in order;
/// else a binary search and a move of small records in one block of memory.
class Resequencer {
 public:
  explicit Resequencer(ChunkPool& pool) : pool_(&pool) {}

  /// Items that come, in any order; each seq comes once or is closed once.
  void push(ChunkPtr chunk);
  /// These will not come. What was let go already is left alone.
  void close(ItemSeq first, std::uint64_t count);
  /// The next ones whose turn it is; null: none. Call until null after each push and close.
  [[nodiscard]] ChunkPtr release();
  /// True: these are next and nothing of them waits; they count as let go. Then call `release`,
  /// for what waited for them.
  [[nodiscard]] bool pass(ItemSeq first, std::uint64_t count);

  /// Items that are held.
  [[nodiscard]] std::size_t size() const { return held_; }
  /// The first that has neither come nor been closed.
  [[nodiscard]] ItemSeq next() const { return next_; }
  /// All that is held, for a sweep; push again what stays, close what does not.
  [[nodiscard]] std::vector<ChunkPtr> take_all();
  /// From seq 0 again. Precondition: nothing is held.
  void reset();

 private:
  struct Run {
    ItemSeq first = 0;
    std::uint64_t count = 0;
    ChunkPtr chunk = {};  ///< Null: closed.
  };
  void insert(Run run);

  ChunkPool* pool_;
  ItemSeq next_ = 0;
  std::vector<Run> runs_ = {};  ///< By falling `first`: the next one is the last.
  std::size_t held_ = 0;
};

}  // namespace espalier::pipeline
