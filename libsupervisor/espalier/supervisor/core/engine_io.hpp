#pragma once

#include "espalier/supervisor/core/command.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/exit_record.hpp"
#include "espalier/supervisor/core/shutdown_report.hpp"
#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace espalier::supervisor {

/// A child of one supervisor: its index in SupervisorSpec::children.
using ChildIndex = std::uint32_t;
/// Names an attempt in the slot of its child; what carries another than the current one is late and
/// changes nothing. In the lower half attempts are numbered from 1, for people; the upper half is
/// another one for each child that gets the slot.
using Generation = std::uint64_t;
/// The number that people know an attempt by.
[[nodiscard]] constexpr std::uint64_t shown(Generation generation) {
  return generation & 0xffff'ffffU;
}
/// Before the first attempt of the child that gets a slot after one that got to `last`.
[[nodiscard]] constexpr Generation next_owner_after(Generation last) {
  return last == 0 ? 0 : ((last >> 32U) + 1) << 32U;
}

/// What an engine is told.
namespace input {
/// Start the tree. Once.
struct Start {
  Cause cause = {};
};
/// Stop everything in order. A second one joins the first; its limit may shorten the total, never
/// lengthen it.
struct Stop {
  std::string cause = {};
  std::optional<Duration> limit = {};
  Cause chain = {};
};
/// End everything now, with no grace; `wait` is how long to wait for it.
struct Abort {
  Duration wait = {};
  Cause chain = {};
};
/// Time has passed; see SupervisorEngine::next_deadline.
struct TimePassed {};
/// The child's code runs.
struct ChildRunning {
  ChildIndex child = 0;
  Generation generation = 0;
  std::optional<std::int64_t> pid = {};
};
/// The child says that it is ready. Ignored for children that need not.
struct ChildReady {
  ChildIndex child = 0;
  Generation generation = 0;
};
/// The child gives a sign of life (watchdog).
struct ChildAlive {
  ChildIndex child = 0;
  Generation generation = 0;
};
/// The child asks for more time, counted from now, for the start or stop it is in, or until its
/// next sign of life.
struct ChildExtend {
  ChildIndex child = 0;
  Generation generation = 0;
  Duration by = {};
};
/// The child tells what it is doing, in its own words.
struct ChildStatus {
  ChildIndex child = 0;
  Generation generation = 0;
  std::string text = {};
};
/// The child is gone, whatever the reason; also the answer to a StartChild that could not be
/// carried out. A supervisor brings the statuses of its own children.
struct ChildExited {
  ChildIndex child = 0;
  Generation generation = 0;
  ExitRecord exit = {};
  Cause cause = {};
  std::vector<ChildShutdownStatus> subtree = {};
  bool ends_tree = false;  ///< A nested supervisor wants the whole tree to end.
};
/// An operator's wish; `command.path` is not read: `child` is the name among the engine's own
/// children, empty where the command is about the supervisor itself. Answered by one Reply.
struct Order {
  std::uint64_t ticket = 0;
  std::string child = {};
  std::shared_ptr<const Command> command = {};
};
/// Why a probe was run; results of an older number are ignored.
enum class ProbePurpose : std::uint8_t { readiness, health, gate };
/// The answer to RunProbe.
struct ProbeResult {
  ChildIndex child = 0;
  ProbePurpose purpose = ProbePurpose::health;
  std::uint64_t number = 0;
  bool ok = false;
  std::string message = {};
};
/// The answer to RequestAdmission, with its number.
struct Admitted {
  ChildIndex child = 0;
  std::uint64_t number = 0;
};
/// What a child may want of its supervisors, if its permissions allow.
enum class Wish : std::uint8_t { restart, shutdown };
struct ChildAsks {
  ChildIndex child = 0;
  Generation generation = 0;
  Wish wish = Wish::restart;
  std::string reason = {};
};
}  // namespace input

