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
  if (!again && facts.on_failure)
    call_back(facts.callback_errors, [&] { facts.on_failure(ItemView(item), *item.failure); });
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
