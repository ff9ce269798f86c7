#pragma once

#include "espalier/pipeline/run/internal/work_context.hpp"

namespace espalier::pipeline::internal {

/// While it lives, the calling thread runs code of users for `crew`: a task (then with a context)
/// or a source. A task may run another pipeline, so they nest.
class Inside {
 public:
  Inside(const void* crew, WorkContext* context) : crew_(crew), context_(context) { top = this; }
  ~Inside() { top = outer_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

  /// Whether the calling thread is inside something of that crew.
  [[nodiscard]] static bool of(const void* crew) {
    for (const auto* one = top; one; one = one->outer_)
      if (one->crew_ == crew) return true;
    return false;
  }
  /// Of the innermost task; null: the calling thread is in none.
  [[nodiscard]] static WorkContext* context() { return top ? top->context_ : nullptr; }

 private:
  static inline thread_local Inside* top = nullptr;

  const void* crew_;
  WorkContext* context_;
  Inside* outer_ = top;
};

}  // namespace espalier::pipeline::internal