using Input = std::variant<input::Start, input::Stop, input::Abort, input::TimePassed,
                           input::ChildRunning, input::ChildReady, input::ChildAlive,
                           input::ChildExtend, input::ChildStatus, input::ChildExited, input::Order,
                           input::ProbeResult, input::Admitted, input::ChildAsks>;

/// What an engine wants done, in this order.
namespace effect {
/// Begin an attempt. Answered by ChildRunning (and ChildReady) or ChildExited.
struct StartChild {
  ChildIndex child = 0;
  Generation generation = 0;
  std::uint64_t attempt = 0;
  Cause cause = {};
};
/// Ask it to stop. `limit` bounds a nested supervisor's own shutdown.
struct StopChild {
  ChildIndex child = 0;
  Generation generation = 0;
  std::optional<Duration> limit = {};
  Cause cause = {};
};
/// End it by force.
struct AbortChild {
  ChildIndex child = 0;
  Generation generation = 0;
  Duration wait = {};
  Cause cause = {};
};
/// Wait for it no longer. It may still report its exit.
struct AbandonChild {
  ChildIndex child = 0;
  Generation generation = 0;
};
/// Stop or start the clock of a running child (SIGSTOP, SIGCONT).
struct SuspendChild {
  ChildIndex child = 0;
  Generation generation = 0;
  bool suspended = true;
};
/// Ask how a child fares; for a gate, whether it is free. Answered by ProbeResult. A later one of
/// the same child and purpose takes its place; CancelProbe ends it.
struct RunProbe {
  ChildIndex child = 0;
  input::ProbePurpose purpose = input::ProbePurpose::health;
  std::uint64_t number = 0;
  std::shared_ptr<const ProbeSpec> probe = {};  ///< Null for gates.
  std::vector<StartGate> gates = {};
};
struct CancelProbe {
  ChildIndex child = 0;
  input::ProbePurpose purpose = input::ProbePurpose::health;
};
/// A restart asks to be let in by the tree. Answered by Admitted; taken back by EndAdmission,
/// which also says that an admitted restart is through (ready, or over).
struct RequestAdmission {
  ChildIndex child = 0;
  std::uint64_t number = 0;
};
struct EndAdmission {
  ChildIndex child = 0;
  std::uint64_t number = 0;
};
/// The answer to an Order.
struct Reply {
  std::uint64_t ticket = 0;
  CommandResult result = {};
};
/// A slot now belongs to a new child of this name; what was kept for an earlier one is void.
struct ChildCreated {
  ChildIndex child = 0;
};
/// A child that may do so asks for the end of the whole tree.
struct EndTree {
  std::string reason = {};
  Cause cause = {};
};
/// Tell observers. The owner adds path, epoch and times.
struct Emit {
  std::optional<ChildIndex> child = {};  ///< Absent: about the supervisor itself.
  Generation generation = 0;
  std::uint64_t attempt = 0;
  std::uint64_t sequence = 0;
  Cause cause = {};
  EventBody body = {};
};
/// The start sequence is through: every child is up, or ended, or waits for its restart or a
/// dependency.
struct TreeUp {};
enum class Result : std::uint8_t { stopped, failed, start_failed };
/// The last effect of an engine: nothing runs any more but what `children` calls abort_failed.
struct Finished {
  Result result = Result::stopped;
  ExitRecord exit = {};                            ///< Why, as the parent supervisor sees it.
  std::vector<ChildShutdownStatus> children = {};  ///< Paths complete.
  Cause cause = {};
  bool ends_tree = false;  ///< The parent is to end as well, up to the root.
};
}  // namespace effect

using Effect = std::variant<effect::StartChild, effect::StopChild, effect::AbortChild,
                            effect::AbandonChild, effect::SuspendChild, effect::RunProbe,
                            effect::CancelProbe, effect::RequestAdmission, effect::EndAdmission,
                            effect::Reply, effect::ChildCreated, effect::EndTree, effect::Emit,
                            effect::TreeUp, effect::Finished>;

}  // namespace espalier::supervisor
