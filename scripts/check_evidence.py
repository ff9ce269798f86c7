#!/usr/bin/env python3
"""Fails when a page of docs/ says that something is shown by a test that does not exist.

In the column of each table that names tests, a word in back quotes is a test file (its path below
tests/, or its bare name; `*` stands for anything) or a script of the engine.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ("fields.md", "weaknesses.md", "otp-differences.md", "journal.md")
HEADINGS = {"shown by", "shown here by", "script or reason", "script"}  # the columns that name tests
QUOTED = re.compile(r"`([^`]+)`")
SCRIPT = re.compile(r"[a-z]+(_[a-z0-9]+)*")
# Words in those columns that name no test.
OTHER = {"backing_off", "ignore", "running"}


def names_in(page):
    column = None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if not line.startswith("|"):
            column = None
            continue
        cells = [x.strip() for x in line.strip("|").split("|")]
        if column is None:
            column = next((i for i, x in enumerate(cells) if x in HEADINGS), len(cells))
        elif column < len(cells):
            for found in QUOTED.findall(cells[column]):
                yield number, found


def exists(tests, name):
    if name in OTHER:
        return True
    if name.endswith((".cpp", ".hpp")):
        return any(tests.glob(name)) or ("/" not in name and any(tests.rglob(name)))
    return SCRIPT.fullmatch(name) is not None and any(tests.rglob(f"core/testdata/{name}.txt"))


def problems(root):
    for name in PAGES:
        page = root / "docs" / name
        named = list(names_in(page))
        if not named:
            yield f"docs/{name}: names no test at all"
        for number, test in named:
            if not exists(root / "tests", test):
                yield f"docs/{name}:{number}: there is no test `{test}`"


if __name__ == "__main__":
    bad = list(problems(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT))
    print("\n".join(bad) or "evidence ok")
    sys.exit(bool(bad))
