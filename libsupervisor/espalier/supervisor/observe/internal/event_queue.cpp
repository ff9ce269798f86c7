#include "espalier/supervisor/observe/internal/event_queue.hpp"

#include "espalier/supervisor/observe/json_object.hpp"

#include <chrono>
#include <utility>

namespace espalier::supervisor::internal {
namespace {

constexpr std::size_t capacity = 16384;

}  // namespace

void EventQueue::push(const Event& event) {
  {
    const std::scoped_lock lock{mutex_};
    if (queue_.size() >= capacity) {
      missing_.add({1, event.sequence, event.sequence});
      return;
    }
    queue_.push_back(event);
    ++accepted_;
  }
  wake_writer_.notify_one();
}

bool EventQueue::flush() {
  std::unique_lock lock{mutex_};
  const auto target = accepted_;
  const auto refusals = refusals_;
  urgent_ = urgent_ || handled_ < target;
  wake_writer_.notify_one();
  wake_flushers_.wait(lock, [&] { return handled_ >= target || refusals_ != refusals; });
  return !failed_ && handled_ >= target;
}

void EventQueue::close() {
  {
    const std::scoped_lock lock{mutex_};
    closing_ = true;
  }
  wake_writer_.notify_one();
}

EventQueue::Wish EventQueue::wait(std::optional<TimePoint> until, bool hold) {
  std::unique_lock lock{mutex_};
  const auto wanted = [&] { return closing_ || urgent_ || (!hold && !queue_.empty()); };
  if (until) {
    wake_writer_.wait_until(lock, *until, wanted);
  } else {
    wake_writer_.wait(lock, wanted);
  }
  return {!queue_.empty(), std::exchange(urgent_, false) || closing_, closing_};
}

Gap EventQueue::take(std::vector<Event>& batch) {
  const std::scoped_lock lock{mutex_};
  batch.swap(queue_);
  return std::exchange(missing_, {});
}

Gap EventQueue::take_missing() {
  const std::scoped_lock lock{mutex_};
  return std::exchange(missing_, {});
}

void EventQueue::done(std::size_t count, bool lost) {
  {
    const std::scoped_lock lock{mutex_};
    failed_ = failed_ || lost;
    handled_ += count;
  }
  wake_flushers_.notify_all();
}

void EventQueue::refuse_flush() {
  {
    const std::scoped_lock lock{mutex_};
    ++refusals_;
  }
  wake_flushers_.notify_all();
}

Gap EventQueue::drop_all() {
  std::vector<Event> batch;
  Gap lost = take(batch);
  for (const auto& event : batch)
    lost.add({1, event.sequence, event.sequence});
  done(batch.size(), !batch.empty());
  return lost;
}

void append_lagged(std::string& out, const Gap& gap, std::uint64_t epoch) {
  const auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  json::JsonObject json{out};
  json.text("type", "subscriber_lagged");
  json.number("sequence", gap.to);
  json.number("epoch", epoch);
  json.time("at", std::chrono::system_clock::now());
  json.number("monotonic_ns", std::chrono::nanoseconds{monotonic}.count());
  json.text("path", "/");
  json.text("severity", to_string(Severity::warning));
  json.number("dropped", gap.dropped);
  json.number("from", gap.from);
  json.number("to", gap.to);
}

}  // namespace espalier::supervisor::internal
