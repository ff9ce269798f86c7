#!/usr/bin/env python3
"""Takes the controls of the socket out, one at a time, and asks whether the tests notice.

usage: scripts/mutate_ipc.py [--only NAME] [--in core|server] [--work FOLDER] | --check

Each mutation is applied to a copy of the sources, never to the repository; in the mutated build the
attack that its control is against succeeds. `killed` means that a test failed (or hung past the
time limit); `survived` means that nobody noticed. The exit code is the number of those that were
not killed. With --check it only looks whether each text still stands in the sources, once.
"""
import argparse
import collections
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
IPC = "ipc/espalier/ipc"
# The pure tests see what is decided; the real ones what only a socket, a file or a process shows.
TESTS = {"core": ["ipc_core_test"], "server": ["ipc_server_test_real"]}
SECONDS = 300

NEVER = "if (false) {"
WITH_DESCRIPTORS = """char more[4096];
  iovec part{buffer_.data(), buffer_.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = more;
  message.msg_controllen = sizeof more;
  const auto count = ::recvmsg(connection.fd.get(), &message, 0);"""

# control, name, tests, file below IPC, text that occurs in it once, its replacement.
MUTATIONS = [
    # The socket file.
    ("C1", "everybody may use the file", "server", "server/socket_file.cpp",
     "bind_hidden(listener.get(), dir, path, mode & 0777U)",
     "bind_hidden(listener.get(), dir, path, 0777U)"),
    ("C1", "the mode is set after the file is there", "server", "server/socket_file.cpp",
     "  if (::fchmod(listener, mode) != 0) return fail();\n", ""),
    ("C1", "anything is replaced", "server", "server/socket_file.cpp",
     "  if (!S_ISSOCK(found.st_mode)) return refused(kind_of(found.st_mode));\n", ""),
    ("C1", "a socket that somebody answers on is replaced", "server", "server/socket_file.cpp",
     "if (::connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {",
     "if (errno = ECONNREFUSED; false) {"),
    ("C1", "create_new replaces", "server", "server/socket_file.cpp",
     "if (mode == BindMode::create_new) return", "if (false) return"),
    ("C1", "the folder may be anybody's", "server", "server/socket_file.cpp",
     "if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (found.st_mode & S_ISVTX) == 0) {", NEVER),
    ("C1", "what somebody else put there is removed", "server", "server/socket_file.cpp",
     "    if (found.st_dev != device || found.st_ino != inode) return;", ""),
    # Who is there.
    ("C2", "the kernel is not asked who it is", "server", "server/acceptor.cpp",
     "  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return false;\n",
     "  static_cast<void>(size);\n"),
    ("C2", "everybody may connect", "core", "core/internal/users.cpp",
     "if (!authorisation_.may_connect(peer)) {", NEVER),
    ("C2", "descriptors are taken", "server", "server/server_loop.cpp",
     "const auto count = ::recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);",
     WITH_DESCRIPTORS),
    # Who may what.
    ("C3", "everybody who is there may everything", "core", "core/internal/requests.cpp",
     "if (!right || with_.authorisation.may(call.from.peer, *right)) return {};",
     "if (right || !right) return {};"),
    ("C3", "everybody is the owner", "core", "core/authorisation.cpp",
     "return peer.uid == 0 || peer.uid == own_uid_;", "return peer.uid == 0 || own_uid_ != 1;"),
    ("C3", "who may read may write", "core", "core/authorisation.cpp",
     "      return fits(write_, peer);", "      return fits(write_, peer) || fits(read_, peer);"),
    ("C3", "who may write may what is dangerous", "core", "core/authorisation.cpp",
     "    case MethodClass::dangerous:\n      return false;",
     "    case MethodClass::dangerous:\n      return fits(write_, peer);"),
    ("C3", "nothing needs to be confirmed", "core", "core/internal/commands.cpp",
     "  if (auto problem = confirmation_problem(*call.method, call.params)) return problem;\n", ""),
    # Replay.
    ("C4", "a request_id may be used twice", "core", "core/internal/requests.cpp",
     "if (!call.from.replay.admit(call.request.id, call.at.now)) {", NEVER),
    # Size.
    ("C5", "lines may have any length", "core", "core/framer.cpp",
     "too_long_ = scanned_ - read_ > max_;", "too_long_ = false;"),
    ("C5", "after a long line it goes on", "core", "core/internal/service_impl.cpp",
     "    return begin_closing(c);\n  }\n  if (c.framer.unfinished() == 0) {",
     "    return;\n  }\n  if (c.framer.unfinished() == 0) {"),
    ("C5", "a line may take for ever", "core", "core/internal/service_impl.cpp",
     "} else if (is_past(c.line_began, rules.line_timeout)) {", "} else if (false) {"),
    # Rate and room.
    ("C6", "a connection may ask as fast as it likes", "core", "core/internal/requests.cpp",
     "auto wait = from.rate.take(at.now);", "auto wait = Duration::zero();"),
    ("C6", "a user may ask as fast as he likes", "core", "core/internal/requests.cpp",
     "  if (!is_own) wait = with_.users.take(from.peer.uid, at.now);\n", ""),
    ("C6", "any number of connections", "core", "core/internal/users.cpp",
     '  if (connections_ >= most) return too_many("this target", connections_);\n', ""),
    ("C6", "any number of connections of a user", "core", "core/internal/users.cpp",
     "if (own.connections >= rules_.max_connections_per_uid) {", NEVER),
    ("C6", "no room is kept for owners", "core", "core/internal/users.cpp",
     "(authorisation_.is_owner(peer) ? 0 : kept)", "0 * kept"),
    ("C6", "silence is borne for ever", "core", "core/internal/service_impl.cpp",
     "} else if (rules.idle_timeout > Duration::zero() && is_past(c.last_request, rules.idle_timeout)) {",
     "} else if (false) {"),
    ("C6", "a reader that takes nothing is borne for ever", "core", "core/internal/service_impl.cpp",
     "} else if (is_past(c.waits_since, rules.stall_timeout)) {", "} else if (false) {"),
    ("C6", "any number of bytes may wait", "core", "core/outbox.cpp",
     "  return waiting_ <= max_bytes_;", "  return true;"),
    ("C6", "any number of events may wait", "core", "core/outbox.cpp",
     "  if (pushed_.size() > max_pushed_) lose_oldest();\n", ""),
    ("C6", "what is lost is not told", "core", "core/outbox.cpp",
     "  if (line.lost_count != 0) {\n    encode(", "  if (line.lost_count == ~0U) {\n    encode("),
    # Audit.
    ("C7", "commands run without an audit", "core", "core/internal/commands.cpp",
     "  if (!audit_.write(std::move(record))) {",
     "  if (!audit_.write(std::move(record)) && false) {"),
    ("C7", "refusals are not recorded", "core", "core/internal/requests.cpp",
     "  audit(call, error);\n", ""),
    ("C7", "peers that are turned away are not recorded", "core", "core/internal/service_impl.cpp",
     "    requests_.note_refused_peer(peer, *problem, at);\n", ""),
    ("C7", "a changed record is not seen", "core", "core/audit.cpp",
     "if (sealed(*record) != line) return", "if (false) return"),
    ("C7", "a missing record is not seen", "core", "core/audit.cpp",
     "if (record->sequence != head_.sequence + 1) {", NEVER),
    ("C7", "a record of another chain is not seen", "core", "core/audit.cpp",
     "if (record->previous != head_.hash) return", "if (false) return"),
    ("C7", "the file is not checked at the start", "server", "server/audit_file.cpp",
     "if (auto problem = chain_.add(line); !problem.empty()) return problem;",
     "static_cast<void>(chain_.add(line));"),
    ("C7", "half a record stays", "server", "server/audit_file.cpp",
     "    has_rest_ = ::ftruncate(fd_.get(), size_) != 0;\n", ""),
    ("C7", "a write that fails counts", "server", "server/audit_file.cpp",
     "    has_rest_ = ::ftruncate(fd_.get(), size_) != 0;\n    return false;",
     "    return true;"),
    ("C7", "links are followed to the audit", "server", "server/audit_file.cpp",
     "O_CREAT | O_NOFOLLOW |", "O_CREAT |"),
    ("C7", "others may write to the audit", "server", "server/audit_file.cpp",
     "if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {", NEVER),
    ("C7", "two programs write one audit", "server", "server/audit_file.cpp",
     "if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {", NEVER),
    # Idempotency.
    ("C8", "a command_id may be used for another command", "core", "core/command_ledger.cpp",
     "  if (entry.content != digest) return {Verdict::mismatch};\n", ""),
    ("C8", "a command runs again", "core", "core/command_ledger.cpp", "  if (is_new) {",
     "  if (is_new || entry.answer) {"),
    ("C8", "what runs is run again", "core", "core/command_ledger.cpp", "  if (is_new) {",
     "  if (is_new || !entry.answer) {"),
    # Programs.
    ("C9", "every program may be run", "core", "core/internal/allow_list.cpp",
     "return std::ranges::find(allowed_, program) != allowed_.end();", "return true;"),
    ("C9", "the loader may be told what to load", "core", "core/internal/allow_list.cpp",
     "if (!program.variables.empty()) {", NEVER),
    ("C9", "programs of instances are not looked at", "core", "core/internal/allow_list.cpp",
     '  if (child.pool) collect(child.pool->child, path + "/*", into);\n', ""),
]


