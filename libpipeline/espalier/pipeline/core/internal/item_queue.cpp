#include "espalier/pipeline/core/internal/item_queue.hpp"

#include <algorithm>

namespace espalier::pipeline {

namespace {
// Chunks of up to so many items are moved into the chunk before them, for a chunk takes as much
// memory as it ever held.
constexpr std::size_t small = 32;
}  // namespace

void ItemQueue::push(ChunkPtr chunk, TimePoint now) {
  const auto more = chunk->items.size();
  size_ += more;
  auto& to = level(by_arrival_ ? 0 : chunk->items.front().priority);
  if (!to.pieces.empty() && joins(to.pieces.back(), more, now)) {
    move_items(*chunk, 0, more, *to.pieces.back().chunk);
    pool_->put(std::move(chunk));
    return;
  }
  chunk->entered = now;
  to.pieces.push_back({std::move(chunk), 0, now});
}

bool ItemQueue::joins(const Piece& last, std::size_t more, TimePoint now) const {
  // Those of one piece count as having come together: with aging, let it be nearly true.
  return more <= small && last.chunk->items.size() + more <= chunk_limit &&
         (aging_ == Duration::zero() || now - last.entered <= aging_ / 8);
}

ItemQueue::Level& ItemQueue::level(std::int32_t priority) {
  const auto at = std::lower_bound(levels_.begin(), levels_.end(), priority,
                                   [](const Level& l, std::int32_t p) { return l.priority < p; });
  if (at != levels_.end() && at->priority == priority) return *at;
  Level made;
  made.priority = priority;
  if (!spare_.empty()) {
    made.pieces = std::move(spare_.back());
    spare_.pop_back();
  }
  return *levels_.insert(at, std::move(made));
}

std::size_t ItemQueue::most_urgent() const {
  if (aging_ == Duration::zero() || levels_.size() < 2) return 0;
  // Who came at t with priority p is overtaken by nobody with a larger t + p * aging.
  const auto rank = [this](const Level& l) {
    return static_cast<double>(l.pieces.front().entered.time_since_epoch().count()) +
           static_cast<double>(l.priority) * static_cast<double>(aging_.count());
  };
  const auto best =
      std::min_element(levels_.begin(), levels_.end(),
                       [&](const Level& a, const Level& b) { return rank(a) < rank(b); });
  return static_cast<std::size_t>(best - levels_.begin());
}

const Item& ItemQueue::front() const {
  const auto& piece = levels_[most_urgent()].pieces.front();
  return piece.chunk->items[piece.begin];
}

ChunkPtr ItemQueue::take(std::size_t most, std::size_t most_of_a_piece) {
  const auto where = most_urgent();
  auto& from = levels_[where];
  auto& piece = from.pieces.front();
  ChunkPtr taken;
  if (piece.begin == 0 && piece.size() <= std::max(most, most_of_a_piece)) {
    taken = std::move(piece.chunk);
    static_cast<void>(from.pieces.take_front());
  } else {
    taken = pool_->get();
  }
  top_up(*taken, from, most);
  size_ -= taken->items.size();
  drop_if_empty(where);
  return taken;
}

void ItemQueue::top_up(Chunk& chunk, Level& from, std::size_t most) {
  while (chunk.items.size() < most && !from.pieces.empty()) {
    auto& piece = from.pieces.front();
    const auto count = std::min(most - chunk.items.size(), piece.size());
    move_items(*piece.chunk, piece.begin, count, chunk);
    piece.begin += count;
    drop_front(from);
  }
}

void ItemQueue::drop_front(Level& from) {
  if (from.pieces.front().size() == 0) pool_->put(from.pieces.take_front().chunk);
}

void ItemQueue::drop_if_empty(std::size_t level) {
  if (!levels_[level].pieces.empty()) return;
  spare_.push_back(std::move(levels_[level].pieces));
  levels_.erase(levels_.begin() + static_cast<std::ptrdiff_t>(level));
}

Item ItemQueue::take_oldest() {
  std::size_t where = 0;
  for (std::size_t i = 1; i < levels_.size(); ++i) {
    const auto& a = levels_[i].pieces.front();
    if (a.entered <= levels_[where].pieces.front().entered) where = i;
  }
  auto& from = levels_[where];
  auto& piece = from.pieces.front();
  auto item = std::move(piece.chunk->items[piece.begin++]);
  drop_front(from);
  --size_;
  drop_if_empty(where);
  return item;
}

bool ItemQueue::has(const std::function<bool(const Item&)>& wanted) const {
  for (const auto& level : levels_) {
    for (std::size_t i = 0; i < level.pieces.size(); ++i) {
      const auto& items = level.pieces[i].chunk->items;
      const auto begin = items.begin() + static_cast<std::ptrdiff_t>(level.pieces[i].begin);
      if (std::any_of(begin, items.end(), wanted)) return true;
    }
  }
  return false;
}

ChunkPtr ItemQueue::take_first(const std::function<bool(const Item&)>& wanted) {
  ChunkPtr found;
  take_all([&](const Item& item) { return !found && wanted(item); },
           [&](Item item) {
             found = pool_->get();
             found->items.push_back(std::move(item));
           });
  return found;
}

void ItemQueue::take_all(const std::function<bool(const Item&)>& wanted,
                         const std::function<void(Item)>& taken) {
  for (auto where = levels_.size(); where-- > 0;) {
    auto& from = levels_[where].pieces;
    for (auto left = from.size(); left > 0; --left) {
      auto piece = from.take_front();
      auto& items = piece.chunk->items;
      auto kept = piece.begin;
      for (auto i = piece.begin; i < items.size(); ++i) {
        if (wanted(items[i])) {
          --size_;
          taken(std::move(items[i]));
        } else if (kept++ != i) {
          items[kept - 1] = std::move(items[i]);
        }
      }
      items.resize(kept);
      if (piece.size() > 0) {
        from.push_back(std::move(piece));
      } else {
        pool_->put(std::move(piece.chunk));
      }
    }
    drop_if_empty(where);
  }
}

}  // namespace espalier::pipeline
