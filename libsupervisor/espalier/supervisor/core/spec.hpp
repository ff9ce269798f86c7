#pragma once

#include "espalier/supervisor/core/exit_record.hpp"
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
///   actor       a CAF behaviour
///   async       a coroutine on the shared I/O pool
///   blocking    a function on a thread of its own, or in a process of its own (`Isolation`)
///   process     a command line
///   supervisor  a nested tree
///   pool        identical children, started and stopped at run time
enum class ChildKind : std::uint8_t {
  actor,
  async,
  blocking,
  process,
  supervisor,
  pool,
  pipeline,
};

/// Where a blocking function runs: on a thread of this process, or in a copy of this program,
/// where a bad pointer ends nothing but itself.
enum class Isolation : std::uint8_t { none, process };

/// What a child is for; names a pack of defaults, see work_role.hpp.
enum class WorkRole : std::uint8_t { service, worker, job, sidecar, supervisor };

/// How much a child's failure matters. `critical`: a used-up limit always escalates. `optional`:
/// it never does (the child is quarantined instead), and the tree is healthy without it.
enum class SeverityClass : std::uint8_t { critical, standard, optional };

/// When a supervisor ends, normally, because its significant children have.
enum class AutoShutdown : std::uint8_t { never, any_significant, all_significant };

/// What a supervisor does whose restart limit is used up: end as failed and let the parent
/// decide; end the whole tree; or quarantine the child and those it would have restarted.
enum class EscalationPolicy : std::uint8_t { escalate_to_parent, shutdown_tree, quarantine_scope };

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

/// When a child counts as ready: once it runs, once it says so, or once its probe succeeds.
enum class Readiness : std::uint8_t { immediate, explicit_report, probe };

/// What a failure that a restart cannot mend (a configuration error, a bug) does.
enum class FatalAction : std::uint8_t { restart, leave_stopped, escalate };

/// Whether children stop one after another in reverse start order, or all at once.
enum class ShutdownOrder : std::uint8_t { reverse, parallel };

/// At most `max_restarts` restarts within `window`; the next failure trips. Both ends of the
/// window belong to it (as in OTP): a restart exactly one window ago still counts.
struct RestartLimit {
  std::uint32_t max_restarts = 5;
  Duration window = std::chrono::seconds{60};
  bool operator==(const RestartLimit&) const = default;
};

/// Delay before the k-th restart in a row: initial * 2^(k-1), at most max, spread by jitter.
/// k begins again at 1 once an attempt has run for `reset_after`.
struct Backoff {
  Duration initial = std::chrono::milliseconds{100};
  Duration max = std::chrono::seconds{5};
  Jitter jitter = Jitter::full;
  Duration reset_after = std::chrono::seconds{30};
  bool operator==(const Backoff&) const = default;
};

/// Restarts as tokens: `max_burst` at once, then `recovery_rate_per_sec`. A restart without a token
/// is queued until there is one; none is lost.
struct RestartBudget {
  double max_burst = 10;
  double recovery_rate_per_sec = 0.5;
  bool operator==(const RestartBudget&) const = default;
};

/// Asks from outside how a child fares.
struct ProbeSpec {
  enum class Kind : std::uint8_t {
    exec,      ///< A command that ends with 0.
    tcp,       ///< A connection to host:port, or to a Unix socket.
    http,      ///< GET with a status of 200 to 399, over either.
    function,  ///< A registered function that returns true.
  };
  Kind kind = Kind::exec;
  std::vector<std::string> command = {};
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string socket = {};  ///< Path of a Unix socket; instead of host and port.
  std::string path = "/";   ///< Of the HTTP request.
  std::string function = {};
  Duration initial_delay = Duration::zero();
  Duration interval = std::chrono::seconds{10};
  Duration timeout = std::chrono::seconds{5};
  std::uint32_t retries = 3;  ///< Failures in a row that make a child unhealthy.
  bool operator==(const ProbeSpec&) const = default;
};

/// Something that must be free before a child starts, so that an old owner has let go.
struct StartGate {
  enum class Kind : std::uint8_t {
    path,      ///< Nobody listens on this Unix socket.
    port,      ///< Nobody listens on this TCP port.
    pid_file,  ///< No process of that number lives, or there is no such file.
  };
  Kind kind = Kind::path;
  std::string value = {};
  bool operator==(const StartGate&) const = default;
};

