#include "espalier/supervisor/config/internal/shared_fields.hpp"

namespace espalier::supervisor::internal {

namespace {

void describe_resource_limits(FieldVisitor& v, ResourceLimits& limits) {
  v.value({"memory", "Largest address space, in bytes or with a unit.", "512MiB"},
          count_value(limits.memory_bytes, true));
  v.value({"cpu", "Seconds of processor time.", "3600"}, count_value(limits.cpu_seconds, false));
  v.value({"open_files", "Open file descriptors.", "1024"}, count_value(limits.open_files, false));
  v.value({"core", "Largest core dump, in bytes or with a unit; 0 for none.", "0"},
          count_value(limits.core_bytes, true));
}

void describe_gate(FieldVisitor& v, StartGate& gate) {
  v.value({"path", "Nobody may listen on this Unix socket.", "/run/web.sock"},
          gate_value(gate, StartGate::Kind::path));
  v.value({"port", "Nobody may listen on this TCP port.", "8080"},
          gate_value(gate, StartGate::Kind::port));
  v.value({"pid_file", "No process of the number in it may live.", "/run/web.pid"},
          gate_value(gate, StartGate::Kind::pid_file));
}

void describe_sidecar(FieldVisitor& v, Sidecar& sidecar) {
  v.value({"primary", "The sibling it accompanies.", "web"}, name_value(sidecar.primary));
  v.value({"linked_lifecycle", "Stop it too when the primary is stopped on purpose or for good."},
          flag_value(sidecar.linked_lifecycle));
}

}  // namespace

void describe_child(FieldVisitor& v, ChildSpec& child) {
  v.value({"name", "Unique among its siblings.", "web"}, name_value(child.name));
  describe_made(v, child);
  v.value({"dependencies", "Siblings that must be ready before this one starts.", "[database]"},
          text_list_value(child.dependencies));
  v.value({"group", "One of the supervisor's groups.", "frontends"}, text_value(child.group));
  v.value({"restart_strategy", "Instead of its group's or supervisor's.", "one_for_all"},
          word_value<Strategy>(child.strategy_override, strategy_words()));
  v.optional(
      {"sidecar", "Binds it to a sibling it accompanies."}, "primary",
      {child.sidecar.has_value(), [&] { child.sidecar.emplace(); }, [&] { child.sidecar.reset(); }},
      [&](FieldVisitor& inner) {
        Sidecar unset;
        describe_sidecar(inner, child.sidecar ? *child.sidecar : unset);
      });
  v.value({"significant", "Its end counts for auto_shutdown of the supervisor."},
          flag_value(child.significant));
}

void describe_made(FieldVisitor& v, ChildSpec& child) {
  v.value({"kind", "May be left out where command, children or pool say it.", "process"},
          word_value<ChildKind>(child.kind, {{ChildKind::actor, "actor"},
                                             {ChildKind::async, "async"},
                                             {ChildKind::blocking, "blocking"},
                                             {ChildKind::process, "process"},
                                             {ChildKind::supervisor, "supervisor"},
                                             {ChildKind::pool, "pool"},
                                             {ChildKind::pipeline, "pipeline"}}));
  v.value({"role", "What it is for; sets its restart, limit, back-off and severity.", "service"},
          word_value<WorkRole>(child.role, {{WorkRole::service, "service"},
                                            {WorkRole::worker, "worker"},
                                            {WorkRole::job, "job"},
                                            {WorkRole::sidecar, "sidecar"},
                                            {WorkRole::supervisor, "supervisor"}}));
  v.value({"tags", "Words to find it by.", "[billing, eu]"}, text_list_value(child.tags));
  v.rows({"gates", "What must be free before it starts, so that an old owner has let go."},
         rows_of<StartGate>(child.gates, describe_gate));
  v.value({"can_suspend", "Pausing stops its clock (SIGSTOP) instead of the process."},
          flag_value(child.can_suspend));
  v.group({"permissions", "What it may ask of its supervisors."}, "", [&](FieldVisitor& inner) {
    inner.value({"restart", "A new attempt of itself."}, flag_value(child.permissions.restart));
    inner.value({"shutdown", "The end of the whole tree."}, flag_value(child.permissions.shutdown));
  });
}

void describe_factory(FieldVisitor& v, ChildSpec& child) {
  v.value(
      {"factory", "Name under which the programme registered the code to run.", "builtin.ticker"},
      text_value(child.factory));
  v.value({"params", "Settings handed to the factory.", "{interval: 1s}"},
          text_map_value(child.params));
  v.value({"isolation", "On a thread of this process, or in a process of its own; blocking only."},
          word_value<Isolation>(child.isolation,
                                {{Isolation::none, "none"}, {Isolation::process, "process"}}));
}

void describe_process(FieldVisitor& v, ProcessSpec& process) {
  v.value({"command", "Programme and arguments; no shell is involved.", "[sleep, infinity]"},
          text_list_value(process.command));
  describe_surroundings(v, process);
  v.value({"stop_signal", "Asks the process to stop; SIGKILL follows after the grace."},
          signal_value(process.stop_signal));
  v.value({"success_exit_codes", "Exit codes that mean the work is complete."},
          code_list_value(process.success_exit_codes));
}

void describe_surroundings(FieldVisitor& v, ProcessSpec& process) {
  v.value({"environment", "Variables added to the inherited ones.",
           "{LANG: C.UTF-8, TOKEN: {secret: {env: TOKEN}}}"},
          environment_value(process));
  v.value({"clear_environment", "Start from an empty environment."},
          flag_value(process.clear_environment));
  v.value({"cwd", "Working directory; inherited when left out.", "/var/empty"},
          text_value(process.cwd));
  v.value({"user", "Name or number; needs root.", "nobody"}, text_value(process.user));
  v.value({"user_group", "Name or number; the user's when left out.", "nogroup"},
          text_value(process.group));
  v.value({"umask", "Permissions taken away from new files, in octal.", "\"022\""},
          umask_value(process.umask));
  v.value({"nice", "Scheduling niceness; below zero needs root.", "5"},
          number_value(process.nice, -20, 19));
  v.group({"resource_limits", "Limits as setrlimit(2) knows them; inherited when left out."}, "",
          [&](FieldVisitor& inner) { describe_resource_limits(inner, process.resource_limits); });
  v.value({"log_output", "Write its output lines to the log; else drop them."},
          flag_value(process.log_output));
}

void describe_pool(FieldVisitor& v, PoolSpec& pool) {
  constexpr std::int64_t most = 1'000'000;
  v.value({"size", "How many to begin with; min when left out."}, number_value(pool.size, 0, most));
  v.value({"min", "It is never made smaller."}, number_value(pool.min, 0, most));
  v.value({"max", "It is never made larger."}, number_value(pool.max, 0, most));
  v.group({"restart_limit", "Past it the whole pool ends as failed."}, "max_restarts",
          [&](FieldVisitor& inner) { describe_limit(inner, pool.restart_limit); });
}

}  // namespace espalier::supervisor::internal
