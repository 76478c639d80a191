"""Try the slips on the tests: `python tools/mutants.py [WORD]`. A table: the slip, its file, the test that refused it.

A slip (tests/slips.py) is written into a copy of the library, and the tests of its module run on that copy until one
fails. Those that fail there are run on the library as it stands as well, and must pass. WORD picks the slips of the
files whose path holds it.
"""

import importlib
import inspect
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

# What every child needs, loaded once: a fork has it for nothing. JAX itself starts in the children.
import hypothesis  # noqa: F401
import optax  # noqa: F401
import pytest
import scipy.sparse.linalg
import scipy.stats  # noqa: F401

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lib/ravine"
TABLES = ("tests/more_slips.py", "tests/**/test_wrong_*.py")
LIMIT = 180  # seconds for one slip, after which it counts as refused: some never end
# Where the tests of a module, or of a folder's modules, are: those that tell most first.
TESTS = {
    **dict.fromkeys(("optimizers/_descent", "optimizers/_newton", "optimizers/_quasi_newton"),
                    ("optimizers/test_curvature_directions.py", "optimizers/test_curvature_*.py")),
    "optimizers": ("optimizers/test_agreement.py", "optimizers/test_frontier.py", "optimizers/test_adaptive.py",
                   "optimizers/test_[!cs]*.py", "optimizers/test_c[!u]*.py"),
    "curvature": ("test_curvature.py", "test_curvature_stochastic.py"),
    "_products": ("test_curvature.py", "optimizers/test_curvature_directions.py"),
    "krylov": ("test_krylov.py",),
    "initializers": ("test_initializers.py",),
    "schedules": ("test_schedules.py",),
}


class Mutant(NamedTuple):
    """One slip.

    Attributes:
        path: the module, below the package.
        name: what it does wrong.
        word: picks, as `pytest -k`, the tests to begin with.
        text: the whole of the module with the slip in it.
    """

    path: str
    name: str
    word: str
    text: str


def collect(word):
    """Return the mutants of all tables, those whose path holds `word`."""
    sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "tests")]
    from slips import changed

    mutants = []
    for table in sorted({path for pattern in TABLES for path in ROOT.glob(pattern)}):
        module = importlib.import_module(".".join(table.relative_to(ROOT / "tests").with_suffix("").parts))
        for function, owner, slips in module.SLIPS if hasattr(module, "SLIPS") else ():
            file = Path(inspect.getsourcefile(function))
            path, whole, source = file.relative_to(PACKAGE).as_posix(), file.read_text(), inspect.getsource(function)
            mutants += [Mutant(path, f"{owner.split(' or ')[0]}: {slip}", _words(owner.split(",")[0]),
                               whole.replace(source, changed(source, changes)))
                        for slip, changes in slips.items() if word in path]
    return mutants


def _words(owner):
    return " or ".join(word for word in owner.split() if word != "or")


def tests(path):
    """Return the files of the tests of a module, those that tell most first."""
    module = path.removesuffix(".py")
    patterns = TESTS.get(module) or TESTS[module.split("/")[0]]
    found = [str(file) for pattern in patterns for file in sorted((ROOT / "tests").glob(pattern))]
    return [file for file in dict.fromkeys(found) if "_wrong_" not in file]


class _Failures:
    """A pytest plugin that writes down the first thing that fails."""

    def __init__(self):
        self.first = None

    def pytest_runtest_logreport(self, report):
        if report.failed and not self.first:
            self.first = report.nodeid

    pytest_collectreport = pytest_runtest_logreport


def failure(library, *arguments):
    """Run tests on a library, and return the name of the first that fails, or None. For a process of its own."""
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    signal.alarm(LIMIT)
    sys.path[:0] = [str(library), str(ROOT / "tests")]
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    seen = _Failures()
    status = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *arguments], plugins=[seen])
    import ravine

    assert Path(ravine.__file__).is_relative_to(library), ravine.__file__
    assert status != pytest.ExitCode.USAGE_ERROR, arguments
    passed = status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    return None if passed else seen.first or f"pytest ended with {status}"


def killer(mutant):
    """Return the name of the first test that fails with the mutant in place, or None."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder)
        shutil.copytree(PACKAGE, library / "ravine", ignore=shutil.ignore_patterns("__pycache__"))
        (library / "ravine" / mutant.path).write_text(mutant.text)
        files = tests(mutant.path)
        return failure(library, "-k", mutant.word, *files) or failure(library, *files)


def main(word=""):
    """Print the table; return whether every mutant was refused, by tests that pass without it."""
    # A process for every task, with a library of its own. One that runs out of time is ended, and answers nothing.
    with multiprocessing.get_context("fork").Pool(maxtasksperchild=1) as pool:
        mutants = pool.apply(collect, (word,))
        killers, alive = set(), []
        answers = [pool.apply_async(killer, (mutant,)) for mutant in mutants]
        for mutant, answer in zip(mutants, answers, strict=True):
            try:
                by = answer.get(3 * LIMIT)
            except multiprocessing.TimeoutError:
                by = f"no end in {LIMIT} s"
            print(f"{mutant.path:28} {mutant.name:60} {by or 'SURVIVES'}", flush=True)
            if not by:
                alive.append(mutant)
            elif "::" in by:
                killers.add(by)
        broken = killers and pool.apply(failure, (PACKAGE.parent, *sorted(killers)))
    print(f"{len(mutants)} mutants, {len(alive)} alive; {len(killers)} tests refused them")
    if broken:
        print(f"{broken} fails without any mutant")
    return not alive and not broken


if __name__ == "__main__":
    sys.exit(not main(*sys.argv[1:]))
