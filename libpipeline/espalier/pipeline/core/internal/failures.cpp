#include "espalier/pipeline/core/internal/failures.hpp"

#include <array>
#include <cstdio>

namespace espalier::pipeline {

void complete_failure(const NodePlan& node, Item& item) {
  auto& failure = *item.failure;
  failure.stage = node.name;
  failure.attempts = item.attempt;
  if (failure.task.empty() && node.kernel) {
    const auto tasks = node.kernel->tasks();
    if (item.task < tasks.size()) failure.task = tasks[item.task];
  }
  if (!failure.input.has_value() && item.task == 0) failure.input = std::move(item.value);
}

std::string in_words(Duration duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  std::array<char, 32> text{};
  if (seconds >= 1) {
    std::snprintf(text.data(), text.size(), "%.4g s", seconds);
  } else if (seconds >= 1e-3) {
    std::snprintf(text.data(), text.size(), "%.4g ms", seconds * 1e3);
  } else {
    std::snprintf(text.data(), text.size(), "%.4g us", seconds * 1e6);
  }
  return text.data();
}

}  // namespace espalier::pipeline
