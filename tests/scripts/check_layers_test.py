"""Plants wrong includes and a folder nobody knows, and wants check_layers.py to name them."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import check_layers  # noqa: E402

PLANTED = {
    "core/a.hpp": "#include <string>\n#include <caf/all.hpp>\n",
    "core/b.cpp": '#include "espalier/supervisor/actor/attempt.hpp"\n',
    "core/c.cpp": "#include <sys/types.h>\n",
    "core/t.cpp": "#include <chrono>\nconst auto now = std::chrono::system_clock::now();\n",
    "observe/d.cpp": '#include "espalier/supervisor/core/event.hpp"\n#include <yaml-cpp/yaml.h>\n',
    "attic/e.cpp": "#include <string>\n",
}
WANTED = ["attic: not in the table", "core/a.hpp:2", "core/b.cpp:1", "core/c.cpp:1",
          "core/t.cpp:2", "observe/d.cpp:2"]

with tempfile.TemporaryDirectory() as folder:
    for name, text in PLANTED.items():
        path = pathlib.Path(folder, check_layers.LIB, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = list(check_layers.problems(pathlib.Path(folder)))
missing = [x for x in WANTED if not any(x in line for line in found)]
print("\n".join(found))
if missing or len(found) != len(WANTED):
    sys.exit(f"missing: {missing}; found {len(found)} of {len(WANTED)}")