def run(command, log, seconds):
    try:
        return subprocess.run(command, stdout=log, stderr=log, timeout=seconds).returncode
    except subprocess.TimeoutExpired:
        return 1


def build(work, tests, log):
    command = ["cmake", "--build", str(work / "build"), "--target", *TESTS[tests]]
    return run(command, log, 3600) == 0


def passes(work, tests, log):
    return all(run([str(work / "build/tests" / test), "--gtest_fail_fast"], log, SECONDS) == 0
               for test in TESTS[tests])


def verdict(work, mutation, log):
    """killed, survived, or why the mutation says nothing."""
    _, _, tests, name, old, new = mutation
    path = work / "source" / IPC / name
    original = path.read_text()
    if original.count(old) != 1:
        return "stale: its text is no longer there"
    path.write_text(original.replace(old, new))
    try:
        if not build(work, tests, log):
            return "stale: does not compile"
        return "survived" if passes(work, tests, log) else "killed"
    finally:
        path.write_text(original)


def prepare(work, kinds, log):
    skip = shutil.ignore_patterns(".git", "build*")
    shutil.copytree(ROOT, work / "source", ignore=skip, dirs_exist_ok=True)
    configure = ["cmake", "-G", "Ninja", "-S", str(work / "source"), "-B", str(work / "build"),
                 "-DCMAKE_BUILD_TYPE=Debug", "-DESPALIER_WERROR=OFF"]
    if run(configure, log, 300) != 0:
        sys.exit(f"the unchanged sources cannot be configured; see {log.name}")
    for tests in kinds:
        if not build(work, tests, log):
            sys.exit(f"the unchanged sources do not build; see {log.name}")
        if not passes(work, tests, log):
            sys.exit(f"the unchanged sources fail their tests; see {log.name}")


