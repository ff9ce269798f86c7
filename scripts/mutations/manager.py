"""Breaks what the service manager is told, and what is taken from it: a tree that hangs gives no sign
of life, nothing is said that is not so, and a socket that was handed over stays as it is."""

BASE = "."
TESTS = {"reports": ["cli_test ManagerReports*"], "fds": ["cli_test ListenFds*"],
         "given": ["ipc_server_test_real GivenSocket*"],
         "find": ["ipc_client_test_real FindTarget*"]}

CLI = "cli/espalier/cli"
SERVER = "ipc/espalier/ipc/server"
ASK = "  if (!is_answering_(std::min(apart / 2, longest_wait))) return;\n"

# group, name, tests, file, text, replacement.
MUTATIONS = [
    # What is said.
    ("told", "a sign of life without asking the tree", "reports", f"{CLI}/manager_reports.cpp",
     ASK, ""),
    ("told", "a tree that hangs is asked for no sign of life, but given more time", "reports",
     f"{CLI}/manager_reports.cpp", ASK + "  if (watchdog) notifier_.alive();\n  if (extends) ",
     "  const bool answers = is_answering_(std::min(apart / 2, longest_wait));\n"
     "  if (answers && watchdog) notifier_.alive();\n  if (extends) "),
    ("told", "ready before the tree is up", "reports", f"{CLI}/manager_reports.cpp",
     "if (!ready_ && feed_.is_up()) {", "if (!ready_) {"),
    ("told", "a stop may take for ever", "reports", f"{CLI}/manager_reports.cpp",
     "stop_end_ ? now < *stop_end_ : !ready_;", "stop_end_ || !ready_;"),
    ("told", "a stop gets no more time", "reports", f"{CLI}/manager_reports.cpp",
     "stop_end_ ? now < *stop_end_ : !ready_;", "!stop_end_ && !ready_;"),
    ("told", "a start gets no more time", "reports", f"{CLI}/manager_reports.cpp",
     "stop_end_ ? now < *stop_end_ : !ready_;", "stop_end_ && now < *stop_end_;"),
    ("told", "signs of life at the full interval", "reports", f"{CLI}/systemd_notifier.cpp",
     "std::chrono::microseconds{asked} / 2;", "std::chrono::microseconds{asked};"),
    ("told", "a status at every change", "reports", f"{CLI}/manager_reports.cpp",
     "  if (now - status_at_ < status_apart) return;\n", ""),
    ("told", "the same status again and again", "reports", f"{CLI}/manager_reports.cpp",
     "  if (status == status_) return;\n", ""),
    ("told", "a reload during the start makes it ready", "reports", f"{CLI}/systemd_notifier.cpp",
     "  if (phase_ != Phase::ready) return;\n", ""),
    ("told", "the end of a reload takes STOPPING back", "reports", f"{CLI}/systemd_notifier.cpp",
     "  if (phase_ == Phase::reloading) move_to", "  move_to"),
    ("told", "a reload without its time", "reports", f"{CLI}/systemd_notifier.cpp",
     "\"RELOADING=1\\nMONOTONIC_USEC=\" + monotonic_now()", "\"RELOADING=1\""),
    ("told", "a reload with the time of day", "reports", f"{CLI}/systemd_notifier.cpp",
     "clock_gettime(CLOCK_MONOTONIC, &now);", "clock_gettime(CLOCK_REALTIME, &now);"),
    # What is taken.
    ("taken", "the variables are left to the children", "fds", f"{CLI}/taken_variable.hpp",
     "  unsetenv(name);\n", ""),
    ("taken", "children get the sockets", "fds", f"{CLI}/listen_fds.cpp",
     "fcntl(fd, F_SETFD, FD_CLOEXEC)", "fcntl(fd, F_SETFD, 0)"),
    ("taken", "sockets of another process are taken", "fds", f"{CLI}/listen_fds.cpp",
     "count_text.empty() || number(pid) != getpid()", "count_text.empty()"),
    ("taken", "a socket nobody knows is taken for another", "fds", f"{CLI}/listen_fds.cpp",
     "!for_metrics && named[i] != \"espalier\" && !alone", "false"),
    ("taken", "of two for one purpose the last counts", "fds", f"{CLI}/listen_fds.cpp",
     "    if (place) return refused(", "    if (false) return refused("),
    ("taken", "any socket will do", "given", f"{SERVER}/given_socket.cpp",
     "if (domain != AF_UNIX || type != SOCK_STREAM || !listens) {", "if (false) {"),
    ("taken", "a socket without a file, and so without a mode, will do", "given",
     f"{SERVER}/given_socket.cpp",
     "if (size <= offsetof(sockaddr_un, sun_path) || address.sun_path[0] != '/') {", "if (false) {"),
    ("taken", "the socket blocks", "given", f"{SERVER}/socket_file.cpp",
     "::fcntl(listener.get(), F_SETFL, flags | O_NONBLOCK)", "::fcntl(listener.get(), F_SETFL, flags)"),
    ("taken", "another socket is bound as well", "given", f"{SERVER}/server.cpp",
     "  if (given) return SocketFile::adopt(std::move(given));\n", ""),
    # Whom a client trusts.
    ("trust", "a folder of a stranger", "find", "ipc/espalier/ipc/client/find_target.cpp",
     "return info.st_uid == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;", "return true;"),
    ("trust", "not even the folder that root has given away", "find",
     "ipc/espalier/ipc/client/find_target.cpp",
     "return info.st_uid == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;", "return false;"),
]
