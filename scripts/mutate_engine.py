#!/usr/bin/env python3
"""Changes one line of the engine at a time and asks whether the core tests notice.

usage: scripts/mutate_engine.py [--only NAME] [--work FOLDER]

Each mutation is applied to a copy of the sources, never to the repository. `killed` means that a
test failed (or that the mutated engine hung past the time limit); `survived` means that nobody
noticed, and that a script is missing. The exit code is the number of survivors.
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
    ("dependencies are ignored", "engine_start.cpp", "if (!dependencies_satisfied(i)) {",
     "if (false) {"),
    ("dependants are not released", "engine_start.cpp", "  release_dependants(i, now);", ""),
    ("a generation is used twice", "engine_start.cpp", "  ++child.generation;",
     "  child.generation += child.generation == 0 ? 1 : 0;"),
    ("no start timeout", "engine_start.cpp", "policy.start_timeout > Duration::zero()", "false"),
    ("no watchdog", "engine_start.cpp", "if (watchdog > Duration::zero())", "if (false)"),
    ("running is ready", "engine_start.cpp",
     "if (spec_of(in.child).policy.readiness == Readiness::immediate)", "if (true)"),
    ("temporary comes back with its group", "engine_start.cpp", "!= RestartType::temporary",
     "!= RestartType::transient"),
    ("the next start does not wait", "engine_start.cpp", "    sequence_.awaited = i;", ""),
    ("old reports count", "engine.cpp", "generation == child.generation &&", ""),
    ("timeouts are not classified", "engine.cpp", "child.forced = ExitKind::timed_out;", ""),
    ("watchdog is not classified", "engine.cpp", "child.forced = ExitKind::unhealthy;", ""),
    ("past its grace nothing happens", "engine.cpp",
     "} else if (child.phase == Phase::stopping) {\n        abort_child(i, now);",
     "} else if (child.phase == Phase::stopping) {"),
    ("start failure does not end the start", "engine_exit.cpp", "StartFailure::abort)",
     "StartFailure::restart)"),
    ("transient comes back after a good end", "engine_exit.cpp", "!d.exit.is_failure())",
     "d.exit.is_failure())"),
    ("a bug is restarted", "engine_exit.cpp", "action = policy.on_fatal_bug", "action = action"),
    ("a configuration error is restarted", "engine_exit.cpp", "action = policy.on_fatal_config",
     "action = action"),
    ("failures without a dependency count", "engine_exit.cpp", "if (dependencies_satisfied(i)) {",
     "if (true) {"),
    ("the child's limit is not consulted", "engine_exit.cpp", "consult_child_limit(i, d, now) ||",
     ""),
    ("the supervisor's limit comes first", "engine_exit.cpp",
     "consult_child_limit(i, d, now) || consult_supervisor_limit(i, d, now)",
     "consult_supervisor_limit(i, d, now) || consult_child_limit(i, d, now)"),
    ("the back-off does not grow", "engine_exit.cpp", "  ++child.in_a_row;",
     "  child.in_a_row = 1;"),
    ("the back-off never begins again", "engine_exit.cpp", "now - child.ready_at < after) return;",
     "now >= child.ready_at) return;"),
    ("reset_after is a nanosecond late", "engine_exit.cpp", "now - child.ready_at < after",
     "now - child.ready_at <= after"),
    ("quarantine does not hold", "engine_exit.cpp",
     "      child.phase = Phase::quarantined;", "      child.phase = Phase::idle;"),
    ("the back-off is not waited for", "engine_exit.cpp", "deadlines_.arm(i, now + delay);",
     "deadlines_.arm(i, now);"),
    ("a member's end in a group stop is a failure", "engine_exit.cpp",
     "} else if (in_stopping_scope(i)) {", "} else if (false) {"),
    ("RestForOne takes everyone", "engine_scope.cpp", "? 0 : position_[i]", "? 0 : 0"),
    ("OneForAll takes the rest only", "engine_scope.cpp", "? 0 : position_[i]",
     "? position_[i] : position_[i]"),
    ("a wider restart does not widen", "engine_scope.cpp", "std::min(scope_.first, first)",
     "std::max(scope_.first, first)"),
    ("a group does not wait for the back-off", "engine_scope.cpp", "if (now < scope_.due) {",
     "if (false) {"),
    ("a group is stopped all at once", "engine_scope.cpp",
     "      if (is_live(child.phase)) return;", ""),
    ("brutal_kill is asked first", "engine_scope.cpp", "== StopPolicy::Kind::brutal_kill",
     "== StopPolicy::Kind::infinity"),
    ("no grace is timed", "engine_scope.cpp", "stop.kind == StopPolicy::Kind::timed", "false"),
    ("an abort is not timed", "engine_scope.cpp", "deadlines_.arm(i, now + wait);", ""),
    ("an abandoned child is not held", "engine_scope.cpp",
     "child.phase = Phase::abandoned;", "child.phase = Phase::idle;"),
    ("a second stop lengthens", "engine_closing.cpp", "until < closing_.drain_until",
     "until != closing_.drain_until"),
    ("a second stop does not shorten", "engine_closing.cpp", "until < closing_.drain_until",
     "false"),
    ("the drain takes the whole total", "engine_closing.cpp",
     "closing_.drain_until = now + std::max(Duration::zero(), total - closing_.abort_wait);",
     "closing_.drain_until = now + total;"),
    ("restarts are not cancelled by a stop", "engine_closing.cpp",
     'cancel_restart(*p, "the supervisor stops");', "deadlines_.disarm(*p);"),
    ("a straggler is waited for", "engine_closing.cpp", "is_live(last.phase) && !last.straggler",
     "is_live(last.phase)"),
    ("the stop goes all at once", "engine_closing.cpp", "is_live(last.phase) && !last.straggler",
     "false"),
    ("parallel is one by one", "engine_closing.cpp", "== ShutdownOrder::parallel)",
     "== ShutdownOrder::reverse && false)"),
    ("stragglers are not given up", "engine_closing.cpp",
     "deadlines_.arm(closing_slot(), now + closing_.abort_wait);", ""),
    ("an aborted child is reported graceful", "engine_closing.cpp",
     "outcome = ChildShutdownOutcome::aborted;", "outcome = ChildShutdownOutcome::graceful;"),
    ("StopOne does not hold", "engine_command.cpp", "  child.held = true;", ""),
    ("StopOne lets a back-off go on", "engine_command.cpp",
     'cancel_restart(in.child, "stopped by command");\n      [[fallthrough]];',
     "return;"),
    ("RestartOne does not end a hold", "engine_command.cpp",
     "  child.held = false;", ""),
    ("RestartOne lets a back-off go on", "engine_command.cpp",
     'cancel_restart(in.child, "restarted by command");\n      [[fallthrough]];', "return;"),
    ("ResetOne keeps the counters", "engine_command.cpp", "  child.window.clear();", ""),
    ("ResetOne keeps the back-off", "engine_command.cpp", "  child.in_a_row = 0;", ""),
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="mutations whose name contains this")
    parser.add_argument("--work", help="folder for the copy; default: a temporary one")
    options = parser.parse_args()
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
