#include "espalier/pipeline/build/future.hpp"

namespace espalier::pipeline::detail {

bool Call::begin() {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::queued) return false;
  phase_ = Phase::running;
  return true;
}

void Call::back_to_queue() {
  const std::lock_guard lock(mutex_);
  phase_ = Phase::queued;
}

void Call::finish(std::exception_ptr error) {
  forget_function();
  end(std::unique_lock(mutex_), std::move(error));
}

bool Call::cancel(const std::string& reason) {
  std::unique_lock lock(mutex_);
  if (phase_ != Phase::queued) return false;
  end(std::move(lock), std::make_exception_ptr(CallCancelled(reason)));
  forget_function();
  return true;
}

void Call::end(std::unique_lock<std::mutex> lock, std::exception_ptr error) {
  phase_ = Phase::done;
  error_ = std::move(error);
  const auto callbacks = std::exchange(callbacks_, {});
  lock.unlock();
  ended_.notify_all();
  for (const auto& callback : callbacks) {
    try {
      callback();
    } catch (...) {  // Its problem, as promised.
    }
  }
}

bool Call::done() const {
  const std::lock_guard lock(mutex_);
  return phase_ == Phase::done;
}

void Call::wait() const {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return phase_ == Phase::done; });
}

bool Call::wait_until(TimePoint deadline) const {
  std::unique_lock lock(mutex_);
  return ended_.wait_until(lock, deadline, [this] { return phase_ == Phase::done; });
}

std::exception_ptr Call::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void Call::on_done(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::done) {
      callbacks_.push_back(std::move(callback));
      return;
    }
  }
  try {
    callback();
  } catch (...) {  // Its problem, as promised.
  }
}

}  // namespace espalier::pipeline::detail
