#include "espalier/pipeline/build/attempt.hpp"

#include <stdexcept>
#include <utility>

namespace espalier::pipeline::detail {
namespace {

bool worth_it(const std::function<bool(const Failure&)>& retry_if, const Failure& failure) {
  try {
    return retry_if(failure);
  } catch (...) {
    return false;  // Whoever cannot tell gets no second attempt.
  }
}

}  // namespace

bool Attempt::will_be_repeated(Failure& failure) const {
  if (facts.retry.attempts <= item.attempt + 1U) return false;
  if (!facts.retry.retry_if || worth_it(facts.retry.retry_if, failure)) return true;
  failure.retry_after = not_again;
  return false;
}

void Attempt::failed(std::unique_ptr<Failure> failure) {
  failure->stage = facts.stage;
  failure->task = facts.tasks[task];
  failure->attempts = item.attempt + 1U;
  const bool again = will_be_repeated(*failure);
  item.verdict = Verdict::fail;
  item.failure = std::move(failure);
  if (watched) tell(again ? TaskMoment::retry : TaskMoment::fail, item.failure.get());
}

void Attempt::failed_with_current_exception() {
  auto failure = failure_from(std::current_exception());
  if (too_late()) failure->kind = Failure::Kind::timed_out;
  failed(std::move(failure));
}

void Attempt::failed_too_late() {
  auto failure = std::make_unique<Failure>();
  failure->kind = Failure::Kind::timed_out;
  failure->message = "came back after its time was over";
  failed(std::move(failure));
}

LimitPlace Attempt::place_in(const Limit& limit) const {
  if (limit && !limit.acquire(run.stop_token()))
    throw std::runtime_error("stopped while it waited for the limit of its task");
  return LimitPlace(limit);
}

void stopped_before_its_turn(const StageFacts& facts, Item& item) {
  item.verdict = Verdict::fail;
  item.failure = std::make_unique<Failure>();
  item.failure->kind =
      facts.timeout > Duration{} ? Failure::Kind::timed_out : Failure::Kind::cancelled;
  item.failure->message = "stopped before its turn in its batch came";
  item.failure->stage = facts.stage;
  item.failure->task = facts.tasks.front();
  item.failure->attempts = item.attempt;
}

std::function<void(const Item&)> failure_callback(
    std::function<void(const ItemView&, const Failure&)> callback, CallbackErrors errors) {
  if (!callback) return {};
  return [callback = std::move(callback), errors = std::move(errors)](const Item& item) {
    // For the engine the attempt is over; here it is the present one.
    Item seen;
    seen.seq = item.seq;
    seen.info = item.info;
    seen.priority = item.priority;
    seen.attempt = static_cast<std::uint16_t>(item.attempt > 0 ? item.attempt - 1 : 0);
    call_back(errors, [&] { callback(ItemView(seen), *item.failure); });
  };
}

RetryPolicy for_engine(RetryPolicy policy) {
  if (policy.retry_if)
    policy.retry_if = [retry_if = std::move(policy.retry_if)](const Failure& failure) {
      if (failure.kind == Failure::Kind::timed_out && failure.retry_after != not_again)
        return worth_it(retry_if, failure);
      return failure.retry_after != not_again;
    };
  return policy;
}

}  // namespace espalier::pipeline::detail
