#pragma once

#include "espalier/supervisor/core/engine_io.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// What an engine needs from outside and may not make itself.
struct EngineContext {
  std::string path = "/";                                     ///< Of this supervisor.
  std::shared_ptr<std::atomic<std::uint64_t>> sequence = {};  ///< Event numbers, one per tree.
  std::uint64_t seed = 1;                                     ///< Of the jitter.
};

/// Decides what one supervisor does next.
///
/// The problem: exits, timers, readiness and commands arrive in any order and at any moment, and
/// still no child may ever live twice, starts and stops keep their order, every restart is
/// counted and explained, and a stop always ends. Code that waits for one thing at a time cannot
/// promise that; a state machine that takes one input after another can, and can be tested.
///
/// Pure: no actor, thread, clock or I/O. The owner passes each input in with the time, carries
/// the returned effects out in order, and calls again with TimePassed once `next_deadline()` is
/// reached. The same inputs at the same times with the same seed give the same effects. Spurious
/// and late calls are safe.
///
/// Thread rule: none of its own; one caller at a time. Cost of an input: O(log n) in the number
/// of armed deadlines, O(1) in the number of siblings, unless the strategy itself touches them.
class SupervisorEngine {
 public:
  /// `spec` must have passed `start_order` without a problem.
  SupervisorEngine(SupervisorSpec spec, EngineContext context);
  ~SupervisorEngine();
  SupervisorEngine(SupervisorEngine&&) noexcept;
  SupervisorEngine& operator=(SupervisorEngine&&) noexcept;

  [[nodiscard]] std::vector<Effect> handle(const Input& what, TimePoint now);

  /// When to call `handle(TimePassed{}, now)` next; nullopt while nothing is timed.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  [[nodiscard]] const SupervisorSpec& spec() const;

  /// Where a child stands.
  enum class Phase : std::uint8_t {
    idle,         ///< Not started yet.
    blocked,      ///< Due to start, a dependency is not ready.
    backing_off,  ///< Restart at a known time.
    starting,
    running,  ///< Ready.
    stopping,
    aborting,
    stopped,      ///< Ended and stays so.
    quarantined,  ///< Kept from restarts.
    abandoned,    ///< Could not be ended; may still live.
  };
  [[nodiscard]] Phase phase(ChildIndex child) const;
  [[nodiscard]] Generation generation(ChildIndex child) const;

  /// Child slots touched so far: what tests count instead of time.
  [[nodiscard]] std::uint64_t slots_touched() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

[[nodiscard]] const char* to_string(SupervisorEngine::Phase x);

}  // namespace espalier::supervisor
