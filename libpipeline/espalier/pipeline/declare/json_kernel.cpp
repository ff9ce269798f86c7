#include "espalier/pipeline/declare/internal/json_kernel.hpp"

#include "espalier/pipeline/build/describe.hpp"

namespace espalier::pipeline::internal {

JsonKernel::JsonKernel(const StageSpec& stage)
    : stage_(stage.name),
      tasks_{stage.task.empty() ? stage.name : stage.task},
      attempts_(stage.options.retry.attempts) {
  if (stage.skip_if) skip_if_.emplace(*stage.skip_if);
}

void JsonKernel::fail(Item& item, Failure::Kind kind, std::string type, std::string message) {
  auto failure = std::make_unique<Failure>();
  failure->kind = kind;
  failure->type = std::move(type);
  failure->message = std::move(message);
  item.failure = std::move(failure);
  item.verdict = Verdict::fail;
}

void JsonKernel::attempt(Item& item, RunContext& context) {
  try {
    run_one(item, context);
  } catch (...) {
    item.failure = failure_from(std::current_exception());
    item.verdict = Verdict::fail;
  }
}

bool JsonKernel::run(std::span<Item> items, RunContext& context) {
  bool plain = true;
  for (auto& item : items) {
    item.verdict = Verdict::pass;
    item.port = 0;
    if (skip_if_ && skip_if_->holds_for(json_of(item))) {
      item.passed_through = true;
      continue;
    }
    const bool watched = context.watched();
    if (watched) context.on_task(item, 0, TaskMoment::start, nullptr);
    attempt(item, context);
    plain = plain && item.verdict == Verdict::pass && item.port == 0;
    if (item.verdict == Verdict::fail) {
      item.failure->stage = stage_;
      item.failure->task = tasks_.front();
      item.failure->attempts = item.attempt + 1U;
    }
    if (!watched) continue;
    const bool failed = item.verdict == Verdict::fail;
    const bool again = failed && item.attempt + 1U < attempts_;
    context.on_task(item, 0,
                    again    ? TaskMoment::retry
                    : failed ? TaskMoment::fail
                             : TaskMoment::complete,
                    failed ? item.failure.get() : nullptr);
  }
  return plain;
}

}  // namespace espalier::pipeline::internal
