#!/usr/bin/env python3
"""Installs the Debian packages in a clean system of their own, uses, upgrades and removes them.

usage: scripts/check_packages.py [--build FOLDER] [--keep]

First lintian reads them, where it is installed. Then, as root and with debootstrap, a minimal
Debian is made below build/chroot (kept packed, so that later runs take it from there). The packages
of the build folder are installed in it with nothing but what they ask for, the example tree runs as
its own user, the embedding example is compiled against libespalier-dev, a newer version comes while
the tree runs, and in the end all is removed and purged. What stays behind must be what the manual
says. Then the clean system is deleted.

Takes some minutes, a network and 1.5 GB for as long, hence not part of ./test. 77: it cannot be run
here.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHROOT = ROOT / "build/chroot"
SOCKET = "/run/espalier/example.sock"
# What may still bear our name after a purge: what trees have kept, and its owner's name.
STAYS = ("/var/lib/espalier", "/var/log/espalier")


def run(*command, **options):
    done = subprocess.run([str(x) for x in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise SystemExit(f"FAIL: {' '.join(map(str, command))}\nended with {done.returncode}:\n"
                         f"{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def mirror():
    """Address and name of the Debian that this machine takes its packages from."""
    targets = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)",
                  "Created-By: Packages")
    return next(x.split() for x in targets.splitlines()
                if x.split()[1].isalpha() and "security" not in x)


class CleanSystem:
    """A minimal Debian in a folder."""

    def __init__(self):
        CHROOT.mkdir(parents=True, exist_ok=True)
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="system-", dir=CHROOT))
        address, name = mirror()
        packed = CHROOT / f"{name}.tar.zst"
        if not packed.exists():
            run("debootstrap", "--variant=minbase", name, self.root, address)
            half = packed.with_suffix(".new")
            run("tar", "--zstd", "-C", self.root, "-cf", half, ".")
            half.rename(packed)
        else:
            run("tar", "--zstd", "-C", self.root, "-xpf", packed)
        self.root.chmod(0o755)  # Everybody's root folder, in there.
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        # Nothing may be started by an installation in here.
        policy = self.root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        run("mount", "-t", "proc", "proc", self.root / "proc")
        self.run("apt-get update")

    def command(self, line):
        return ["chroot", str(self.root), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "sh", "-ec", line]

    def run(self, line):
        return run(*self.command(line))

    def install(self, *packages):
        names = []
        for package in packages:
            shutil.copy(package, self.root / "tmp")
            names.append(f"/tmp/{package.name}")
        return self.run(f"apt-get install -y --no-install-recommends {' '.join(names)}")

    def path(self, inside):
        return self.root / inside.lstrip("/")

    def remove(self):
        with contextlib.suppress(SystemExit):
            run("umount", self.root / "proc")
        shutil.rmtree(self.root)


def make_packages(build, folder):
    """The two packages, and the same with a higher version."""
    run("cpack", "--config", "CPackConfig.cmake", "-B", folder / "made", cwd=build)
    now = {x.name.split("_")[0]: x for x in (folder / "made").glob("*.deb")}
    newer = {}
    for name, package in now.items():
        run("dpkg-deb", "-R", package, folder / name)
        control = folder / name / "DEBIAN/control"
        lines = [x + "+newer" if x.startswith("Version:") else x
                 for x in control.read_text().splitlines()]
        text = "\n".join(lines) + "\n"
        version = run("dpkg-deb", "-f", package, "Version").strip()
        control.write_text(text.replace(f"(= {version})", f"(= {version}+newer)"))
        newer[name] = folder / f"{name}_newer.deb"
        run("dpkg-deb", "-Zgzip", "-z1", "-b", folder / name, newer[name])
        shutil.rmtree(folder / name)
    return now, newer


def check_lintian(packages):
    if not shutil.which("lintian"):
        return "SKIPPED: lintian is not installed (apt-get install lintian)"
    done = subprocess.run(["lintian", "--allow-root", "--tag-display-limit", "5",
                           *map(str, packages.values())], capture_output=True, text=True)
    errors = [x for x in done.stdout.splitlines() if x.startswith("E: ")]
    if errors or done.returncode not in (0, 2):  # 2: there are errors.
        raise SystemExit("FAIL: lintian says\n" + "\n".join(errors) + done.stderr)
    return f"lintian finds no error, {done.stdout.count('W: ')} warnings"


class Tree:
    """`espalier run` on the example, as the user that the package has made."""

    def __init__(self, system):
        self.system = system
        self.process = subprocess.Popen(
            system.command("exec setpriv --reuid=espalier --regid=espalier --clear-groups espalier "
                           f"run /etc/espalier/example.yaml --socket={SOCKET}"),
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.client = f"--socket {SOCKET}"
        while not system.path(SOCKET).exists():
            if self.process.poll() is not None:
                raise SystemExit(f"FAIL: the example ended:\n{self.process.stderr.read()}")
            time.sleep(0.1)
        system.run(f"espalier wait /worker --for ready {self.client}")

    def pid(self):
        return self.system.run(f"espalier status {self.client}").split("pid ")[1].split(",")[0]

    def stop(self):
        self.process.terminate()
        _, said = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, said


def check_runtime(system, packages):
    system.install(packages["espalier"])
    system.run("espalier check /etc/espalier/example.yaml && espalier version")
    owner = system.run("stat -c '%U %a' /var/lib/espalier /var/log/espalier").split()
    assert owner == ["espalier", "750"] * 2, owner
    for file in ("/usr/lib/systemd/system/espalier@.service", "/usr/share/man/man1/espalier.1.gz",
                 "/usr/share/bash-completion/completions/espalier"):
        assert system.path(file).exists(), f"{file} is missing"
    system.run("install -d -o espalier -g espalier -m 0755 /run/espalier")  # The unit does that.
    return Tree(system)


def check_dev(system, packages):
    system.install(packages["libespalier-dev"])
    system.run("apt-get install -y --no-install-recommends g++ cmake make pkg-config")
    out = system.run("cmake -S /usr/share/doc/espalier/examples/embed -B /tmp/embed >/dev/null && "
                     "cmake --build /tmp/embed >/dev/null && /tmp/embed/embed")
    assert "/pump begins attempt 3" in out, out
    shutil.rmtree(system.path("/tmp/embed"))


def check_upgrade(system, newer, tree):
    example = system.path("/etc/espalier/example.yaml")
    mine = example.read_text() + "# mine\n"
    example.write_text(mine)
    before = tree.pid()
    system.install(*newer.values())
    assert system.run("dpkg-query -W -f '${Version}' espalier").endswith("+newer")
    assert tree.pid() == before and tree.process.poll() is None, "the upgrade restarted a tree"
    assert example.read_text() == mine, "the upgrade wrote over a file that was changed"
    tree.stop()


def check_removal(system):
    system.run("apt-get remove -y espalier libespalier-dev")
    assert system.path("/etc/espalier/example.yaml").exists(), "removed without a purge"
    assert not system.path("/usr/bin/espalier").exists()
    system.run("dpkg --purge espalier && rm -f /tmp/*.deb")
    found = system.run("find / -xdev -name '*espalier*' -not -path '/proc/*'").split()
    left = [x for x in found if not x.startswith(STAYS)]
    assert not left, f"a purge left {left}"
    assert system.path("/var/lib/espalier/example.journal").is_dir(), "it removed what a tree kept"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release",
                        help="a folder in which all has been built; build/release")
    parser.add_argument("--keep", action="store_true", help="do not delete the system")
    options = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        print("SKIPPED: needs root and debootstrap (apt-get install debootstrap zstd)")
        return 77
    begun = time.monotonic()

    def say(text):
        print(f"{time.monotonic() - begun:6.1f} s  {text}", flush=True)

    with tempfile.TemporaryDirectory(prefix="espalier-packages-") as folder:
        now, newer = make_packages(options.build, pathlib.Path(folder))
        say(f"made {', '.join(sorted(x.name for x in now.values()))}")
        say(check_lintian(now))
        system = CleanSystem()
        try:
            say("a clean system is there")
            tree = check_runtime(system, now)
            say("the program is installed, and the example tree runs as its own user")
            check_dev(system, now)
            say("the embedding example was built and has run")
            check_upgrade(system, newer, tree)
            say("upgraded; the tree ran on, and the changed file was left alone")
            check_removal(system)
            say("removed and purged; left is what trees have kept")
        finally:
            if options.keep:
                print(f"kept: {system.root}")
            else:
                system.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
