#include "espalier/pipeline/core/internal/failures.hpp"
#include "espalier/pipeline/core/internal/flow_impl.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace espalier::pipeline {

void Flow::Impl::failed_attempt(Node& node, const Job& job, Item item) {
  if (!item.failure) {
    item.failure = make_failure(Failure::Kind::thrown, "the task failed and did not say why");
  }
  if (item.attempt < std::numeric_limits<std::uint16_t>::max()) ++item.attempt;
  item.failure->attempts = item.attempt;
  const auto delay = delay_before(node, item);
  if (!worth_retry(node, job, item, delay)) return give_up(node, std::move(item));
  if (node.plan->options.retry.scope == RetryScope::per_stage) item.task = 0;
  wait_for_retry(node, job, std::move(item), now_ + delay);
}

void Flow::Impl::ask_again(Node& node, const Job& job, Item item) {
  if (cancelled_) {
    leave(node, item);
    forget_first_attempt(node, item);
    return end_failed(std::move(item), make_failure(Failure::Kind::cancelled, reason_),
                      Outcome::cancelled, node);
  }
  const auto delay = item.failure ? item.failure->retry_after : Duration::zero();
  wait_for_retry(node, job, std::move(item), now_ + std::max(delay, Duration::zero()));
}

Duration Flow::Impl::delay_before(const Node& node, const Item& item) {
  auto policy = node.plan->options.retry.backoff;
  if (policy.jitter != Jitter::decorrelated || item.attempt < 2) {
    return supervisor::backoff_delay(policy, item.attempt, policy.initial, random_);
  }
  // The delay before is not kept with the item; what it would be without jitter stands for it.
  auto plain = policy;
  plain.jitter = Jitter::none;
  const auto previous =
      supervisor::backoff_delay(plain, item.attempt - 1u, Duration::zero(), random_);
  return supervisor::backoff_delay(policy, item.attempt, previous, random_);
}

bool Flow::Impl::worth_retry(Node& node, const Job& job, Item& item, Duration delay) {
  const auto& policy = node.plan->options.retry;
  if (cancelled_ || item.attempt >= policy.attempts || out_of_time(item.seq)) return false;
  if (item.failure->kind == Failure::Kind::refused) return false;
  if (policy.give_up_after > Duration::zero()) {
    const auto first =
        first_attempts_.try_emplace({node.id, name_of(item)}, job.started).first->second;
    if (now_ + delay > first + policy.give_up_after) return false;
  }
  return !policy.retry_if || policy.retry_if(*item.failure);
}

void Flow::Impl::wait_for_retry(Node& node, const Job& job, Item item, TimePoint due) {
  ++node.stats.retries;
  ++node.retrying;
  item.verdict = Verdict::pass;
  if (watching_) note_failure(Status::retrying, node.id, item, item.failure.get(), job.worker);
  const auto group = node.gathers() ? job.id : 0;
  if (node.gathers()) due = same_for_all(job.id, due);
  retries_.push(due, node.id, group, std::move(item));
}

// The items of a failed batch wait equally long, so that they make the same batch again.
TimePoint Flow::Impl::same_for_all(std::uint64_t job, TimePoint due) {
  if (group_ != job) {
    group_ = job;
    group_due_ = due;
  }
  return group_due_;
}

void Flow::Impl::give_up(Node& node, Item item) {
  forget_first_attempt(node, item);
  leave(node, item);
  auto why = std::move(item.failure);
  end_failed(std::move(item), std::move(why), Outcome::failed, node);
}

void Flow::Impl::forget_first_attempt(const Node& node, const Item& item) {
  if (node.plan->options.retry.give_up_after > Duration::zero()) {
    first_attempts_.erase({node.id, name_of(item)});
  }
}

/// The breaker has opened, and does not hold items back: those that wait end now.
void Flow::Impl::refuse_queue(Node& node) {
  if (node.plan->options.breaker->hold || node.breaker->state() != StageStats::Breaker::open) {
    return;
  }
  if (std::exchange(node.refusing, true)) return;
  const auto why = "'" + node.plan->name +
                   "' fails too often; its circuit breaker lets nothing through for " +
                   in_words(node.plan->options.breaker->open_for);
  // Who leaves may let the next of its key in.
  while (!node.queue.empty() || (node.gather && node.gather->size() > 0)) {
    auto item = node.gather ? node.gather->take_oldest() : node.queue.take_oldest();
    item.failure = make_failure(Failure::Kind::circuit_open, why);
    give_up(node, std::move(item));
  }
  node.refusing = false;
}

}  // namespace espalier::pipeline
