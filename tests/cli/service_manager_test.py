"""Plays the service manager for `espalier run`, as its unit says, with real descriptors.

usage: service_manager_test.py ESPALIER UNIT
"""
import fcntl
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ESPALIER, UNIT = sys.argv[1:]
TREE = """supervisor: {name: shop}
children:
  - {name: spy, command: [sh, -c, 'env > %s/env; ls -l /proc/self/fd > %s/fds; exec sleep 1000']}
  - {name: worker, kind: blocking, factory: builtin.idle}
"""
LAUNCHER = """import os, sys
os.dup2(int(sys.argv[1]), 3)
os.close(int(sys.argv[1]))
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""
WATCHDOG = 1.0  # Seconds; the unit's would be long for a test.


def unit_value(name):
    """The last value of this setting in the unit."""
    text = pathlib.Path(UNIT).read_text()
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)[-1]


def eventually(condition, what, limit=20):
    end = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.02)
    return found


def is_alive(pid):
    try:
        return "Z" not in pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


class Manager:
    """What systemd does with a socket unit and a service of Type=notify."""

    def __init__(self, folder, kind=socket.SOCK_STREAM, name="espalier"):
        self.folder, self.name = folder, name
        self.path = str(folder / "shop.sock")
        self.listener = socket.socket(socket.AF_UNIX, kind)
        self.listener.bind(self.path)
        if kind == socket.SOCK_STREAM:
            self.listener.listen(64)
        os.chmod(self.path, 0o640)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(folder / "notify"))
        self.notify.setblocking(False)
        self.messages = []
        self.tree = folder / "shop.yaml"
        self.tree.write_text(TREE % (folder, folder))
        self.process = None

    def command(self, setting):
        line = unit_value(setting)
        for there, here in (("/usr/bin/espalier", ESPALIER), ("/run/espalier/%i.sock", self.path),
                            ("/etc/espalier/%i.yaml", str(self.tree))):
            line = line.replace(there, here)
        return shlex.split(line)

    def start(self):
        """In the child as systemd does it: the descriptor is 3, and the variable has its own pid."""
        self.messages.clear()
        high = fcntl.fcntl(self.listener.fileno(), fcntl.F_DUPFD, 50)
        environment = os.environ | {
            "LISTEN_FDS": "1", "LISTEN_FDNAMES": self.name,
            "NOTIFY_SOCKET": str(self.folder / "notify"), "WATCHDOG_USEC": str(int(WATCHDOG * 1e6))}
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, str(high), *self.command("ExecStart")], env=environment,
            pass_fds=[high], stderr=open(self.folder / "log", "a"),
            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        os.close(high)

    def hear(self):
        try:
            while True:
                self.messages.append((time.monotonic(), self.notify.recv(4096).decode()))
        except BlockingIOError:
            return [text for _, text in self.messages]

    def wait_for(self, text):
        eventually(lambda: any(text in x for x in self.hear()), f"{text} in {self.hear()}\n{self.log()}")

    def log(self):
        return (self.folder / "log").read_text()

    def ask(self, method, timeout=20):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout)
            client.connect(self.path)
            client.sendall(json.dumps({"request_id": "1", "method": method}).encode() + b"\n")
            return json.loads(client.makefile().readline())

    def stop(self):
        self.process.terminate()
        assert self.process.wait(timeout=20) == 0, self.log()


def who_connects_before_the_start_is_answered(manager):
    client = socket.socket(socket.AF_UNIX)
    client.connect(manager.path)
    client.sendall(b'{"request_id":"1","method":"ping"}\n')
    manager.start()
    manager.wait_for("READY=1")
    client.settimeout(20)
    assert json.loads(client.makefile().readline())["ok"]
    client.close()
    manager.wait_for("STATUS=2/2 children up")
    assert os.stat(manager.path).st_mode & 0o777 == 0o640, "the mode is the unit's business"


def children_get_nothing_of_it(manager):
    words = eventually(lambda: (manager.folder / "fds").exists() and
                       (manager.folder / "env").read_text(), "the child has written")
    for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC"):
        assert name not in words, f"{name} was left to the children"
    assert str(manager.folder / "notify") not in words, "a child could speak in our name"
    inode = os.fstat(manager.listener.fileno()).st_ino
    assert f"socket:[{inode}]" not in (manager.folder / "fds").read_text()


def signs_of_life_come_in_time(manager):
    begun = time.monotonic()
    manager.messages.clear()
    eventually(lambda: sum("WATCHDOG=1" in x for x in manager.hear()) >= 5, "five signs of life")
    assert time.monotonic() - begun < 5 * WATCHDOG, "a service manager would have ended it"


def a_reload_is_told_and_a_bad_file_refused(manager):
    manager.messages.clear()
    manager.process.send_signal(signal.SIGHUP)
    manager.wait_for("RELOADING=1\nMONOTONIC_USEC=")
    manager.wait_for("READY=1")
    text = manager.tree.read_text()
    manager.tree.write_text(text + "  - {name: more, command: [sleep, '1000']}\n")
    done = subprocess.run(manager.command("ExecReload"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    manager.wait_for("STATUS=3/3 children up")
    manager.tree.write_text(text + "  - {name: more, comand: [sleep, '1000']}\n")
    done = subprocess.run(manager.command("ExecReload"), capture_output=True, text=True)
    assert done.returncode != 0 and "comand" in done.stderr, done
    assert manager.ask("health")["result"]["ready"] == 3, "a bad file must change nothing"
    manager.tree.write_text(text)


def a_restart_loses_nobody(manager):
    manager.stop()
    assert "STOPPING=1" in "\n".join(manager.hear())
    assert "EXTEND_TIMEOUT_USEC=" in "\n".join(manager.hear())
    client = socket.socket(socket.AF_UNIX)
    client.connect(manager.path)  # The socket is there, and somebody will answer.
    client.sendall(b'{"request_id":"1","method":"ping"}\n')
    manager.start()
    client.settimeout(20)
    assert json.loads(client.makefile().readline())["ok"]
    client.close()
    manager.wait_for("READY=1")


def a_program_that_hangs_is_noticed(manager):
    nodes = manager.ask("state")["result"]["snapshot"]["nodes"]
    child = next(x["pid"] for x in nodes if x["path"] == "/spy")
    manager.process.send_signal(signal.SIGSTOP)
    manager.hear()
    manager.messages.clear()
    time.sleep(1.5 * WATCHDOG)
    assert not manager.hear(), "signs of life of a program that does nothing"
    manager.process.send_signal(signal.SIGABRT)  # As systemd does when the time is over.
    manager.process.send_signal(signal.SIGKILL)
    manager.process.wait(timeout=20)
    eventually(lambda: not is_alive(child), "the children of the killed one are gone")
    manager.start()
    manager.wait_for("READY=1")
    assert manager.ask("health")["result"]["ready"] == 2
    manager.stop()
    assert os.path.exists(manager.path), "the socket is the service manager's"


def a_wrong_socket_is_called_by_what_it_is(folder):
    manager = Manager(folder, kind=socket.SOCK_DGRAM)
    manager.start()
    prevented = [int(x) for x in unit_value("RestartPreventExitStatus").split()]
    assert manager.process.wait(timeout=20) in prevented, "systemd would try again and again"
    assert "Unix datagram socket" in manager.log() and "ListenStream=" in manager.log(), manager.log()


def the_launcher_of_systemd_is_understood(folder):
    launcher = shutil.which("systemd-socket-activate")
    if not launcher:
        print("SKIPPED: systemd-socket-activate is not installed (package systemd)")
        return
    (folder / "tree.yaml").write_text("children: [{name: a, command: [sleep, '1000']}]\n")
    path, figures = str(folder / "s"), str(folder / "m")
    process = subprocess.Popen([launcher, "-l", path, "-l", figures, "--fdname=espalier:metrics",
                                ESPALIER, "run", str(folder / "tree.yaml")],
                               stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: os.path.exists(figures), "it listens")
        done = subprocess.run([ESPALIER, "wait", "/a", "--for", "ready", "--socket", path],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        with socket.socket(socket.AF_UNIX) as scraper:
            scraper.settimeout(20)
            scraper.connect(figures)
            scraper.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            answer = scraper.makefile().read()
        assert " 200 " in answer.splitlines()[0] and "espalier_" in answer, answer[:500]
    finally:
        process.terminate()
        process.wait(timeout=20)


def main():
    with tempfile.TemporaryDirectory(prefix="espalier-") as name:
        folders = [pathlib.Path(name, x) for x in ("manager", "wrong", "launcher")]
        for folder in folders:
            folder.mkdir()
        manager = Manager(folders[0])
        try:
            for step in (who_connects_before_the_start_is_answered, children_get_nothing_of_it,
                         signs_of_life_come_in_time, a_reload_is_told_and_a_bad_file_refused,
                         a_restart_loses_nobody, a_program_that_hangs_is_noticed):
                step(manager)
                print(f"ok: {step.__name__.replace('_', ' ')}")
        finally:
            if manager.process and manager.process.poll() is None:
                manager.process.kill()
                manager.process.wait()
        for step, folder in ((a_wrong_socket_is_called_by_what_it_is, folders[1]),
                             (the_launcher_of_systemd_is_understood, folders[2])):
            step(folder)
            print(f"ok: {step.__name__.replace('_', ' ')}")


main()
