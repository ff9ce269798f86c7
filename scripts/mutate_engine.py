#!/usr/bin/env python3
"""Changes one line of the engine at a time and asks whether the core tests notice.

usage: scripts/mutate_engine.py [--only NAME] [--work FOLDER] | --check

Each mutation is applied to a copy of the sources, never to the repository. `killed` means that a
test failed (or that the mutated engine hung past the time limit); `survived` means that nobody
noticed, and that a script is missing. The exit code is the number of survivors. With --check it
only looks whether each text still stands in the sources, once.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORE = "libsupervisor/espalier/supervisor/core"
TESTS = "supervisor_core_test"
SECONDS = 120

# name, file below CORE, text that occurs in it, its replacement.
MUTATIONS = [
    ("window loses its far end", "restart_window.cpp", "> limit.window", ">= limit.window"),
    ("limit allows one more", "restart_window.cpp", "size_ >= limit", "size_ > limit"),
    ("window is never cleared", "restart_window.cpp", "  size_ = 0;", "  (void)size_;"),
    ("back-off begins doubled", "backoff.cpp", "i = 1; i < in_a_row", "i = 0; i < in_a_row"),
    ("back-off has no maximum", "backoff.cpp", "? policy.max : delay * 2",
     "? delay * 2 : delay * 2"),
    ("full jitter starts at half", "backoff.cpp", "between(Duration::zero(), delay)",
     "between(delay, delay)"),
    ("equal jitter starts at zero", "backoff.cpp", "between(delay / 2", "between(delay / 9"),
    ("decorrelated forgets the last delay", "backoff.cpp", "before * 3", "low * 1"),
    ("dependencies are ignored", "engine_start.cpp", "if (!at(d).satisfied) return d;", ""),
    ("dependants are not released", "engine_start.cpp", "  release_dependants(i);\n  start_linked",
     "  start_linked"),
    ("gates are ignored", "engine_start.cpp", "!spec_of(i).gates.empty() && !child.gates_open",
     "false"),
    ("restarts are not admitted", "engine_start.cpp",
     "context_.admission && child.counted_restart", "false && child.counted_restart"),
    ("an admission never ends", "engine_start.cpp", "  end_admission(i);\n  child.satisfied = true;",
     "  child.satisfied = true;"),
    ("a generation is used twice", "engine_start.cpp", "  ++child.generation;",
     "  child.generation += child.generation == 0 ? 1 : 0;"),
    ("no watchdog", "engine_start.cpp",
     "if (policy.watchdog > Duration::zero()) child.alive_until", "if (false) child.alive_until"),
    ("no run time-out", "engine_start.cpp", "if (policy.run_timeout > Duration::zero())",
     "if (false)"),
    ("running is ready", "engine_start.cpp", "if (policy.readiness == Readiness::immediate)",
     "if (true)"),
    ("temporary comes back with its group", "engine_start.cpp", "!= RestartType::temporary",
     "!= RestartType::transient"),
    ("the next start does not wait", "engine_start.cpp", "    sequence_.awaited = i;", ""),
    ("old reports count", "engine_children.cpp", "generation == child.generation &&", ""),
    ("the group's strategy is forgotten", "engine_children.cpp",
     "if (const auto its = groups_[static_cast<std::size_t>(group)].spec.strategy) return *its;",
     ""),
    ("the child's strategy is forgotten", "engine_children.cpp",
     "if (const auto own = spec_of(i).strategy_override) return *own;", ""),
    ("start time-outs are not classified", "engine_timers.cpp",
     "child.forced = ExitKind::timed_out;", ""),
    ("tripped timers are not classified", "engine_timers.cpp", "  child.forced = kind;", ""),
    ("past its grace nothing happens", "engine_timers.cpp",
     "} else if (child.phase == Phase::stopping) {\n        abort_child(i);",
     "} else if (child.phase == Phase::stopping) {"),
    ("health checks never end a child", "engine_timers.cpp",
     "if (in_a_row >= std::max<std::uint32_t>(1, check->retries))", "if (false)"),
    ("a good check does not begin the count anew", "engine_timers.cpp", "in.ok ? 0 :",
     "in.ok ? child.probe->in_a_row :"),
    ("late answers of probes count", "engine_timers.cpp", "|| child.probe->number != number", ""),
    ("start failure does not end the start", "engine_rules.cpp", "StartFailure::abort)",
     "StartFailure::restart)"),
    ("transient comes back after a good end", "restart_rules.cpp", "!d.exit.is_failure())",
     "d.exit.is_failure())"),
    ("a bug is restarted", "restart_rules.cpp", "action = policy.on_fatal_bug", "action = action"),
    ("a configuration error is restarted", "restart_rules.cpp", "action = policy.on_fatal_config",
     "action = action"),
    ("a time-out is restarted", "restart_rules.cpp", "    action = policy.on_timeout;", ""),
    ("failures without a dependency count", "engine_rules.cpp",
     "if (!stays && unready_dependency(i)) {", "if (false) {"),
    ("the child's limit is not consulted", "engine_rules.cpp", "consult_child_limit(i, d) ||", ""),
    ("the group's limit is not consulted", "engine_rules.cpp", "consult_group_limit(i, d) ||", ""),
    ("a held group restarts", "engine_rules.cpp", "RuleCheck check{Rule::group_limit, group.held};",
     "RuleCheck check{Rule::group_limit, false};"),
    ("faults do not flow between groups", "engine_rules.cpp",
     "edge.propagation == Propagation::full", "false"),
    ("budgets are free", "engine_rules.cpp",
     "at = std::max(at, restart_rules::budget(rule, *bucket, now_, d));",
     "static_cast<void>(restart_rules::budget(rule, *bucket, now_, d));"),
    ("a tripped fuse keeps the token", "engine_rules.cpp", "if (stays) refund_budgets(i);", ""),
    ("optional children escalate", "restart_rules.cpp",
     "policy.severity == SeverityClass::optional", "false"),
    ("critical children are quarantined", "restart_rules.cpp",
     "policy.severity == SeverityClass::critical", "false"),
    ("nothing is exempt from back-off", "restart_rules.cpp", "  if (!exempt) {", "  {"),
    ("the back-off does not grow", "restart_rules.cpp", "    ++in_a_row;",
     "    in_a_row = 1;"),
    ("the back-off never begins again", "engine_exit.cpp", "now_ - child.ready_at < after) return;",
     "now_ >= child.ready_at) return;"),
    ("reset_after is a nanosecond late", "engine_exit.cpp", "now_ - child.ready_at < after",
     "now_ - child.ready_at <= after"),
    ("any significant end waits for all", "engine_exit.cpp",
     "if (spec_.auto_shutdown == AutoShutdown::all_significant) {", "{"),
    ("all significant ends at the first", "engine_exit.cpp",
     "if (is_live(phase) || is_waiting(phase) || awaited) return;", ""),
    ("a failed addition stays", "engine_exit.cpp", "    if (child.tentative) {", "    if (false) {"),
    ("the tree is not ended with a nested one", "engine_exit.cpp",
     "in.ends_tree && mode_ != Mode::closing", "false"),
    ("the back-off is not waited for", "engine_exit.cpp", "arm(i, now_ + delay);", "arm(i, now_);"),
    ("a member's end in a group stop is a failure", "engine_exit.cpp",
     "} else if (in_stopping_scope(i)) {", "} else if (false) {"),
    ("RestForOne takes everyone", "engine_scope.cpp", "? 0 : position_[i]", "? 0 : 0"),
    ("OneForAll takes the rest only", "engine_scope.cpp", "? 0 : position_[i]",
     "? position_[i] : position_[i]"),
    ("a group is no wall", "engine_scope.cpp",
     "(group >= 0 && children_[m].group != group)", "false"),
    ("dependents of dependents go on", "engine_scope.cpp",
     "next < members.size() && !dependants_.empty()", "next < 1 && !dependants_.empty()"),
    ("a wider restart does not widen", "engine_scope.cpp",
     "if (under_way) members.insert(members.end(), scope_.members.begin(), scope_.members.end());",
     ""),
    ("a group does not wait for the back-off", "engine_scope.cpp", "if (now_ < scope_.due) {",
     "if (false) {"),
    ("a group is stopped all at once", "engine_scope.cpp",
     "      if (is_live(child.phase)) return;", ""),
    ("brutal_kill is asked first", "engine_scope.cpp", "== StopPolicy::Kind::brutal_kill",
     "== StopPolicy::Kind::infinity"),
    ("no grace is timed", "engine_scope.cpp",
     "if (stop.kind == StopPolicy::Kind::timed) arm(i, now_ + stop.grace);", ""),
    ("an abort is not timed", "engine_scope.cpp", "arm(i, now_ + wait);", ""),
    ("an abandoned child is not held", "engine_scope.cpp", "become(i, Phase::abandoned);",
     "become(i, Phase::idle);"),
    ("a second stop lengthens", "engine_closing.cpp", "until < closing_.drain_until",
     "until != closing_.drain_until"),
    ("a second stop does not shorten", "engine_closing.cpp", "until < closing_.drain_until",
     "false"),
    ("the drain takes the whole total", "engine_closing.cpp",
     "closing_.drain_until = now_ + std::max(Duration::zero(), total - closing_.abort_wait);",
     "closing_.drain_until = now_ + total;"),
    ("restarts are not cancelled by a stop", "engine_closing.cpp",
     'cancel_wait(*p, "the supervisor stops");', "disarm(*p);"),
    ("a straggler is waited for", "engine_closing.cpp",
     "&& !children_[asked_last].straggler", ""),
    ("the stop goes all at once", "engine_closing.cpp",
     "there && is_live(at(asked_last).phase)", "false"),
    ("parallel is one by one", "engine_closing.cpp", "== ShutdownOrder::parallel)",
     "== ShutdownOrder::reverse && false)"),
    ("stragglers are not given up", "engine_closing.cpp",
     "deadlines_.arm(closing_slot, now_ + closing_.abort_wait);", ""),
    ("an aborted child is reported graceful", "engine_closing.cpp",
     "outcome = ChildShutdownOutcome::aborted;", "outcome = ChildShutdownOutcome::graceful;"),
    ("a child that others need is removed", "engine_order.cpp", "if (!used_by.empty()) {",
     "if (false) {"),
    ("a dry run is carried out", "engine_order.cpp",
     'if (ticket.command->dry_run) return would(i, ticket, "be " + word);', ""),
    ("resume keeps the counters", "engine_order.cpp", "    child.window.clear();\n    child.in_a_row",
     "    child.in_a_row"),
    ("suspension goes on with its timers", "engine_order.cpp", "  disarm(i);\n  child.intent",
     "  child.intent"),
    ("reset keeps the counters", "engine_order.cpp", "  child.window.clear();\n  child.in_a_row = 0;\n  child.attempt",
     "  child.in_a_row = 0;\n  child.attempt"),
    ("a child that is brought down is not held", "engine_intent.cpp", "  child.intent = intent;",
     ""),
    ("a stop lets a back-off go on", "engine_intent.cpp",
     'cancel_wait(i, std::string{to_string(intent)} + " by command");', ""),
    ("a restart does not end a hold", "engine_intent.cpp", "  child.held = false;", ""),
    ("a restart lets a back-off go on", "engine_intent.cpp",
     'cancel_wait(i, "restarted by command");\n      [[fallthrough]];', "return;"),
    ("linked sidecars stay up", "engine_intent.cpp", "    bring_down(i, Intent::stopped);", ""),
    ("permissions are not asked", "engine_intent.cpp",
     "const bool granted = restart ? may.restart && wanted_up : may.shutdown;", "const bool granted = true;"),
    ("nothing is superseded", "engine_answer.cpp",
     "kind != newest && (those_for_up || !wants_up(kind))", "false"),
    ("the child limit does not hold", "engine_reload.cpp",
     "count >= *spec_.dynamic.child_limit", "false"),
    ("what is added does not wait for a scope", "engine_reload.cpp",
     "mode_ == Mode::serving && settled) {", "mode_ == Mode::serving) {"),
    ("a reload does not wait", "engine_reload.cpp", "if (settled || ticket.command->dry_run) {",
     "if (true) {"),
    ("what was added goes with a reload", "engine_reload.cpp",
     "if (children_[i].dynamic) dynamic.insert(spec_of(i).name);", ""),
]


def run(command, log, seconds):
    try:
        return subprocess.run(command, stdout=log, stderr=log, timeout=seconds).returncode
    except subprocess.TimeoutExpired:
        return 1


def build(work, log):
    command = ["cmake", "--build", str(work / "build"), "--target", TESTS]
    return run(command, log, 1200) == 0


def verdict(work, mutation, log):
    """killed, survived, or why the mutation says nothing."""
    _, name, old, new = mutation
    path = work / "source" / CORE / name
    original = path.read_text()
    if old not in original:
        return "stale: its text is no longer there"
    path.write_text(original.replace(old, new, 1))
    try:
        if not build(work, log):
            return "stale: does not compile"
        code = run([str(work / "build/tests" / TESTS), "--gtest_fail_fast"], log, SECONDS)
        return "survived" if code == 0 else "killed"
    finally:
        path.write_text(original)


def prepare(work, log):
    skip = shutil.ignore_patterns(".git", "build*")
    shutil.copytree(ROOT, work / "source", ignore=skip, dirs_exist_ok=True)
    configure = ["cmake", "-G", "Ninja", "-S", str(work / "source"), "-B", str(work / "build"),
                 "-DCMAKE_BUILD_TYPE=Debug", "-DESPALIER_WERROR=OFF"]
    if run(configure, log, 300) != 0 or not build(work, log):
        sys.exit(f"the unchanged sources do not build; see {log.name}")
    if run([str(work / "build/tests" / TESTS)], log, SECONDS) != 0:
        sys.exit(f"the unchanged sources fail their tests; see {log.name}")


def misfits():
    """Entries whose text no longer stands in the sources exactly once."""
    for name, file, old, _ in MUTATIONS:
        count = (ROOT / CORE / file).read_text().count(old) if (ROOT / CORE / file).exists() else 0
        if count != 1:
            yield f"{file}: '{old}' of \"{name}\" occurs {count} times"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="mutations whose name contains this")
    parser.add_argument("--work", help="folder for the copy; default: a temporary one")
    parser.add_argument("--check", action="store_true", help="only see whether the list fits")
    options = parser.parse_args()
    if options.check:
        bad = list(misfits())
        print("\n".join(bad) or f"{len(MUTATIONS)} mutations fit")
        return len(bad)
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(options.work or temporary)
        work.mkdir(parents=True, exist_ok=True)
        survivors = 0
        with open(work / "log.txt", "w") as log:
            prepare(work, log)
            for mutation in MUTATIONS:
                if options.only in mutation[0]:
                    result = verdict(work, mutation, log)
                    survivors += result != "killed"
                    print(f"{result:10} {mutation[1]:20} {mutation[0]}", flush=True)
    return survivors


if __name__ == "__main__":
    sys.exit(main())
