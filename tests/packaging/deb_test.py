"""Makes the Debian packages, looks into them, and runs the program from where it is unpacked.

usage: deb_test.py CPACK BUILD_FOLDER
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

CPACK, BUILD = sys.argv[1:]
LIBRARY = r"\./usr/lib/(\S+/)?"
WANTED = {
    "espalier": [r"\./usr/bin/espalier", r"\./usr/share/espalier/tree\.schema\.json",
                 r"\./usr/share/espalier/ipc\.schema\.json",
                 r"\./usr/share/doc/espalier/examples/config/supervisor\.yaml",
                 r"\./usr/share/doc/espalier/manual/en/getting-started\.md",
                 r"\./usr/lib/systemd/system/espalier@\.service",
                 r"\./usr/lib/systemd/system/espalier@\.socket",
                 r"\./usr/lib/sysusers\.d/espalier\.conf", r"\./usr/lib/tmpfiles\.d/espalier\.conf",
                 r"\./etc/espalier/example\.yaml", r"\./usr/share/man/man1/espalier\.1\.gz",
                 r"\./usr/share/bash-completion/completions/espalier",
                 r"\./usr/share/zsh/vendor-completions/_espalier",
                 r"\./usr/share/fish/vendor_completions\.d/espalier\.fish",
                 r"\./usr/share/doc/espalier/copyright"],
    "libespalier-dev": [r"\./usr/include/espalier/supervisor\.hpp",
                        r"\./usr/include/espalier/ipc/server/server\.hpp",
                        LIBRARY + r"libespalier_supervisor_core\.a",
                        LIBRARY + r"libespalier_ipc_server\.a",
                        LIBRARY + r"cmake/espalier/espalierConfig\.cmake",
                        LIBRARY + r"cmake/espalier/FindCAF\.cmake",
                        LIBRARY + r"pkgconfig/espalier-supervisor\.pc",
                        LIBRARY + r"pkgconfig/espalier-ipc\.pc",
                        r"\./usr/share/doc/espalier/examples/embed/main\.cpp"],
}
UNWANTED = {
    "espalier": [r"\./usr/include/", r".*\.a", r".*/main\.cpp"],
    "libespalier-dev": [r"\./usr/bin/", r".*/internal/.*", r".*\.yaml"],
}
DEPENDS = {
    "espalier": ["libc6 (>=", "libstdc++6 (>=", "libcaf-core0.17", "libyaml-cpp0.7", "libspdlog1.10",
                 "libprometheus-cpp-core1.0",
                 "libssl3"],
    "libespalier-dev": ["libcaf-dev (>= 0.17.6)", "libcaf-dev (<< 0.18)", "libyaml-cpp-dev",
                        "libspdlog-dev", "prometheus-cpp-dev", "libexpected-dev", "libboost1.81-dev | libboost-dev",
                        "nlohmann-json3-dev", "libssl-dev"],
}


def output(*command):
    done = subprocess.run(command, cwd=BUILD, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def faults_of(package):
    name = output("dpkg-deb", "-f", package, "Package").strip()
    paths = [x.split(maxsplit=5)[5] for x in output("dpkg-deb", "-c", package).splitlines()]
    depends = output("dpkg-deb", "-f", package, "Depends")
    for pattern in WANTED[name]:
        if not any(re.fullmatch(pattern, x) for x in paths):
            yield f"{name}: lacks {pattern}"
    for pattern in UNWANTED[name]:
        yield from (f"{name}: should not hold {x}" for x in paths if re.fullmatch(pattern, x))
    for wanted in DEPENDS[name]:
        if wanted not in depends:
            yield f"{name}: does not depend on {wanted}, but on {depends}"


def runs_unpacked(package, folder):
    """The tree that comes with the package, for a moment; its journal not in the machine's /var."""
    root = pathlib.Path(folder, "unpacked")
    output("dpkg-deb", "-x", package, str(root))
    program, example = str(root / "usr/bin/espalier"), root / "etc/espalier/example.yaml"
    example.write_text(example.read_text().replace("/var/lib/espalier", folder))
    output(program, "check", str(example))
    path = str(pathlib.Path(folder, "s"))
    tree = subprocess.Popen([program, "run", str(example), "--socket", path],
                            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        while not os.path.exists(path) and tree.poll() is None:
            time.sleep(0.05)
        output(program, "wait", "/worker", "--for", "ready", "--socket", path)
    finally:
        tree.terminate()
        said = tree.communicate(timeout=30)[1]
    if tree.returncode:
        yield f"the example ended with {tree.returncode}:\n{said}"


def scripts_of(package, folder):
    """The maintainer's scripts are shell, and all configuration is marked as such."""
    control = pathlib.Path(folder, "control")
    output("dpkg-deb", "-e", package, str(control))
    for name in ("postinst", "prerm", "postrm"):
        output("sh", "-n", str(control / name))
    if "/etc/espalier/example.yaml" not in (control / "conffiles").read_text().splitlines():
        yield "the example in /etc is no conffile: an upgrade would write over it"


with tempfile.TemporaryDirectory() as folder:
    output(CPACK, "--config", "CPackConfig.cmake", "-B", folder)
    packages = sorted(str(x) for x in pathlib.Path(folder).glob("*.deb"))
    print("\n".join(packages))
    faults = [x for package in packages for x in faults_of(package)]
    if len(packages) != 2:
        faults.append(f"{len(packages)} packages were made, not 2")
    for package in packages:
        if pathlib.Path(package).name.startswith("espalier_"):
            faults += [*runs_unpacked(package, folder), *scripts_of(package, folder)]
sys.exit("\n".join(faults) or 0)
