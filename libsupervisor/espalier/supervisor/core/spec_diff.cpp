#include "espalier/supervisor/core/internal/spec_diff.hpp"

#include "espalier/supervisor/core/decision.hpp"

#include <algorithm>

namespace espalier::supervisor::internal {

namespace {

std::string in_words(bool x) {
  return x ? "yes" : "no";
}
std::string in_words(std::uint32_t x) {
  return std::to_string(x);
}
std::string in_words(Duration x) {
  return x == Duration::zero() ? "none" : human(x);
}
std::string in_words(const std::string& x) {
  return x.empty() ? "none" : x;
}
template <class Enum>
requires std::is_enum_v<Enum> std::string in_words(Enum x) {
  return to_string(x);
}
template <class T>
std::string in_words(const std::optional<T>& x) {
  return x ? in_words(*x) : "none";
}

class Notes {
 public:
  template <class T>
  void both(const char* what, const T& now, const T& wanted) {
    if (now == wanted) return;
    found_.push_back(std::string(what) + " " + in_words(now) + " -> " + in_words(wanted));
  }
  template <class T>
  void changed(const char* what, const T& now, const T& wanted) {
    if (!(now == wanted)) found_.push_back(std::string(what) + " changed");
  }
  template <class T>
  void pointee(const char* what, const std::shared_ptr<const T>& now,
               const std::shared_ptr<const T>& wanted) {
    if (now == wanted || (now && wanted && *now == *wanted)) return;
    found_.push_back(std::string(what) + (!now ? " added" : !wanted ? " taken away" : " changed"));
  }
  void limit(const char* what, const std::optional<RestartLimit>& now,
             const std::optional<RestartLimit>& wanted) {
    if (now == wanted) return;
    const bool same_window = now && wanted && now->window == wanted->window;
    const auto text = [&](const std::optional<RestartLimit>& x) {
      if (!x) return std::string("unlimited");
      const auto count = std::to_string(x->max_restarts);
      return same_window ? count : count + " in " + human(x->window);
    };
    found_.push_back(std::string(what) + " " + text(now) + " -> " + text(wanted));
  }
  void note(std::string text) { found_.push_back(std::move(text)); }
  [[nodiscard]] Differences take() { return std::move(found_); }

