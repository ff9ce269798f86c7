"""Plants pages that name tests which are not there, and wants check_evidence.py to say so."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import check_evidence  # noqa: E402

PLANTED = {
    "tests/lib/core/a_test.cpp": "",
    "tests/lib/core/testdata/backoff.txt": "",
    "docs/fields.md": "| field | shown by |\n|---|---|\n| `x` | `backoff`, `lib/core/a_test.cpp` |\n"
                      "| y | `lib/core/b_test.cpp` |\n",
    "docs/weaknesses.md": "| | shown here by |\n|---|---|\n| 1 | `a_test.cpp`, `lib/*/a_*.cpp` |\n"
                          "| 2 | `lib/a_test.cpp` |\n| 3 | `lib/core/testdata` |\n",
    "docs/otp-differences.md": "No table, so nothing is shown.\n",
    "docs/journal.md": "| | shown by |\n|---|---|\n| J1 | `lib/core/a_test.cpp` |\n| J2 | `j_test.cpp` |\n",
}
WANTED = ["fields.md:4", "weaknesses.md:4", "weaknesses.md:5", "otp-differences.md: names no test",
          "journal.md:4"]

with tempfile.TemporaryDirectory() as folder:
    for name, text in PLANTED.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = list(check_evidence.problems(pathlib.Path(folder)))
missing = [x for x in WANTED if not any(x in line for line in found)]
print("\n".join(found))
if missing or len(found) != len(WANTED):
    sys.exit(f"missing: {missing}; found {len(found)} of {len(WANTED)}")
