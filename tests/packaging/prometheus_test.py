"""A real Prometheus server scrapes `espalier run` over loopback, and is asked for what it saw.

usage: prometheus_test.py ESPALIER SOURCE_FOLDER      (needs the package prometheus)
"""
import contextlib
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ESPALIER, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
TREE = """
observability:
  metrics: {{listen: "{listen}"}}
  journal: {{path: {folder}/journal}}
dashboard: {{path: {folder}/tree.sock}}
policy: {{restart_limit: {{max_restarts: 2, window: 60s}}, backoff: {{initial: 50ms, max: 100ms}}}}
children:
  - {{name: web, kind: process, command: [sleep, "1000"]}}
  - {{name: bad, kind: process, command: [sh, -c, "sleep 0.1; exit 3"]}}
  - {{name: pack, kind: supervisor, children: [{{name: x, kind: process, command: [sleep, "1000"]}}]}}
"""
PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: espalier
    static_configs: [{{targets: ["{target}"]}}]
"""


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def until(what, condition, limit=30):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {limit} s: {what}")


def get(url, method="GET"):
    """Status, headers and text; whatever the status."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read().decode()


@contextlib.contextmanager
def running(command, folder, name):
    """A program with its words in a file; ended, and waited for, in any case."""
    log = folder / name
    with open(log, "w") as out, subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL) as process:
        try:
            yield process, log
        except BaseException:
            print(f"--- {name}\n{log.read_text()[-3000:]}")
            raise
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


@contextlib.contextmanager
def tree(folder, name, listen="127.0.0.1:0"):
    work = folder / name
    work.mkdir()
    file = work / "tree.yaml"
    file.write_text(TREE.format(folder=work, listen=listen))
    with running([ESPALIER, "run", str(file), "--no-live"], work, "espalier.log") as (process, log):
        yield process, log


def url_in(log):
    return until("the address in the log",
                 lambda: (found := re.search(r"metrics on (http://\S+?),", log.read_text())) and found[1])


