"""What a soak must show (reliability.md C8 of the design), judged by its figures."""
from soaking.figures import ends, median, percentile, slope
from soaking.tree import CRASHES_PER_SECOND, JOURNAL_BYTES

LONG = 90 * 60  # Seconds; a run of less is judged by what it can show.
# What may still fill within the measured part of a short run: queues, heaps, the events in memory.
SHORT_GROWTH_KIB = 4 * 1024
SHORTEST_GROWTH_KIB = 24 * 1024  # Of less than five minutes: only what is gross is seen.


def drift(values):
    first, last = (median(x) for x in ends(values))
    return last / first - 1 if first else 0.0


def memory(run):
    samples = run.sampler.after(run.warm_up)
    per_hour = slope([(x["at_s"] / 3600, x["rss_kib"]) for x in samples])
    hours = (samples[-1]["at_s"] - samples[0]["at_s"]) / 3600 if samples else 0
    growth = SHORT_GROWTH_KIB if run.seconds >= 300 else SHORTEST_GROWTH_KIB
    limit = 1024 if run.seconds >= LONG else max(1024, growth / max(hours, 1e-3))
    yield "memory", f"{per_hour / 1024:+.2f} MiB/h", f"< {limit / 1024:.2f} MiB/h", per_hour < limit


def flat(run, what, slack):
    values = [x[what] for x in run.sampler.after(run.warm_up)]
    first, last = (median(x) for x in ends(values))
    per_hour = slope([(x["at_s"] / 3600, x[what]) for x in run.sampler.after(run.warm_up)])
    yield (what, f"{first} -> {last} ({per_hour:+.2f}/h)", f"at most {slack} more",
           last - first <= slack)


def latency(run):
    """Less what the machine itself became slower by, which a process beside us tells."""
    events = run.latencies.p99s("event", run.warm_up)
    machine = run.latencies.p99s("machine", run.warm_up)
    if not events or not machine:
        yield "event p99", "none was measured", "some", False
        return
    grown = (1 + drift(events)) / max(1.0, 1 + drift(machine)) - 1
    shown = f"{median(events):.2f} ms, {grown:+.0%} (machine {median(machine):.2f} ms)"
    if run.seconds >= 600:
        yield "event p99", shown, "drifts < 20 %", grown < 0.2
    else:
        yield "event p99", shown, "< 1000 ms (too short for a drift)", median(events) < 1000


def judge(run):
    """(name, value, limit, whether it holds), of a run that has ended."""
    party = run.party
    rate = party.crashes / run.seconds
    least = CRASHES_PER_SECOND * (0.7 if run.seconds >= 60 else 0.4)  # They are drawn by chance.
    yield "crashes", f"{rate:.2f}/s", f">= {least:.1f}/s", rate >= least
    yield from memory(run)
    yield from flat(run, "fds", 3)
    yield from flat(run, "threads", 3)
    yield from latency(run)
    yield "gaps to readers that keep up", party.gaps, "0", party.gaps == 0
    yield "other faults of readers", len(party.faults), "0", not party.faults
    if run.seconds >= 150:
        yield "readers cut off for stalling", party.cut_off, ">= 1", party.cut_off >= 1
    yield "reloads done", f"{run.log.reloads} of {run.reloads}", "all", \
        run.log.reloads == run.reloads >= 1
    largest = max(x["journal_bytes"] for x in run.sampler.samples)
    yield ("journal", f"{largest / 2**20:.2f} MiB at most", f"<= {JOURNAL_BYTES / 2**20:.0f} MiB",
           0 < largest <= JOURNAL_BYTES)
    yield "children ready at the end", f"{run.ready} of {run.options.children}", "all but 2 %", \
        run.ready >= run.options.children * 0.98
    yield "connections left", run.sockets_left, "0", run.sockets_left <= 0
    if run.scrapes.asked:
        yield "scrapes answered", f"{run.scrapes.answered} of {run.scrapes.asked}", "all", \
            run.scrapes.answered == run.scrapes.asked
    yield "clean stop", f"{run.stop_seconds:.2f} s, exit status {run.exit_code}", "< 5 s, 0", \
        run.stop_seconds < 5 and run.exit_code == 0


def summary(run):
    samples = run.sampler.samples
    cpu = (samples[-1]["cpu_s"] - samples[0]["cpu_s"]) / max(1, samples[-1]["at_s"])
    scrapes = run.scrapes
    return {
        "seconds": run.seconds, "warm_up_s": run.warm_up, "children": run.options.children,
        "events": run.party.events, "crashes": run.party.crashes, "joined": run.party.joined,
        "state_deltas": run.party.deltas, "reloads": run.reloads,
        "processors_used": round(cpu, 4), "rss_kib_at_the_end": samples[-1]["rss_kib"],
        "scrapes": scrapes.answered,
        "scrape_p99_ms": percentile(scrapes.milliseconds, 0.99),
        "scrape_bytes": scrapes.bytes,
    }
