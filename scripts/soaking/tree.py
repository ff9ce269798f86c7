"""The tree that is soaked: who idles, who fails how often, and what each reload changes."""
import json

CRASHES_PER_SECOND = 5
PROCESS_LIFE = 20  # Seconds, of the processes that fail.
JOURNAL_BYTES = 16 << 20
MEMBERS = 100  # Of one supervisor, at most.


def _idle(index):
    """Mostly threads of their own; some share one."""
    shared = {7: "builtin.async.idle", 8: "builtin.actor.idle", 9: "builtin.actor.idle"}
    factory = shared.get(index % 10, "builtin.idle")
    kind = {"builtin.idle": "blocking", "builtin.async.idle": "async"}.get(factory, "actor")
    return {"name": f"idle-{index}", "kind": kind, "factory": factory}


def _flaky(index, mean):
    as_actor = index % 2 == 1
    return {"name": f"flaky-{index}", "kind": "actor" if as_actor else "blocking",
            "factory": "builtin.actor.flaky" if as_actor else "builtin.flaky",
            "params": {"mean": f"{mean * 1000:.0f}ms", "seed": str(index + 1)}}


def _process(index):
    script = f"sleep {PROCESS_LIFE}; exit 1" if index % 4 == 0 else "exec sleep infinity"
    return {"name": f"process-{index}", "command": ["sh", "-c", script]}


def _changing(revision):
    """The same number in every revision: half of them with other parameters, half with other names."""
    kept = [{"name": f"ticker-{i}", "kind": "actor", "factory": "builtin.actor.ticker",
             "params": {"interval": "10s", "text": f"revision {revision}"}} for i in range(4)]
    kept.append({"name": "program", "command": ["sleep", str(1_000_000 + revision)]})
    swapped = [{"name": f"turn-{'ab'[revision % 2]}-{i}", "kind": "blocking",
                "factory": "builtin.idle"} for i in range(5)]
    return kept + swapped


def _groups(name, children):
    for start in range(0, len(children), MEMBERS):
        yield {"name": f"{name}-{start // MEMBERS}", "restart_limit": "unlimited",
               "children": children[start:start + MEMBERS]}


def tree_text(children, revision, journal, metrics):
    """The tree file of this revision. `metrics`: host and port, or nothing."""
    changing = _changing(revision)
    processes = [_process(i) for i in range(min(20, children // 10))]
    failing = sum(1 for x in processes if "exit 1" in x["command"][2])
    count = max(5, children // 10)
    mean = count / (CRASHES_PER_SECOND - failing / PROCESS_LIFE)
    flaky = [_flaky(i, mean) for i in range(count)]
    idle = [_idle(i) for i in range(children - len(changing) - len(processes) - count)]
    observability = {"journal": {"path": str(journal), "max_bytes": JOURNAL_BYTES,
                                 "segment_bytes": 1 << 20}}
    if metrics:
        observability["metrics"] = {"listen": metrics}
    return json.dumps({
        "supervisor": {"name": "soak", "restart_limit": "unlimited"},
        "policy": {"child_restart_limit": "unlimited",
                   "backoff": {"initial": "20ms", "max": "50ms", "jitter": "none"}},
        "observability": observability,
        "dashboard": {},
        "children": [group for name, members in (("process", processes), ("idle", idle),
                                                 ("flaky", flaky), ("changing", changing))
                     for group in _groups(name, members)],
    }, indent=1)