def check_pages(url):
    status, headers, text = get(url + "/metrics")
    expect(status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4"), headers)
    status, headers, none = get(url + "/metrics", "HEAD")
    expect(status == 200 and none == "" and int(headers["Content-Length"]) > 1000, headers)
    expect(get(url + "/healthz")[0] == 200, "healthz")
    status, _, why = get(url + "/readyz")
    expect(status == 503 and "/bad" in why, f"readyz: {status} {why}")
    expect(get(url + "/")[0] == 404 and get(url + "/metrics", "POST")[0] == 405, "404 and 405")
    linted = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    expect(linted.returncode == 0 and not linted.stdout + linted.stderr, linted)


def check_socket(folder, url):
    """What comes over the socket of the tree is counted, what is refused too."""
    path = str(folder / "first/tree.sock")
    for verb in (["list"], ["restart", "/web", "--yes"], ["restart", "/nothing", "--yes"]):
        subprocess.run([ESPALIER, *verb, "--socket", path], capture_output=True, timeout=30)
    text = get(url + "/metrics")[2]
    for series in ('espalier_ipc_requests_total{method="hello",result="ok"} ',
                   'espalier_ipc_requests_total{method="command.restart_child",result="ok"} ',
                   'supervisor_child_control_command_total{command="restart_child",result="accepted"} 1\n',
                   'supervisor_restart_total{path="/",child="web",decision="command"} 1\n'):
        expect(series in text, f"{series} is not in\n{text}")


def check_rules():
    rules = SOURCE / "packaging/prometheus"
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run(["promtool", *command], cwd=rules, capture_output=True, text=True)
        expect(done.returncode == 0, done.stdout + done.stderr)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A Prometheus server with a configuration, a port and a folder of its own."""

    def __init__(self, url):
        self.url = url

    def ask(self, query):
        status, _, text = get(f"{self.url}/api/v1/query?" + urllib.parse.urlencode({"query": query}))
        expect(status == 200, f"{query}: {text}")
        return json.loads(text)["data"]["result"]

    def value(self, query):
        result = self.ask(query)
        return float(result[0]["value"][1]) if len(result) == 1 else None


def queries_of_the_dashboard():
    board = json.loads((SOURCE / "packaging/grafana/espalier.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m")


def check_scrapes(folder, url, process):
    target = url.removeprefix("http://")
    config = folder / "prometheus.yml"
    config.write_text(PROMETHEUS.format(target=target, rules=SOURCE / "packaging/prometheus/alerts.yml"))
    port = free_port()
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
               f"--web.listen-address=127.0.0.1:{port}"]
    with running(command, folder, "prometheus.log"):
        server = Server(f"http://127.0.0.1:{port}")

        def is_up():
            with contextlib.suppress(OSError, AssertionError):
                return server.value('up{job="espalier"}') == 1
        until("the first scrape", is_up, 60)
        bad = 'path="/",child="bad"'
        expect(server.value(f'sum(supervisor_restart_total{{{bad}}})') == 2, server.ask("supervisor_restart_total"))
        expect(server.value(f'supervisor_child_state{{{bad},state="quarantined"}}') == 1, "quarantined")
        expect(server.value(f'supervisor_child_uptime_seconds_count{{{bad}}}') == 3, "uptime")
        expect(server.value('espalier_children{phase="running"}') == 3, "children")
        expect(server.value('supervisor_runtime_control_plane_alive{path="/pack"}') == 1, "pack")
        expect(server.value("process_start_time_seconds > bool 0") == 1, "start time")
        expect(server.value('scrape_samples_scraped{job="espalier"}') > 100, "samples")
        for query in queries_of_the_dashboard():
            server.ask(query)
        until("a pending alert", lambda: server.ask('ALERTS{alertname="EspalierChildGivenUp"}'))
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        until("the end of the program", lambda: server.value('up{job="espalier"}') == 0)


def check_taken_address(folder, url):
    """A second tree runs all the same, and says which address it could not have, and by which key."""
    with tree(folder, "second", url.removeprefix("http://")) as (process, log):
        said = until("the error", lambda: (text := log.read_text()) and "no metrics" in text and text)
        expect(url.removeprefix("http://") in said and "observability.metrics.listen" in said, said)
        until("its children", lambda: subprocess.run(["pgrep", "-P", str(process.pid), "sleep"],
                                                     capture_output=True).returncode == 0)
        expect(process.poll() is None, "it goes on")


def check_journal_that_cannot_be_written(folder):
    work = folder / "no_journal"
    work.mkdir()
    file = work / "tree.yaml"
    file.write_text("""
observability: {metrics: {listen: "127.0.0.1:0"}, journal: {path: /dev/null/journal}}
children: [{name: web, kind: process, command: [sleep, "1000"]}]
""")
    with running([ESPALIER, "run", str(file), "--no-live", "--no-socket"], work, "espalier.log") as (_, log):
        url = url_in(log)
        until("the journal in the way", lambda: "the journal on disk cannot be written" in get(url + "/readyz")[2])
        expect(get(url + "/readyz")[0] == 503 and get(url + "/healthz")[0] == 200, "readyz and healthz")
        expect("\nespalier_journal_failing 1\n" in get(url + "/metrics")[2], "espalier_journal_failing")


def main():
    check_rules()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with tree(folder, "first") as (process, log):
            url = url_in(log)
            until("the end of the crash loop", lambda: 'child="bad",state="quarantined"} 1' in get(url + "/metrics")[2])
            check_pages(url)
            check_socket(folder, url)
            check_journal_that_cannot_be_written(folder)
            check_taken_address(folder, url)
            check_scrapes(folder, url, process)


if __name__ == "__main__":
    try:
        main()
    except AssertionError as fault:
        sys.exit(f"prometheus_test: {fault}")
    print("a Prometheus server sees what it should")