/// How long a child may take to stop before it is aborted.
struct StopPolicy {
  enum class Kind : std::uint8_t { timed, brutal_kill, infinity };
  Kind kind = Kind::timed;
  Duration grace = std::chrono::seconds{5};  ///< Used when `kind` is timed.
  bool operator==(const StopPolicy&) const = default;
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
  /// A child whose last sign of life is older than this is unhealthy; zero: it need give none.
  Duration watchdog = Duration::zero();
  /// How often it is to give one, as it is told; zero: a third of `watchdog`.
  Duration heartbeat_interval = Duration::zero();
  Duration run_timeout = Duration::zero();  ///< From ready to the end of the attempt; zero: none.
  StopPolicy stop = {};
  FatalAction on_fatal_config = FatalAction::leave_stopped;
  FatalAction on_fatal_bug = FatalAction::escalate;
  FatalAction on_timeout = FatalAction::restart;
  SeverityClass severity = SeverityClass::standard;
  std::optional<RestartBudget> budget = {};
  /// A failure of this category is restarted without back-off; none: no such category.
  FailureCategory no_backoff_for = FailureCategory::none;
  std::shared_ptr<const ProbeSpec> readiness_probe = {};  ///< For Readiness::probe.
  std::shared_ptr<const ProbeSpec> health_check = {};     ///< While it runs.
};

/// Limits of one process, as setrlimit(2) knows them. Absent: inherited.
struct ResourceLimits {
  std::optional<std::uint64_t> memory_bytes = {};  ///< RLIMIT_AS
  std::optional<std::uint64_t> cpu_seconds = {};   ///< RLIMIT_CPU
  std::optional<std::uint64_t> open_files = {};    ///< RLIMIT_NOFILE
  std::optional<std::uint64_t> core_bytes = {};    ///< RLIMIT_CORE
  bool operator==(const ResourceLimits&) const = default;
};

/// Where a value was taken from that is shown nowhere.
struct SecretSource {
  enum class Kind : std::uint8_t { env, file };
  Kind kind = Kind::env;
  std::string name = {};  ///< Of the variable, or path of the file.
  bool operator==(const SecretSource&) const = default;
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
  /// Variables of `environment` whose values are shown nowhere, and where those came from.
  std::map<std::string, SecretSource> secrets = {};
  bool operator==(const ProcessSpec&) const = default;
};

/// Where in a file something was written; line and column count from 1, 0 is unknown.
struct SourcePosition {
  std::string file = {};
  int line = 0;
  int column = 0;
};

struct SupervisorSpec;

/// Binds a child to a sibling it accompanies.
struct Sidecar {
  std::string primary = {};
  /// When an operator stops, pauses, quarantines or removes the primary, or it ends for good, the
  /// sidecar is stopped too, and comes back with it. A failure of either is its own.
  bool linked_lifecycle = false;
  bool operator==(const Sidecar&) const = default;
};

/// What a child may ask of its supervisors.
struct ChildPermissions {
  bool restart = false;   ///< A new attempt of itself.
  bool shutdown = false;  ///< The end of the whole tree.
  bool operator==(const ChildPermissions&) const = default;
};

struct PoolSpec;

/// One child: a name unique among its siblings, what it is, and its policy.
struct ChildSpec {
  std::string name = {};
  ChildKind kind = ChildKind::actor;
  ChildPolicy policy = {};
  std::vector<std::string> dependencies = {};  ///< Siblings that must be ready before it starts.
  std::string factory = {};                    ///< For `actor`, `async` and `blocking`.
  std::map<std::string, std::string> params = {};         ///< Handed to the factory.
  Isolation isolation = Isolation::none;                  ///< For `blocking`.
  std::shared_ptr<const ProcessSpec> process = {};        ///< For `process`, and when isolated.
  std::shared_ptr<const SupervisorSpec> supervisor = {};  ///< For `supervisor`.
  std::shared_ptr<const PoolSpec> pool = {};              ///< For `pool`.
  std::string group = {};                          ///< One of the supervisor's groups; empty: none.
  std::vector<std::string> tags = {};              ///< For whoever looks: state, filters, metrics.
  std::optional<Strategy> strategy_override = {};  ///< Instead of its group's or supervisor's.
  std::optional<WorkRole> role = {};               ///< Where its defaults came from.
  std::optional<Sidecar> sidecar = {};
  std::vector<StartGate> gates = {};
  bool significant = false;
  bool can_suspend = false;  ///< A pause stops the clock of a process (SIGSTOP), not the process.
  ChildPermissions permissions = {};
  SourcePosition position = {};
};

