#include "espalier/pipeline/run/internal/failures.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <typeinfo>
#include <utility>

namespace espalier::pipeline::internal {
namespace {

std::string type_in_flight() {
  const auto* type = abi::__cxa_current_exception_type();
  if (!type) return {};
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free);
  return status == 0 && name ? name.get() : type->name();
}

std::string message_in_flight() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

std::unique_ptr<Failure> failure_at(const NodePlan& node, const Item& item, std::string message) {
  auto failure = std::make_unique<Failure>();
  failure->message = std::move(message);
  failure->stage = node.name;
  const auto tasks = node.kernel->tasks();
  if (item.task < tasks.size()) failure->task = tasks[item.task];
  failure->attempts = item.attempt + 1U;
  return failure;
}

void fail(const NodePlan& node, Item& item, std::string message) {
  item.failure = failure_at(node, item, std::move(message));
  item.verdict = Verdict::fail;
}

}  // namespace

void run_kernel(const NodePlan& node, const Work& work, RunContext& context) {
  try {
    node.kernel->run(work.chunk->items, context);
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    fail_all(node, *work.chunk);
  }
}

void fail_all(const NodePlan& node, Chunk& chunk) {
  const auto message = message_in_flight();
  const auto type = type_in_flight();
  for (auto& item : chunk.items) {
    fail(node, item, message);
    item.failure->type = type;
    item.failure->error = std::current_exception();
  }
}

void fail_after_thread_end(const NodePlan& node, Chunk& chunk, const Item* current) {
  const auto* const begin = chunk.items.data();
  const bool known = current && current >= begin && current < begin + chunk.items.size();
  for (auto& item : chunk.items) {
    if (known && &item < current) continue;
    fail(node, item, "the task ended its thread (pthread_exit); return from a task instead");
    if (known && &item > current) item.verdict = Verdict::again;
  }
}

}  // namespace espalier::pipeline::internal
