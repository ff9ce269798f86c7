#pragma once

#include "espalier/ipc/wire/describe.hpp"
#include "espalier/ipc/wire/error.hpp"
#include "espalier/supervisor/core/child_state.hpp"
#include "espalier/supervisor/core/event.hpp"
#include "espalier/supervisor/core/spec.hpp"
#include "espalier/supervisor/runtime/tree_result.hpp"

#include <cstddef>
#include <cstdint>

namespace espalier::ipc {

/// Where a node stands, in the words of every reader; `phase` says it more exactly.
enum class Lifecycle : std::uint8_t {
  pending,
  starting,
  running,  ///< Up, and not serving: suspended.
  ready,
  backing_off,
  queued,
  stopping,
  stopped,
  failed,
};

/// What the operator wants of a node.
enum class WireIntent : std::uint8_t { active, stopped, paused, quarantined, removed };

enum class CommandStatus : std::uint8_t {
  completed,  ///< Done, or it was so already, or a dry run that says what would be done.
  accepted,   ///< It goes on; `timeout_ms` was 0.
  rejected,   ///< Refused or failed; `error` says why.
  timed_out,  ///< Not done in time; it goes on. The same command_id later tells its end.
};

/// How dangerous a method is: what a peer must be allowed to.
enum class MethodClass : std::uint8_t { read, write, dangerous };

/// What a followed state sends: all of it each time, or what has changed.
enum class StateMode : std::uint8_t { snapshot, delta };

/// Whose words a log line has.
enum class LogStream : std::uint8_t { out, err, supervisor };

[[nodiscard]] const char* to_string(Lifecycle x);
[[nodiscard]] const char* to_string(WireIntent x);
[[nodiscard]] const char* to_string(CommandStatus x);
[[nodiscard]] const char* to_string(MethodClass x);
[[nodiscard]] const char* to_string(StateMode x);
[[nodiscard]] const char* to_string(LogStream x);  ///< "stdout", "stderr", "supervisor"

[[nodiscard]] Lifecycle lifecycle_of(supervisor::ChildPhase phase);
[[nodiscard]] WireIntent intent_of(supervisor::Intent intent);

namespace sv = espalier::supervisor;

template <>
struct WireWords<Lifecycle> : WordsByToString<Lifecycle, 9> {};
template <>
struct WireWords<WireIntent> : WordsByToString<WireIntent, 5> {};
template <>
struct WireWords<CommandStatus> : WordsByToString<CommandStatus, 4> {};
template <>
struct WireWords<MethodClass> : WordsByToString<MethodClass, 3> {};
template <>
struct WireWords<StateMode> : WordsByToString<StateMode, 2> {};
template <>
struct WireWords<LogStream> : WordsByToString<LogStream, 3> {};
template <>
struct WireWords<ErrorCode> : WordsByToString<ErrorCode, 27> {};
template <>
struct WireWords<Stage> : WordsByToString<Stage, 13> {};
template <>
struct WireWords<sv::ChildPhase> : WordsByToString<sv::ChildPhase, 16> {};
template <>
struct WireWords<sv::ChildKind> : WordsByToString<sv::ChildKind, 7> {};
template <>
struct WireWords<sv::Strategy> : WordsByToString<sv::Strategy, 3> {};
template <>
struct WireWords<sv::SeverityClass> : WordsByToString<sv::SeverityClass, 3> {};
template <>
struct WireWords<sv::WorkRole> : WordsByToString<sv::WorkRole, 5> {};
template <>
struct WireWords<sv::Severity> : WordsByToString<sv::Severity, 4> {};
template <>
struct WireWords<sv::HealthReport::State> {
  static constexpr std::size_t count = 6;
  /// The same words as its `to_string`, which needs the actors; a client has none.
  static const char* word(std::size_t i);
};

}  // namespace espalier::ipc
