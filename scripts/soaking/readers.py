"""Those who look at the tree while it is soaked. All belong to one thread and one selector."""
import contextlib
import json
import random
import selectors
import signal
import socket
import subprocess
import sys
import time

STALL_CUT = 75  # Seconds after which the tree must have let go of a reader that takes nothing.


class Lines:
    """Whole lines of a descriptor that does not block."""

    def __init__(self, read):
        self.read = read
        self.rest = b""

    def take(self):
        """Lines, and whether the end was reached."""
        try:
            data = self.read(1 << 18)
        except (BlockingIOError, InterruptedError):
            return [], False
        except ConnectionResetError:
            data = b""
        *lines, self.rest = (self.rest + (data or b"")).split(b"\n")
        return lines, not data


def connect(path, timeout=5):
    end = time.monotonic() + timeout
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(path)
            return client
        except OSError:
            client.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class Reader:
    """Lives for a while; `tell` counts what it sees."""

    def __init__(self, party, life):
        self.party = party
        self.until = time.monotonic() + life

    def fault(self, text):
        self.party.faults.append(f"{type(self).__name__}: {text}")


class Watcher(Reader):
    """Follows all events over the socket; may go on where one before it has ended."""

    def __init__(self, party, life, cursor=None):
        super().__init__(party, life)
        self.last = cursor
        self.client = connect(party.socket)
        self.begun = time.monotonic_ns()
        params = {"from": cursor} if cursor else {}
        self.client.sendall(json.dumps({"request_id": "1", "method": "events.subscribe",
                                        "params": params}).encode() + b"\n")
        self.client.setblocking(False)
        self.lines = Lines(self.client.recv)
        party.selector.register(self.client, selectors.EVENT_READ, self)

    def ready(self):
        lines, ended = self.lines.take()
        now = time.monotonic_ns()
        for line in map(json.loads, lines):
            self.see(line, now)
        if ended:
            self.fault("the tree closed the connection of a reader that keeps up")
        return not ended

    def see(self, line, now):
        if line.get("type") == "event":
            self.see_event(line["event"], now)
        elif line.get("request_id") == "1" and line["ok"]:
            self.last = self.last or line["result"]["cursor"]
        elif line.get("type") == "gap" and line["reason"] == "slow_reader":
            self.party.gaps += 1
            self.fault(f"a gap of {line['count']} events")
        else:
            self.fault(f"unexpected: {json.dumps(line)[:300]}")

    def see_event(self, event, now):
        if self.last and event["sequence"] != self.last["sequence"] + 1:
            self.party.gaps += 1
            self.fault(f"event {event['sequence']} came after {self.last['sequence']}")
        self.last = {"epoch": event["epoch"], "sequence": event["sequence"]}
        self.party.see_event(event)
        if event["monotonic_ns"] > self.begun:  # Others are told of what was before.
            self.party.latencies.add("event", (now - event["monotonic_ns"]) / 1e6)

    def leave(self):
        self.party.selector.unregister(self.client)
        self.client.close()
        if random.random() < 0.5:
            self.party.cursors.append(self.last)


class StateWatcher(Reader):
    """Follows the state by what changes; each line must begin where the last one ended."""

    def __init__(self, party, life):
        super().__init__(party, life)
        self.generation = None
        self.client = connect(party.socket)
        self.client.sendall(b'{"request_id":"1","method":"state.subscribe",'
                            b'"params":{"mode":"delta","interval_ms":500}}\n')
        self.client.setblocking(False)
        self.lines = Lines(self.client.recv)
        party.selector.register(self.client, selectors.EVENT_READ, self)

    def ready(self):
        lines, ended = self.lines.take()
        for line in map(json.loads, lines):
            if line.get("request_id") == "1" and line["ok"]:
                self.generation = line["result"]["snapshot"]["generation"]
            elif line.get("type") == "state_delta":
                if line["from_generation"] != self.generation:
                    self.party.gaps += 1
                    self.fault(f"state {line['from_generation']} came after {self.generation}")
                self.generation = line["to_generation"]
                self.party.deltas += 1
            else:
                self.fault(f"unexpected: {json.dumps(line)[:300]}")
        if ended:
            self.fault("the tree closed the connection of a reader that keeps up")
        return not ended

    def leave(self):
        self.party.selector.unregister(self.client)
        self.client.close()


