#include "espalier/pipeline/core/internal/flow_impl.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace espalier::pipeline {

namespace {
constexpr std::uint64_t slot_bits = 24;
constexpr std::size_t little_room = 8;  // Less than an eighth of the capacity.
constexpr Duration slow = std::chrono::microseconds{50};
}  // namespace

std::optional<Work> Flow::Impl::claim(TimePoint now, Duration longest) {
  tick(now);
  auto next = pick(longest);
  if (!next.node && longest == Duration::max()) next = pick_missing(false);
  if (!next.node) return std::nullopt;
  auto& node = *next.node;
  node.pass_time(now_);
  node.blocked = false;
  if (next.chunk) return begin(node, std::move(next.chunk), 1);
  if (node.gathers()) return begin(node, take_unit(node), 1);
  // Of one priority there may be fewer than of all.
  auto chunk = node.queue.take(next.count, most_of_a_piece(node, next.count));
  const auto count = chunk->items.size();
  return begin(node, std::move(chunk), count);
}

bool Flow::Impl::has_work(TimePoint now, Duration longest) {
  tick(now);
  return pick(longest).node || (longest == Duration::max() && pick_missing(true).node);
}

bool Flow::Impl::wants_more_hands(std::size_t active, std::size_t processors, TimePoint now) {
  tick(now);
  auto next = pick();
  if (!next.node) next = pick_missing(true);
  if (!next.node) return false;
  if (active < processors) return true;
  // What was never measured, or has become slow just now, shows by not coming back.
  const auto& node = *next.node;
  return node.ns_per_item > static_cast<double>(slow.count()) ||
         (node.busy > 0 && now_ - node.progress > (node.ns_per_item > 0 ? 4 * slow : slow));
}

Flow::Impl::Pick Flow::Impl::pick(Duration longest) {
  Pick next;
  for (auto* node : order_) {
    if (longest < Duration::max() && !node->is_quick(longest)) continue;
    next.count = claimable(*node);
    if (next.count == 0) continue;
    next.node = node;
    break;
  }
  return next;
}

std::size_t Flow::Impl::claimable(Node& node) {
  if (node.idle.empty() || node.busy >= node.workers || !node.spill.empty()) return 0;
  const auto available =
      node.gathers() ? (node.again.empty() ? node.gather->ready(now_, no_more_comes(node)) : 1)
                     : node.queue.size();
  if (available == 0) return 0;
  const auto most = limit_now(node, available);
  if (most == 0) return 0;
  const auto room = room_worth_a_claim(node, most);
  if ((room == 0) != node.blocked) {
    node.pass_time(now_);
    node.blocked = room == 0;
  }
  if (room > 0) return std::min(most, room);
  // One for which others wait may always go on; see pick_missing.
  return has_order_ && !node.gathers() && is_missing(node, node.queue.front().seq) ? 1 : 0;
}

/// What came together goes on together, for items are not taken to other chunks then.
std::size_t Flow::Impl::most_of_a_piece(const Node& node, std::size_t count) const {
  if (node.rate || node.breaker) return count;
  return std::min({2 * count, node.most_at_once(), room_behind(node)});
}

std::size_t Flow::Impl::limit_now(Node& node, std::size_t available) {
  auto most = node.gathers() ? 1 : node.batch_target(available);
  if (node.rate) most = std::min(most, node.rate->available(now_));
  if (node.breaker) most = std::min(most, node.breaker->allowed(now_));
  return most;
}

std::size_t Flow::Impl::room_at(NodeId target) const {
  return target == output_node ? outputs_.room() : room_of(*nodes_[target]);
}

/// One for which an order waits takes those of its key that came before it along, whether there is
/// room behind or not. No others take their places until that has gone down again: else they would
/// be taken along by the next one, and so on.
std::size_t Flow::Impl::room_of(const Node& node) const {
  if (node.gate && outputs_.in_order() && outputs_.waiting() > outputs_.capacity()) return 0;
  const auto too_full = [this](NodeId id) {
    return nodes_[id]->occupancy() > nodes_[id]->capacity;
  };
  return std::any_of(node.overfills.begin(), node.overfills.end(), too_full) ? 0 : node.room();
}

std::size_t Flow::Impl::room_behind(const Node& node) const {
  if (outputs_.overrun()) return 0;
  auto room = std::numeric_limits<std::size_t>::max();
  for (const auto& target : node.targets) {
    room = std::min(room, room_at(target.node) / target.weight);
  }
  return room;
}

/// Little room is as good as none where more would be claimed, for there will be more when what is
/// in work comes back: else batches become ever smaller.
std::size_t Flow::Impl::room_worth_a_claim(const Node& node, std::size_t wanted) const {
  const auto little = [&](const Node::Target& target) {
    const auto capacity =
        target.node == output_node ? outputs_.capacity() : nodes_[target.node]->capacity;
    return room_at(target.node) / target.weight < std::min(wanted, capacity / little_room);
  };
  const auto waits = in_work_ > 0 && std::any_of(node.targets.begin(), node.targets.end(), little);
  return waits ? 0 : room_behind(node);
}

bool Flow::Impl::is_missing(const Node& node, ItemSeq seq) const {
  if (outputs_.full_of_ready()) return false;
  return outputs_.missing() == seq ||
         std::any_of(node.ordered_behind.begin(), node.ordered_behind.end(),
                     [&](NodeId id) { return nodes_[id]->waits_for() == seq; });
}