/// How a supervisor ends its children. A child past its grace becomes a straggler; stragglers are
/// aborted together and share one `abort_wait`. The whole takes at most `total_timeout`.
struct ShutdownSpec {
  ShutdownOrder order = ShutdownOrder::reverse;
  Duration abort_wait = std::chrono::seconds{1};
  Duration total_timeout = std::chrono::seconds{30};
  bool operator==(const ShutdownSpec&) const = default;
};

/// A pool: any number of children made from one template, named by number, without an order among
/// them. `scale_pool` moves between `min` and `max`.
struct PoolSpec {
  ChildSpec child = {};    ///< The template; its name is not used.
  std::uint32_t size = 0;  ///< To begin with; at least `min`.
  std::uint32_t min = 0;
  std::uint32_t max = 1'000'000;
  std::optional<RestartLimit> restart_limit = RestartLimit{10, std::chrono::seconds{60}};
  ShutdownSpec shutdown = {};  ///< `order` is not used: a pool stops all at once.
};

/// What a tripped group fuse does to a group that depends on the tripped one.
enum class Propagation : std::uint8_t { none, escalate_only, full };

/// Siblings that share a strategy, a fuse and a budget. Past its fuse no member is restarted until
/// the group is reset; running members go on.
struct GroupSpec {
  struct Dependency {
    std::string group = {};
    /// full: held when that one is; escalate_only: told of it in an event.
    Propagation propagation = Propagation::full;
    bool operator==(const Dependency&) const = default;
  };
  std::string name = {};
  std::optional<Strategy> strategy = {};
  std::optional<RestartLimit> restart_limit = {};  ///< The fuse; absent: none.
  std::optional<RestartBudget> budget = {};
  std::vector<Dependency> depends_on = {};
  bool operator==(const GroupSpec&) const = default;
};

/// Adding and removing children at run time.
struct DynamicSpec {
  bool enabled = true;
  std::optional<std::uint32_t> child_limit = {};  ///< Of all children; absent: none.
  /// Of the root: the file that keeps added children over a restart of the program; empty: none.
  std::string registry = {};
  bool operator==(const DynamicSpec&) const = default;
};

/// Restarts of a whole tree, so that many failures at once do not become a stampede.
struct AdmissionSpec {
  std::uint32_t max_concurrent_starts = 0;  ///< Restarts between start and ready; 0: no bound.
  double restarts_per_second = 0;           ///< 0: no bound.
  double burst = 1;
  bool operator==(const AdmissionSpec&) const = default;
};

/// One supervisor and its children, in declaration order.
struct SupervisorSpec {
  std::string name = "root";
  Strategy strategy = Strategy::one_for_one;
  StartFailure start_failure = StartFailure::abort;
  /// Past it the supervisor stops its children and ends as failed. Absent: never.
  std::optional<RestartLimit> restart_limit = RestartLimit{10, std::chrono::seconds{60}};
  EscalationPolicy escalation = EscalationPolicy::escalate_to_parent;
  std::optional<RestartBudget> budget = {};
  AutoShutdown auto_shutdown = AutoShutdown::never;
  /// With rest_for_one: restart those that depend on the child, directly or not, instead of all
  /// that were started after it.
  bool restart_dependents_only = false;
  DynamicSpec dynamic = {};
  std::vector<GroupSpec> groups = {};
  std::optional<AdmissionSpec> admission = {};  ///< Of the root: holds for the whole tree.
  std::string config_version = {};              ///< Of the root: shown in its state and in plans.
  ShutdownSpec shutdown = {};
  std::vector<ChildSpec> children = {};
};

/// How often a child is to give a sign of life; zero: not at all.
[[nodiscard]] Duration heartbeat_interval(const ChildPolicy& policy);

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
[[nodiscard]] const char* to_string(WorkRole x);
[[nodiscard]] const char* to_string(SeverityClass x);
[[nodiscard]] const char* to_string(AutoShutdown x);
[[nodiscard]] const char* to_string(EscalationPolicy x);
[[nodiscard]] const char* to_string(ProbeSpec::Kind x);
[[nodiscard]] const char* to_string(StartGate::Kind x);
[[nodiscard]] const char* to_string(Propagation x);

}  // namespace espalier::supervisor
