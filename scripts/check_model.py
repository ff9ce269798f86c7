#!/usr/bin/env python3
"""Checks the model of restart against stop with spin: every property, and that each can fail.

usage: scripts/check_model.py [--children N] [--limit N] [--commands N] [--no-mutants]

Every property must hold of the model as it is, and each mutant, a model with one fault, must break
the property that is there for it. Needs spin and gcc. Exit code: the number of wrong answers.
"""
import argparse
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

MODEL = pathlib.Path(__file__).resolve().parent.parent / "tests/model/restart_and_stop.pml"
MEMORY = 6 << 30
PROPERTIES = ("one_life", "nothing_left", "within_limit", "stop_ends")
MUTANTS = {  # and the property that must notice
    "restart_abandoned": "one_life",
    "late_timer": "nothing_left",
    "no_limit": "within_limit",
    "no_deadline": "stop_ends",
}


def run(command, folder, **options):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"check_model: {' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def at_most_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def build(sizes, mutant, for_ends, folder):
    defines = [f"-D{key}={value}" for key, value in sizes.items()]
    if mutant:
        defines.append(f"-D{mutant}")
    run(["spin", *defines, "-a", str(MODEL)], folder)
    options = ["-DNFAIR=4"] if for_ends else ["-DSAFETY", "-DNOFAIR"]
    run(["gcc", "-O1", "-w", "-DCOLLAPSE", *options, "-o", "pan", "pan.c"], folder)


def verify(name, for_ends, folder):
    """Whether the property holds, the states stored, and the seconds it took."""
    # Of what must end, weak fairness asks that whoever can always go on at last does.
    search = ["-a", "-f"] if for_ends else []
    began = time.monotonic()
    out = run(["./pan", *search, "-N", name, "-m1000000"], folder, preexec_fn=at_most_memory)
    took = time.monotonic() - began
    errors = int(re.search(r"errors: (\d+)", out).group(1))
    states = int(float(re.search(r"([\d.e+]+) states, stored", out).group(1)))
    cut_short = "Search not completed" in out and errors == 0
    if cut_short or "max search depth too small" in out:
        sys.exit(f"check_model: {name}: the search was cut short:\n{out}")
    return errors == 0, states, took


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--children", type=int, default=2, choices=(2, 3, 4))
    parser.add_argument("--limit", type=int, default=2, help="restarts before it gives up")
    parser.add_argument("--commands", type=int, default=1, help="restarts ordered by an operator")
    parser.add_argument("--no-mutants", action="store_true")
    args = parser.parse_args()
    sizes = {"N": args.children, "LIMIT": args.limit, "COMMANDS": args.commands}
    cases = [(None, name) for name in PROPERTIES]
    if not args.no_mutants:
        cases += list(MUTANTS.items())
    wrong = 0
    with tempfile.TemporaryDirectory() as root:
        for mutant, name in cases:
            for_ends = name == "stop_ends"
            folder = pathlib.Path(root, f"{mutant}-{for_ends}")
            if not folder.exists():
                folder.mkdir()
                build(sizes, mutant, for_ends, folder)
            holds, states, took = verify(name, for_ends, folder)
            right = holds == (mutant is None)
            wrong += not right
            what = f"{name} of {mutant}" if mutant else name
            print(f"{what:34} {'holds' if holds else 'is violated':12} {states:>12,} states"
                  f" {took:7.1f} s{'' if right else '   WRONG'}", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
