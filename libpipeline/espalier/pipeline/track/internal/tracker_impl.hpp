#pragma once

#include "espalier/pipeline/track/internal/subscribers.hpp"
#include "espalier/pipeline/track/status_tracker.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace espalier::pipeline {

/// Two locks, never held together: one for the queue, held for a copy of events, so that workers
/// hardly wait; one for the history and the lists, held for a slice of events or a question.
/// Subscribers are called under neither. The thread shares ownership, so that a subscriber may
/// destroy the tracker.
class StatusTracker::Impl {
 public:
  explicit Impl(TrackerOptions options);

  Subscription subscribe(OnStatus call);
  Subscription subscribe(TaskMoment moment, OnTask call);
  template <class Question>
  auto ask(Question question) {
    const std::lock_guard lock(mutex_);
    history_.forget(options_.now());
    return question(std::as_const(history_));
  }

  void start(const std::shared_ptr<Impl>& self, const Plan& plan);
  void take(const std::shared_ptr<Impl>& self, const std::vector<TrackEvent>& events);
  void flush();
  void close();
  [[nodiscard]] bool wants_tasks() const { return moments_heard_ != 0; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(); }
  [[nodiscard]] std::uint64_t subscriber_errors() const { return subscriber_errors_.load(); }

 private:
  /// A run begins before the event of that place.
  struct Beginning {
    std::size_t place = 0;
    Naming naming = {};
  };
  struct Batch {
    std::vector<TrackEvent> events = {};
    std::vector<Beginning> beginnings = {};
  };
  /// What subscribers are to be told, and who they are.
  struct News {
    std::vector<std::variant<StatusEvent, TaskEvent>> events = {};
    std::shared_ptr<const internal::Subscribers<StatusEvent>::List> status = {};
    std::array<std::shared_ptr<const internal::Subscribers<TaskEvent>::List>, 4> task = {};
  };
  [[nodiscard]] bool has_room(const TrackEvent& event) const;
  void wake(const std::shared_ptr<Impl>& self);
  void hurry();
  void run();
  void apply(Batch& batch);
  std::size_t apply_slice(std::span<const TrackEvent> events);
  void collect_subscribers(News& news);
  void note(const TrackEvent& event, News& news);
  void tell(const News& news);

  TrackerOptions options_;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<std::uint64_t> subscriber_errors_ = 0;
  std::atomic<unsigned> moments_heard_ = 0;  ///< A bit for each TaskMoment that has subscribers.

  std::mutex queue_mutex_;
  std::condition_variable more_;
  std::condition_variable done_;
  Batch queue_;
  std::uint64_t queued_ = 0;   ///< Batches ever put into the queue.
  std::uint64_t applied_ = 0;  ///< Of those, heard by all.
  bool waiting_ = false;
  bool hurried_ = false;
  bool closing_ = false;
  std::thread thread_;
  std::thread::id thread_id_ = {};

  std::mutex mutex_;
  ItemHistory history_;
  internal::Subscribers<StatusEvent> on_status_;
  std::array<internal::Subscribers<TaskEvent>, 4> on_task_;
};

}  // namespace espalier::pipeline
