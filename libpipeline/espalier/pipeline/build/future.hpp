#pragma once

#include "espalier/pipeline/build/result.hpp"
#include "espalier/pipeline/core/item.hpp"

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace espalier::pipeline {

/// In a Future whose call never ran: it was cancelled, or its Executor was shut down.
class CallCancelled : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

/// A call that an Executor is to make: what the worker and all its Futures share.
class Call {
 public:
  explicit Call(std::uint64_t sequence) : sequence_(sequence) {}
  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// Makes the call and keeps its result. Throws what the function throws.
  virtual void run() = 0;
  /// The function and its arguments are not needed any more.
  virtual void forget_function() = 0;

  /// For the worker. False: it is over already.
  [[nodiscard]] bool begin();
  void back_to_queue();
  void finish(std::exception_ptr error);

  /// False: it is running, or over.
  bool cancel(const std::string& reason);
  [[nodiscard]] bool done() const;
  void wait() const;
  [[nodiscard]] bool wait_until(TimePoint deadline) const;
  [[nodiscard]] std::exception_ptr error() const;
  /// Called once when it is over; at once if it is.
  void on_done(std::function<void()> callback);
  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }

 private:
  enum class Phase : std::uint8_t { queued, running, done };
  void end(std::unique_lock<std::mutex> lock, std::exception_ptr error);

  mutable std::mutex mutex_;
  mutable std::condition_variable ended_;
  Phase phase_ = Phase::queued;
  std::exception_ptr error_ = {};
  std::vector<std::function<void()>> callbacks_ = {};
  const std::uint64_t sequence_;
};

template <class T>
class CallOf : public Call {
 public:
  using Call::Call;
  std::optional<T> value = {};
};

template <class T, class F>
class CallTo final : public CallOf<T> {
 public:
  CallTo(std::uint64_t sequence, F function)
      : CallOf<T>(sequence), function_(std::move(function)) {}
  void run() override {
    if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
      (*function_)();
      this->value.emplace();
    } else {
      this->value.emplace((*function_)());
    }
  }
  void forget_function() override { function_.reset(); }

 private:
  std::optional<F> function_;
};

}  // namespace detail

/// What a call that was given to an Executor will return. Copies are the same future.
/// Thread-safe, but for what is done with the value itself.
template <class T>
class Future {
 public:
  using Value = std::conditional_t<std::is_void_v<T>, Nothing, T>;
  explicit Future(std::shared_ptr<detail::CallOf<Value>> call) : call_(std::move(call)) {}

  /// Waits. Throws what the call threw in its last attempt, or CallCancelled.
  std::add_lvalue_reference_t<T> get() const {
    call_->wait();
    if (auto error = call_->error()) std::rethrow_exception(error);
    if constexpr (!std::is_void_v<T>) return *call_->value;
  }
  /// False: it is not over yet. Zero does not wait.
  [[nodiscard]] bool wait_for(Duration time) const {
    return call_->wait_until(std::chrono::steady_clock::now() + time);
  }
  [[nodiscard]] bool done() const { return call_->done(); }
  /// What the call threw; null: nothing, or it is not over yet.
  [[nodiscard]] std::exception_ptr error() const { return call_->error(); }
  /// True: it will not run, and whoever waits gets CallCancelled. False: it runs, or is over.
  bool cancel() const { return call_->cancel("the call was cancelled"); }
  /// Called once when it is over: by the thread that ended it, or at once if it is over. Must not
  /// block for long; what it throws is dropped.
  void on_done(std::function<void(const Future&)> callback) const {
    call_->on_done([future = *this, callback = std::move(callback)] { callback(future); });
  }
  /// Counts the calls given to the Executor, from 0.
  [[nodiscard]] std::uint64_t sequence_id() const { return call_->sequence(); }

 private:
  std::shared_ptr<detail::CallOf<Value>> call_;
};

}  // namespace espalier::pipeline
