#!/usr/bin/env python3
"""Runs the code blocks of the manuals and of README.md.

usage: check_manual.py ESPALIER_BINARY

    ```yaml             a complete tree file: `espalier check` accepts it
    ```yaml fragment    sections, or children, of a tree file: accepted once completed
    ```yaml refused     a tree file that `espalier check` refuses with exit code 6
    ```yaml pipeline    a complete pipeline file: `espalier pipeline check` accepts it
    ```cpp FILE         text of that file, which the build compiles
    ```yaml script      a script for `espalier simulate` of examples/config/supervisor.yaml
    ```sh               lines `./run ARGS`: run with the binary, where ARGS end by themselves
    ```text             not checked

Both languages must have the same files with the same blocks, and links must lead to files.
"""
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.S | re.M)
LINK = re.compile(r"\]\(([^)#:]+)\)")
ENDS_BY_ITSELF = {"check", "simulate", "config", "template", "schema", "version", "pipeline"}
LEFT_ALONE = {"./run", "./test"}  # they run for ever, or run this


def espalier(binary, *args):
    done = subprocess.run([binary, *args], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60)
    return done.returncode, done.stdout + done.stderr


def complete(fragment):
    """A whole file from sections (a child is added) or from a list of children."""
    if fragment.startswith("- "):
        return "children:\n" + "".join(f"  {x}\n" for x in fragment.splitlines())
    return fragment + "children:\n  - {name: x, kind: blocking, factory: builtin.idle}\n"


def check_file(binary, text, wanted=0, verb=("check",)):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "file.yaml")
        path.write_text(text)
        code, output = espalier(binary, *verb, str(path))
    said = f"`espalier {' '.join(verb)}` ended with {code}, not {wanted}:\n{output}"
    return "" if code == wanted else said


def check_shell(binary, text):
    for line in filter(None, map(str.strip, text.splitlines())):
        words = shlex.split(line)
        if line in LEFT_ALONE:
            continue
        if words[0] != "./run" or words[1] not in ENDS_BY_ITSELF:
            return f"`{line}` is no line this check may run; use ```text"
        code, output = espalier(binary, *words[1:])
        if code != 0:
            return f"`{line}` ended with {code}:\n{output}"
    return ""


def check_block(binary, kind, text):
    if kind == "yaml":
        return check_file(binary, text)
    if kind == "yaml fragment":
        return check_file(binary, complete(text))
    if kind == "yaml refused":
        return check_file(binary, text, wanted=6)
    if kind == "yaml pipeline":
        return check_file(binary, text, verb=("pipeline", "check"))
    if kind == "yaml script":
        return check_file(binary, text, verb=("simulate", "examples/config/supervisor.yaml", "--script"))
    if kind == "sh":
        return check_shell(binary, text)
    if kind.startswith("cpp "):
        same = text in (ROOT / kind.split()[1]).read_text()
        return "" if same else f"differs from {kind.split()[1]}"
    return "" if kind == "text" else f"unknown kind of block: ```{kind}"


def check_page(binary, page):
    text = page.read_text()
    name = page.relative_to(ROOT)
    for block in FENCE.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        if fault := check_block(binary, block[1].strip(), block[2]):
            yield f"{name}:{line}: {fault}"
    for link in LINK.finditer(FENCE.sub("", text)):
        if not (page.parent / link[1]).exists():
            yield f"{name}: the link to {link[1]} leads nowhere"


def compare_languages():
    pages = {x: {p.name: p for p in (ROOT / "manual" / x).glob("*.md")} for x in ("en", "zh")}
    for name in sorted(pages["en"].keys() ^ pages["zh"].keys()):
        yield f"manual: {name} exists in one language only"
    for name in sorted(pages["en"].keys() & pages["zh"].keys()):
        blocks = [FENCE.findall(pages[x][name].read_text()) for x in ("en", "zh")]
        if blocks[0] != blocks[1]:
            yield f"manual: the code blocks of en/{name} and zh/{name} differ"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    pages = [ROOT / "README.md", *sorted((ROOT / "manual").rglob("*.md"))]
    faults = [x for page in pages for x in check_page(sys.argv[1], page)]
    faults += compare_languages()
    print("\n".join(faults) or f"{len(pages)} pages ok")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
