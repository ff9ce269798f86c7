#pragma once

#include "espalier/pipeline/build/result.hpp"
#include "espalier/pipeline/core/kernel.hpp"

#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>

namespace espalier::pipeline {

/// Who an item is, for tasks and callbacks. Valid during the call.
class ItemView {
 public:
  explicit ItemView(const Item& item) : item_(&item) {}
  /// As given when it was fed; else its sequence number.
  [[nodiscard]] std::string id() const { return detail::item_id(item_->info.get(), item_->seq); }
  [[nodiscard]] ItemSeq seq() const { return item_->seq; }
  [[nodiscard]] const Metadata& metadata() const {
    return detail::item_metadata(item_->info.get());
  }
  [[nodiscard]] std::int32_t priority() const { return item_->priority; }
  /// Of the present task, from 1.
  [[nodiscard]] std::uint32_t attempt() const { return item_->attempt + 1U; }

 private:
  const Item* item_;
};

/// What a task sees of its attempt, if it has a `TaskContext&` as its last parameter. Valid during
/// the call, or until the coroutine ends; its members may be called from any thread until then.
class TaskContext : public ItemView {
 public:
  TaskContext(const Item& item, RunContext& run) : ItemView(item), run_(&run) {}
  /// Requested when the attempt's time is over, or by `abort`.
  [[nodiscard]] std::stop_token stop_token() const { return run_->stop_token(); }
  [[nodiscard]] bool stop_requested() const { return stop_token().stop_requested(); }
  /// Sleeps until the time is over or a stop is requested; false: a stop is requested. Keeps the
  /// thread: coroutines wait with a timer instead.
  bool sleep_for(Duration time) const;
  /// What the worker is doing just now, for dashboards.
  void set_status(std::string text) { run_->set_status(std::move(text)); }

 private:
  RunContext* run_;
};

}  // namespace espalier::pipeline
