#!/usr/bin/env python3
"""Fails when a file includes something its layer may not, or a core reads a clock. The table is the architecture."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIB = "libsupervisor/espalier/supervisor"
OURS = "espalier/supervisor"
IPC = "ipc/espalier/ipc"
PIPE = "libpipeline/espalier/pipeline"
P = "espalier/pipeline"

# folder -> prefixes its files may include, besides their own layer and the standard library
ALLOWED = {
    f"{LIB}/core": ["tl/"],
    f"{LIB}/os": [f"{OURS}/core/"],
    f"{LIB}/config": [f"{OURS}/core/", f"{OURS}/os/", "tl/", "yaml-cpp/"],
    f"{LIB}/process": [f"{OURS}/core/", f"{OURS}/os/", "tl/"],
    f"{LIB}/observe": [f"{OURS}/core/", f"{OURS}/os/", "tl/", "spdlog/", "boost/crc.hpp"],
    f"{LIB}/trace": [f"{OURS}/{x}/" for x in ("core", "os", "config", "observe")] + ["tl/", "boost/"],
    f"{LIB}/io": [f"{OURS}/{x}/" for x in ("core", "os", "process")] + ["tl/", "boost/"],
    f"{LIB}/scheduler": [f"{OURS}/os/", "caf/"],
    f"{LIB}/actor": [f"{OURS}/{x}/" for x in ("core", "process", "io", "observe", "scheduler")]
                    + ["tl/", "caf/", "boost/"],
    f"{LIB}/runtime": [f"{OURS}/{x}/" for x in ("core", "os", "config", "process", "io", "observe", "scheduler", "actor")]
                      + ["tl/", "caf/"],
    "libsupervisor/espalier/testing": [f"{OURS}/core/", "tl/"],
    "libsupervisor/espalier/rehearsal": ["espalier/testing/"] + [f"{OURS}/{x}/" for x in ("core", "os", "config", "observe")]
                                        + ["tl/"],
    "libsupervisor/espalier/metrics": [f"{OURS}/{x}/" for x in ("core", "os", "config", "observe", "trace", "runtime")]
                                      + ["tl/", "boost/", "prometheus/"],
    f"{PIPE}/core": [f"{OURS}/core/"],
    f"{PIPE}/run": [f"{P}/core/", f"{OURS}/core/", "boost/"],
    f"{PIPE}/build": [f"{P}/core/", f"{P}/run/", f"{OURS}/core/", "boost/"],
    f"{PIPE}/track": [f"{P}/core/", f"{P}/run/", f"{OURS}/core/", f"{OURS}/observe/"],
    f"{PIPE}/show": [f"{P}/{x}/" for x in ("core", "run", "track")] + [f"{OURS}/{x}/" for x in ("core", "observe")],
    f"{PIPE}/durable": [f"{P}/{x}/" for x in ("core", "run")] + [f"{OURS}/core/"],
    f"{PIPE}/supervised": [f"{P}/{x}/" for x in ("core", "run", "build")] + [f"{OURS}/core/"],
    f"{PIPE}/metrics": ["espalier/metrics/", f"{P}/core/", f"{P}/supervised/", f"{OURS}/core/"],
    f"{PIPE}/declare": [f"{P}/{x}/" for x in ("core", "run", "build")]
                       + [f"{OURS}/{x}/" for x in ("core", "config", "os", "process")] + ["nlohmann/"],
    f"{IPC}/wire": [f"{OURS}/{x}/" for x in ("core", "config", "observe", "runtime")] + ["tl/", "nlohmann/"],
    f"{IPC}/core": ["espalier/ipc/wire/", f"{P}/core/", f"{P}/supervised/", f"{OURS}/core/", f"{OURS}/config/", f"{OURS}/observe/", f"{OURS}/runtime/",
                    "tl/", "nlohmann/", "openssl/"],
    f"{IPC}/registration": ["espalier/ipc/wire/", f"{OURS}/core/", f"{OURS}/config/", f"{OURS}/os/", "tl/", "nlohmann/"],
    f"{IPC}/server": [f"espalier/ipc/{x}/" for x in ("wire", "core", "registration")]
                     + [f"{OURS}/{x}/" for x in ("core", "config", "os", "observe", "runtime")] + [f"{P}/supervised/", "tl/", "nlohmann/"],
    f"{IPC}/client": ["espalier/ipc/wire/", f"{OURS}/core/", f"{OURS}/os/", "tl/", "nlohmann/"],
    f"{IPC}/metrics": ["espalier/metrics/", "espalier/ipc/wire/", "espalier/ipc/core/"],
    "cli": ["espalier/", "tl/", "caf/", "spdlog/", "nlohmann/", "CLI/", "yaml-cpp/"],
}
# Headers of the operating system; core and actor do without.
SYSTEM = re.compile(r"(sys|linux|netinet|arpa)/\w+\.h$|\w+\.h$")
MAY_CALL_THE_SYSTEM = {f"{LIB}/os", f"{LIB}/process", f"{LIB}/io", f"{LIB}/scheduler", f"{LIB}/runtime", f"{LIB}/observe", f"{LIB}/trace", f"{LIB}/config", "libsupervisor/espalier/metrics",
                       f"{IPC}/server", f"{IPC}/client", f"{IPC}/registration",
                       f"{PIPE}/run", f"{PIPE}/build", f"{PIPE}/show", f"{PIPE}/durable", f"{PIPE}/declare", "cli"}
CLOCK = re.compile(r"_clock::now\(")
INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')


def allowed(layer, own, quote, name):
    if quote == "<" and re.fullmatch(r"[a-z_0-9]+|cxxabi\.h", name):
        return True  # the standard library
    if quote == "<" and SYSTEM.fullmatch(name):
        return layer in MAY_CALL_THE_SYSTEM
    return name.startswith((own, *ALLOWED[layer]))


def problems(root):
    known = {root / layer for layer in ALLOWED}
    for folder in sorted(x for base in (LIB, IPC, PIPE) if (root / base).is_dir() for x in (root / base).iterdir()):
        if folder.is_dir() and folder not in known and any(folder.rglob("*.[ch]pp")):
            yield f"{folder.relative_to(root)}: not in the table of {pathlib.Path(__file__).name}"
    for layer in ALLOWED:
        own = "espalier/cli/" if layer == "cli" else layer.removeprefix("libsupervisor/").removeprefix("ipc/").removeprefix("libpipeline/") + "/"
        for path in sorted((root / layer).rglob("*.[ch]pp")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = INCLUDE.match(line)
                if found and not allowed(layer, own, found[1], found[2]):
                    yield f"{path.relative_to(root)}:{number}: {layer} may not include {found[2]}"
                if layer.endswith("/core") and CLOCK.search(line):
                    yield f"{path.relative_to(root)}:{number}: {layer} is told the time, it does not read a clock"


if __name__ == "__main__":
    bad = list(problems(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT))
    print("\n".join(bad) or "layers ok")
    sys.exit(bool(bad))
