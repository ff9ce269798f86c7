#include "espalier/pipeline/core/internal/failures.hpp"
#include "espalier/pipeline/core/internal/flow_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::pipeline {

std::optional<TimePoint> Flow::Impl::next_deadline() {
  auto first = retries_.next().value_or(never);
  while (!fed_.empty() && fed_.front().end <= window_.oldest()) {
    static_cast<void>(fed_.take_front());
  }
  if (!fed_.empty()) first = std::min(first, fed_.front().deadline);
  for (auto& node : nodes_) {
    first = std::min({first, next_attempt_over(*node), node->adapt_at});
    if (node->gather) {
      // What is due already waits for a worker, not for time.
      const auto due = node->gather->next().value_or(never);
      if (due > now_) first = std::min(first, due);
    }
    if (node->queued() == node->held_for_order()) continue;
    if (node->rate && node->rate->available(now_) == 0) {
      first = std::min(first, node->rate->next(now_));
    }
    if (node->breaker) first = std::min(first, node->breaker->next().value_or(never));
  }
  return first == never ? std::nullopt : std::optional(first);
}

TimePoint Flow::Impl::next_attempt_over(Node& node) {
  auto& attempts = node.attempts;
  while (!attempts.empty() && !find_job(attempts.front().second)) {
    static_cast<void>(attempts.take_front());
  }
  return attempts.empty() ? never : attempts.front().first;
}

void Flow::Impl::advance(TimePoint now, std::vector<std::uint64_t>& expired) {
  tick(now);
  attempts_over(expired);
  items_over(expired);
  retries_due();
  for (auto& node : nodes_) {
    if (node->breaker) node->breaker->advance(now_);
    if (node->adapt_at <= now_) adapt(*node);
  }
  settle();
}

void Flow::Impl::retries_due() {
  ChunkPtr together;
  std::uint64_t group = 0;
  NodeId at = 0;
  const auto flush = [&] {
    if (!together) return;
    nodes_[at]->again_items += together->items.size();
    nodes_[at]->again.push_back(std::move(together));
  };
  while (auto due = retries_.pop_due(now_)) {
    auto& node = *nodes_[due->node];
    node.pass_time(now_);
    --node.retrying;
    if (watching_) note(Status::queued, node.id, {&due->item, 1}, TrackEvent::no_worker);
    if (!node.gathers()) {
      pass_gate(node, std::move(due->item));
      continue;
    }
    if (due->group != group) flush();
    group = due->group;
    at = due->node;
    if (!together) together = pool_.get();
    together->items.push_back(std::move(due->item));
  }
  flush();
}

void Flow::Impl::attempts_over(std::vector<std::uint64_t>& expired) {
  for (auto& node : nodes_) {
    auto& attempts = node->attempts;
    while (!attempts.empty() && attempts.front().first <= now_) {
      const auto id = attempts.take_front().second;
      const auto* job = find_job(id);
      if (job && !job->late) expired.push_back(id);
    }
  }
}

void Flow::Impl::items_over(std::vector<std::uint64_t>& expired) {
  const auto before = expired_before_;
  while (!fed_.empty() && fed_.front().deadline <= now_) {
    expired_before_ = fed_.take_front().end;
  }
  if (expired_before_ == before || window_.oldest() >= expired_before_) return;
  const auto why = "not done within the item deadline of " + in_words(plan_.options.item_deadline);
  for (auto& job : jobs_) {
    if (job.id == 0 || job.late || nodes_[job.node]->gathers()) continue;
    if (!out_of_time(job.chunk->items.front().seq)) continue;
    expired.push_back(job.id);
    end_job(job, Failure::Kind::timed_out, why, Outcome::failed);
  }
  sweep([this](const Item& item) { return out_of_time(item.seq); },
        [&](Item item, Node& node) {
          leave(node, item);
          forget_first_attempt(node, item);
          end_failed(std::move(item), make_failure(Failure::Kind::timed_out, why), Outcome::failed,
                     node);
        });
}

