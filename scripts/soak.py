#!/usr/bin/env python3
"""Lets a tree run for long under what wears programs out, and looks whether it wears.

usage: scripts/soak.py [--for 10m|2h] [--weekly] [--children 1000] [--json FILE] [--program FILE]

1,000 children, of which some fail, five times a second in all; twenty readers that come and go,
some of whom take nothing of what they ask for; a reload each minute with a file that has changed;
/metrics where the program has it. It measures memory, descriptors, threads and how late events
reach a reader, and fails where one of them grows. Exit status 1: a gate does not hold.

--weekly is ten minutes. In a run of less than ninety the first third is not judged, and memory may
still grow by 4 MiB in the rest (24 MiB in one of less than five); in a longer one the first hour is
not judged, and memory may grow by less than 1 MiB an hour after it.
"""
import argparse
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from soaking import gates, program, tree
from soaking.figures import Latencies, Sampler
from soaking.readers import Party

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds_of(text):
    found = re.fullmatch(r"(\d+)([smh])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is no time such as 30s, 10m or 2h")
    return int(found[1]) * UNITS[found[2]]


class Soak:
    def __init__(self, options, folder):
        self.options, self.seconds = options, options.seconds
        self.warm_up = 3600 if self.seconds >= gates.LONG else self.seconds / 3
        self.tree, self.socket = folder / "tree.yaml", folder / "soak.sock"
        self.journal = folder / "journal"
        self.reloads = self.revision = self.ready = self.sockets_left = 0
        self.reload_every = 60 if self.seconds >= 150 else max(2, self.seconds / 3)
        self.stop_seconds, self.exit_code = 0.0, None
        self.metrics = program.free_address()
        self.write_tree()
        if not program.understands(options.program, self.tree):
            self.metrics = None
            self.write_tree()
        self.scrapes = program.Scrapes(self.metrics, max(1, min(15, self.seconds / 8)))
        self.latencies = Latencies(max(1, min(60, self.seconds / 12)))

    def write_tree(self):
        text = tree.tree_text(self.options.children, self.revision, self.journal, self.metrics)
        beside = self.tree.with_suffix(".new")
        beside.write_text(text)
        beside.rename(self.tree)

    def run(self):
        self.process, self.log = program.start(self.options.program, self.tree, self.socket)
        try:
            self.wait_until_ready()
            self.sampler = Sampler(self.process.pid, self.journal)
            sockets_before = self.sampler.descriptors()[1]
            self.party = Party(self.options.program, self.socket, self.latencies,
                               min(90, self.seconds / 2))
            if self.metrics:
                self.scrapes.start()
            self.soak()
            self.ready = self.count_ready()
            self.scrapes.stop()
            self.party.close()
            self.sockets_left = self.count_sockets_left(sockets_before)
            self.stop()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        self.latencies.close()

    def wait_until_ready(self):
        end = time.monotonic() + 60
        while self.count_ready() < self.options.children * 0.9:
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit("the tree did not come up:\n" + "\n".join(self.log.last))
            time.sleep(0.1)

    def count_ready(self):
        """Of the children that are no supervisors."""
        done = subprocess.run([self.options.program, "list", "--socket", self.socket, "-o", "json"],
                              capture_output=True, text=True)
        if done.returncode not in (0, 3) or not done.stdout:
            return 0
        nodes = json.loads(done.stdout)
        nodes = nodes.get("snapshot", nodes).get("nodes", []) if isinstance(nodes, dict) else nodes
        return sum(x["kind"] != "supervisor" and x["lifecycle"] == "ready" for x in nodes)

    def soak(self):
        begun = time.monotonic()
        end = begun + self.seconds
        sample_every = max(0.25, min(5, self.seconds / 40))
        next_sample, next_reload, next_word = begun, begun + self.reload_every / 2, begun + 600
        while (now := time.monotonic()) < end:
            if self.process.poll() is not None:
                raise SystemExit("the tree has ended by itself:\n" + "\n".join(self.log.last))
            if now >= next_sample:
                next_sample += sample_every
                self.sampler.take()
            if now >= next_reload and end - now > 1:
                next_reload += self.reload_every
                self.reload()
            if now >= next_word:
                next_word += 600
                self.say_how_far(now - begun)
            self.party.turn(max(0.0, min(next_sample, next_reload, end) - now))
        give_up = time.monotonic() + 10
        while self.log.reloads < self.reloads and time.monotonic() < give_up:
            self.party.turn(0.1)

    def reload(self):
        self.revision += 1
        self.write_tree()
        self.process.send_signal(signal.SIGHUP)
        self.reloads += 1

    def say_how_far(self, seconds):
        last = self.sampler.samples[-1]
        print(f"{seconds / 60:.0f} min: {last['rss_kib'] / 1024:.1f} MiB, {last['fds']} descriptors, "
              f"{last['threads']} threads, {self.party.events} events, {self.party.gaps} gaps, "
              f"{len(self.party.faults)} faults", flush=True)

    def count_sockets_left(self, before):
        end = time.monotonic() + 5
        while (left := self.sampler.descriptors()[1] - before) > 0 and time.monotonic() < end:
            time.sleep(0.1)
        return left

    def stop(self):
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.exit_code = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.exit_code = "none"
        self.stop_seconds = time.monotonic() - begun

    def report(self):
        rows = list(gates.judge(self))
        for name, value, limit, holds in rows:
            print(f"{'ok  ' if holds else 'FAIL'}  {name:30} {str(value):44} {limit}")
        figures = gates.summary(self)
        print("\n" + "\n".join(f"{name:20} {value}" for name, value in figures.items()))
        for fault in self.party.faults[:20]:
            print(f"fault: {fault}")
        if self.options.json:
            self.options.json.write_text(json.dumps({
                "summary": figures, "samples": self.sampler.samples,
                "latency": self.latencies.closed, "faults": self.party.faults,
                "gates": [{"name": name, "value": str(value), "limit": limit, "holds": bool(holds)}
                          for name, value, limit, holds in rows]}, indent=1))
        return all(holds for *_, holds in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--for", dest="seconds", type=seconds_of, default=600, metavar="TIME",
                        help="such as 30s, 10m (this unless told otherwise) or 2h")
    parser.add_argument("--weekly", action="store_true", help="the same as --for 10m")
    parser.add_argument("--children", type=int, default=1000)
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="all figures")
    parser.add_argument("--program", default=str(ROOT / "build/release/cli/espalier"),
                        metavar="FILE", help="what to soak; that of build/release otherwise")
    options = parser.parse_args()
    if options.weekly:
        options.seconds = 600
    if options.children < 30 or options.seconds < 5:
        parser.error("give it 30 children and 5 seconds at least")
    with tempfile.TemporaryDirectory(prefix="espalier-soak-") as folder:
        soak = Soak(options, pathlib.Path(folder))
        soak.run()
        return 0 if soak.report() else 1


if __name__ == "__main__":
    sys.exit(main())
