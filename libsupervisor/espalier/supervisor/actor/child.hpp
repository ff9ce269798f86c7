#pragma once

#include "espalier/supervisor/actor/attempt.hpp"
#include "espalier/supervisor/actor/tree_services.hpp"
#include "espalier/supervisor/core/engine_io.hpp"
#include "espalier/supervisor/core/spec.hpp"

#include <caf/event_based_actor.hpp>

#include <memory>

namespace espalier::supervisor {

/// One attempt of a child as its supervisor holds it, whatever it is made of. Dropping it ends
/// nothing. Its end comes as ChildExited through the line, or, where `watched` is not 0, as the
/// DOWN of that actor.
///
/// Thread rule: used by the supervisor alone. Nothing blocks.
class Child {
 public:
  Child() = default;
  virtual ~Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  virtual void stop(const effect::StopChild& how) = 0;
  virtual void abort(const effect::AbortChild& how) = 0;
  /// Stops or starts its clock; only children that declare `can_suspend` are asked.
  virtual void suspend(bool /*suspended*/) {}
  /// Nobody waits for it any longer.
  virtual void abandon() {}
  /// Its supervisor dies without having stopped it.
  virtual void supervisor_lost() noexcept = 0;
  [[nodiscard]] virtual caf::actor_id watched() const { return 0; }
};

/// What an adapter needs to begin an attempt.
struct ChildStart {
  caf::event_based_actor* supervisor = nullptr;
  std::shared_ptr<TreeServices> services = {};
  std::shared_ptr<const ChildSpec> spec = {};
  AttemptId id = {};
  Cause cause = {};
};

/// Each throws std::exception when the attempt cannot begin: a failed start.
[[nodiscard]] std::unique_ptr<Child> start_actor_child(ChildStart start);
[[nodiscard]] std::unique_ptr<Child> start_blocking_child(ChildStart start);
[[nodiscard]] std::unique_ptr<Child> start_async_child(ChildStart start);
[[nodiscard]] std::unique_ptr<Child> start_pipeline_child(ChildStart start);
/// A blocking function in a copy of this program.
[[nodiscard]] std::unique_ptr<Child> start_isolated_child(ChildStart start);
[[nodiscard]] std::unique_ptr<Child> start_process_child(ChildStart start);
[[nodiscard]] std::unique_ptr<Child> start_subtree_child(ChildStart start);

}  // namespace espalier::supervisor
