#!/usr/bin/env python3
"""Runs the clients of examples/clients against a real tree. Usage: examples_test.py ESPALIER"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

espalier = sys.argv[1]
clients = pathlib.Path(__file__).resolve().parents[3] / "examples/clients"
TREE = """
supervisor: {name: shop}
dashboard: {target_id: shop}
children:
  - {name: db, command: [sleep, infinity]}
  - {name: web, children: [{name: api, command: [sleep, infinity]}]}
"""


def run(*arguments, expect=0):
    done = subprocess.run([str(x) for x in arguments], text=True, capture_output=True, timeout=30)
    assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout if expect == 0 else done.stderr


def table(text):
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return {row[0]: (row[1], int(row[2])) for row in rows}


def eventually(condition):
    end = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < end, "waited 20 s in vain"
        time.sleep(0.05)
    return found


def python_client(socket):
    client = (sys.executable, clients / "tree.py", socket)
    eventually(lambda: table(run(*client)).get("/db", [""])[0] == "ready")
    assert {"/", "/db", "/web", "/web/api"} <= table(run(*client)).keys()
    assert "/db" in run(*client, "restart", "/db")
    assert table(run(*client))["/db"] == ("ready", 2)
    lines = [json.loads(x) for x in run(*client, "follow", "5").splitlines()]
    assert len(lines) == 5 and all(x["type"] == "event" for x in lines), lines
    assert any(x["event"]["path"] == "/db" for x in lines), lines
    assert "/nowhere" in run(*client, "restart", "/nowhere", expect=1)


def shell_client(socket):
    client = ("sh", clients / "tree.sh", socket)
    assert table(run(*client))["/web/api"] == ("ready", 1)
    watch = subprocess.Popen([*map(str, client), "watch"], stdout=subprocess.PIPE, text=True,
                             start_new_session=True)
    assert "/db" in (watch.stdout.readline() + watch.stdout.readline())
    assert "/web/api" in run(*client, "restart", "/web/api")
    # Only a line that was pushed after the restart can have it.
    assert any(x.split() == ["/web/api", "ready", "2"] for x in watch.stdout)
    os.killpg(watch.pid, signal.SIGTERM)
    watch.communicate(timeout=20)
    assert table(run(*client))["/web/api"] == ("ready", 2)
    assert "/nowhere" in run(*client, "restart", "/nowhere", expect=5)


with tempfile.TemporaryDirectory(prefix="espalier-") as folder:
    tree, socket = pathlib.Path(folder, "tree.yaml"), pathlib.Path(folder, "shop.sock")
    tree.write_text(TREE)
    with open(pathlib.Path(folder, "log"), "w+") as log:
        target = subprocess.Popen([espalier, "run", tree, f"--socket={socket}"], stderr=log,
                                  stdout=log)
        try:
            eventually(lambda: socket.exists() or target.poll() is not None)
            python_client(socket)
            shell_client(socket)
        except BaseException:
            log.seek(0)
            print(log.read())
            raise
        finally:
            target.terminate()
            target.wait(timeout=20)
print("examples/clients ok")
