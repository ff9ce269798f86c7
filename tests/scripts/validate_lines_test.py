#!/usr/bin/env python3
"""validate_lines.py finds every wrong line, says which, and lets what is right pass."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import validate_lines  # noqa: E402

SCHEMA = ROOT / "docs/schema/ipc.schema.json"

RIGHT = """\
# a comment
> {"request_id":"1","method":"ping"}
< {"request_id":"1","ok":true,"result":{"now":"2026-01-31T12:03:07.001234Z"}}
>! {"request_id":
< {"request_id":null,"ok":false,"error":{"code":"invalid_json","stage":"parsing","message":"byte 15","retryable":false}}
< {"type":"end","subscription_id":"s1","reason":"stopped"}
"""
# Each stands alone in a transcript, behind a request for a ping: it must be found, and with this word.
WRONG = [
    ('> {"request_id":"2","method":"pong"}', "pong"),
    ('> {"request_id":"2","method":"why"}', "params"),
    ('> {"request_id":"2","method":"why","params":{"pth":"/"}}', "pth"),
    ('> {"request_id":"","method":"ping"}', "request_id"),
    ('> {"request_id":"2","method":"ping","colour":"red"}', "colour"),
    ('> {"request_id":"2","method":"ping","method":"ping"}', "twice"),
    ('< {"request_id":"1","ok":true,"result":{"now":"yesterday"}}', "yesterday"),
    ('< {"request_id":"1","ok":true,"result":{}}', "now"),
    ('< {"request_id":"1","ok":true}', "result"),
    ('< {"request_id":"9","ok":true,"result":{}}', "nothing that was asked"),
    ('< {"request_id":"1","ok":false,"error":{"code":"odd","stage":"parsing","message":"","retryable":false}}', "odd"),
    ('< {"type":"end","subscription_id":"s1"}', "reason"),
    ('< {"type":"event","subscription_id":"s1","event":{"type":"child_ready"}}', "sequence"),
    ('< {"type":"gap","subscription_id":"s1","from":1,"to":2,"count":1e999,"reason":"not_kept"}', "integer"),
    ('< {"type":"rumour"}', "rumour"),
    ('{"type":"rumour"}', "begins with"),
    ('< {"type":', "not JSON"),
]


def run(text):
    return subprocess.run([sys.executable, validate_lines.__file__, SCHEMA, "--transcript", "-"],
                          input=text, text=True, capture_output=True, check=False)


def problem_of(schema, line):
    transcript = validate_lines.Transcript(schema)
    assert not transcript.problem('> {"request_id":"1","method":"ping"}')
    try:
        return transcript.problem(line)
    except ValueError as error:
        return f"not JSON: {error}"


schema = validate_lines.Schema(SCHEMA)
failures = [f"{line}: {found}" for line, word in WRONG
            if word not in (found := problem_of(schema, line) or "nothing")]
good, empty, bad = run(RIGHT), run("# nothing\n"), run(RIGHT + WRONG[-1][0] + "\n")
if good.returncode != 0:
    failures.append(f"refused what is right: {good.stdout}{good.stderr}")
if empty.returncode != 1:
    failures.append("was content with nothing at all")
if bad.returncode != 1 or "-:7: not JSON" not in bad.stdout:
    failures.append(f"did not say which line: {bad.stdout}{bad.stderr}")
print("\n".join(failures) or f"{len(WRONG)} wrong lines found")
sys.exit(bool(failures))