/// Its items end now, whatever the worker says later.
void Flow::Impl::end_job(Job& job, Failure::Kind kind, const std::string& why, Outcome outcome) {
  job.late = true;
  --in_work_;
  auto& node = *nodes_[job.node];
  for (const auto& item : job.chunk->items) {
    // The value and most else are the worker's until it comes back.
    Item stand_in;
    stand_in.seq = item.seq;
    stand_in.info = item.info;
    stand_in.priority = item.priority;
    stand_in.part = item.part;
    stand_in.attempt = static_cast<std::uint16_t>(job.attempt + 1);
    stand_in.task = std::numeric_limits<std::uint16_t>::max();
    end_failed(std::move(stand_in), make_failure(kind, why), outcome, node);
  }
}

/// Takes items from wherever they wait, and only then hands them over: what ends one may move
/// others.
void Flow::Impl::sweep(const std::function<bool(const Item&)>& wanted,
                       const std::function<void(Item, Node&)>& taken) {
  std::vector<std::pair<Item, Node*>> found;
  for (auto* node : order_) {
    node->pass_time(now_);
    const auto keep = [&](Item item) { found.emplace_back(std::move(item), node); };
    node->queue.take_all(wanted, keep);
    if (node->gate) node->gate->take_all(wanted, keep);
    if (node->gather) node->gather->take_all(wanted, keep);
    sweep_held(*node, wanted, keep);
    for (auto left = node->spill.size(); left > 0; --left) {
      auto next = node->spill.take_front();
      if (wanted(next.item)) {
        keep(std::move(next.item));
        if (node->spill.empty()) --spilling_;
      } else {
        node->spill.push_back(std::move(next));
      }
    }
  }
  retries_.take_all([&](const RetryHeap::Waiting& w) { return wanted(w.item); },
                    [&](RetryHeap::Waiting w) {
                      --nodes_[w.node]->retrying;
                      found.emplace_back(std::move(w.item), nodes_[w.node].get());
                    });
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first.seq < b.first.seq; });
  for (auto& [item, node] : found)
    taken(std::move(item), *node);
}

void Flow::Impl::sweep_held(Node& node, const std::function<bool(const Item&)>& wanted,
                            const std::function<void(Item)>& keep) {
  std::vector<ChunkPtr> chunks;
  if (node.sequence) chunks = node.sequence->take_all();
  const auto held = chunks.size();
  for (auto left = node.again.size(); left > 0; --left)
    chunks.push_back(node.again.take_front());
  node.again_items = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    auto stay = pool_.get();
    for (auto& item : chunks[i]->items) {
      if (wanted(item)) {
        keep(std::move(item));
      } else {
        stay->items.push_back(std::move(item));
      }
    }
    pool_.put(std::move(chunks[i]));
    if (stay->items.empty()) {
      pool_.put(std::move(stay));
    } else if (i < held) {
      node.sequence->push(std::move(stay));
    } else {
      node.again_items += stay->items.size();
      node.again.push_back(std::move(stay));
    }
  }
}

void Flow::Impl::adapt(Node& node) {
  const auto& options = *node.plan->options.adaptive;
  const auto attempts = node.stats.attempts - node.adapt_attempts;
  const auto service = node.stats.service_time - node.adapt_service;
  node.adapt_attempts = node.stats.attempts;
  node.adapt_service = node.stats.service_time;
  const auto passed = now_ - node.adapt_at + options.every;
  const auto wanted = node.adaptive->step({node.queued(), attempts, service}, passed);
  if (wanted != node.workers) node.set_workers(wanted);
  // Nobody wakes up for a stage where nothing is.
  node.adapt_at = node.occupancy() > 0 ? now_ + options.every : never;
}

/// At the end, windows may overlap items that have all been in their last window.
void Flow::Impl::gather_rest() {
  for (auto at = order_.rbegin(); at != order_.rend(); ++at) {
    auto& node = **at;
    if (!node.gather || node.gather->size() == 0 || !no_more_comes(node)) continue;
    if (node.gather->ready(now_, true) > 0) continue;
    node.pass_time(now_);
    for (auto& item : node.gather->take_rest()) {
      leave(node, item);
      end_silently(item, node);
    }
  }
}

}  // namespace espalier::pipeline
