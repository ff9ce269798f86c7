"""Each gate of scripts/soak.py lets a good run through and stops the one run that is bad for it."""
import json
import pathlib
import sys
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
sys.dont_write_bytecode = True
from soaking import gates, tree  # noqa: E402

HOURS = 2


def good_run():
    """Two hours in which nothing grows but a little, and falls again."""
    samples = [{"at_s": at, "rss_kib": 40_000 + at % 300, "threads": 60 + at % 2, "fds": 80,
                "sockets": 30, "cpu_s": at / 50, "journal_bytes": 1 << 20}
               for at in range(0, HOURS * 3600, 5)]
    minutes = range(0, HOURS * 3600, 60)
    latency = {"event": [8.0 + at % 3 for at in minutes], "machine": [2.0 for _ in minutes]}
    sampler = types.SimpleNamespace(
        samples=samples, after=lambda warm_up: [x for x in samples if x["at_s"] >= warm_up])
    return types.SimpleNamespace(
        seconds=HOURS * 3600, warm_up=3600, sampler=sampler, latency=latency,
        latencies=types.SimpleNamespace(p99s=lambda what, warm_up: latency[what][60:]),
        party=types.SimpleNamespace(crashes=HOURS * 18_000, gaps=0, faults=[], cut_off=9),
        reloads=119, log=types.SimpleNamespace(reloads=119), ready=1000, sockets_left=0,
        options=types.SimpleNamespace(children=1000), stop_seconds=1.0, exit_code=0,
        scrapes=types.SimpleNamespace(asked=400, answered=400))


def failing(run):
    return [name for name, _, _, holds in gates.judge(run) if not holds]


def grow(what, per_hour):
    def harm(run):
        for sample in run.sampler.samples:
            sample[what] += int(sample["at_s"] / 3600 * per_hour)
    return harm


def slower(what, factor):
    def harm(run):
        last = len(run.latency[what]) * 3 // 4
        run.latency[what][last:] = [x * factor for x in run.latency[what][last:]]
    return harm


def put(path, value):
    def harm(run):
        *parents, name = path.split(".")
        for parent in parents:
            run = getattr(run, parent)
        setattr(run, name, value)
    return harm


HARMS = {
    "memory": grow("rss_kib", 1200), "fds": grow("fds", 12), "threads": grow("threads", 12),
    "event p99": slower("event", 1.3), "journal": grow("journal_bytes", tree.JOURNAL_BYTES),
    "crashes": put("party.crashes", 100), "gaps to readers that keep up": put("party.gaps", 1),
    "other faults of readers": put("party.faults", ["x"]),
    "readers cut off for stalling": put("party.cut_off", 0), "reloads done": put("log.reloads", 118),
    "children ready at the end": put("ready", 900), "connections left": put("sockets_left", 1),
    "scrapes answered": put("scrapes.answered", 399), "clean stop": put("stop_seconds", 5.5),
}


def check_gates():
    assert not failing(good_run()), failing(good_run())
    assert HARMS.keys() == {name for name, *_ in gates.judge(good_run())}, "a gate is not tried"
    for name, harm in HARMS.items():
        run = good_run()
        harm(run)
        assert failing(run) == [name], f"{name}: {failing(run)}"
    run = good_run()
    slower("event", 1.3)(run)
    slower("machine", 1.3)(run)
    assert not failing(run), "the machine became slower, not the program"


def names(nodes):
    for node in nodes:
        yield node["name"]
        yield from names(node.get("children", []))


def check_tree():
    """Every revision has as many children, and not the same ones."""
    for children in (30, 50, 1000):
        first, second = (json.loads(tree.tree_text(children, x, "/j", None)) for x in (1, 2))
        leaves = [[x for g in t["children"] for x in g["children"]] for t in (first, second)]
        assert [len(x) for x in leaves] == [children, children], [len(x) for x in leaves]
        assert set(names(first["children"])) != set(names(second["children"]))


check_gates()
check_tree()