def misfits():
    """Entries whose text no longer stands in the sources exactly once."""
    for _, name, _, file, old, _ in MUTATIONS:
        path = ROOT / IPC / file
        count = path.read_text().count(old) if path.exists() else 0
        if count != 1:
            yield f"{file}: '{old}' of \"{name}\" occurs {count} times"
    for missing in sorted({f"C{i}" for i in range(1, 10)} - {x[0] for x in MUTATIONS}):
        yield f"{missing} has no mutation"


def try_all(work, chosen, log):
    results = collections.defaultdict(list)
    for mutation in chosen:
        result = verdict(work, mutation, log)
        results[mutation[0]].append(result == "killed")
        print(f"{result:10} {mutation[0]} {mutation[1]}", flush=True)
    for control, killed in sorted(results.items()):
        print(f"{control}: {sum(killed)} of {len(killed)} killed")
    every = [killed for some in results.values() for killed in some]
    print(f"{sum(every)} of {len(every)} killed")
    return len(every) - sum(every)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="mutations whose control and name contain this")
    parser.add_argument("--in", dest="kind", choices=sorted(TESTS), help="only those that these see")
    parser.add_argument("--work", help="folder for the copy; default: a temporary one")
    parser.add_argument("--check", action="store_true", help="only see whether the list fits")
    options = parser.parse_args()
    if options.check:
        bad = list(misfits())
        print("\n".join(bad) or f"{len(MUTATIONS)} mutations fit")
        return len(bad)
    chosen = [m for m in MUTATIONS if options.only in f"{m[0]} {m[1]}"
              and options.kind in (None, m[2])]
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(options.work or temporary)
        work.mkdir(parents=True, exist_ok=True)
        with open(work / "log.txt", "w") as log:
            prepare(work, sorted({m[2] for m in chosen}), log)
            return try_all(work, chosen, log)


if __name__ == "__main__":
    sys.exit(main())
