#!/usr/bin/env python3
"""docs/ipc.md against the schema: its examples are valid, and it leaves no method, error code,
pushed line or setting out. Usage: ipc_page_test.py [PAGE]"""
import hashlib
import json
import pathlib
import re
import sys

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
page = (pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/ipc.md").read_text()
schemas = ROOT / "docs/schema"
events = jsonschema.Draft202012Validator(json.loads((schemas / "event.schema.json").read_text()))
# Events are checked on their own: the oldest jsonschema we meet finds no other file.
schema = json.loads((schemas / "ipc.schema.json").read_text().replace(
    '"$ref": "event.schema.json"', '"type": "object"'))
methods, kinds = schema["x-methods"], schema["$defs"]
problems = []


def check(line, kind):
    rules = {"$ref": f"#/$defs/{kind}", "$defs": kinds}
    for fault in jsonschema.Draft202012Validator(rules).iter_errors(line):
        problems.append(f"no valid {kind}: {fault.message}: {json.dumps(line)[:100]}")


def hash_of(text, record):
    unsealed = text.replace(f'"hash":"{record["hash"]}"', '"hash":""')
    return hashlib.sha256((record["previous"] + "\n" + unsealed).encode()).hexdigest()


examples = 0
for block in re.findall(r"```json\n(.*?)```", page, re.S):
    asked = {}
    for text in block.splitlines():
        line = json.loads(text)
        examples += 1
        if "method" in line and "request_id" in line and "decision" not in line:
            asked[line["request_id"]] = line["method"]
            is_ours = line["method"] in kinds["request"]["properties"]["method"]["enum"]
            check(line, "request" if is_ours else "relay_request")
        elif "ok" in line:
            check(line, "answer")
            if line["ok"]:
                method = methods[asked.get(line["request_id"], "ping")]
                check(line["result"], method["result"]["$ref"].rsplit("/", 1)[1])
        elif "type" in line:
            check(line, "push")
            if line["type"] == "event":
                problems += [f"no valid event: {x.message}" for x in
                             events.iter_errors(line["event"])]
        else:
            check(line, "audit_record")
            if line["hash"] != hash_of(text, line):
                problems.append("the hash of the audit record is not what the page says it is")

words = [*methods, *kinds["push"]["properties"]["type"]["enum"],
         *kinds["error"]["properties"]["code"]["enum"]]
tree = json.loads((schemas / "tree.schema.json").read_text())

settings = tree["$defs"]["dashboard"]["properties"]["security"]["properties"]
others = {"allowed_uids", "allowed_gids"} | {f"{name}_ms" for name in settings}
words += settings.keys() - others  # Second names of the same.
for word in words:
    if f"`{word}`" not in page:
        problems.append(f"`{word}` is missing")
if examples < 30:
    problems.append(f"only {examples} examples were found")
print("\n".join(problems) or f"docs/ipc.md ok: {examples} lines, {len(words)} words")
sys.exit(bool(problems))
