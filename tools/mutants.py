"""Try the slips on the tests: `python tools/mutants.py [WORD …]`. A table: slip, file, the test that refused it.

A slip (tests/slips.py) is written into a copy of the library, and the tests of its module run on that copy until one
fails: those named after what it belongs to first. The tests that failed there are run on the library as it stands as
well, and must pass. WORDs pick the slips of the files whose path holds one. What XLA compiled for one mutant serves the
others, and the tests, in the cache that the Makefile names: JAX reads that name as it is imported, which is below.
"""

import collections
import importlib
import inspect
import multiprocessing
import multiprocessing.connection
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

# What every child needs, loaded once: a fork has it for nothing. JAX's threads do not survive one: it starts there.
import hypothesis  # noqa: F401
import optax.contrib  # noqa: F401
import pytest
import scipy.optimize
import scipy.sparse.linalg
import scipy.stats  # noqa: F401

ROOT = Path(__file__).parents[1]
PACKAGE, TESTS = ROOT / "lib/ravine", ROOT / "tests"
TABLES = ("more_slips.py", "**/test_wrong_*.py")
QUICK = "-x", "-q", "-p", "no:cacheprovider", "--assert=plain"
LIMIT = 60  # seconds of the processor's time for one test, some twenty times what the longest takes
# The tests of a module, or of all modules of a folder: where to begin, and all of them.
FIRST_ORDER = "optimizers/test_[!c]*.py", "optimizers/test_c[!u]*.py"
SECOND_ORDER = "optimizers/test_curvature_directions.py", "optimizers/test_curvature_*.py"
FILES = {
    **dict.fromkeys(("optimizers/_descent", "optimizers/_newton", "optimizers/_quasi_newton"),
                    (SECOND_ORDER[:1], SECOND_ORDER)),
    "optimizers/_lift": (("optimizers/test_lift.py", "optimizers/test_agreement.py"), FIRST_ORDER),
    "optimizers/_clip": (("optimizers/test_clip.py", "optimizers/test_frontier.py"), FIRST_ORDER),
    "optimizers/_frontier": (("optimizers/test_frontier.py", "optimizers/test_agreement.py"), FIRST_ORDER),
    "optimizers": (("optimizers/test_agreement.py", "optimizers/test_adaptive.py"), FIRST_ORDER),
    "_products": (("test_curvature.py",), ("test_curvature.py", *SECOND_ORDER)),
    "curvature": (("test_curvature*.py",),) * 2,
    "krylov": (("test_krylov.py",),) * 2,
    "initializers": (("test_initializers.py",),) * 2,
    "schedules": (("test_schedules.py",),) * 2,
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


def collect(words):
    """Return the mutants of all tables, those whose path holds one of these words."""
    sys.path[:0] = [str(ROOT / "lib"), str(TESTS)]
    from slips import changed

    mutants = []
    for table in sorted({path for pattern in TABLES for path in TESTS.glob(pattern)}):
        module = importlib.import_module(".".join(table.relative_to(TESTS).with_suffix("").parts))
        for function, owner, slips in module.SLIPS:
            file = Path(inspect.getsourcefile(function))
            path, whole, source = file.relative_to(PACKAGE).as_posix(), file.read_text(), inspect.getsource(function)
            mutants += [Mutant(path, f"{owner.split(' or ')[0]}: {slip}", _words(owner.split(",")[0]),
                               whole.replace(source, changed(source, changes)))
                        for slip, changes in slips.items() if any(word in path for word in words)]
    return mutants


def _words(owner):
    return " or ".join(word for word in owner.split() if word != "or")


def files(path):
    """Return two lists, the files of the tests of a module to begin with, and all of them."""
    module = path.removesuffix(".py")
    stages = FILES.get(module) or FILES[module.split("/")[0]]
    return [list(dict.fromkeys(str(file) for pattern in patterns for file in sorted(TESTS.glob(pattern))
                               if "_wrong_" not in file.name)) for patterns in stages]


class _Watch:
    """A pytest plugin that writes down the test that runs, and the first thing that fails; each test has its limit."""

    def __init__(self, folder):
        self.folder = folder

    def pytest_runtest_logstart(self, nodeid):
        (self.folder / "running").write_text(nodeid)
        used = int(time.process_time())
        resource.setrlimit(resource.RLIMIT_CPU, (used + LIMIT, resource.RLIM_INFINITY))

    def pytest_runtest_logreport(self, report):
        if report.failed:
            (self.folder / "failed").write_text(report.nodeid)
            # A slip in spelling is none: it must run to be refused.
            (self.folder / "name").write_text("NameError" * ("NameError" in report.longreprtext))

    pytest_collectreport = pytest_runtest_logreport


def attempt(library, folder, *stages):
    """Run tests on a library, a list of arguments after another, up to the first failure. For a process of its own."""
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    sys.path[:0] = [str(library), str(TESTS)]
    os.chdir(ROOT)
    for arguments in stages:
        status = pytest.main([*QUICK, *arguments], plugins=[_Watch(folder)])
        assert status != pytest.ExitCode.USAGE_ERROR, arguments
        if (folder / "failed").exists():
            break
    import ravine

    assert Path(ravine.__file__).is_relative_to(library), ravine.__file__


class Attempt:
    """A process that runs tests on the library, with a mutant in it or as it stands."""

    def __init__(self, mutant, *stages):
        self.mutant, self.folder = mutant, tempfile.TemporaryDirectory()
        library = PACKAGE.parent
        if mutant:
            library = Path(self.folder.name)
            shutil.copytree(PACKAGE, library / "ravine", ignore=shutil.ignore_patterns("__pycache__"))
            (library / "ravine" / mutant.path).write_text(mutant.text)
        self.process = multiprocessing.get_context("fork").Process(
            target=attempt, args=(library, Path(self.folder.name), *stages))
        self.process.start()

    def outcome(self):
        """Wait for the end; return what came of it ("refused", if all is well), and in which test."""
        self.process.join()
        failed, running = (Path(self.folder.name) / name for name in ("failed", "running"))
        if self.process.exitcode == -signal.SIGXCPU:
            found = f"no end in {LIMIT} s", running.read_text()
        elif self.process.exitcode:
            found = f"the process ended with {self.process.exitcode}", running.read_text() if running.exists() else ""
        elif failed.exists():
            found = (Path(self.folder.name) / "name").read_text() or "refused", failed.read_text()
        else:
            found = "SURVIVES", ""
        self.folder.cleanup()
        return found


def outcomes(mutants):
    """Yield each mutant, what came of it, and in which test, in the order in which they end, a few at a time."""
    waiting, running = list(mutants), {}
    while waiting or running:
        while waiting and len(running) < os.cpu_count():
            mutant = waiting.pop(0)
            first, whole = files(mutant.path)
            started = Attempt(mutant, ["-k", mutant.word, *first], whole)
            running[started.process.sentinel] = started
        for sentinel in multiprocessing.connection.wait(list(running)):
            ended = running.pop(sentinel)
            yield ended.mutant, *ended.outcome()


def main(*words):
    """Print the table; return whether every mutant was refused, by tests that pass without it."""
    began, counts, alive, killers = time.monotonic(), collections.defaultdict(collections.Counter), [], set()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with multiprocessing.get_context("fork").Pool(1) as pool:
        for mutant, outcome, test in outcomes(pool.apply(collect, (words or ("",),))):
            print(f"{mutant.path:28} {mutant.name:60} {outcome} {test}", flush=True)
            counts[mutant.path][outcome] += 1
            if outcome == "refused":
                killers.add(test)
            else:
                alive.append((mutant, outcome, test))
        outcome, test = Attempt(None, sorted(killers)).outcome() if killers else ("SURVIVES", "")
    print()
    for path, count in sorted(counts.items()):
        print(f"{path:28} {count.total():4} mutants, " + ", ".join(f"{n} {what}" for what, n in count.items()))
    print(f"{sum(count.total() for count in counts.values())} mutants in {time.monotonic() - began:.0f} s, "
          f"{len(alive)} not refused; {len(killers)} tests refused the others")
    for mutant, what, where in alive:
        print(f"{mutant.path}, {mutant.name}: {what} {where}")
    if outcome != "SURVIVES":
        print(f"without any mutant: {outcome} {test}")
    return not alive and outcome == "SURVIVES"


if __name__ == "__main__":
    sys.exit(not main(*sys.argv[1:]))
