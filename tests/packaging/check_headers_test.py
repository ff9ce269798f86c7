"""Plants headers that are not fit to be installed, and wants check_headers.py to name them."""
import pathlib
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).resolve().parents[2] / "scripts/check_headers.py"
PLANTED = {
    "espalier/supervisor.hpp": '#pragma once\n#include "espalier/middle.hpp"\n',
    "espalier/middle.hpp": "#pragma once\n#include <caf/config.hpp>\n",
    "espalier/alone.hpp": "#pragma once\ninline std::string forgot_an_include() { return {}; }\n",
    "espalier/peeks.hpp": '#pragma once\n#include "espalier/internal/secret.hpp"\n',
    "espalier/internal/secret.hpp": "#pragma once\n",
    "espalier/good.hpp": "#pragma once\n#include <string>\n",
}
WANTED = ["espalier/supervisor.hpp: includes", "espalier/alone.hpp: does not compile",
          "espalier/peeks.hpp: includes espalier/internal/secret.hpp"]

with tempfile.TemporaryDirectory() as folder:
    for name, text in PLANTED.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run([sys.executable, CHECK, sys.argv[1], folder], capture_output=True, text=True)
print(done.stdout, done.stderr)
faults = [x for x in done.stdout.splitlines() if x.startswith("espalier/")]
missing = [x for x in WANTED if not any(f.startswith(x) for f in faults)]
if done.returncode != 1 or missing or len(faults) != len(WANTED):
    sys.exit(f"ended with {done.returncode}; missing: {missing}; found: {faults}")
