#pragma once

#include "espalier/supervisor/core/time.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier::supervisor {

/// Which siblings share the fate of a child that exits: none, all, those started after it.
enum class Strategy : std::uint8_t { one_for_one, one_for_all, rest_for_one };

/// When a child that ended by itself comes back: always; unless it completed; never.
enum class RestartType : std::uint8_t { permanent, transient, temporary };

/// What a child is made of.
enum class ChildKind : std::uint8_t { actor, blocking, process, supervisor };

/// What happens to a child that used up its restart limit: its supervisor gives up, the child is
/// kept from further restarts until an operator resumes it, or it stays stopped.
enum class OnExhausted : std::uint8_t { escalate, quarantine, stop };

/// What a failure during the first start of a supervisor does: the start fails and what had been
/// started is stopped again, or it is treated like any later failure.
enum class StartFailure : std::uint8_t { abort, restart };

/// How a back-off delay is spread. The result never exceeds Backoff::max.
///   none          the delay itself
///   full          uniform in [0, delay]
///   equal         uniform in [delay / 2, delay]
///   decorrelated  uniform in [initial, 3 * previous delay]
enum class Jitter : std::uint8_t { none, full, equal, decorrelated };

/// When a child counts as ready: once it runs, or once it says so.
enum class Readiness : std::uint8_t { immediate, explicit_report };

/// What a failure that a restart cannot mend (a configuration error, a bug) does.
enum class FatalAction : std::uint8_t { restart, leave_stopped, escalate };

/// Whether children stop one after another in reverse start order, or all at once.
enum class ShutdownOrder : std::uint8_t { reverse, parallel };

/// At most `max_restarts` restarts within `window`; the next failure trips. Both ends of the
/// window belong to it (as in OTP): a restart exactly one window ago still counts.
struct RestartLimit {
  std::uint32_t max_restarts = 5;
  Duration window = std::chrono::seconds{60};
};

/// Delay before the k-th restart in a row: initial * 2^(k-1), at most max, spread by jitter.
/// k begins again at 1 once an attempt has run for `reset_after`.
struct Backoff {
  Duration initial = std::chrono::milliseconds{100};
  Duration max = std::chrono::seconds{5};
  Jitter jitter = Jitter::full;
  Duration reset_after = std::chrono::seconds{30};
};

/// How long a child may take to stop before it is aborted.
struct StopPolicy {
  enum class Kind : std::uint8_t { timed, brutal_kill, infinity };
  Kind kind = Kind::timed;
  Duration grace = std::chrono::seconds{5};  ///< Used when `kind` is timed.
};

/// Everything the engine needs to know of a child. Defaults are those of a `policy` section.
struct ChildPolicy {
  RestartType restart = RestartType::permanent;
  /// Absent: the child has no limit of its own; its supervisor's still holds.
  std::optional<RestartLimit> restart_limit = RestartLimit{};
  OnExhausted on_exhausted = OnExhausted::quarantine;
  Backoff backoff = {};
  Readiness readiness = Readiness::immediate;
  Duration start_timeout = std::chrono::seconds{30};  ///< From start to ready; zero: unbounded.
  /// A child that reports signs of life must do so this often; zero: it need not.
  Duration watchdog = Duration::zero();
  StopPolicy stop = {};
  FatalAction on_fatal_config = FatalAction::leave_stopped;
  FatalAction on_fatal_bug = FatalAction::escalate;
};

/// Limits of one process, as setrlimit(2) knows them. Absent: inherited.
struct ResourceLimits {
  std::optional<std::uint64_t> memory_bytes = {};  ///< RLIMIT_AS
  std::optional<std::uint64_t> cpu_seconds = {};   ///< RLIMIT_CPU
  std::optional<std::uint64_t> open_files = {};    ///< RLIMIT_NOFILE
  std::optional<std::uint64_t> core_bytes = {};    ///< RLIMIT_CORE
};

/// A command line and the world it runs in.
struct ProcessSpec {
  std::vector<std::string> command = {};                ///< argv; argv[0] is looked up in PATH.
  std::map<std::string, std::string> environment = {};  ///< Added to the inherited one.
  bool clear_environment = false;
  std::string cwd = {};    ///< Empty: inherited.
  std::string user = {};   ///< Name or number; empty: inherited. Needs root.
  std::string group = {};  ///< Name or number; empty: the user's.
  std::optional<std::uint32_t> umask = {};
  std::optional<int> nice = {};
  ResourceLimits resource_limits = {};
  int stop_signal = 15;
  std::vector<int> success_exit_codes = {0};
  bool log_output = true;  ///< Lines of stdout and stderr go into the log; else to /dev/null.
};

/// Where in a file something was written; line and column count from 1, 0 is unknown.
struct SourcePosition {
  std::string file = {};
  int line = 0;
  int column = 0;
};

struct SupervisorSpec;

/// One child: a name unique among its siblings, what it is, and its policy.
struct ChildSpec {
  std::string name = {};
  ChildKind kind = ChildKind::actor;
  ChildPolicy policy = {};
  std::vector<std::string> dependencies = {};  ///< Siblings that must be ready before it starts.
  std::string factory = {};                    ///< For `actor` and `blocking`.
  std::map<std::string, std::string> params = {};         ///< Handed to the factory.
  std::shared_ptr<const ProcessSpec> process = {};        ///< For `process`.
  std::shared_ptr<const SupervisorSpec> supervisor = {};  ///< For `supervisor`.
  SourcePosition position = {};
};

/// How a supervisor ends its children. A child past its grace becomes a straggler; stragglers are
/// aborted together and share one `abort_wait`. The whole takes at most `total_timeout`.
struct ShutdownSpec {
  ShutdownOrder order = ShutdownOrder::reverse;
  Duration abort_wait = std::chrono::seconds{1};
  Duration total_timeout = std::chrono::seconds{30};
};

/// One supervisor and its children, in declaration order.
struct SupervisorSpec {
  std::string name = "root";
  Strategy strategy = Strategy::one_for_one;
  StartFailure start_failure = StartFailure::abort;
  /// Past it the supervisor stops its children and ends as failed. Absent: never.
  std::optional<RestartLimit> restart_limit = RestartLimit{10, std::chrono::seconds{60}};
  ShutdownSpec shutdown = {};
  std::vector<ChildSpec> children = {};
};

/// True for `[A-Za-z_][A-Za-z0-9_.-]*`.
[[nodiscard]] bool is_valid_name(const std::string& name);

/// Joins a supervisor's path and a child's name: "/" + "db" is "/db".
[[nodiscard]] std::string join_path(const std::string& parent, const std::string& name);

/// Indices of `spec.children` in start order: declaration order, moved only where a dependency
/// is declared later. On a cycle or an unknown name the result is the sentence that says which.
struct StartOrder {
  std::vector<std::size_t> order = {};
  std::string problem = {};
};
[[nodiscard]] StartOrder start_order(const SupervisorSpec& spec);

[[nodiscard]] const char* to_string(Strategy x);
[[nodiscard]] const char* to_string(RestartType x);
[[nodiscard]] const char* to_string(ChildKind x);
[[nodiscard]] const char* to_string(OnExhausted x);

}  // namespace espalier::supervisor
