#pragma once

#include "espalier/ipc/wire/words.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace espalier::ipc {

inline constexpr const char* protocol_version = "supervisor-ipc.v1";

/// The answer to a request that failed.
struct ErrorBody {
  ErrorCode code = ErrorCode::internal;
  Stage stage = Stage::execution;
  std::string message = {};
  bool retryable = false;
  std::optional<std::string> target_id = {};
  std::optional<std::uint64_t> retry_after_ms = {};
  static void describe(auto& self, auto& visit) {
    visit("code", self.code, "Why.");
    visit("stage", self.stage, "Where on its way the request was stopped.");
    visit("message", self.message, "What, where, and what to do next.");
    visit("retryable", self.retryable, "The same request may succeed later.");
    visit("target_id", self.target_id, "Of the target that answers.");
    visit("retry_after_ms", self.retry_after_ms, "When to try again, where that is known.");
  }
};

struct Nothing {
  static void describe(auto&, auto&) {}
};

}  // namespace espalier::ipc
