#!/usr/bin/env python3
"""Holds lines of JSON against a schema, and says which line breaks it and where.

  validate_lines.py SCHEMA[#/$defs/NAME] < LINES
  validate_lines.py SCHEMA --transcript FILE...     (- is standard input)

A transcript is a conversation with a target, or with a relay:
  "> "   a request            ">! "  a request that is wrong on purpose: not looked at
  "< "   an answer or a push  "# "   a comment
  "@ "   what happens beside the socket: not looked at
An answer is held against the result of the method that was asked under its request_id.
"""
import argparse
import itertools
import json
import pathlib
import sys
import warnings

# Later versions than Debian's would rather have another resolver, which Debian's has not.
warnings.filterwarnings("ignore", message="jsonschema.RefResolver", category=DeprecationWarning)
from jsonschema import Draft202012Validator, RefResolver


def no_duplicates(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError(f"a key stands twice among {names}")
    return dict(pairs)


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


def parse(line):
    return json.loads(line, object_pairs_hook=no_duplicates, parse_constant=no_constant)


class Schema:
    def __init__(self, path):
        self.document = json.loads(path.read_text(encoding="utf-8"))
        Draft202012Validator.check_schema(self.document)
        self._resolver = RefResolver(path.resolve().as_uri(), self.document)
        self._validators = {}

    def problem(self, value, ref):
        """None, or where and why `value` is not as `ref` ("#", "#/$defs/x") says."""
        if ref not in self._validators:
            with self._resolver.resolving(ref):  # A name that is not there is an error at once.
                self._validators[ref] = Draft202012Validator({"$ref": ref}, resolver=self._resolver)
        errors = itertools.islice(self._validators[ref].iter_errors(value), 3)
        return "; ".join(f"{x.json_path}: {x.message[:300]}" for x in errors) or None

    def methods(self):
        return self.document.get("x-methods", {})


class Transcript:
    """One conversation; remembers which method was asked under which request_id."""

    def __init__(self, schema):
        self._schema = schema
        self._asked = {}

    def problem(self, line):
        if line.startswith((">! ", "@ ")):
            return None
        if line.startswith("> "):
            return self._request(parse(line[2:]))
        if line.startswith("< "):
            return self._answer_or_push(parse(line[2:]))
        return 'a line of a transcript begins with "> ", ">! ", "< ", "@ " or "# "'

    def _request(self, request):
        methods = self._schema.methods()
        method = request.get("method") if isinstance(request, dict) else None
        of_relay = method in ("register", "heartbeat", "unregister")
        problem = self._schema.problem(request, "#/$defs/relay_request" if of_relay
                                       else "#/$defs/request")
        if not problem:
            self._asked[json.dumps(request["request_id"])] = methods[method]
        return problem

    def _answer_or_push(self, line):
        if isinstance(line, dict) and "type" in line:
            return self._schema.problem(line, "#/$defs/push")
        problem = self._schema.problem(line, "#/$defs/answer")
        if problem or not line["ok"]:
            return problem
        method = self._asked.get(json.dumps(line["request_id"]))
        if not method:
            return "an answer to nothing that was asked before it"
        problem = self._schema.problem(line["result"], method["result"]["$ref"])
        return problem and f"result of {line['request_id']!r}: {problem}"


def check(name, lines, problem_of):
    """Prints what is wrong; returns how many lines were looked at, and how many were wrong."""
    checked = bad = 0
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\n")
        if not line.strip() or line.startswith("#"):
            continue
        checked += 1
        try:
            problem = problem_of(line)
        except ValueError as error:
            problem = f"not JSON: {error}"
        if problem:
            bad += 1
            print(f"{name}:{number}: {problem}")
    return checked, bad


def open_lines(name):
    if name == "-":
        sys.stdin.reconfigure(encoding="utf-8")
        return sys.stdin
    return open(name, encoding="utf-8")


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("schema")
    options.add_argument("--transcript", nargs="+", default=[])
    given = options.parse_args()
    path, _, fragment = given.schema.partition("#")
    schema = Schema(pathlib.Path(path))
    totals = []
    if given.transcript:
        for name in given.transcript:
            totals.append(check(name, open_lines(name), Transcript(schema).problem))
    else:
        ref = "#" + fragment
        totals.append(check("line", open_lines("-"), lambda line: schema.problem(parse(line), ref)))
    checked, bad = (sum(column) for column in zip(*totals))
    print(f"{checked} lines, {bad} of them wrong")
    sys.exit(bool(bad or not checked))


if __name__ == "__main__":
    main()
