#pragma once

#include "espalier/pipeline/core/item.hpp"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace espalier::pipeline {

/// Chunks that were used before, so that none is allocated while items flow.
class ChunkPool {
 public:
  [[nodiscard]] ChunkPtr get() {
    if (spare_.empty()) return std::make_unique<Chunk>();
    auto chunk = std::move(spare_.back());
    spare_.pop_back();
    return chunk;
  }
  /// Destroys what is in it.
  void put(ChunkPtr chunk) {
    if (!chunk || spare_.size() >= most) return;
    chunk->items.clear();
    spare_.push_back(std::move(chunk));
  }

 private:
  static constexpr std::size_t most = 128;
  std::vector<ChunkPtr> spare_ = {};
};

/// Appends the items of `from` from `begin` on, at most `most` of them.
inline void move_items(Chunk& from, std::size_t begin, std::size_t most, Chunk& to) {
  for (auto i = begin; i < begin + most; ++i)
    to.items.push_back(std::move(from.items[i]));
}

}  // namespace espalier::pipeline