class Stalled(Reader):
    """Asks for all events and takes none."""

    def __init__(self, party, life):
        super().__init__(party, life)
        self.begun = time.monotonic()
        self.client = connect(party.socket)
        self.client.sendall(b'{"request_id":"1","method":"events.subscribe"}\n')

    def leave(self):
        long_enough = time.monotonic() - self.begun > STALL_CUT
        self.client.setblocking(False)
        lines = Lines(self.client.recv)
        while long_enough:
            found, ended = lines.take()
            if ended:
                self.party.cut_off += 1
                break
            if not found and not lines.rest:
                self.fault(f"took nothing for {STALL_CUT} s and is still connected")
                break
        self.client.close()


class Program(Reader):
    """`espalier events -f`, as a person would run it."""

    def __init__(self, party, life):
        super().__init__(party, life)
        self.last = None
        self.process = subprocess.Popen(
            [party.program, "events", "-f", "-n", "1", "-o", "ndjson", "--socket", party.socket],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        self.lines = Lines(self.process.stdout.raw.read)
        party.selector.register(self.process.stdout, selectors.EVENT_READ, self)

    def ready(self):
        lines, ended = self.lines.take()
        now = time.monotonic_ns()
        for event in map(json.loads, lines):
            sequence = event.get("sequence")
            if sequence is None or (self.last and sequence != self.last + 1):
                self.party.gaps += 1
                self.fault(f"{json.dumps(event)[:200]} came after event {self.last}")
            elif self.last:
                self.party.latencies.add("program", (now - event["monotonic_ns"]) / 1e6)
            self.last = sequence
        if ended:
            self.fault("espalier events -f has ended by itself")
        return not ended

    def leave(self):
        self.party.selector.unregister(self.process.stdout)
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.fault("espalier events -f did not end on SIGINT")
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Machine:
    """A process that says what time it is: how late that is heard is the machine's doing, and ours."""
    SCRIPT = ("import time\nwhile True:\n  time.sleep(0.05)\n"
              "  print(time.monotonic_ns(), flush=True)")

    def __init__(self, party):
        self.party = party
        self.process = subprocess.Popen([sys.executable, "-c", self.SCRIPT],
                                        stdout=subprocess.PIPE)
        self.lines = Lines(self.process.stdout.raw.read)
        party.selector.register(self.process.stdout, selectors.EVENT_READ, self)

    def ready(self):
        lines, ended = self.lines.take()
        now = time.monotonic_ns()
        for line in lines:
            self.party.latencies.add("machine", (now - int(line)) / 1e6)
        return not ended

    def leave(self):
        self.party.selector.unregister(self.process.stdout)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Party:
    """Twenty readers at any time; who leaves is followed by another of its kind."""
    KINDS = [Watcher] * 10 + [StateWatcher] * 3 + [Stalled] * 4 + [Program] * 3

    def __init__(self, program, path, latencies, longest_life):
        self.program, self.socket, self.latencies = str(program), str(path), latencies
        self.longest_life = longest_life
        self.selector = selectors.DefaultSelector()
        self.gaps = self.cut_off = self.deltas = self.joined = self.events = self.crashes = 0
        self.seen = 0  # Number of the newest event that anybody was told of.
        self.faults, self.cursors = [], []
        self.machine = Machine(self)
        self.readers = [self.join(kind) for kind in self.KINDS]

    def see_event(self, event):
        if event["sequence"] <= self.seen:
            return
        self.seen = event["sequence"]
        self.events += 1
        self.crashes += event["type"] == "child_exited" and event["severity"] != "info"

    def join(self, kind):
        self.joined += 1
        life = random.uniform(self.longest_life / 6, self.longest_life)
        if kind is Stalled:
            life = min(self.longest_life, STALL_CUT) + random.uniform(1, 15)
        if kind is Watcher and self.cursors:
            return Watcher(self, life, self.cursors.pop(0))
        return kind(self, life)

    def turn(self, seconds):
        """Reads what is there, waits at most so long, and lets those go whose time is over."""
        for key, _ in self.selector.select(seconds):
            reader = key.data
            if not reader.ready() and reader in self.readers:
                self.replace(reader)
        now = time.monotonic()
        for reader in [x for x in self.readers if x.until < now]:
            self.replace(reader)

    def replace(self, reader):
        reader.leave()
        self.readers[self.readers.index(reader)] = self.join(type(reader))

    def close(self):
        for reader in self.readers:
            with contextlib.suppress(OSError):
                reader.leave()
        self.readers = []
        self.machine.leave()
