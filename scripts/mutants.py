"""Applies mutations to a copy of the sources, one at a time, and asks whether the tests notice.

A mutation is (group, name, tests, file, text that occurs in the file once, its replacement).
`killed` means that a test failed, crashed or hung, and did so again when it ran alone; the test is
named. `survived` means that nobody noticed, `unsure` that the test passed alone, `stale` that the
mutation says nothing. The repository is never changed. A --work folder is built from scratch once;
later runs build only what differs.
"""
import argparse
import collections
import filecmp
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 300  # The time limit of a test executable.


def copy_sources(to):
    """Writes only what differs, as of now: ninja then builds that again, and nothing else."""
    tops = [x for x in ROOT.iterdir() if x.is_dir() and not x.name.startswith((".", "build"))]
    files = [f for top in tops for f in top.rglob("*") if f.is_file()]
    files += [f for f in ROOT.iterdir() if f.is_file()]
    wanted = {to / file.relative_to(ROOT): file for file in files}
    for old in [f for f in to.rglob("*") if f.is_file() and f not in wanted]:
        old.unlink()
    for copy, file in wanted.items():
        if not copy.exists() or not filecmp.cmp(file, copy, shallow=False):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)


def run(command, log, seconds):
    """The exit code; past its time a command is ended with all that it started, which is 1."""
    with subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return 1


class Bench:
    """A copy of the sources in `work`, and the executables of each kind of tests built from it."""

    def __init__(self, work, base, tests, log):
        self.work, self.base, self.tests, self.log = work, base, tests, log
        self.noisy = set()  # Tests that unchanged sources fail, though not when run alone.

    def prepare(self, kinds):
        copy_sources(self.work / "source")
        configure = ["cmake", "-G", "Ninja", "-S", str(self.work / "source"),
                     "-B", str(self.work / "build"), "-DCMAKE_BUILD_TYPE=Debug",
                     "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DESPALIER_WERROR=OFF"]
        if run(configure, self.log, 300) != 0:
            sys.exit(f"the unchanged sources cannot be configured; see {self.log.name}")
        for kind in kinds:
            self.check_unchanged(kind)

    def check_unchanged(self, kind):
        if not self.build(kind):
            sys.exit(f"the unchanged sources do not build; see {self.log.name}")
        for test in self.tests[kind]:
            for name in self.failing_tests(test):
                if self.failing_tests(test, name):
                    sys.exit(f"the unchanged sources fail {name}; see {self.output()}")
                self.noisy.add(name)
                print(f"fails now and then, so it kills nothing: {name}", flush=True)
            skipped = re.findall(r"^\[  SKIPPED \] (\S+)$", self.output().read_text(), re.M)
            for name in skipped:
                print(f"skipped here, so it kills nothing: {name}", flush=True)

    def build(self, kind):
        command = ["nice", "cmake", "--build", str(self.work / "build"), "--target"]
        return run([*command, *self.tests[kind]], self.log, 3600) == 0

    def output(self):
        return self.work / "tests.txt"

    def failing_tests(self, executable, chosen="*"):
        """The names of the tests that fail; where one crashes or hangs, that one."""
        command = [str(self.work / "build/tests" / executable), f"--gtest_filter={chosen}"]
        with open(self.output(), "w") as file:
            code = run(command, file, SECONDS)
        if code == 0:
            return []
        text = self.output().read_text(errors="replace")
        failed = re.findall(r"^\[  FAILED  \] ([^\s,]+\.[^\s,]+)", text, re.M)
        begun = re.findall(r"^\[ RUN      \] (\S+)", text, re.M)
        return list(dict.fromkeys(failed)) or [executable, *begun][-1:]

    def verdict(self, mutation):
        """What came of it, and the test that noticed."""
        _, _, kind, name, old, new = mutation
        path = self.work / "source" / self.base / name
        original = path.read_text()
        if original.count(old) != 1:
            return "stale: its text is no longer there", None
        path.write_text(original.replace(old, new))
        try:
            if not self.build(kind):
                return "stale: does not compile", None
            failing = [(test, killer) for test in self.tests[kind]
                       for killer in self.failing_tests(test) if killer not in self.noisy]
            for test, killer in failing:
                if self.failing_tests(test, killer):
                    return "killed", killer
            return ("unsure", failing[0][1]) if failing else ("survived", None)
        finally:
            path.write_text(original)

    def try_all(self, mutations):
        """The number of those that were not killed."""
        results = collections.defaultdict(list)
        for mutation in mutations:
            result, test = self.verdict(mutation)
            results[mutation[0]].append(result == "killed")
            by = f" | {test}" if test else ""
            print(f"{result:8} {mutation[0]} {mutation[1]}{by}", flush=True)
        for group, killed in sorted(results.items()):
            print(f"{group}: {sum(killed)} of {len(killed)} killed")
        every = [killed for some in results.values() for killed in some]
        print(f"{sum(every)} of {len(every)} killed")
        return len(every) - sum(every)


def misfits(mutations, base):
    """Entries whose text no longer stands in the sources exactly once."""
    for _, name, _, file, old, _ in mutations:
        path = ROOT / base / file
        count = path.read_text().count(old) if path.exists() else 0
        if count != 1:
            yield f"{file}: '{old}' of \"{name}\" occurs {count} times"


def main(purpose, mutations, base, tests):
    """The command line, for a list of mutations of files below `base`; gives the exit code."""
    parser = argparse.ArgumentParser(description=purpose.splitlines()[0])
    parser.add_argument("--only", default="", help="mutations whose group and name contain this")
    parser.add_argument("--in", dest="kind", choices=sorted(tests), help="only what these see")
    parser.add_argument("--work", help="folder for the copy; default: a temporary one")
    parser.add_argument("--jobs", default="2", help="compilers at a time; default: 2")
    parser.add_argument("--check", action="store_true", help="only see whether the list fits")
    options = parser.parse_args()
    if options.check:
        bad = list(misfits(mutations, base))
        print("\n".join(bad) or f"{len(mutations)} mutations fit")
        return len(bad)
    chosen = [m for m in mutations if options.only in f"{m[0]} {m[1]}"
              and options.kind in (None, m[2])]
    os.environ["CMAKE_BUILD_PARALLEL_LEVEL"] = options.jobs
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(options.work or temporary)
        work.mkdir(parents=True, exist_ok=True)
        with open(work / "log.txt", "w") as log:
            bench = Bench(work, base, tests, log)
            bench.prepare(sorted({m[2] for m in chosen}))
            return bench.try_all(chosen)
