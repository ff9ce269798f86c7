#pragma once

#include "espalier/pipeline/core/internal/chunk_pool.hpp"

#include <chrono>
#include <vector>

namespace espalier::pipeline::testing {

inline TimePoint at(int ms) {
  return TimePoint{std::chrono::milliseconds{1000 + ms}};
}

inline Item item_of(ItemSeq seq, std::int32_t priority = default_priority) {
  Item item;
  item.seq = seq;
  item.priority = priority;
  item.value = Value::of<int>(static_cast<int>(seq));
  return item;
}

inline ChunkPtr chunk_of(const std::vector<ItemSeq>& seqs,
                         std::int32_t priority = default_priority) {
  auto chunk = std::make_unique<Chunk>();
  for (const auto seq : seqs)
    chunk->items.push_back(item_of(seq, priority));
  return chunk;
}

inline std::vector<ItemSeq> seqs_of(const std::vector<Item>& items) {
  std::vector<ItemSeq> all;
  for (const auto& item : items)
    all.push_back(item.seq);
  return all;
}

inline std::vector<ItemSeq> seqs_of(const ChunkPtr& chunk) {
  return chunk ? seqs_of(chunk->items) : std::vector<ItemSeq>{};
}

}  // namespace espalier::pipeline::testing
