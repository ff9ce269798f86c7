#include "espalier/pipeline/run/internal/work_context.hpp"

#include <chrono>
#include <memory>
#include <utility>

namespace espalier::pipeline::internal {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

void WorkContext::begin(const Work& work) {
  work_ = work;
  items_ = work.chunk->items.size();
  current_ = nullptr;
  status_item_ = nullptr;
  status_at_ = {};
}

void WorkContext::end(TimePoint now) {
  if (std::exchange(stop_given_, false)) stop_ = std::stop_source();
  if (has_status_) tables_->statuses.clear(work_.node, work_.worker);
  has_status_ = false;
  if (!moments_.empty())
    moments_.close(now, (now - work_.started) / static_cast<Duration::rep>(items_));
}

std::stop_source WorkContext::stop_source() {
  stop_given_ = true;
  return stop_;
}

std::stop_token WorkContext::stop_token() const {
  return stop_.get_token();
}

bool WorkContext::watched() const {
  return tables_->wants_tasks();
}

TrackEvent WorkContext::event_of(const Item& item, std::uint16_t task, TaskMoment moment,
                                 const Failure* failure) const {
  TrackEvent event;
  event.kind = TrackEvent::Kind::task;
  event.status = Status::in_progress;
  event.moment = static_cast<std::uint8_t>(moment);
  event.node = work_.node;
  event.task = task;
  event.attempt = static_cast<std::uint16_t>(item.attempt + 1);
  event.worker = work_.worker;
  event.seq = item.seq;
  event.at = work_.started;
  event.info = item.info;
  if (failure)
    event.error = std::make_shared<const std::pair<std::string, std::string>>(failure->message,
                                                                              failure->type);
  return event;
}

void WorkContext::on_task(const Item& item, std::uint16_t task, TaskMoment moment,
                          const Failure* failure) {
  auto event = event_of(item, task, moment, failure);
  if (items_ > 1) return moments_.add(std::move(event));
  event.at = Clock::now();
  if (moment == TaskMoment::start)
    task_started_ = event.at;
  else
    event.took = event.at - task_started_;
  tables_->tell(std::move(event));
}

void WorkContext::set_status(std::string text) {
  has_status_ = true;
  tables_->statuses.set(work_.node, work_.worker, std::move(text));
}

bool WorkContext::set_status_at_most(std::string text, Duration min_interval) {
  const bool same_item = has_status_ && status_item_ == current_;
  if (min_interval > Duration::zero()) {
    const auto now = Clock::now();
    if (same_item && now - status_at_ < min_interval) return false;
    status_at_ = now;
  }
  status_item_ = current_;
  set_status(std::move(text));
  return true;
}

}  // namespace espalier::pipeline::internal
