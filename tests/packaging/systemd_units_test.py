"""Looks at what is installed for systemd with systemd's own tools.

usage: systemd_units_test.py FOLDER_OF_UNITS ESPALIER. Ends with 77 where systemd is not installed.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

UNITS, ESPALIER = pathlib.Path(sys.argv[1]), sys.argv[2]
MOST_EXPOSED = 2.0


def run(*command, **options):
    return subprocess.run([str(x) for x in command], capture_output=True, text=True, **options)


def instance(folder):
    """The units of a tree named shop, with a program that exists here."""
    for kind in ("service", "socket"):
        text = (UNITS / f"espalier@.{kind}").read_text().replace("/usr/bin/espalier", ESPALIER)
        (folder / f"espalier@shop.{kind}").write_text(text)


def check_verify(folder):
    environment = os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:"}
    done = run("systemd-analyze", "verify", "--man=no", folder / "espalier@shop.service",
               folder / "espalier@shop.socket", env=environment)
    ours = [x for x in done.stderr.splitlines() if "espalier" in x]
    assert done.returncode == 0 and not ours, done.stderr
    wrong = folder / "espalier@shop.service"
    wrong.write_text(wrong.read_text().replace("KillMode=mixed", "KillMode=gently"))
    done = run("systemd-analyze", "verify", "--man=no", wrong, env=environment)
    assert "gently" in done.stderr, "systemd-analyze would not have told"


def exposure(service):
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=100", service)
    return float(re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)[1])


def check_exposure(folder):
    found = exposure(folder / "espalier@shop.service")
    print(f"exposure {found}")
    assert found <= MOST_EXPOSED, f"{found} is more than {MOST_EXPOSED}"


def seconds(text):
    return sum(int(count) * {"s": 1, "min": 60}[unit]
               for count, unit in re.findall(r"(\d+)(min|s)", text))


def check_settings():
    text = (UNITS / "espalier@.service").read_text()
    settings = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    template = (UNITS.parents[1] / "examples/config/supervisor.template.yaml").read_text()
    stop = seconds(re.search(r"^  total_timeout: (\S+)$", template, re.MULTILINE)[1])
    assert seconds(settings["TimeoutStopSec"]) > stop, "it would be killed while it stops in order"
    assert settings["RestartPreventExitStatus"].split() == ["2", "6"]
    assert settings["Type"] == "notify" and settings["KillMode"] == "mixed"
    socket = (UNITS / "espalier@.socket").read_text()
    path = re.search(r"^ListenStream=(.*)$", socket, re.MULTILINE)[1]
    assert f"--socket={path}" in settings["ExecStart"], "with and without the socket unit: one place"
    assert f"--socket={path}" in settings["ExecReload"]


def check_user_and_folders(root):
    for folder in ("etc", "run", "var/lib", "var/log"):
        (root / folder).mkdir(parents=True)
    done = run("systemd-sysusers", f"--root={root}", "-",
               input=(UNITS / "espalier.sysusers").read_text())
    assert done.returncode == 0, done.stderr
    entry = re.search(r"^espalier:.*$", (root / "etc/passwd").read_text(), re.MULTILINE)[0]
    assert entry.endswith(":/var/lib/espalier:/usr/sbin/nologin"), entry
    owner = int(entry.split(":")[2])
    if os.geteuid() != 0:
        print("SKIPPED: folders for another user can be made by root only")
        return
    done = run("systemd-tmpfiles", f"--root={root}", "--create", "-",
               input=(UNITS / "espalier.tmpfiles").read_text())
    assert done.returncode == 0, done.stderr
    for folder, mode in (("run", 0o755), ("var/lib", 0o750), ("var/log", 0o750)):
        found = (root / folder / "espalier").stat()
        assert (found.st_uid, found.st_mode & 0o777) == (owner, mode), folder


def check_example(folder):
    """The tree that comes with the package is right, but for folders that only root can make."""
    text = (UNITS / "example.yaml").read_text().replace("/var/lib/espalier", str(folder))
    (folder / "example.yaml").write_text(text)
    done = run(ESPALIER, "check", folder / "example.yaml")
    assert done.returncode == 0 and "warning" not in done.stderr, done.stderr


def main():
    if not shutil.which("systemd-analyze"):
        print("SKIPPED: systemd-analyze is not installed (package systemd)")
        return 77
    with tempfile.TemporaryDirectory(prefix="espalier-") as name:
        folder = pathlib.Path(name)
        instance(folder)
        check_exposure(folder)
        check_settings()
        check_example(folder)
        check_user_and_folders(folder / "root")
        check_verify(folder)
    return 0


sys.exit(main())
