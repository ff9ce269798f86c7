#include "espalier/pipeline/core/internal/seq_window.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace espalier::pipeline {

void SeqWindow::end(ItemSeq seq) {
  if (seq / bits - oldest_ / bits > mask_) widen(seq);
  word(seq) |= std::uint64_t{1} << (seq % bits);
  if (seq != oldest_) return;
  while (true) {
    auto& here = word(oldest_);
    const auto run = static_cast<std::uint64_t>(std::countr_one(here >> (oldest_ % bits)));
    oldest_ += std::min(run, bits - oldest_ % bits);
    if (oldest_ % bits != 0 || run == 0) return;
    here = 0;  // Its turn comes again, for later items.
  }
}

bool SeqWindow::ended(ItemSeq seq) const {
  if (seq < oldest_) return true;
  if (seq / bits - oldest_ / bits > mask_) return false;
  return ((word(seq) >> (seq % bits)) & 1) != 0;
}

void SeqWindow::widen(ItemSeq seq) {
  auto size = words_.size();
  while (seq / bits - oldest_ / bits >= size)
    size *= 2;
  std::vector<std::uint64_t> wider(size);
  for (std::uint64_t i = 0; i < words_.size(); ++i) {
    const auto at = oldest_ / bits + i;
    wider[at & (size - 1)] = words_[at & mask_];
  }
  words_ = std::move(wider);
  mask_ = size - 1;
}

void SeqWindow::reset() {
  std::fill(words_.begin(), words_.end(), 0);
  oldest_ = 0;
}

}  // namespace espalier::pipeline
