"""Samples of the program, and what is computed of them."""
import collections
import os
import pathlib
import time


def median(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else None


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else None


def slope(points):
    """Least squares, of (x, y)."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    below = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / below if below else 0.0


def ends(values):
    """The first and the last third."""
    third = max(1, len(values) // 3)
    return values[:third], values[-third:]


def folder_bytes(folder):
    total = 0
    for file in pathlib.Path(folder).glob("*.ndjson"):
        try:
            total += file.stat().st_size
        except FileNotFoundError:  # Removed just now, as it should be.
            pass
    return total


class Sampler:
    """What the kernel says of one process, now and then."""

    def __init__(self, pid, journal):
        self.proc = pathlib.Path(f"/proc/{pid}")
        self.journal = journal
        self.begun = time.monotonic()
        self.samples = []

    def descriptors(self):
        """Without sockets, and sockets: those come and go with the readers."""
        sockets = others = 0
        for entry in os.scandir(self.proc / "fd"):
            try:
                is_socket = os.readlink(entry.path).startswith("socket:")
            except FileNotFoundError:  # Closed just now.
                continue
            sockets += is_socket
            others += not is_socket
        return others, sockets

    def take(self):
        words = (self.proc / "stat").read_text().rpartition(")")[2].split()
        status = dict(line.split(":", 1) for line in (self.proc / "status").read_text().splitlines())
        others, sockets = self.descriptors()
        self.samples.append({
            "at_s": round(time.monotonic() - self.begun, 3),
            "rss_kib": int(status["VmRSS"].split()[0]),
            "heap_and_stacks_kib": int(status["RssAnon"].split()[0]),
            "threads": int(status["Threads"]),
            "fds": others,
            "sockets": sockets,
            "cpu_s": (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK"),
            "journal_bytes": folder_bytes(self.journal)})

    def after(self, warm_up):
        return [x for x in self.samples if x["at_s"] >= warm_up]


class Latencies:
    """Of events, and of the machine itself; a bucket of time each."""

    def __init__(self, bucket):
        self.bucket = bucket
        self.open = collections.defaultdict(list)
        self.index = 0
        self.begun = time.monotonic()
        self.closed = []

    def add(self, what, milliseconds):
        index = int((time.monotonic() - self.begun) / self.bucket)
        if index != self.index:
            self.close()
            self.index = index
        self.open[what].append(milliseconds)

    def close(self):
        found = {"at_s": round(self.index * self.bucket, 3)}
        for what, values in self.open.items():
            found[what] = {"count": len(values), "p50_ms": round(percentile(values, 0.5), 3),
                           "p99_ms": round(percentile(values, 0.99), 3)}
        if self.open:
            self.closed.append(found)
        self.open.clear()

    def p99s(self, what, warm_up):
        return [x[what]["p99_ms"] for x in self.closed if x["at_s"] >= warm_up and what in x]
