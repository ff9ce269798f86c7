#!/usr/bin/env python3
"""Checks the headers that are installed.

usage: check_headers.py COMPILER [ROOT ...]

Each compiles by itself and includes no `internal/` header; those below `espalier/` that a program
without actors and coroutines includes bring in nothing of CAF, Boost, yaml-cpp and spdlog.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parent.parent
ROOTS = [PROJECT / "libsupervisor", PROJECT / "libpipeline", PROJECT / "ipc"]
LIGHT = ["espalier/supervisor.hpp", "espalier/pipeline.hpp", "espalier/ipc.hpp", "espalier/child_main.hpp", "espalier/testing.hpp"]
HEAVY_LIBRARY = re.compile(r"/(caf|boost|yaml-cpp|spdlog|fmt)/")
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.M)


class Headers:
    def __init__(self, compiler, roots):
        self.roots = roots
        self.command = [compiler, "-std=c++20", *(f"-I{x}" for x in roots), "-Wall", "-Wextra", "-Wno-unused",
                        "-Wpedantic", "-x", "c++"]
        self.public = sorted(str(x.relative_to(root)) for root in roots
                             for x in (root / "espalier").rglob("*.hpp") if "internal" not in x.parts)

    def path(self, name):
        return next((x / name for x in self.roots if (x / name).exists()), None)

    def includes(self, name):
        return INCLUDE.findall(self.path(name).read_text())

    def is_heavy(self, name, seen=None):
        """True: it includes CAF or Boost, so it takes seconds to compile."""
        seen = seen if seen is not None else set()
        if name in seen or self.path(name) is None:
            return False
        seen.add(name)
        return any(x.startswith(("caf/", "boost/")) or self.is_heavy(x, seen)
                   for x in self.includes(name))

    def stands_alone(self, name):
        """True: its own source includes it before anything else, so the build has compiled it alone."""
        source = self.path(name).with_suffix(".cpp")
        return source.exists() and INCLUDE.findall(source.read_text())[:1] == [name]

    def run(self, names, *options):
        with tempfile.NamedTemporaryFile("w", suffix=".cpp") as unit:
            unit.write("".join(f"#include <{x}>\n" for x in names))
            unit.flush()
            return subprocess.run([*self.command, *options, unit.name], capture_output=True, text=True)

    def compile_fault(self, names):
        done = self.run(names, "-fsyntax-only")
        about = names[0] if len(names) == 1 else f"{len(names)} headers together"
        if done.returncode or "warning:" in done.stderr:
            return f"{about}: does not compile cleanly by itself:\n{done.stderr}"
        return ""

    def weight_fault(self, name):
        """The chain of includes that leads to the first heavy header, if any."""
        chain = []
        for line in self.run([name], "-fsyntax-only", "-H").stderr.splitlines():
            found = re.match(r"(\.+) (.*)", line)
            if not found:
                continue
            chain[len(found[1]) - 1:] = [found[2]]
            if HEAVY_LIBRARY.search(found[2]):
                return f"{name}: includes {' -> '.join(chain)}"
        return ""

    def faults(self):
        for name in self.public:
            yield from (f"{name}: includes {x}, which is not installed" for x in self.includes(name)
                        if "/internal/" in x)
        heavy = [x for x in self.public if self.is_heavy(x)]
        jobs = [[x] for x in self.public if x not in heavy and not self.stands_alone(x)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            together = [pool.submit(self.compile_fault, heavy)] if heavy else []
            results = [pool.submit(self.weight_fault, x) for x in LIGHT if x in self.public]
            results = together + results + [pool.submit(self.compile_fault, x) for x in jobs]
            yield from filter(None, (x.result() for x in results))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    headers = Headers(sys.argv[1], [pathlib.Path(x) for x in sys.argv[2:]] or ROOTS)
    faults = list(headers.faults())
    print("\n".join(faults) or f"{len(headers.public)} headers ok")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
