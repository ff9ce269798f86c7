#pragma once

#include "espalier/supervisor/scheduler/alarm.hpp"

#include <caf/detail/simple_actor_clock.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>

namespace espalier::supervisor {

/// CAF's timers on a thread of their own. CAF 0.17's clock takes orders through a queue of 64 and
/// wakes its thread for each, also for each actor that ends without ever having had a timer; this
/// one takes a lock, and wakes its thread when something is due.
///
/// All members of caf::actor_clock may be called from any thread. Cost: a lock and O(log n); with
/// no cancellable timer anywhere, cancelling costs one load.
class SchedulerClock final : public caf::detail::simple_actor_clock {
 public:
  void start();
  /// Drops all timers. After it nothing rings any more.
  void stop();

  void set_ordinary_timeout(time_point when, caf::abstract_actor* self, caf::atom_value type,
                            std::uint64_t id) override;
  void set_multi_timeout(time_point when, caf::abstract_actor* self, caf::atom_value type,
                         std::uint64_t id) override;
  void set_request_timeout(time_point when, caf::abstract_actor* self, caf::message_id id) override;
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override;
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* self) override;
  void schedule_message(time_point when, caf::strong_actor_ptr receiver,
                        caf::mailbox_element_ptr content) override;
  void schedule_message(time_point when, caf::group target, caf::strong_actor_ptr sender,
                        caf::message content) override;
  void cancel_all() override;

 private:
  using Base = caf::detail::simple_actor_clock;

  template <class Change>
  void change(Change what);
  void run();
  bool ring();

  std::mutex mutex_;
  Alarm alarm_;
  time_point armed_for_ = time_point::max();
  std::atomic<std::size_t> cancellable_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace espalier::supervisor
