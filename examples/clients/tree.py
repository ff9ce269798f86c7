#!/usr/bin/env python3
"""A client of a running tree: 30 lines, and nothing but the standard library.

tree.py SOCKET                    a table of the tree: path, state, number of the attempt
tree.py SOCKET follow [COUNT]     the events, as they come; the last ones first
tree.py SOCKET restart PATH       restarts one child
"""
import getpass, json, socket, sys

class Target:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines, self.last_id = self.socket.makefile("rw", encoding="utf-8"), 0
    def ask(self, method, **params):
        self.last_id += 1  # An id counts once on a connection.
        request = {"request_id": str(self.last_id), "method": method, "params": params}
        print(json.dumps(request), file=self.lines, flush=True)
        for answer in map(json.loads, self.lines):
            if answer.get("type") == "bye" or answer.get("ok") is False:
                sys.exit(answer["error"]["message"])
            if answer.get("request_id") == str(self.last_id):  # Others are events.
                return answer["result"]
        sys.exit("the target closed the connection")

target, verb = Target(sys.argv[1]), (sys.argv[2:] or ["table"])[0]
if verb == "table":
    for node in target.ask("state")["snapshot"]["nodes"]:
        print(f'{node["path"]:30} {node["lifecycle"]:12} {node["generation"]:4}')
elif verb == "restart":
    done = target.ask("command.restart_child", path=sys.argv[3], requested_by=getpass.getuser(),
                      reason="asked for by hand")
    print(done["outcome"]["text"] if "outcome" in done else sys.exit(done["error"]["message"]))
elif verb == "follow":
    target.ask("events.subscribe", replay=20)
    for _, line in zip(range(int((sys.argv[3:] or ["1000000000"])[0])), target.lines):
        print(line, end="")
