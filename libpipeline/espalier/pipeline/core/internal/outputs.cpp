#include "espalier/pipeline/core/internal/outputs.hpp"

#include <algorithm>
#include <utility>

namespace espalier::pipeline {

namespace {
constexpr std::size_t small = 32;  // Chunks of so many are moved into the one before.
}  // namespace

Outputs::Outputs(ChunkPool& pool, std::size_t capacity, bool keep, bool in_order)
    : pool_(&pool), capacity_(capacity), keep_(keep) {
  if (keep && in_order) sequence_.emplace(pool);
}

std::size_t Outputs::count_without_value(const Chunk& chunk) {
  return static_cast<std::size_t>(
      std::count_if(chunk.items.begin(), chunk.items.end(),
                    [](const Item& item) { return item.verdict != Verdict::pass; }));
}

void Outputs::push(ChunkPtr chunk) {
  if (!keep_ && !tells_ends_) return pool_->put(std::move(chunk));
  without_value_ += count_without_value(*chunk);
  if (!sequence_) return append(std::move(chunk));
  sequence_->push(std::move(chunk));
  release();
}

void Outputs::close(ItemSeq seq) {
  if (!sequence_) return;
  sequence_->close(seq, 1);
  release();
}

void Outputs::release() {
  while (auto chunk = sequence_->release())
    append(std::move(chunk));
}

void Outputs::append(ChunkPtr chunk) {
  const auto more = chunk->items.size();
  ready_ += more;
  if (!chunks_.empty() && more <= small && chunks_.back()->items.size() + more <= chunk_limit) {
    move_items(*chunk, 0, more, *chunks_.back());
    return pool_->put(std::move(chunk));
  }
  chunks_.push_back(std::move(chunk));
}

ChunkPtr Outputs::take() {
  if (chunks_.empty()) return nullptr;
  auto chunk = chunks_.take_front();
  ready_ -= chunk->items.size();
  if (without_value_ > 0) without_value_ -= count_without_value(*chunk);
  return chunk;
}

std::size_t Outputs::room() const {
  if (!is_bounded()) return std::numeric_limits<std::size_t>::max();
  const auto taken = waiting() + reserved;
  return taken < capacity_ ? capacity_ - taken : 0;
}

void Outputs::reset() {
  while (auto chunk = take())
    pool_->put(std::move(chunk));
  if (sequence_) sequence_->reset();
  without_value_ = 0;
  is_bound_ = true;
}

}  // namespace espalier::pipeline
