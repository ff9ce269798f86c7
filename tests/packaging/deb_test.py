"""Makes the Debian packages and looks into them.

usage: deb_test.py CPACK BUILD_FOLDER
"""
import pathlib
import re
import subprocess
import sys
import tempfile

CPACK, BUILD = sys.argv[1:]
LIBRARY = r"\./usr/lib/(\S+/)?"
WANTED = {
    "espalier": [r"\./usr/bin/espalier", r"\./usr/share/espalier/tree\.schema\.json",
                 r"\./usr/share/espalier/ipc\.schema\.json",
                 r"\./usr/share/doc/espalier/examples/config/supervisor\.yaml",
                 r"\./usr/share/doc/espalier/manual/en/getting-started\.md",
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
                 "libssl3"],
    "libespalier-dev": ["libcaf-dev (>= 0.17.6)", "libcaf-dev (<< 0.18)", "libyaml-cpp-dev",
                        "libspdlog-dev", "libexpected-dev", "libboost1.81-dev | libboost-dev",
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


with tempfile.TemporaryDirectory() as folder:
    output(CPACK, "--config", "CPackConfig.cmake", "-B", folder)
    packages = sorted(str(x) for x in pathlib.Path(folder).glob("*.deb"))
    print("\n".join(packages))
    faults = [x for package in packages for x in faults_of(package)]
    if len(packages) != 2:
        faults.append(f"{len(packages)} packages were made, not 2")
sys.exit("\n".join(faults) or 0)
