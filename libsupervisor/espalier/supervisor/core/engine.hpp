#pragma once

#include "espalier/supervisor/core/child_state.hpp"
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
  bool admission = false;  ///< Restarts ask the tree to be let in.
};

/// What every engine offers to the shell that drives it. Pure: no actor, thread, clock or I/O. The
/// owner passes each input in with the time, carries the returned effects out in order, and calls
/// again with TimePassed once `next_deadline()` is reached.
class Engine {
 public:
  Engine() = default;
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] virtual std::vector<Effect> handle(const Input& what, TimePoint now) = 0;
  [[nodiscard]] virtual std::optional<TimePoint> next_deadline() const = 0;

  /// Slots so far, those of removed children included.
  [[nodiscard]] virtual ChildIndex size() const = 0;
  /// As long as the slot is not created anew.
  [[nodiscard]] virtual std::shared_ptr<const ChildSpec> child_spec(ChildIndex child) const = 0;
  [[nodiscard]] virtual std::string child_name(ChildIndex child) const = 0;
  [[nodiscard]] virtual ChildView view(ChildIndex child, TimePoint now) const = 0;
  /// Children whose view has changed since the last call, each once.
  [[nodiscard]] virtual std::vector<ChildIndex> take_changed() = 0;
};

/// Decides what one supervisor does next.
///
/// The problem: exits, timers, readiness and commands arrive in any order and at any moment, and
/// still no child may ever live twice, starts and stops keep their order, every restart is
/// counted and explained, and a stop always ends. Code that waits for one thing at a time cannot
/// promise that; a state machine that takes one input after another can, and can be tested.
///
/// The same inputs at the same times with the same seed give the same effects. Spurious and late
/// calls are safe.
///
/// Thread rule: none of its own; one caller at a time. Cost of an input: O(log n) in the number
/// of armed deadlines, O(1) in the number of siblings, unless the strategy itself touches them.
class SupervisorEngine final : public Engine {
 public:
  /// `spec` must have passed `start_order` without a problem.
  SupervisorEngine(SupervisorSpec spec, EngineContext context);
  ~SupervisorEngine() override;

  [[nodiscard]] std::vector<Effect> handle(const Input& what, TimePoint now) override;
  [[nodiscard]] std::optional<TimePoint> next_deadline() const override;
  [[nodiscard]] ChildIndex size() const override;
  [[nodiscard]] std::shared_ptr<const ChildSpec> child_spec(ChildIndex child) const override;
  [[nodiscard]] std::string child_name(ChildIndex child) const override;
  [[nodiscard]] ChildView view(ChildIndex child, TimePoint now) const override;
  [[nodiscard]] std::vector<ChildIndex> take_changed() override;

  /// As it is now, without its children.
  [[nodiscard]] const SupervisorSpec& spec() const;
  [[nodiscard]] ChildPhase phase(ChildIndex child) const;
  [[nodiscard]] Generation generation(ChildIndex child) const;

  /// Child slots touched so far: what tests count instead of time.
  [[nodiscard]] std::uint64_t slots_touched() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::supervisor
