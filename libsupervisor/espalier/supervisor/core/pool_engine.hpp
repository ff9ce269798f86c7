#pragma once

#include "espalier/supervisor/core/engine.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier::supervisor {

/// Decides what one pool does next: any number of identical children, started and stopped while
/// it runs.
///
/// The problem: thousands of short or long lives a second, none of which may cost more because
/// there are many others. So instances have no order among them, share one spec and one policy,
/// and are named by number; a number is never used again, the slot of a forgotten instance is.
///
/// Promises: those of SupervisorEngine (one live attempt an instance, late reports change nothing,
/// every restart counted and explained, a stop always ends), and:
///   - each Order is answered by exactly one Reply, once it is done, undone or refused;
///   - a temporary instance that ended and a transient one that completed are forgotten;
///   - what an add_child could not start is forgotten; other failures follow the template's policy;
///   - every instance that is not on its way out counts against `max`, whatever it is doing;
///   - scaling down removes the newest; a stop asks all at once, each within its own grace.
///
/// Thread rule: none of its own; one caller at a time. Cost: O(log n) in the armed deadlines per
/// input and per instance started or removed, nothing else grows with their number but a stop and
/// its report. About 200 bytes for an idle instance; slots are kept for the next ones.
class PoolEngine final : public Engine {
 public:
  PoolEngine(const PoolSpec& spec, EngineContext context);
  ~PoolEngine() override;

  [[nodiscard]] std::vector<Effect> handle(const Input& what, TimePoint now) override;
  [[nodiscard]] std::optional<TimePoint> next_deadline() const override;
  [[nodiscard]] ChildIndex size() const override;
  /// The same for all: the template.
  [[nodiscard]] std::shared_ptr<const ChildSpec> child_spec(ChildIndex child) const override;
  [[nodiscard]] std::string child_name(ChildIndex child) const override;
  [[nodiscard]] ChildView view(ChildIndex child, TimePoint now) const override;
  [[nodiscard]] std::vector<ChildIndex> take_changed() override;

  /// Those that are not on their way out.
  [[nodiscard]] std::size_t instances() const;
  /// Orders accepted and not answered yet.
  [[nodiscard]] std::size_t pending_orders() const;
  /// Deadlines armed.
  [[nodiscard]] std::size_t pending_deadlines() const;
  /// Instance slots touched so far: what tests count instead of time.
  [[nodiscard]] std::uint64_t slots_touched() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace espalier::supervisor
