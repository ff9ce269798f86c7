#include "espalier/supervisor/scheduler/scheduler_clock.hpp"

#include "espalier/supervisor/scheduler/named_thread.hpp"

#include <utility>
#include <vector>

namespace espalier::supervisor {

namespace {

/// Delivered while the lock is let go: those who set timers do not wait for all that are due.
constexpr std::size_t rings_at_once = 64;

}  // namespace

void SchedulerClock::start() {
  thread_ = named_thread("espalier-clock", [this] { run(); });
}

void SchedulerClock::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    alarm_.set(now());
  }
  if (thread_.joinable()) thread_.join();
  cancel_all();
}

template <class Change>
void SchedulerClock::change(Change what) {
  const std::lock_guard lock{mutex_};
  what();
  cancellable_.store(actor_lookup_.size(), std::memory_order_relaxed);
  if (schedule_.empty() || schedule_.begin()->first >= armed_for_) return;
  armed_for_ = schedule_.begin()->first;
  alarm_.set(armed_for_);
}

void SchedulerClock::run() {
  for (bool more = true; more;) {
    alarm_.wait();
    while (ring()) {
    }
    const std::lock_guard lock{mutex_};
    more = !stopping_;
  }
}

// Whether more is due. An alarm that is set again for what is not due yet may ring early, or once
// too often, and then finds nothing.
bool SchedulerClock::ring() {
  std::vector<unique_delayed_event_ptr> due;
  bool more = false;
  {
    const std::lock_guard lock{mutex_};
    const auto now_is = now();
    auto next = schedule_.begin();
    while (next != schedule_.end() && next->first <= now_is && due.size() < rings_at_once) {
      if (next->second->backlink != actor_lookup_.end())
        actor_lookup_.erase(next->second->backlink);
      due.push_back(std::move(next->second));
      next = schedule_.erase(next);
    }
    cancellable_.store(actor_lookup_.size(), std::memory_order_relaxed);
    more = next != schedule_.end() && next->first <= now_is && !stopping_;
    armed_for_ = next == schedule_.end() ? time_point::max() : next->first;
    if (!more && next != schedule_.end()) alarm_.set(armed_for_);
  }
  for (auto& rung : due)
    ship(*rung);
  return more;
}

void SchedulerClock::set_ordinary_timeout(time_point when, caf::abstract_actor* self,
                                          caf::atom_value type, std::uint64_t id) {
  change([&] { Base::set_ordinary_timeout(when, self, type, id); });
}

void SchedulerClock::set_multi_timeout(time_point when, caf::abstract_actor* self,
                                       caf::atom_value type, std::uint64_t id) {
  change([&] { Base::set_multi_timeout(when, self, type, id); });
}

void SchedulerClock::set_request_timeout(time_point when, caf::abstract_actor* self,
                                         caf::message_id id) {
  change([&] { Base::set_request_timeout(when, self, id); });
}

void SchedulerClock::cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) {
  change([&] { Base::cancel_ordinary_timeout(self, type); });
}

void SchedulerClock::cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) {
  change([&] { Base::cancel_request_timeout(self, id); });
}

// Called at the end of every actor, most of which never had a timer.
void SchedulerClock::cancel_timeouts(caf::abstract_actor* self) {
  if (cancellable_.load(std::memory_order_relaxed) == 0) return;
  change([&] { Base::cancel_timeouts(self); });
}

void SchedulerClock::schedule_message(time_point when, caf::strong_actor_ptr receiver,
                                      caf::mailbox_element_ptr content) {
  change([&] { Base::schedule_message(when, std::move(receiver), std::move(content)); });
}

void SchedulerClock::schedule_message(time_point when, caf::group target,
                                      caf::strong_actor_ptr sender, caf::message content) {
  change([&] {
    Base::schedule_message(when, std::move(target), std::move(sender), std::move(content));
  });
}

// What waits may hold the last handle of an actor, whose end asks this clock: so it goes unlocked.
void SchedulerClock::cancel_all() {
  schedule_map dropped;
  const std::lock_guard lock{mutex_};
  actor_lookup_.clear();
  dropped.swap(schedule_);
  cancellable_.store(0, std::memory_order_relaxed);
}

}  // namespace espalier::supervisor
