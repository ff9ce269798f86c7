#pragma once

#include <caf/resumable.hpp>

#include <atomic>
#include <functional>

namespace espalier::supervisor::testing {

/// A job that is no actor: runs a function each time, and says what the scheduler is to do next.
class CountJob final : public caf::resumable {
 public:
  using Body = std::function<resume_result()>;

  explicit CountJob(Body body = [] { return awaiting_message; }) : body_(std::move(body)) {}

  resume_result resume(caf::execution_unit*, std::size_t) override {
    runs.fetch_add(1);
    return body_();
  }
  void intrusive_ptr_add_ref_impl() override { held.fetch_add(1); }
  void intrusive_ptr_release_impl() override { held.fetch_sub(1); }

  std::atomic<int> runs = 0;
  std::atomic<int> held = 0;  ///< References; a scheduler owns one for each job in its queues.

 private:
  Body body_;
};

}  // namespace espalier::supervisor::testing
