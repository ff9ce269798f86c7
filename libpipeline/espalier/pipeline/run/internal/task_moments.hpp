#pragma once

#include "espalier/pipeline/core/kernel.hpp"
#include "espalier/pipeline/core/track_event.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace espalier::pipeline::internal {

/// Gathers the task events of one batch. Items that went the same way one after the other become
/// one event with a count, so that a batch without trouble costs two events for each task, however
/// many items it has. The events of each item stay in their order.
class TaskMoments {
 public:
  void add(TrackEvent event) {
    if (auto* run = run_for(event))
      ++run->count;
    else
      events_.push_back(std::move(event));
  }
  /// The batch is over: what took a known time already keeps it, the others share `took`.
  void close(TimePoint now, Duration took_each) {
    for (auto& event : events_) {
      if (event.moment == static_cast<std::uint8_t>(TaskMoment::start)) continue;
      event.at = now;
      event.took = took_each;
    }
  }
  [[nodiscard]] bool empty() const { return events_.empty(); }
  void move_to(std::vector<TrackEvent>& into) {
    into.insert(into.end(), std::make_move_iterator(events_.begin()),
                std::make_move_iterator(events_.end()));
    events_.clear();
  }

 private:
  static constexpr std::size_t furthest = 32;  ///< Runs that are looked at: 16 tasks in a stage.

  /// The run that the event continues. An item may join a run only where the item before it has
  /// the same event; as that holds for its earlier events as well, it never joins a run that lies
  /// before one of them.
  TrackEvent* run_for(const TrackEvent& event) {
    if (event.info || event.error) return nullptr;
    const auto last = events_.size() - std::min(events_.size(), furthest);
    for (auto i = events_.size(); i > last; --i) {
      auto& run = events_[i - 1];
      if (run.moment == event.moment && run.task == event.task && run.attempt == event.attempt &&
          run.seq + run.count == event.seq && !run.info && !run.error)
        return &run;
    }
    return nullptr;
  }

  std::vector<TrackEvent> events_;
};

}  // namespace espalier::pipeline::internal
