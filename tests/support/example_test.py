#!/usr/bin/env python3
"""Runs an example and compares what it prints.

usage: example_test.py PROGRAM EXPECTED SAMPLE

EXPECTED and SAMPLE need not exist: without the first only the exit code counts, without the second
the program gets no argument.
"""
import difflib
import pathlib
import subprocess
import sys


def main(program, expected, sample):
    arguments = [sample] if pathlib.Path(sample).exists() else []
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=50)
    if done.returncode != 0:
        return f"{program} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    if not done.stdout:
        return f"{program} printed nothing"
    if not pathlib.Path(expected).exists():
        return ""
    wanted = pathlib.Path(expected).read_text()
    return "".join(difflib.unified_diff(wanted.splitlines(True), done.stdout.splitlines(True),
                                        expected, "printed"))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or 0)
