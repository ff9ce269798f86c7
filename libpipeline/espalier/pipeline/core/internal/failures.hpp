#pragma once

#include "espalier/pipeline/core/plan.hpp"

#include <memory>
#include <string>
#include <utility>

namespace espalier::pipeline {

[[nodiscard]] inline std::unique_ptr<Failure> make_failure(Failure::Kind kind,
                                                           std::string message) {
  auto failure = std::make_unique<Failure>();
  failure->kind = kind;
  failure->message = std::move(message);
  return failure;
}

/// Says where the item failed, and keeps what the stage was given, if that is still in it.
void complete_failure(const NodePlan& node, Item& item);

/// "5 s", "250 ms", "1.5 s".
[[nodiscard]] std::string in_words(Duration duration);

}  // namespace espalier::pipeline
