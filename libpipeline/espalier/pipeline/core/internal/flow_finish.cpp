#include "espalier/pipeline/core/internal/failures.hpp"
#include "espalier/pipeline/core/internal/flow_impl.hpp"

#include <algorithm>
#include <utility>

namespace espalier::pipeline {

std::optional<Work> Flow::Impl::finish(const Work& work, TimePoint now) {
  tick(now);
  auto* found = find_job(work.id);
  if (!found) return std::nullopt;
  if (found->late) {
    discard(*found);
    settle();
    return std::nullopt;
  }
  auto& node = *nodes_[found->node];
  const auto count = found->chunk->items.size();
  node.pass_time(now_);
  node.in_work -= count;
  --in_work_;
  node.learn(now_ - found->started, count);
  node.progress = now_;
  node.stats.attempts += count;
  node.stats.service_time += now_ - found->started;
  node.crew[found->worker].service_time += now_ - found->started;
  auto chunk = std::move(found->chunk);
  const auto job = std::move(*found);
  free_job(*found);

  const auto seen = look(chunk->items);
  if (seen.clean && now_ <= job.deadline && !cancelled_ && !node.gathers() && !node.gate) {
    auto next = finish_clean(node, job, std::move(chunk), seen);
    settle();
    return next;
  }
  finish_each(node, job, std::move(chunk));
  settle();
  return std::nullopt;
}

void Flow::Impl::free_job(Job& job) {
  auto& node = *nodes_[job.node];
  node.release(job.worker);
  // Works end in another order than they began; what is over is cleared away now and then.
  while (!node.attempts.empty() && !find_job(node.attempts.front().second)) {
    static_cast<void>(node.attempts.take_front());
  }
  if (node.attempts.size() > 2 * node.crew.size() + 64) {
    for (auto left = node.attempts.size(); left > 0; --left) {
      const auto next = node.attempts.take_front();
      if (find_job(next.second)) node.attempts.push_back(next);
    }
  }
  free_jobs_.push_back(static_cast<std::size_t>(&job - jobs_.data()));
  job.id = 0;
}

/// Its items have ended without it: by their deadline, by abort, or in an earlier run.
void Flow::Impl::discard(Job& job) {
  auto& node = *nodes_[job.node];
  node.pass_time(now_);
  node.in_work -= job.chunk->items.size();
  if (job.run == run_) counts_.late += job.chunk->items.size();
  for (std::size_t i = 0; node.breaker && i < job.places; ++i)
    node.breaker->forget(job.ticket);
  unreserve(node, job.places);
  if (job.run == run_) {
    for (const auto& item : job.chunk->items)
      leave(node, item);
  }
  pool_.put(std::move(job.chunk));
  free_job(job);
}

/// One look at each item, which the worker has just had in its cache.
Flow::Impl::Seen Flow::Impl::look(std::vector<Item>& items) const {
  Seen seen;
  auto expected = items.front().seq;
  for (auto& item : items) {
    seen.clean = seen.clean && item.verdict == Verdict::pass && item.port == 0;
    seen.in_a_row = seen.in_a_row && item.seq == expected++;
    seen.passed_through += item.passed_through ? 1 : 0;
    seen.worn = seen.worn || (item.attempt | item.task) != 0 || item.passed_through || item.failure;
    const auto* info = item.info.get();
    seen.company =
        seen.company ||
        (info && (info->open_parts > 1 || info->next_part > 1 || !info->members.empty()));
  }
  return seen;
}

namespace {

// What belongs to the stage an item has left.
void refresh(Item& item) {
  item.attempt = item.task = item.port = 0;
  item.passed_through = false;
  item.failure.reset();
}

}  // namespace

std::optional<Work> Flow::Impl::finish_clean(Node& node, const Job& job, ChunkPtr chunk,
                                             const Seen& seen) {
  auto& items = chunk->items;
  const auto count = items.size();
  if (node.breaker) {
    for (std::size_t i = 0; i < count; ++i)
      node.breaker->record(job.ticket, true, now_);
  }
  unreserve(node, job.places);
  if (watching_) note_passed(node, job, items);
  node.stats.completed += count;
  node.stats.skipped += seen.passed_through;
  node.crew[job.worker].completed += count;
  for (auto item = items.begin(); seen.worn && item != items.end(); ++item) {
    forget_first_attempt(node, *item);
    refresh(*item);
  }
  const auto to = node.plan->next.front();
  if (to == output_node) {
    end_clean(std::move(chunk), node, seen);
    return std::nullopt;
  }
  if (!node.left_behind.front().empty()) {
    for (const auto& item : items)
      moved(node, 0, item.seq, 1);
  }
  auto& next = *nodes_[to];
  next.pass_time(now_);
  if (!can_run_on(next, *chunk, seen.in_a_row)) {
    arrive(next, std::move(chunk));
    return std::nullopt;
  }
  if (watching_) note(Status::queued, next.id, items, TrackEvent::no_worker);
  const auto work = begin(next, std::move(chunk), count);
  if (next.sequence) release_in_order(next);
  return work;
}

bool Flow::Impl::can_run_on(Node& node, const Chunk& chunk, bool in_a_row) {
  const auto count = chunk.items.size();
  if (node.gathers() || node.plan->async || node.gate || node.rate || node.breaker) return false;
  if (node.idle.empty() || node.busy >= node.workers) return false;
  if (!node.queue.empty() || !node.spill.empty()) return false;
  if (node.most_at_once() < count || room_behind(node) < count) return false;
  return !node.sequence || (in_a_row && node.sequence->pass(chunk.items.front().seq, count));
}

void Flow::Impl::finish_each(Node& node, const Job& job, ChunkPtr chunk) {
  auto places = job.places;
  if (node.gathers()) combine(*chunk);
  // Only a batch has something to be absorbed by.
  for (auto& item : chunk->items) {
    const auto alone = !node.gathers() || &item == &chunk->items.front();
    if (alone && item.verdict == Verdict::absorbed) item.verdict = Verdict::skip;
  }
  for (auto& item : chunk->items) {
    // Each gives up its own place first, so that nobody else takes that.
    if (places > 0) {
      unreserve(node, 1);
      --places;
    }
    settle_one(node, job, std::move(item));
  }
  unreserve(node, places);
  flush_out(node);
  pool_.put(std::move(chunk));
  if (node.breaker) refuse_queue(node);
}

void Flow::Impl::settle_one(Node& node, const Job& job, Item item) {
  auto& worker = node.crew[job.worker];
  if (item.verdict == Verdict::absorbed) return;
  if (now_ > job.deadline) {
    const auto passed = item.verdict != Verdict::fail && item.verdict != Verdict::again;
    auto late = make_failure(Failure::Kind::timed_out, "'" + node.plan->name +
                                                           "' took longer than its timeout of " +
                                                           in_words(node.plan->options.timeout));
    if (item.failure) late->error = item.failure->error;
    item.failure = std::move(late);
    if (node.breaker) node.breaker->record(job.ticket, false, now_);
    if (!passed) return failed_attempt(node, job, std::move(item));
    // What it was given is gone, so it cannot be tried again.
    item.value.reset();
    ++worker.failed;
    return give_up(node, std::move(item));
  }
  if (item.verdict == Verdict::again) {
    if (node.breaker) node.breaker->forget(job.ticket);
    return ask_again(node, job, std::move(item));
  }
  if (node.breaker) {
    const auto blamed = item.verdict == Verdict::fail &&
                        !(item.failure && item.failure->kind == Failure::Kind::refused);
    node.breaker->record(job.ticket, !blamed, now_);
  }
  if (item.verdict == Verdict::fail) {
    ++worker.failed;
    return failed_attempt(node, job, std::move(item));
  }
  ++worker.completed;
  ++node.stats.completed;
  node.stats.skipped += item.passed_through || item.verdict == Verdict::skip ? 1 : 0;
  if (watching_) note_passed(node, job, {&item, 1});
  forget_first_attempt(node, item);
  leave(node, item);
  refresh_but_port(item);
  switch (item.verdict) {
    case Verdict::skip:
      return end_item(std::move(item), Outcome::skipped, node);
    case Verdict::expand:
      return expand(node, std::move(item));
    case Verdict::spread:
      return spread(node, std::move(item));
    default:
      return pass_on(node, std::move(item));
  }
}

void Flow::Impl::refresh_but_port(Item& item) {
  const auto port = item.port;
  refresh(item);
  item.port = port;
}

void Flow::Impl::pass_on(Node& node, Item item) {
  const auto port = std::exchange(item.port, std::uint16_t{0});
  if (port >= node.plan->next.size()) {
    return end_failed(
        std::move(item),
        make_failure(Failure::Kind::refused, "'" + node.plan->name + "' sent it to port " +
                                                 std::to_string(port) + ", which does not exist"),
        Outcome::failed, node);
  }
  const auto to = node.plan->next[port];
  if (cancelled_ && to != output_node) {
    return end_failed(std::move(item), make_failure(Failure::Kind::cancelled, reason_),
                      Outcome::cancelled, node);
  }
  if (to == output_node) return end_item(std::move(item), Outcome::succeeded, node);
  moved(node, port, item.seq, 1);
  auto& chunk = out_[port];
  if (!chunk) chunk = pool_.get();
  chunk->items.push_back(std::move(item));
}

void Flow::Impl::flush_out(Node& node) {
  for (std::size_t port = 0; port < node.plan->next.size(); ++port) {
    if (!out_[port]) continue;
    auto& next = *nodes_[node.plan->next[port]];
    next.pass_time(now_);
    arrive(next, std::move(out_[port]));
  }
}

void Flow::Impl::leave(Node& node, const Item& item) {
  if (!node.gate) return;
  if (auto next = node.gate->leave(item)) pass_gate(node, std::move(*next));
}

void Flow::Impl::moved(const Node& node, std::size_t port, ItemSeq first, std::uint64_t count) {
  for (const auto ordered : node.left_behind[port])
    close_gap(ordered, first, count);
}

}  // namespace espalier::pipeline