 private:
  Differences found_ = {};
};

void compare_processes(Notes& notes, const ProcessSpec& now, const ProcessSpec& wanted) {
  notes.changed("command", now.command, wanted.command);
  notes.changed("environment", now.environment, wanted.environment);
  notes.both("clear environment", now.clear_environment, wanted.clear_environment);
  notes.both("cwd", now.cwd, wanted.cwd);
  notes.both("user", now.user, wanted.user);
  notes.both("user group", now.group, wanted.group);
  notes.changed("umask", now.umask, wanted.umask);
  notes.changed("nice", now.nice, wanted.nice);
  notes.changed("resource limits", now.resource_limits, wanted.resource_limits);
  notes.changed("stop signal", now.stop_signal, wanted.stop_signal);
  notes.changed("success exit codes", now.success_exit_codes, wanted.success_exit_codes);
  notes.both("log output", now.log_output, wanted.log_output);
}

void compare_policies(Notes& notes, const ChildPolicy& now, const ChildPolicy& wanted) {
  notes.both("restart", now.restart, wanted.restart);
  notes.limit("restart limit", now.restart_limit, wanted.restart_limit);
  notes.both("on exhausted", now.on_exhausted, wanted.on_exhausted);
  notes.changed("back-off", now.backoff, wanted.backoff);
  notes.changed("readiness", now.readiness, wanted.readiness);
  notes.both("start time-out", now.start_timeout, wanted.start_timeout);
  notes.both("watchdog", now.watchdog, wanted.watchdog);
  notes.both("heartbeat interval", heartbeat_interval(now), heartbeat_interval(wanted));
  notes.both("run time-out", now.run_timeout, wanted.run_timeout);
  notes.changed("graceful time-out", now.stop, wanted.stop);
  notes.changed("on fatal config", now.on_fatal_config, wanted.on_fatal_config);
  notes.changed("on fatal bug", now.on_fatal_bug, wanted.on_fatal_bug);
  notes.changed("on time-out", now.on_timeout, wanted.on_timeout);
  notes.both("severity", now.severity, wanted.severity);
  notes.changed("restart budget", now.budget, wanted.budget);
  notes.both("no back-off for", now.no_backoff_for, wanted.no_backoff_for);
  notes.pointee("readiness probe", now.readiness_probe, wanted.readiness_probe);
  notes.pointee("health check", now.health_check, wanted.health_check);
}

bool same_pool_but_size(const PoolSpec& now, const PoolSpec& wanted) {
  return now.restart_limit == wanted.restart_limit && now.shutdown == wanted.shutdown &&
         made_differently(now.child, wanted.child).empty() &&
         treated_differently(now.child, wanted.child).empty();
}

}  // namespace

Differences made_differently(const ChildSpec& now, const ChildSpec& wanted) {
  Notes notes;
  notes.both("kind", now.kind, wanted.kind);
  if (now.kind != wanted.kind) return notes.take();
  notes.both("factory", now.factory, wanted.factory);
  notes.changed("params", now.params, wanted.params);
  if (now.isolation != wanted.isolation) {
    notes.note(wanted.isolation == Isolation::process ? "isolated in a process now"
                                                      : "on a thread now");
  } else if (now.process && wanted.process) {
    compare_processes(notes, *now.process, *wanted.process);
  } else if (static_cast<bool>(now.process) != static_cast<bool>(wanted.process)) {
    notes.note("process settings changed");
  }
  if (now.pool && wanted.pool && !same_pool_but_size(*now.pool, *wanted.pool)) {
    notes.note("template changed");
  }
  return notes.take();
}

Differences treated_differently(const ChildSpec& now, const ChildSpec& wanted) {
  Notes notes;
  compare_policies(notes, now.policy, wanted.policy);
  notes.changed("dependencies", now.dependencies, wanted.dependencies);
  notes.both("group", now.group, wanted.group);
  notes.changed("tags", now.tags, wanted.tags);
  notes.both("strategy override", now.strategy_override, wanted.strategy_override);
  notes.both("role", now.role, wanted.role);
  notes.changed("sidecar", now.sidecar, wanted.sidecar);
  notes.changed("gates", now.gates, wanted.gates);
  notes.both("significant", now.significant, wanted.significant);
  notes.both("can suspend", now.can_suspend, wanted.can_suspend);
  notes.changed("permissions", now.permissions, wanted.permissions);
  if (now.pool && wanted.pool) {
    notes.both("size", now.pool->size, wanted.pool->size);
    notes.both("min", now.pool->min, wanted.pool->min);
    notes.both("max", now.pool->max, wanted.pool->max);
  }
  return notes.take();
}

Differences settings_differ(const SupervisorSpec& now, const SupervisorSpec& wanted) {
  Notes notes;
  notes.both("strategy", now.strategy, wanted.strategy);
  notes.changed("start failure", now.start_failure, wanted.start_failure);
  notes.limit("restart limit", now.restart_limit, wanted.restart_limit);
  notes.both("escalation policy", now.escalation, wanted.escalation);
  notes.changed("restart budget", now.budget, wanted.budget);
  notes.both("auto shutdown", now.auto_shutdown, wanted.auto_shutdown);
  notes.both("restart dependents only", now.restart_dependents_only,
             wanted.restart_dependents_only);
  notes.both("dynamic children", now.dynamic.enabled, wanted.dynamic.enabled);
  notes.both("child limit", now.dynamic.child_limit, wanted.dynamic.child_limit);
  if (now.dynamic.registry != wanted.dynamic.registry) {
    notes.note("registry of dynamic children changed, from the next start on");
  }
  notes.changed("groups", now.groups, wanted.groups);
  notes.changed("admission", now.admission, wanted.admission);
  notes.both("config version", now.config_version, wanted.config_version);
  notes.changed("shutdown", now.shutdown, wanted.shutdown);
  return notes.take();
}

}  // namespace espalier::supervisor::internal
