#include "espalier/pipeline/track/status_tracker.hpp"

#include "espalier/pipeline/track/internal/tracker_impl.hpp"

namespace espalier::pipeline {

StatusTracker::StatusTracker(TrackerOptions options)
    : impl_(std::make_shared<Impl>(std::move(options))) {}

StatusTracker::~StatusTracker() {
  impl_->close();
}

Subscription StatusTracker::on_status_change(OnStatus call) {
  return impl_->subscribe(std::move(call));
}
Subscription StatusTracker::on_task_start(OnTask call) {
  return impl_->subscribe(TaskMoment::start, std::move(call));
}
Subscription StatusTracker::on_task_complete(OnTask call) {
  return impl_->subscribe(TaskMoment::complete, std::move(call));
}
Subscription StatusTracker::on_task_retry(OnTask call) {
  return impl_->subscribe(TaskMoment::retry, std::move(call));
}
Subscription StatusTracker::on_task_fail(OnTask call) {
  return impl_->subscribe(TaskMoment::fail, std::move(call));
}

std::optional<StatusEvent> StatusTracker::get_status(const std::string& id) const {
  return impl_->ask([&](const ItemHistory& history) -> std::optional<StatusEvent> {
    const auto seq = history.find(id);
    return seq ? history.last(*seq) : std::nullopt;
  });
}

std::vector<StatusEvent> StatusTracker::get_history(const std::string& id) const {
  return impl_->ask([&](const ItemHistory& history) {
    const auto seq = history.find(id);
    return seq ? history.all(*seq) : std::vector<StatusEvent>{};
  });
}

std::vector<StatusEvent> StatusTracker::get_history(ItemSeq seq) const {
  return impl_->ask([&](const ItemHistory& history) { return history.all(seq); });
}

std::vector<StatusEvent> StatusTracker::get_by_status(Status status, std::size_t most) const {
  return impl_->ask([&](const ItemHistory& history) { return history.by_status(status, most); });
}

std::vector<StatusEvent> StatusTracker::get_recent(std::size_t most) const {
  return impl_->ask([&](const ItemHistory& history) { return history.recent(most); });
}

StatusStats StatusTracker::get_stats() const {
  return impl_->ask([](const ItemHistory& history) { return history.stats(); });
}

std::vector<FailedItem> StatusTracker::get_failed_items(std::size_t most) const {
  return impl_->ask([&](const ItemHistory& history) { return history.failed(most); });
}

ErrorSummary StatusTracker::get_error_summary(std::size_t most) const {
  return impl_->ask([&](const ItemHistory& history) { return history.errors(most); });
}

void StatusTracker::flush() const {
  impl_->flush();
}
std::uint64_t StatusTracker::dropped() const {
  return impl_->dropped();
}
std::uint64_t StatusTracker::subscriber_errors() const {
  return impl_->subscriber_errors();
}
std::uint64_t StatusTracker::forgotten() const {
  return impl_->ask([](const ItemHistory& history) { return history.forgotten(); });
}

void StatusTracker::on_start(const Plan& plan) {
  impl_->start(impl_, plan);
}
bool StatusTracker::wants_tasks() const {
  return impl_->wants_tasks();
}
void StatusTracker::on_events(const std::vector<TrackEvent>& events) {
  impl_->take(impl_, events);
}

}  // namespace espalier::pipeline
