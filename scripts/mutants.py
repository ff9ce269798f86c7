"""Applies mutations to a copy of the sources, one at a time, and asks whether the tests notice.

`killed` means that a test failed, crashed or hung, and did so again when it ran alone; the test is
named. `survived` means that nobody noticed, `unsure` that the test passed alone, `stale` that the
mutation says nothing. The repository is never changed. A work folder is built from scratch once;
later runs build only what differs.
"""
import collections
import ctypes
import dataclasses
import filecmp
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONGEST = 300  # Seconds, of any test executable.
PR_SET_CHILD_SUBREAPER = 36


@dataclasses.dataclass(frozen=True)
class Mutation:
    area: str
    group: str  # Of the figures.
    name: str
    tests: tuple  # Test executables, the fast ones first; after a space which of their tests.
    file: str  # Below ROOT.
    old: str  # Occurs in it once.
    new: str

    def __str__(self):
        return f"{self.area} {self.group}: {self.name}"

    def misfit(self):
        """Why it cannot be made, or nothing."""
        path = ROOT / self.file
        count = path.read_text().count(self.old) if path.exists() else 0
        if count != 1:
            return f"{self.file}: '{self.old}' of \"{self}\" occurs {count} times"
        return f'"{self}" changes nothing' if self.old == self.new else None


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


def orphans():
    """What a mutant has left running: the kernel has made it children of ours."""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text(errors="replace").rpartition(")")[2].split()[1]
        except OSError:  # It has ended meanwhile.
            continue
        if int(parent) == os.getpid():
            yield int(stat.parent.name)


def end_orphans():
    while found := list(orphans()):
        for pid in found:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def run(command, log, seconds):
    """The exit code; past its time a command is ended with all that it started, which is 1."""
    with subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return 1
        finally:  # Also for a user who wants no more.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            end_orphans()


class Bench:
    """A copy of the sources in `work`, and the test executables built from it."""

    def __init__(self, work, log):
        self.work, self.log = work, log
        self.noisy = set()  # Tests that fail with unchanged sources: here, now, unoptimised.
        self.limits = {}  # Seconds that a test may take.

    def prepare(self, tests):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        copy_sources(self.work / "source")
        configure = ["cmake", "-G", "Ninja", "-S", str(self.work / "source"),
                     "-B", str(self.work / "build"), "-DCMAKE_BUILD_TYPE=Debug",
                     "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DESPALIER_WERROR=OFF",
                     "-DCMAKE_SUPPRESS_REGENERATION=ON"]  # No file comes or goes after this.
        if shutil.which("ld.lld"):  # Half of the time of a mutant is linking.
            configure.append("-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld")
        if run(configure, self.log, 300) != 0:
            sys.exit(f"the unchanged sources cannot be configured; see {self.log.name}")
        for test in tests:
            if not self.build(test):
                sys.exit(f"the unchanged sources do not build {test}; see {self.log.name}")
            self.check_unchanged(test)

    def check_unchanged(self, test):
        begun = time.monotonic()
        while name := self.failing_test(test, self.noisy):
            if name in self.noisy or "." not in name:
                sys.exit(f"the unchanged sources fail {name}; see {self.output()}")
            self.noisy.add(name)
            print(f"fails here with unchanged sources, so it kills nothing: {name}", flush=True)
            begun = time.monotonic()
        self.limits[test] = min(LONGEST, 30 + 5 * (time.monotonic() - begun))
        skipped = re.findall(r"^\[  SKIPPED \] (\S+)$", self.output().read_text(), re.M)
        for name in dict.fromkeys(skipped):
            print(f"skipped here, so it kills nothing: {name}", flush=True)

    def build(self, test):
        command = ["nice", "cmake", "--build", str(self.work / "build"), "--target"]
        return run([*command, test.split()[0]], self.log, 3600) == 0

    def output(self):
        return self.work / "tests.txt"

    def failing_test(self, test, ignored, chosen=None):
        """The name of the first test that fails, crashes or hangs, or nothing."""
        executable, *its = test.split()
        chosen = chosen or ":".join(its or ["*"]) + "-" + ":".join(sorted(ignored))
        command = [str(self.work / "build/tests" / executable), f"--gtest_filter={chosen}",
                   "--gtest_fail_fast"]
        with open(self.output(), "w") as file:
            code = run(command, file, self.limits.get(test, LONGEST))
        if code == 0:
            return None
        text = self.output().read_text(errors="replace")
        failed = re.findall(r"^\[  FAILED  \] ([^\s,]+\.[^\s,]+)", text, re.M)
        begun = re.findall(r"^\[ RUN      \] (\S+)", text, re.M)
        return failed[0] if failed else [executable, *begun][-1]

    def verdict(self, mutation):
        """What came of it, and the test that noticed."""
        path = self.work / "source" / mutation.file
        original = path.read_text()
        if original.count(mutation.old) != 1:
            return "stale: its text is no longer there", None
        path.write_text(original.replace(mutation.old, mutation.new))
        try:
            return self.ask_tests(mutation)
        finally:
            path.write_text(original)

    def ask_tests(self, mutation):
        suspects = []
        for test in mutation.tests:
            if not self.build(test):
                return "stale: does not compile", None
            while killer := self.failing_test(test, self.noisy.union(suspects)):
                if self.failing_test(test, set(), killer):
                    return "killed", killer
                suspects.append(killer)
        return ("unsure", suspects[0]) if suspects else ("survived", None)

    def try_all(self, mutations):
        """The number of those that were not killed."""
        results = collections.defaultdict(list)
        for mutation in mutations:
            result, test = self.verdict(mutation)
            results[f"{mutation.area} {mutation.group}"].append(result == "killed")
            by = f" | {test}" if test else ""
            print(f"{result:8} {mutation}{by}", flush=True)
        for group, killed in sorted(results.items()):
            print(f"{group}: {sum(killed)} of {len(killed)} killed")
        every = [killed for some in results.values() for killed in some]
        print(f"{sum(every)} of {len(every)} killed")
        return len(every) - sum(every)
