#!/usr/bin/env python3
"""What scripts/mutate.py calls killed, survived, unsure and stale, with tests that only pretend."""
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.dont_write_bytecode = True
import mutants  # noqa: E402
import mutate  # noqa: E402


def mutation(old="right", new="wrong", name="m", tests=("t",)):
    return mutants.Mutation("area", "group", name, tests, "file.cpp", old, new)


class PretendedBench(mutants.Bench):
    """Builds nothing; `fails` says which tests fail with the text of the file, and at which go."""

    def __init__(self, work, fails, builds=True):
        super().__init__(pathlib.Path(work), None)
        self.fails, self.builds, self.goes = fails, builds, 0
        self.file = self.work / "source" / "file.cpp"
        self.file.parent.mkdir()
        self.file.write_text("the right text")

    def build(self, test):
        return self.builds

    def failing_test(self, test, ignored, chosen=None):
        self.goes += 1
        failing = self.fails(self.file.read_text(), self.goes)
        return next((x for x in failing if x not in ignored and chosen in (None, x)), None)


class Verdicts(unittest.TestCase):
    def verdict(self, fails, of=None, **more):
        with tempfile.TemporaryDirectory() as work:
            bench = PretendedBench(work, fails, **more)
            result = bench.verdict(of or mutation())
            self.assertEqual(bench.file.read_text(), "the right text")
            return result

    def test_what_fails_twice_is_killed(self):
        self.assertEqual(self.verdict(lambda text, go: ["A.b"] if "wrong" in text else []),
                         ("killed", "A.b"))

    def test_what_passes_survives(self):
        self.assertEqual(self.verdict(lambda text, go: []), ("survived", None))

    def test_what_passes_alone_is_unsure(self):
        self.assertEqual(self.verdict(lambda text, go: ["A.b"] if go == 1 else []),
                         ("unsure", "A.b"))

    def test_after_one_that_is_unsure_another_may_kill(self):
        self.assertEqual(self.verdict(lambda text, go: ["A.b"] if go == 1 else ["C.d"]),
                         ("killed", "C.d"))

    def test_a_later_executable_may_kill(self):
        self.assertEqual(self.verdict(lambda text, go: [] if go == 1 else ["A.b"],
                                      mutation(tests=("t", "u"))), ("killed", "A.b"))

    def test_what_does_not_build_says_nothing(self):
        self.assertEqual(self.verdict(lambda text, go: ["A.b"], builds=False)[0],
                         "stale: does not compile")

    def test_what_is_not_there_says_nothing(self):
        self.assertEqual(self.verdict(lambda text, go: ["A.b"], mutation(old="gone"))[0],
                         "stale: its text is no longer there")

    def test_only_what_is_killed_counts(self):
        with tempfile.TemporaryDirectory() as work:
            bench = PretendedBench(work, lambda text, go: ["A.b"] if "wrong" in text else [])
            with contextlib.redirect_stdout(io.StringIO()) as out:
                left = bench.try_all([mutation(), mutation(new="other", name="n"),
                                      mutation(old="gone", name="o")])
        self.assertEqual(left, 2)
        self.assertIn("1 of 3 killed", out.getvalue())


class Lists(unittest.TestCase):
    def test_a_mutation_fits_where_its_text_stands_once(self):
        def found(old, new=""):
            file = str(pathlib.Path(__file__).relative_to(ROOT))
            return mutants.Mutation("area", "group", "m", (), file, old, new).misfit()
        self.assertIsNone(found("What scripts/mutate.py " + "calls killed"))
        self.assertIn("occurs 0 times", found("nobody wrote " + "this"))
        self.assertIn("times", found("def test_"))
        self.assertIn("changes nothing", found("import contextlib\n", "import contextlib\n"))

    def test_two_of_one_name_are_told(self):
        twins = [mutation(), mutation()]
        self.assertIn('"area group: m" is there twice', list(mutate.problems(twins)))

    def test_the_names_of_the_decision_are_there(self):
        names = " ".join(str(m) for area in mutate.AREAS for m in mutate.mutations_of(area))
        for name in ("no_fsync", "no_dir_fsync", "ack_before_commit", "no_peercred",
                     "no_line_cap", "late_timer"):
            self.assertIn(f" {name}: ", names)

    def test_every_control_of_the_socket_has_one(self):
        groups = {m.group for m in mutate.mutations_of("ipc")}
        self.assertEqual(groups, {f"C{i}" for i in range(1, 10)})


if __name__ == "__main__":
    unittest.main()
