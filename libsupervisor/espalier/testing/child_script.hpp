#pragma once

#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace espalier::testing {

/// How a child of a VirtualTree behaves. One of which nothing is said starts and is ready at once,
/// runs for ever, is well, and stops as soon as it is asked. Times count from the begin of an
/// attempt; a change holds from the next attempt on, for health checks at once.
class ChildScript {
 public:
  using Duration = supervisor::Duration;

  ChildScript& ready_after(Duration delay) { return ready_after_ = delay, *this; }
  ChildScript& completes_after(Duration delay) { return exits_after(delay, {}); }
  ChildScript& fails_after(
      Duration delay, std::string message,
      supervisor::FailureCategory category = supervisor::FailureCategory::recoverable) {
    return exits_after(delay, {.kind = supervisor::ExitKind::failed,
                               .category = category,
                               .message = std::move(message)});
  }
  ChildScript& exits_after(Duration delay, supervisor::ExitRecord exit) {
    exit_after_ = delay;
    exit_ = std::move(exit);
    return *this;
  }
  /// How an attempt ends by itself.
  struct Ending {
    Duration after = Duration::zero();
    supervisor::ExitRecord exit = {};
  };
  /// Asked at the begin of each attempt, with the time since the tree was made; without an answer
  /// the attempt goes on. Where the functions above say another end, the earlier one comes.
  using Fate = std::function<std::optional<Ending>(Duration now)>;
  ChildScript& ends_as(Fate fate) { return fate_ = std::move(fate), *this; }
  /// Fails before it runs, as a program that is not there does.
  ChildScript& fails_to_start(std::string message) {
    return start_failure_ = std::move(message), *this;
  }
  /// Its end, or its failure to start, comes in the next `n` attempts only.
  ChildScript& only_times(std::uint64_t n) { return times_ = n, *this; }
  /// Gives no sign of life any more, so that its watchdog bites.
  ChildScript& falls_silent_after(Duration delay) { return silent_after_ = delay, *this; }
  /// Its health checks fail from then on.
  ChildScript& unhealthy_after(Duration delay) { return unhealthy_after_ = delay, *this; }
  /// How long it takes from the request to stop to its end.
  ChildScript& stops_after(Duration delay) { return stop_takes_ = delay, *this; }
  ChildScript& ignores_stop() { return stop_takes_ = never, *this; }
  /// Not even an abort ends it.
  ChildScript& ignores_abort() { return ignores_abort_ = true, ignores_stop(); }

 private:
  friend class VirtualTree;
  static constexpr Duration never = Duration::max();

  Duration ready_after_ = Duration::zero();
  std::optional<Duration> exit_after_;
  supervisor::ExitRecord exit_;
  Fate fate_;
  std::optional<std::string> start_failure_;
  std::uint64_t times_ = std::numeric_limits<std::uint64_t>::max();
  Duration silent_after_ = never;
  Duration unhealthy_after_ = never;
  Duration stop_takes_ = Duration::zero();
  bool ignores_abort_ = false;
};

}  // namespace espalier::testing
