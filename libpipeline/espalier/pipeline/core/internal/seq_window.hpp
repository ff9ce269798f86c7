#pragma once

#include "espalier/pipeline/core/item.hpp"

#include <cstdint>
#include <vector>

namespace espalier::pipeline {

/// Which of the fed items have ended: who is the oldest that has not? A bit for each item from
/// that one on. O(1) for each item that ends.
class SeqWindow {
 public:
  /// The item has ended; at most once for each.
  void end(ItemSeq seq);
  [[nodiscard]] bool ended(ItemSeq seq) const;
  /// The first item that has not ended (maybe not yet fed).
  [[nodiscard]] ItemSeq oldest() const { return oldest_; }
  void reset();

 private:
  static constexpr std::uint64_t bits = 64;
  void widen(ItemSeq seq);
  [[nodiscard]] std::uint64_t& word(ItemSeq seq) { return words_[(seq / bits) & mask_]; }
  [[nodiscard]] const std::uint64_t& word(ItemSeq seq) const {
    return words_[(seq / bits) & mask_];
  }

  ItemSeq oldest_ = 0;
  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(16);  ///< A ring of 2^n words.
  std::uint64_t mask_ = 15;
};

}  // namespace espalier::pipeline