/// What restores an order holds items until a certain one has come by. If these fill all room on
/// its way, nothing moves any more; so that one goes on whether there is room or not. But not while
/// results wait that nobody takes: that is back-pressure, not a circle. Searched for only when
/// nothing is in work: else something will change.
Flow::Impl::Pick Flow::Impl::pick_missing(bool look_only) {
  Pick found;
  if (!has_order_ || in_work_ > 0 || counts_.in_flight() == 0 || outputs_.full_of_ready()) {
    return found;
  }
  if (const auto seq = outputs_.missing(); seq && pick_item(*seq, look_only, found)) return found;
  for (const auto id : ordered_) {
    const auto seq = nodes_[id]->waits_for();
    if (seq && pick_item(*seq, look_only, found)) return found;
  }
  return found;
}

/// The item, or the one whose key it waits for.
bool Flow::Impl::pick_item(ItemSeq seq, bool look_only, Pick& found) {
  for (auto* node : order_) {
    if (node->gathers() || node->queue.empty() || node->idle.empty() ||
        node->busy >= node->workers || !node->spill.empty() || limit_now(*node, 1) == 0) {
      continue;
    }
    const auto holder = node->gate ? node->gate->holder_before(seq) : std::nullopt;
    const auto wanted = [&](const Item& item) {
      return holder ? name_of(item) == *holder : item.seq == seq;
    };
    if (!node->queue.has(wanted)) continue;
    if (!look_only) found.chunk = node->queue.take_first(wanted);
    found.node = node;
    found.count = 1;
    return true;
  }
  return false;
}

bool Flow::Impl::no_more_comes(const Node& node) const {
  const auto can_come = [](const Node& n) { return n.occupancy() > 0 || !n.spill.empty(); };
  const auto drained = closed_ && node.in_work + node.retrying + node.held_for_order() == 0 &&
                       std::none_of(node.upstream.begin(), node.upstream.end(),
                                    [&](NodeId id) { return can_come(*nodes_[id]); });
  if (drained) return true;
  // A batch by bytes alone that fills the stage before it is full.
  return node.room() < node.together && node.gather->size() == node.occupancy() &&
         !node.gather->next();
}

ChunkPtr Flow::Impl::take_unit(Node& node) {
  if (!node.again.empty()) {
    auto chunk = node.again.take_front();
    node.again_items -= chunk->items.size();
    return chunk;
  }
  auto chunk = pool_.get();
  std::vector<Item> refused;
  node.gather->take(now_, no_more_comes(node), chunk->items, refused);
  for (auto& item : refused) {
    if (item.verdict == Verdict::skip) {
      end_item(std::move(item), Outcome::skipped, node);
    } else {
      auto why = std::move(item.failure);
      end_failed(std::move(item), std::move(why), Outcome::failed, node);
    }
  }
  return chunk;
}

Work Flow::Impl::begin(Node& node, ChunkPtr chunk, std::size_t places) {
  const auto count = chunk->items.size();
  auto& job = new_job();
  job.run = run_;
  job.node = node.id;
  job.worker = node.hire(job.id, now_);
  job.places = places;
  job.started = now_;
  job.late = false;
  job.attempt = chunk->items.front().attempt;
  job.deadline = never;
  node.in_work += count;
  ++in_work_;
  reserve(node, places);
  if (node.rate) node.rate->take(places);
  if (node.breaker) job.ticket = node.breaker->begin(places);
  if (const auto timeout = node.plan->options.timeout; timeout > Duration::zero()) {
    job.deadline = now_ + timeout;
    node.attempts.push_back({job.deadline, job.id});
  }
  if (watching_) note(Status::in_progress, node.id, chunk->items, job.worker);
  job.chunk = std::move(chunk);
  return {job.id, node.id, job.worker, job.chunk.get(), now_};
}

void Flow::Impl::reserve(const Node& node, std::size_t places) {
  for (const auto& target : node.targets) {
    auto& reserved = target.node == output_node ? outputs_.reserved : nodes_[target.node]->reserved;
    reserved += places * target.weight;
  }
}

void Flow::Impl::unreserve(const Node& node, std::size_t places) {
  for (const auto& target : node.targets) {
    auto& reserved = target.node == output_node ? outputs_.reserved : nodes_[target.node]->reserved;
    reserved -= places * target.weight;
  }
}

Flow::Impl::Job& Flow::Impl::new_job() {
  if (free_jobs_.empty()) {
    free_jobs_.push_back(jobs_.size());
    jobs_.emplace_back();
  }
  const auto slot = free_jobs_.back();
  free_jobs_.pop_back();
  jobs_[slot].id = (++jobs_begun_ << slot_bits) | slot;
  return jobs_[slot];
}

const Flow::Impl::Job* Flow::Impl::find_job(std::uint64_t id) const {
  const auto slot = id & ((std::uint64_t{1} << slot_bits) - 1);
  return slot < jobs_.size() && jobs_[slot].id == id ? &jobs_[slot] : nullptr;
}

Flow::Impl::Job* Flow::Impl::find_job(std::uint64_t id) {
  return const_cast<Job*>(std::as_const(*this).find_job(id));
}

}  // namespace espalier::pipeline
