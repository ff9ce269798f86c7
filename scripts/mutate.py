#!/usr/bin/env python3
"""Breaks a promise of the sources at a time, in a copy, and asks whether the tests notice.

usage: scripts/mutate.py [--in AREA]... [--only TEXT]... [--work FOLDER] [--jobs N]
       scripts/mutate.py --list | --check

What can be broken stands in scripts/mutations, a file for each area; scripts/mutants.py says how
it is tried, docs/mutants.md what came of it. The exit code is the number of mutants that were not
killed.
"""
import argparse
import importlib
import os
import pathlib
import signal
import sys
import tempfile

import mutants

AREAS = sorted(file.stem for file in (pathlib.Path(__file__).parent / "mutations").glob("*.py"))


def mutations_of(area):
    module = importlib.import_module(f"mutations.{area}")
    return [mutants.Mutation(area, group, name, tuple(module.TESTS[tests]),
                             f"{module.BASE}/{file}", old, new)
            for group, name, tests, file, old, new in module.MUTATIONS]


def problems(mutations):
    yield from filter(None, (mutation.misfit() for mutation in mutations))
    names = [str(mutation) for mutation in mutations]
    yield from (f'"{name}" is there twice' for name in sorted(set(names)) if names.count(name) > 1)


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--in", dest="areas", action="append", choices=AREAS, metavar="AREA",
                        help="only this area, may be repeated: " + ", ".join(AREAS))
    parser.add_argument("--only", action="append", metavar="TEXT",
                        help="only where the line in --list contains this, may be repeated")
    parser.add_argument("--work", help="folder for the copy; default: a temporary one")
    parser.add_argument("--jobs", default="2", help="compilers at a time; default: 2")
    parser.add_argument("--list", action="store_true", help="only name them")
    parser.add_argument("--check", action="store_true", help="only see whether the lists fit")
    return parser.parse_args(arguments)


def try_in(work, chosen):
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "log.txt", "w") as log:
        bench = mutants.Bench(work, log)
        bench.prepare(dict.fromkeys(test for mutation in chosen for test in mutation.tests))
        return bench.try_all(chosen)


def main(arguments):
    options = options_of(arguments)
    mutations = [m for area in options.areas or AREAS for m in mutations_of(area)]
    chosen = [m for m in mutations if any(text in str(m) for text in options.only or [""])]
    if options.list:
        print("\n".join(map(str, chosen)))
        return 0
    if options.check:
        bad = list(problems(chosen))
        print("\n".join(bad) or f"{len(chosen)} mutations fit")
        return len(bad)
    os.environ["CMAKE_BUILD_PARALLEL_LEVEL"] = options.jobs
    with tempfile.TemporaryDirectory() as temporary:
        return try_in(pathlib.Path(options.work or temporary), chosen)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    sys.exit(main(sys.argv[1:]))
