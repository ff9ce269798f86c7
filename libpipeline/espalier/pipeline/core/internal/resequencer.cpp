#include "espalier/pipeline/core/internal/resequencer.hpp"

#include <algorithm>

namespace espalier::pipeline {

void Resequencer::push(ChunkPtr chunk) {
  auto& items = chunk->items;
  const auto count = items.size();
  held_ += count;
  const auto begin = items.front().seq;
  std::size_t in_a_row = 1;
  while (in_a_row < count && items[in_a_row].seq == begin + in_a_row)
    ++in_a_row;
  if (in_a_row == count) return insert({begin, count, std::move(chunk)});
  for (std::size_t i = 0; i < count;) {
    auto run = pool_->get();
    const auto first = items[i].seq;
    for (; i < count && items[i].seq == first + run->items.size(); ++i) {
      run->items.push_back(std::move(items[i]));
    }
    const auto length = run->items.size();
    insert({first, length, std::move(run)});
  }
  pool_->put(std::move(chunk));
}

void Resequencer::close(ItemSeq first, std::uint64_t count) {
  const auto end = first + count;
  first = std::max(first, next_);
  if (first >= end) return;
  if (first == next_ && runs_.empty()) {
    next_ = end;
    return;
  }
  insert({first, end - first, nullptr});
}

void Resequencer::insert(Run run) {
  const auto at = std::lower_bound(runs_.begin(), runs_.end(), run.first,
                                   [](const Run& r, ItemSeq seq) { return r.first > seq; });
  runs_.insert(at, std::move(run));
}

ChunkPtr Resequencer::release() {
  while (!runs_.empty() && runs_.back().first == next_) {
    auto run = std::move(runs_.back());
    runs_.pop_back();
    next_ += run.count;
    if (!run.chunk) continue;
    held_ -= run.chunk->items.size();
    return std::move(run.chunk);
  }
  return nullptr;
}

bool Resequencer::pass(ItemSeq first, std::uint64_t count) {
  if (first != next_ || (!runs_.empty() && runs_.back().first < first + count)) return false;
  next_ += count;
  return true;
}

std::vector<ChunkPtr> Resequencer::take_all() {
  std::vector<ChunkPtr> all;
  std::erase_if(runs_, [&all](Run& run) {
    if (!run.chunk) return false;
    all.push_back(std::move(run.chunk));
    return true;
  });
  held_ = 0;
  return all;
}

void Resequencer::reset() {
  runs_.clear();
  next_ = 0;
  held_ = 0;
}

}  // namespace espalier::pipeline
