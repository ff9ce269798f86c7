#pragma once

#include "espalier/pipeline/core/internal/chunk_pool.hpp"
#include "espalier/pipeline/core/internal/resequencer.hpp"
#include "espalier/pipeline/core/internal/ring.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace espalier::pipeline {

/// Items that have ended and wait to be taken: in the order in which they ended, or as they were
/// fed (then each fed item is one result; check() sees to that).
///
/// An item that ends with a value has had a place kept for it (`reserved`). One that ends without
/// (failed, skipped, cancelled) may end anywhere and takes a place nobody kept; so that these are
/// bounded as well, nothing more is begun while `overrun`.
class Outputs {
 public:
  Outputs(ChunkPool& pool, std::size_t capacity, bool keep, bool in_order);

  void push(ChunkPtr chunk);
  /// The item has ended and is no result.
  void close(ItemSeq seq);
  [[nodiscard]] ChunkPtr take();

  [[nodiscard]] std::size_t room() const;
  /// Ready to be taken leaves no room; not because of items that are held for order.
  [[nodiscard]] bool full_of_ready() const { return is_bounded() && ready_ >= capacity_; }
  /// So many ended without a value and wait, ready or held, that nothing more should be begun.
  [[nodiscard]] bool overrun() const { return is_bounded() && without_value_ >= capacity_; }
  [[nodiscard]] std::size_t waiting() const { return ready_ + held(); }
  /// Too early.
  [[nodiscard]] std::size_t held() const { return sequence_ ? sequence_->size() : 0; }
  /// The one for which those that are held wait.
  [[nodiscard]] std::optional<ItemSeq> missing() const {
    return held() > 0 ? std::optional(sequence_->next()) : std::nullopt;
  }
  /// Takes whatever comes, until `reset`.
  void unbind() { is_bound_ = false; }
  [[nodiscard]] bool in_order() const { return sequence_.has_value(); }
  [[nodiscard]] bool keeps() const { return keep_; }
  /// Keeps what ends, without a bound, though it is no result (see Flow::tell_ends).
  void tell_ends(bool on) { tells_ends_ = on && !keep_; }
  [[nodiscard]] bool tells_ends() const { return tells_ends_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  void make_room_for(std::size_t count) { capacity_ = std::max(capacity_, count); }
  void reset();

  std::size_t reserved = 0;

 private:
  [[nodiscard]] bool is_bounded() const { return keep_ && is_bound_; }
  void append(ChunkPtr chunk);
  void release();
  [[nodiscard]] static std::size_t count_without_value(const Chunk& chunk);

  ChunkPool* pool_;
  std::size_t capacity_;
  bool keep_;
  bool tells_ends_ = false;
  bool is_bound_ = true;
  Ring<ChunkPtr> chunks_ = {};
  std::size_t ready_ = 0;
  std::size_t without_value_ = 0;
  std::optional<Resequencer> sequence_ = {};
};

}  // namespace espalier::pipeline
