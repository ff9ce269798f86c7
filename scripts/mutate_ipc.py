#!/usr/bin/env python3
"""Takes the controls of the socket out, one at a time, and asks whether the tests notice.

usage: scripts/mutate_ipc.py [--only NAME] [--in core|server] [--work FOLDER] [--jobs N] | --check

In each mutated build the attack that its control is against succeeds. scripts/mutants.py says how
they are tried, docs/mutants.md what came of it.
"""
import sys

import mutants

# The pure tests see what is decided; the real ones what only a socket, a file or a process shows.
TESTS = {"core": ["ipc_core_test"], "server": ["ipc_server_test_real"]}

NEVER = "if (false) {"
WITH_DESCRIPTORS = """char more[4096];
  iovec part{buffer_.data(), buffer_.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = more;
  message.msg_controllen = sizeof more;
  const auto count = ::recvmsg(connection.fd.get(), &message, 0);"""

# control, name, tests, file below ipc/espalier/ipc, text that occurs in it once, its replacement.
MUTATIONS = [
    # The socket file.
    ("C1", "everybody may use the file", "server", "server/socket_file.cpp",
     "bind_hidden(listener.get(), dir, path, mode & 0777U)",
     "bind_hidden(listener.get(), dir, path, mode | 0777U)"),
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
    ("C1", "the folder may belong to somebody else", "server", "server/socket_file.cpp",
     "if (found.st_uid != 0 && found.st_uid != ::geteuid()) {", NEVER),
    ("C1", "somebody else's socket is replaced", "server", "server/socket_file.cpp",
     "  if (found.st_uid != ::geteuid()) {\n    return refused(\"a socket",
     "  if (false) {\n    return refused(\"a socket"),
    ("C1", "what comes to a free name meanwhile is replaced", "server", "server/socket_file.cpp",
     "if (move(RENAME_NOREPLACE)) return {};", "if (move(0)) return {};"),
    ("C1", "what comes in place of a stale socket is removed", "server", "server/socket_file.cpp",
     " && same_file(old, *stale)) {", ") {"),
    ("C1", "a link is followed to the lock", "server", "server/socket_file.cpp",
     "O_RDWR | O_CREAT | O_NOFOLLOW |", "O_RDWR | O_CREAT |"),
    ("C1", "two targets may hold one lock", "server", "server/socket_file.cpp",
     "if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {", NEVER),
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
     "return peer.uid == 0 || peer.uid == own_uid_;",
     "static_cast<void>(peer);\n  return true;"),
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
    ("C5", "a long line is noticed at its end only", "core", "core/framer.cpp",
     "too_long_ = scanned_ - read_ > max_;", "too_long_ = has_line_ && scanned_ - read_ > max_;"),
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
    ("C6", "a user's rate begins anew with a connection", "core", "core/internal/users.cpp",
     "  if (users_.size() <= most_absent) return;\n", ""),
    ("C6", "requests are read on though answers pile up", "core", "core/internal/service_impl.cpp",
     "return c.outbox.answer_bytes() > options_.spec.security.max_queued_bytes / 2;",
     "return c.outbox.answer_bytes() == ~0UL;"),
    ("C6", "a goodbye may wait for ever", "core", "core/internal/service_impl.cpp",
     "if (c.cut_off_at && *c.cut_off_at <= at_.now) {", NEVER),
    ("C6", "any number of commands under way", "core", "core/internal/commands.cpp",
     "if (static_cast<std::size_t>(own) < most_running_of_a_user) return {};",
     "if (own >= 0) return {};"),
    ("C6", "any number of connections", "core", "core/internal/users.cpp",
     "if (connections_ >= most) return", "if (most == 0) return"),
    ("C6", "any number of connections of a user", "core", "core/internal/users.cpp",
     "if (own.connections >= rules_.max_connections_per_uid) {", NEVER),
    ("C6", "no room is kept for owners", "core", "core/internal/users.cpp",
     "(authorisation_.is_owner(peer) ? 0 : kept)", "0 * kept"),
    ("C6", "silence is borne for ever", "core", "core/internal/service_impl.cpp",
     "} else if (rules.idle_timeout > Duration::zero() &&"
     " is_past(c.last_request, rules.idle_timeout)) {",
     "} else if (false) {"),
    ("C6", "a reader that takes nothing is borne for ever", "core",
     "core/internal/service_impl.cpp",
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
    ("C7", "commands that are refused are not recorded", "core", "core/internal/commands.cpp",
     "  audit_.note(std::move(record), Auditor::Sort::control, at.now);\n  send_(", "  send_("),
    ("C7", "what is answered again is not recorded", "core", "core/internal/commands.cpp",
     "  audit_.note(std::move(record), Auditor::Sort::control, at.now);\n  reply(", "  reply("),
    ("C7", "what came of a command is not recorded", "core", "core/internal/commands.cpp",
     "  static_cast<void>(audit_.write(std::move(record)));\n  for (", "  for ("),
    ("C7", "that a command was late is not recorded", "core", "core/internal/commands.cpp",
     "  static_cast<void>(audit_.write(std::move(record)));\n  CommandAnswer", "  CommandAnswer"),
    ("C7", "refusals flood the audit", "core", "core/internal/auditor.cpp",
     "if (known.rate.take(now) != supervisor::Duration::zero()) {",
     "if (known.rate.take(now) == supervisor::Duration::min()) {"),
    ("C7", "refusals that were left out are not told", "core", "core/internal/auditor.cpp",
     "if (known.left_out != 0) {", NEVER),
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
    ("C7", "the audit may belong to somebody else", "server", "server/audit_file.cpp",
     "if (info.st_uid != ::geteuid()) {", NEVER),
    ("C7", "the audit may be anything", "server", "server/audit_file.cpp",
     "  if (!S_ISREG(info.st_mode)) return \"it is no regular file; name another path\";\n", ""),
    ("C7", "a file that was changed meanwhile is written on", "server", "server/audit_file.cpp",
     "  if (!is_as_we_left_it()) return false;\n", ""),
    ("C7", "two programs write one audit", "server", "server/audit_file.cpp",
     "if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {", NEVER),
    # Idempotency.
    ("C8", "a command_id may be used for another command", "core", "core/command_ledger.cpp",
     "  if (entry.content != digest) return {Verdict::mismatch};\n", ""),
    ("C8", "a command runs again", "core", "core/command_ledger.cpp", "  if (is_new) {",
     "  if (is_new || entry.answer) {"),
    ("C8", "what runs is run again", "core", "core/command_ledger.cpp", "  if (is_new) {",
     "  if (is_new || !entry.answer) {"),
    ("C8", "a command_id belongs to all users", "core", "core/command_ledger.cpp",
     "return std::to_string(uid) +", "return std::to_string(uid * 0) +"),
    ("C8", "an answer is forgotten at once", "core", "core/command_ledger.cpp",
     "entries_.at(ended_.front()).ended_at >= lifetime_) {",
     "entries_.at(ended_.front()).ended_at >= 0 * lifetime_) {"),
    ("C8", "any number of answers is kept", "core", "core/command_ledger.cpp",
     "  if (ended_.size() > capacity_) forget_oldest();\n", ""),
    # Programs.
    ("C9", "every program may be run", "core", "core/internal/allow_list.cpp",
     "return std::ranges::find(allowed_, program) != allowed_.end();", "return true;"),
    ("C9", "the loader may be told what to load", "core", "core/internal/allow_list.cpp",
     "if (!program.variables.empty()) {", NEVER),
    ("C9", "programs of instances are not looked at", "core", "core/internal/allow_list.cpp",
     '  if (child.pool) collect(child.pool->child, path + "/*", into);\n', ""),
    ("C9", "programs below a supervisor are not looked at", "core", "core/internal/allow_list.cpp",
     "    collect(below, supervisor::join_path(path, below.name), into);",
     "    static_cast<void>(below);"),
    ("C9", "programs of probes are not looked at", "core", "core/internal/allow_list.cpp",
     '  probe(child.policy.readiness_probe, "readiness probe");\n', ""),
    ("C9", "programs of checks are not looked at", "core", "core/internal/allow_list.cpp",
     '  probe(child.policy.health_check, "health check");\n', ""),
    ("C9", "what runs may be changed to run anything", "core", "core/internal/allow_list.cpp",
     "if (std::find(from, to, program) != to) continue;", "if (from != to) continue;"),
    ("C9", "a path may mean another file in another folder", "core", "core/internal/allow_list.cpp",
     "if (!program.starts_with('/') && program.find('/') != std::string::npos) return false;", ""),
]


def main():
    missing = sorted({f"C{i}" for i in range(1, 10)} - {x[0] for x in MUTATIONS})
    if missing:
        sys.exit(f"no mutation of {', '.join(missing)}")
    return mutants.main(__doc__, MUTATIONS, "ipc/espalier/ipc", TESTS)


if __name__ == "__main__":
    sys.exit(main())
