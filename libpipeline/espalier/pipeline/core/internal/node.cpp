#include "espalier/pipeline/core/internal/node.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::pipeline {

namespace {

constexpr double batch_ns = 50'000;     // A claim should be worth so much work;
constexpr double smallest_ns = 10'000;  // and less than this is not worth sharing with others.
constexpr std::size_t per_worker = 10;  // Capacity, if none is given.

std::size_t capacity_of(const NodePlan& plan) {
  const std::size_t workers = plan.options.workers;
  const auto asked = plan.options.capacity > 0 ? plan.options.capacity : per_worker * workers;
  // What makes one batch must fit, or it would never be full.
  switch (plan.kind) {
    case NodeKind::task:
      return asked;
    case NodeKind::batch:
      return std::max(asked, plan.batch.count * (plan.options.capacity > 0 ? 1 : workers + 1));
    case NodeKind::window:
      return std::max(asked, plan.window.size * (plan.options.capacity > 0 ? 1 : workers + 1));
  }
  return asked;
}

}  // namespace

Node::Node(const NodePlan& what, NodeId number, ChunkPool& pool)
    : plan(&what),
      id(number),
      single(what.async || what.options.timeout > Duration::zero()),
      capacity(capacity_of(what)),
      workers(0),
      queue(pool) {
  const auto& options = what.options;
  queue.set(options.aging, options.order == Order::input);
  if (options.order == Order::input) sequence.emplace(pool);
  if (options.order == Order::by_key) gate.emplace();
  if (what.kind != NodeKind::task) gather.emplace(what);
  if (options.breaker) breaker.emplace(*options.breaker);
  auto count = options.workers;
  if (options.adaptive) {
    count = std::clamp(count, options.adaptive->min, options.adaptive->max);
    adaptive.emplace(*options.adaptive, count);
  }
  set_workers(count);
}

void Node::make_room_for(std::size_t most) {
  if (most <= together) return;
  // A batch that lacks one item must not wait for two that have no room.
  if (gather) capacity += most - together;
  together = most;
  capacity = std::max(capacity, together);
}

void Node::pass_time(TimePoint now) {
  const auto passed = now - counted_to;
  counted_to = now;
  if (passed <= Duration::zero()) return;
  const auto waiting = static_cast<Duration::rep>(queued());
  stats.queue_time += passed * waiting;
  stats.retry_time += passed * static_cast<Duration::rep>(retrying);
  if (blocked) stats.blocked_time += passed * waiting;
}

std::uint32_t Node::hire(std::uint64_t work, TimePoint now) {
  const auto who = idle.back();
  idle.pop_back();
  if (busy++ == 0) progress = now;
  crew[who].work = work;
  crew[who].since = now;
  return who;
}

void Node::release(std::uint32_t worker) {
  --busy;
  crew[worker].work = 0;
  if (worker < workers) idle.push_back(worker);
}

void Node::set_workers(std::uint32_t count) {
  if (crew.size() < count) crew.resize(count);
  workers = count;
  idle.clear();
  for (auto who = count; who-- > 0;) {
    if (crew[who].work == 0) idle.push_back(who);
  }
}

void Node::learn(Duration took, std::size_t items) {
  const auto sample = std::max(1.0, static_cast<double>(took.count()) / static_cast<double>(items));
  ns_per_item = ns_per_item == 0 ? sample : ns_per_item + (sample - ns_per_item) / 4;
}

std::size_t Node::batch_target(std::size_t waiting) const {
  if (single) return 1;
  if (ns_per_item == 0) return 1;
  const auto target = std::clamp(batch_ns / ns_per_item, 1.0, static_cast<double>(batch_limit()));
  const auto free = std::max<std::size_t>(idle.size(), 1);
  const auto share = std::max(static_cast<double>((waiting + free - 1) / free),
                              std::ceil(smallest_ns / ns_per_item));
  return static_cast<std::size_t>(std::min(target, share));
}

std::size_t Node::batch_limit() const {
  const auto limit = plan->options.batch_limit;
  return std::min(limit > 0 ? limit : chunk_limit, chunk_limit);
}

std::size_t Node::most_at_once() const {
  if (single || ns_per_item == 0) return 1;
  return static_cast<std::size_t>(
      std::clamp(2 * batch_ns / ns_per_item, 1.0, static_cast<double>(batch_limit())));
}

void Node::reset_stats(TimePoint now) {
  stats = {};
  counted_to = now;
  blocked = false;
  for (auto& worker : crew) {
    worker.completed = 0;
    worker.failed = 0;
    worker.service_time = {};
  }
}

}  // namespace espalier::pipeline
