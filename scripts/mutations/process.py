"""Breaks what keeps processes apart and together: a child takes nothing of ours along, all of it
ends when it should, and nobody else's process is touched or believed."""

BASE = "libsupervisor/espalier/supervisor/process"
TESTS = {
    "host": ["supervisor_process_test_real Launch*:Notify*:Stop*:Group*:Leftovers*:Host*"
             ":Guardian*"],
    "copy": ["supervisor_process_test_real Isolation*"],
    "lines": ["supervisor_process_test"],
}

NEVER = "if (false) {"

# group, name, tests, file, text, replacement.
MUTATIONS = [
    # What it starts with.
    ("start", "it stays in our process group", "host", "spawn.cpp",
     "  if (::setpgid(0, 0) != 0) return Step::process_group;\n", ""),
    ("start", "it inherits our descriptors", "host", "spawn.cpp",
     "  if (::close_range(first, ~0U, 0) == 0) return true;\n", "  if (first > 0) return true;\n"),
    ("start", "it inherits blocked signals", "host", "spawn.cpp",
     "  return ::sigprocmask(SIG_SETMASK, &none, nullptr) == 0;", "  return true;"),
    ("start", "it inherits ignored signals", "host", "spawn.cpp",
     "    ::sigaction(number, &standard, nullptr);\n", "    static_cast<void>(standard);\n"),
    ("start", "it has no limits", "host", "spawn.cpp",
     "  if (!set_limits(start)) return Step::limits;\n", ""),
    ("start", "it stays who we are", "host", "spawn.cpp",
     "  if (!take_identity(start.plan.identity)) return Step::user;\n", ""),
    ("start", "it keeps our groups", "host", "spawn.cpp",
     "  return ::syscall(SYS_setgroups, groups.size(), groups.data()) == 0 &&\n         ::",
     "  static_cast<void>(groups);\n  return ::"),
    ("start", "it takes itself for a child of our supervisor", "host", "launch_plan.cpp",
     " || is_of_one_process(text.substr(0, equals))) continue;", ") continue;"),
    ("start", "a clean environment is not clean", "host", "launch_plan.cpp",
     "if (!spec.clear_environment) {", "{"),
    # All of it ends.
    ("end", "it outlives a supervisor that is killed", "host", "spawn.cpp",
     "  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return Step::parent_death;\n", ""),
    ("end", "only its first process hears a signal", "host", "running_process.cpp",
     "if (::kill(-pid_, number) == 0) return;", "if (::kill(pid_, number) == 0) return;"),
    ("end", "what it has started outlives it", "host", "running_process.cpp",
     "  ::kill(-pid_, SIGKILL);\n  constexpr int queue", "  constexpr int queue"),
    ("end", "an abort only asks", "host", "running_process.cpp",
     "  signal_group(SIGKILL);\n  // It may have left its group to others.\n"
     "  ::syscall(SYS_pidfd_send_signal, pidfd(), SIGKILL, nullptr, 0);\n",
     "  signal_group(SIGTERM);\n"),
    ("end", "one that left its group is not killed", "host", "running_process.cpp",
     "  ::syscall(SYS_pidfd_send_signal, pidfd(), SIGKILL, nullptr, 0);\n", ""),
    ("end", "one that is suspended never hears of its stop", "host", "running_process.cpp",
     "  signal_group(SIGCONT);  // A stopped process would never get to handle it.\n", ""),
    ("end", "what left its group is not looked for", "host", "process_host.cpp",
     "  auto found = find_descendants(query);\n",
     "  auto found = std::vector<LeftoverProcess>{};\n"),
    ("end", "what left its group is not killed", "host", "process_host.cpp",
     "      ::kill(static_cast<pid_t>(process.pid), SIGKILL);\n",
     "      static_cast<void>(process);\n"),
    ("end", "the guardian kills nobody", "host", "guardian.cpp",
     "    ::kill(-group, SIGKILL);\n", "    static_cast<void>(group);\n"),
    ("end", "the guardian does not hear of a new process", "host", "process_host.cpp",
     "  if (options_.guardian) options_.guardian->group_began(process->pid());\n", ""),
    ("end", "a copy that hangs after its function is borne", "copy", "copy_link.cpp",
     "      ended_ = std::move(x);\n      set_timer(patience_);", "      ended_ = std::move(x);"),
    ("end", "a program that is no copy is borne", "copy", "copy_link.cpp",
     "  set_timer(patience_);\n}", "}"),
    # Nobody else.
    ("others", "what belongs to a running process is killed", "host", "descendants.cpp",
     "    if (running.contains(pid) || running.contains(entry->second.group)) return false;\n", ""),
    ("others", "children of the program around it are killed", "host", "descendants.cpp",
     "if (!query.host_id.empty() &&"
     " variable(environment, \"ESPALIER_HOST_ID\") != query.host_id) {",
     NEVER),
    ("others", "the guardian kills groups that have ended", "host", "guardian.cpp",
     "    if (message.word == Word::ended) groups.erase(message.group);\n", ""),
    ("others", "the guardian kills after a goodbye", "host", "guardian.cpp",
     "    if (message.word == Word::goodbye) ::_exit(0);\n", ""),
    ("others", "anybody may speak for a process", "host", "notify_socket.cpp",
     "    if (sender != uid && sender != 0 && sender != ::geteuid()) continue;\n",
     "    static_cast<void>(uid);\n"),
    # What is told of it.
    ("told", "a line may have any length", "lines", "line_splitter.hpp",
     "const auto room = max_line - line_.size();", "const auto room = std::string_view::npos;"),
    ("told", "a bad exit code is a good end", "host", "running_process.cpp",
     "    exit.kind = ExitKind::failed;\n  } else {", "  } else {"),
    ("told", "a program that is not there is an ordinary failure", "host", "spawn.cpp",
     "  result.misconfigured = start.failed >= Step::limits;\n", ""),
]
