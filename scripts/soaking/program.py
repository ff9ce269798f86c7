"""The program that is soaked, its words, and its figures for Prometheus."""
import collections
import http.client
import socket
import subprocess
import threading
import time


class Log(threading.Thread):
    """Takes what the program says, so that it never waits for us; keeps the end of it."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream = stream
        self.last = collections.deque(maxlen=40)
        self.reloads = 0
        self.start()

    def run(self):
        for line in self.stream:
            self.last.append(line.rstrip())
            self.reloads += "reload: done" in line


class Scrapes(threading.Thread):
    """Asks for /metrics now and then. A program that does not listen there is not asked again."""

    def __init__(self, address, period):
        super().__init__(daemon=True)
        self.address, self.period = address, period
        self.asked = self.answered = self.bytes = 0
        self.milliseconds = []
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(self.period):
            begun = time.monotonic()
            try:
                self.bytes = self.ask()
                self.asked += 1
                self.answered += 1
                self.milliseconds.append(round((time.monotonic() - begun) * 1000, 3))
            except ConnectionRefusedError:
                if not self.asked:
                    return
                self.asked += 1
            except OSError:
                self.asked += 1

    def ask(self):
        host, port = self.address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        try:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200 or b"espalier_" not in body:
                raise OSError(f"status {answer.status}")
            return len(body)
        finally:
            connection.close()

    def stop(self):
        self.stopped.set()
        if self.is_alive():
            self.join()


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def understands(program, tree):
    """Whether this program takes the file; one that is older knows less."""
    done = subprocess.run([program, "check", tree], capture_output=True, text=True)
    return done.returncode == 0


def start(program, tree, path):
    process = subprocess.Popen(
        [program, "run", str(tree), "--socket", str(path), "--log-format", "json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        errors="replace")
    return process, Log(process.stderr)
