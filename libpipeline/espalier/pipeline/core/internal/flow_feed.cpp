#include "espalier/pipeline/core/internal/failures.hpp"
#include "espalier/pipeline/core/internal/flow_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::pipeline {

std::size_t Flow::Impl::room(NodeId node) const {
  if (closed_ || outputs_.overrun()) return 0;
  return room_of(*nodes_[node]);
}

bool Flow::Impl::wants_items(NodeId id) const {
  const auto& node = *nodes_[id];
  const auto free = room(id);
  return free > 0 && (2 * free >= node.capacity || node.queued() <= node.workers);
}

ChunkPtr Flow::Impl::accept(NodeId id, ChunkPtr chunk, TimePoint now) {
  tick(now);
  auto& node = *nodes_[id];
  const auto offered = chunk->items.size();
  const auto drops = plan_.options.overflow == Overflow::drop_oldest;
  const auto taken = closed_ ? 0 : drops ? offered : std::min(offered, room(id));
  ChunkPtr rest;
  if (taken < offered) {
    if (!closed_ && plan_.options.overflow == Overflow::reject) counts_.rejected += offered - taken;
    if (taken == 0) return chunk;
    rest = pool_.get();
    move_items(*chunk, taken, offered - taken, *rest);
    chunk->items.resize(taken);
  }
  if (taken == 0) {
    pool_.put(std::move(chunk));
    return rest;
  }
  number(node, chunk->items);
  node.pass_time(now_);
  arrive(node, std::move(chunk));
  if (drops) drop_oldest(node);
  settle();
  return rest;
}

void Flow::Impl::number(Node& node, std::vector<Item>& items) {
  const auto first = next_seq_;
  for (auto& item : items) {
    item.seq = next_seq_++;
    item.failure.reset();
    item.part = 0;
    item.attempt = item.task = item.port = 0;
    item.verdict = Verdict::pass;
    item.passed_through = false;
    if (!item.info) continue;
    item.info->open_parts = 1;
    item.info->next_part = 1;
    item.info->worst = Outcome::skipped;
    item.info->why = nullptr;
    item.info->members.clear();
  }
  counts_.accepted += items.size();
  if (plan_.options.item_deadline > Duration::zero()) {
    fed_.push_back({now_ + plan_.options.item_deadline, next_seq_});
  }
  // Ordered stages that these will never see need not wait for them.
  for (const auto ordered : ordered_) {
    if (!graph_.reaches(node.id, ordered)) close_gap(ordered, first, items.size());
  }
}

void Flow::Impl::arrive(Node& node, ChunkPtr chunk) {
  const auto& items = chunk->items;
  if (watching_) note(Status::queued, node.id, items, TrackEvent::no_worker);
  if (node.sequence) {
    node.sequence->push(std::move(chunk));
    return release_in_order(node);
  }
  const auto uniform =
      items.size() < 2 || std::all_of(items.begin() + 1, items.end(), [&](const Item& item) {
        return item.priority == items.front().priority;
      });
  if (node.gate || !uniform) return arrive_one_by_one(node, std::move(chunk));
  enqueue(node, std::move(chunk));
}

void Flow::Impl::arrive_one_by_one(Node& node, ChunkPtr chunk) {
  for (auto& item : chunk->items) {
    if (node.gate && !node.gate->enter(node.plan->key(item.value), item)) continue;
    pass_gate(node, std::move(item));
  }
  pool_.put(std::move(chunk));
}

void Flow::Impl::pass_gate(Node& node, Item item) {
  auto chunk = pool_.get();
  chunk->items.push_back(std::move(item));
  enqueue(node, std::move(chunk));
}

void Flow::Impl::enqueue(Node& node, ChunkPtr chunk) {
  const auto refuses = node.breaker && !node.plan->options.breaker->hold &&
                       node.breaker->allowed(now_) == 0 &&
                       node.breaker->state() == StageStats::Breaker::open;
  if (node.adaptive && node.adapt_at == never) {
    node.adapt_at = now_ + node.plan->options.adaptive->every;
  }
  if (!node.gather) {
    node.queue.push(std::move(chunk), now_);
  } else {
    for (auto& item : chunk->items) {
      if (node.gather->push(item, now_)) continue;
      end_item(std::move(item), Outcome::skipped, node);
    }
    pool_.put(std::move(chunk));
  }
  if (refuses) refuse_queue(node);
}

void Flow::Impl::release_in_order(Node& node) {
  while (auto chunk = node.sequence->release())
    enqueue(node, std::move(chunk));
}

void Flow::Impl::close_gap(NodeId ordered, ItemSeq seq, std::uint64_t count) {
  auto& node = *nodes_[ordered];
  node.pass_time(now_);
  node.sequence->close(seq, count);
  release_in_order(node);
}

std::optional<Item> Flow::Impl::longest_waiting(Node& node) {
  if (node.gather && node.gather->size() > 0) return node.gather->take_oldest();
  if (!node.queue.empty()) return node.queue.take_oldest();
  if (node.gate) return node.gate->take_oldest();
  std::optional<Item> found;
  if (node.sequence) {
    auto held = node.sequence->take_all();
    for (auto chunk = held.rbegin(); chunk != held.rend(); ++chunk) {
      auto& items = (*chunk)->items;
      if (!found) {
        found = std::move(items.front());
        items.erase(items.begin());
      }
      if (items.empty()) {
        pool_.put(std::move(*chunk));
      } else {
        node.sequence->push(std::move(*chunk));
      }
    }
  }
  return found;
}

void Flow::Impl::drop_oldest(Node& node) {
  while (node.occupancy() + node.reserved > node.capacity) {
    auto item = longest_waiting(node);
    if (!item) break;
    leave(node, *item);
    auto why = make_failure(Failure::Kind::cancelled,
                            "dropped at '" + node.plan->name +
                                "': the stage was full and newer items came (drop_oldest)");
    end_failed(std::move(*item), std::move(why), Outcome::cancelled, node);
  }
}

}  // namespace espalier::pipeline
