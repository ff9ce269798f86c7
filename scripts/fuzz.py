#!/usr/bin/env python3
"""Builds the fuzzers with clang and lets each run for a while, beginning with its corpus.

usage: scripts/fuzz.py [--seconds N] [--keep FOLDER] [framer] [request] [journal]

A minute each unless told otherwise; all, one after the other, unless named. Exit code 1 means
that a promise was broken: the input is kept below build/fuzz and the command that shows it again is
printed. What is new and worth keeping is copied to FOLDER/NAME where one is named. 77: no clang.
"""
import argparse
import fcntl
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/fuzz"
LONGEST = {"framer": 262144, "request": 65536, "journal": 262144}


def build(names):
    """One at a time; quick when nothing has changed."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with open(BUILD / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (BUILD / "build.ninja").exists():
            subprocess.run(["cmake", "--preset", "fuzz"], cwd=ROOT, check=True)
        targets = [f"{name}_fuzz" for name in names]
        subprocess.run(["ninja", "-C", str(BUILD), *targets], check=True)


def fuzz(name, seconds, keep):
    found = BUILD / f"found-{name}"
    found.mkdir(exist_ok=True)
    into = keep / name if keep else BUILD / f"corpus-{name}"
    into.mkdir(parents=True, exist_ok=True)
    program = BUILD / "tests/fuzz" / f"{name}_fuzz"
    command = [str(program), f"-max_total_time={seconds}", "-timeout=5", "-rss_limit_mb=1024",
               f"-max_len={LONGEST[name]}", f"-artifact_prefix={found}/", "-print_final_stats=1",
               "-verbosity=1", str(into), str(ROOT / "tests/fuzz/corpus" / name)]
    code = subprocess.run(command, cwd=BUILD).returncode
    if code != 0:
        print(f"\n{name}: a promise was broken; again with: {program} {found}/FILE")
    return code


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="framer, request, journal; all")
    parser.add_argument("--seconds", type=int, default=60, help="for each (60)")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for inputs that are new")
    options = parser.parse_args()
    names = options.names or list(LONGEST)
    if unknown := set(names) - set(LONGEST):
        parser.error(f"no fuzzer is named {', '.join(sorted(unknown))}; there are {', '.join(LONGEST)}")
    if not shutil.which("clang++-14"):
        print("clang++-14 is needed for fuzzing: apt-get install clang-14 libclang-rt-14-dev")
        return 77
    build(names)
    failed = [name for name in names if fuzz(name, options.seconds, options.keep) != 0]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
