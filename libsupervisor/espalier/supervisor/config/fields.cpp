#include "espalier/supervisor/config/internal/fields.hpp"

namespace espalier::supervisor::internal {

namespace {

const Words<FatalAction>& fatal_words() {
  static const Words<FatalAction> words{{FatalAction::restart, "restart"},
                                        {FatalAction::leave_stopped, "leave_stopped"},
                                        {FatalAction::escalate, "escalate"}};
  return words;
}

void describe_limit(FieldVisitor& v, std::optional<RestartLimit>& limit) {
  v.value({"max_restarts", "Restarts allowed within the window; one more trips the limit."},
          max_restarts_value(limit));
  v.value({"window", "The span over which restarts are counted."}, window_value(limit));
}

void describe_backoff(FieldVisitor& v, Backoff& backoff) {
  v.value({"initial", "Delay before the first restart in a row; each further one doubles it."},
          duration_value(backoff.initial, Zero::refused));
  v.value({"max", "No delay is longer than this."}, duration_value(backoff.max, Zero::refused));
  v.value({"jitter", "How delays are spread, so that children do not come back in step."},
          word_value<Jitter>(backoff.jitter, {{Jitter::none, "none"},
                                              {Jitter::full, "full"},
                                              {Jitter::equal, "equal"},
                                              {Jitter::decorrelated, "decorrelated"}}));
  v.value({"reset_after", "A child that ran this long begins again with the initial delay."},
          duration_value(backoff.reset_after, Zero::allowed));
}

void describe_resource_limits(FieldVisitor& v, ResourceLimits& limits) {
  v.value({"memory", "Largest address space, in bytes or with a unit.", "512MiB"},
          count_value(limits.memory_bytes, true));
  v.value({"cpu", "Seconds of processor time.", "3600"}, count_value(limits.cpu_seconds, false));
  v.value({"open_files", "Open file descriptors.", "1024"}, count_value(limits.open_files, false));
  v.value({"core", "Largest core dump, in bytes or with a unit; 0 for none.", "0"},
          count_value(limits.core_bytes, true));
}

}  // namespace

void describe_supervisor(FieldVisitor& v, SupervisorSpec& spec) {
  v.value({"name", "Shown wherever the tree is shown."}, name_value(spec.name));
  describe_nested_supervisor(v, spec);
}

void describe_nested_supervisor(FieldVisitor& v, SupervisorSpec& spec) {
  v.value({"strategy", "Who restarts with a child that exits: itself, all, or those after it."},
          word_value<Strategy>(spec.strategy, {{Strategy::one_for_one, "one_for_one"},
                                               {Strategy::one_for_all, "one_for_all"},
                                               {Strategy::rest_for_one, "rest_for_one"}}));
  v.value({"start_failure", "A failure in the first start ends the start, or is retried."},
          word_value<StartFailure>(spec.start_failure, {{StartFailure::abort, "abort"},
                                                        {StartFailure::restart, "restart"}}));
  v.group({"restart_limit", "Past it the supervisor stops its children and ends as failed."},
          "max_restarts", [&](FieldVisitor& inner) { describe_limit(inner, spec.restart_limit); });
}

void describe_policy(FieldVisitor& v, ChildPolicy& policy) {
  v.value({"restart", "Restart always, unless the child completed, or never."},
          word_value<RestartType>(policy.restart, {{RestartType::permanent, "permanent"},
                                                   {RestartType::transient, "transient"},
                                                   {RestartType::temporary, "temporary"}}));
  v.group(
      {"child_restart_limit", "The limit of one child by itself."}, "max_restarts",
      [&](FieldVisitor& inner) {
        describe_limit(inner, policy.restart_limit);
        inner.value(
            {"on_exhausted",
             "Past it: its supervisor gives up, the child waits for an operator, or it stays "
             "stopped."},
            word_value<OnExhausted>(policy.on_exhausted, {{OnExhausted::escalate, "escalate"},
                                                          {OnExhausted::quarantine, "quarantine"},
                                                          {OnExhausted::stop, "stop"}}));
      });
  v.group({"backoff", "Delays between restarts."}, "",
          [&](FieldVisitor& inner) { describe_backoff(inner, policy.backoff); });
  v.group({"readiness", "When a child counts as started."}, "mode", [&](FieldVisitor& inner) {
    inner.value(
        {"mode", "Once it runs, or once it says so."},
        word_value<Readiness>(policy.readiness, {{Readiness::immediate, "immediate"},
                                                 {Readiness::explicit_report, "explicit"}}));
  });
  v.value({"start_timeout", "Longest time from start to ready; 0s for no bound."},
          duration_value(policy.start_timeout, Zero::allowed));
  v.value({"watchdog", "A child must report a sign of life this often; 0s: it need not."},
          duration_value(policy.watchdog, Zero::allowed));
  v.value({"graceful_timeout", "How long a child may take to stop before it is killed."},
          stop_value(policy.stop));
  v.value({"on_fatal_config", "After an exit that says the configuration is wrong."},
          word_value<FatalAction>(policy.on_fatal_config, fatal_words()));
  v.value({"on_fatal_bug", "After an exit that says the programme is wrong."},
          word_value<FatalAction>(policy.on_fatal_bug, fatal_words()));
}

void describe_shutdown(FieldVisitor& v, ShutdownSpec& spec, StopPolicy* grace) {
  v.value({"order", "Children stop one after another, last started first, or all at once."},
          word_value<ShutdownOrder>(spec.order, {{ShutdownOrder::reverse, "reverse"},
                                                 {ShutdownOrder::parallel, "parallel"}}));
  if (grace != nullptr) {
    v.value({"graceful_timeout", "Default of policy.graceful_timeout."}, stop_value(*grace));
  }
  v.value({"abort_wait", "How long killed children may take to be gone."},
          duration_value(spec.abort_wait, Zero::refused));
  v.value({"total_timeout", "The whole shutdown takes no longer than this."},
          duration_value(spec.total_timeout, Zero::refused));
}

void describe_observability(FieldVisitor& v, ObservabilitySpec& spec) {
  v.group({"journal", "Events kept in memory for whoever asks."}, "capacity",
          [&](FieldVisitor& inner) {
            inner.value({"capacity", "How many; the oldest make room."},
                        number_value(spec.journal_capacity, 1, 10'000'000));
          });
  v.group({"logs", "What goes to the log."}, "", [&](FieldVisitor& inner) {
    inner.value(
        {"level", "Quieter events are left out."},
        word_value<std::string>(
            spec.log_level,
            {{"debug", "debug"}, {"info", "info"}, {"warning", "warning"}, {"error", "error"}}));
    inner.value({"format", "Auto: text on a terminal, else one JSON object a line."},
                word_value<std::string>(spec.log_format,
                                        {{"auto", "auto"}, {"text", "text"}, {"json", "json"}}));
  });
}

void describe_child(FieldVisitor& v, ChildSpec& child) {
  v.value({"name", "Unique among its siblings.", "web"}, name_value(child.name));
  v.value({"kind", "May be left out where command or children say it.", "process"},
          word_value<ChildKind>(child.kind, {{ChildKind::actor, "actor"},
                                             {ChildKind::blocking, "blocking"},
                                             {ChildKind::process, "process"},
                                             {ChildKind::supervisor, "supervisor"}}));
  v.value({"dependencies", "Siblings that must be ready before this one starts.", "[database]"},
          text_list_value(child.dependencies));
}

void describe_factory(FieldVisitor& v, ChildSpec& child) {
  v.value(
      {"factory", "Name under which the programme registered the code to run.", "builtin.ticker"},
      text_value(child.factory));
  v.value({"params", "Settings handed to the factory.", "{interval: 1s}"},
          text_map_value(child.params));
}

void describe_process(FieldVisitor& v, ProcessSpec& process) {
  v.value({"command", "Programme and arguments; no shell is involved.", "[sleep, infinity]"},
          text_list_value(process.command));
  v.value({"environment", "Variables added to the inherited ones.", "{LANG: C.UTF-8}"},
          text_map_value(process.environment));
  v.value({"clear_environment", "Start from an empty environment."},
          flag_value(process.clear_environment));
  v.value({"cwd", "Working directory; inherited when left out.", "/var/empty"},
          text_value(process.cwd));
  v.value({"user", "Name or number; needs root.", "nobody"}, text_value(process.user));
  v.value({"group", "Name or number; the user's when left out.", "nogroup"},
          text_value(process.group));
  v.value({"umask", "Permissions taken away from new files, in octal.", "\"022\""},
          umask_value(process.umask));
  v.value({"nice", "Scheduling niceness; below zero needs root.", "5"},
          number_value(process.nice, -20, 19));
  v.group({"resource_limits", "Limits as setrlimit(2) knows them; inherited when left out."}, "",
          [&](FieldVisitor& inner) { describe_resource_limits(inner, process.resource_limits); });
  v.value({"stop_signal", "Asks the process to stop; SIGKILL follows after the grace."},
          signal_value(process.stop_signal));
  v.value({"success_exit_codes", "Exit codes that mean the work is complete."},
          code_list_value(process.success_exit_codes));
  v.value({"log_output", "Write its output lines to the log; else drop them."},
          flag_value(process.log_output));
}

}  // namespace espalier::supervisor::internal
