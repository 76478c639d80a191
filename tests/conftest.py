"""What every test shares: float64 on, warnings as errors (pyproject.toml), the order, one Chromium for the session."""

import collections
import os
import shutil

import jax
import pytest

jax.config.update("jax_enable_x64", True)

# What asks for a fixture is marked so.
ASKS = {"browser": "browser", "html": "book"}
# Where tests take long, the longest first: with several processes they must begin early. `make test-quick` omits them.
LONG = ("_build/solved/", "tests/figures/test_controls.py", "tests/book/test_pages.py",
        "tests/book/test_live_figures.py", "tests/book/test_twins_in_jupyterlab.py",
        "tests/exercises/test_exercises.py", "tests/figures/test_figure.py", "tests/exercises/test_notebooks.py",
        "tests/optimizers/test_agreement.py", "tests/optimizers/test_wrong_", "tests/benchmarks/test_choosing.py",
        "tests/book/test_build.py", "tests/exercises/test_grade.py", "tests/figures/test_jupyter.py",
        "tests/exercises/test_hostile.py", "tests/optimizers/test_sharded.py")

_QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
          "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def _chromium():
    named = os.environ.get("RAVINE_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items):
    """Mark what asks for a browser or for the built book, and what takes long; begin with what takes longest."""
    ranks = {}
    for item in items:
        ranks[item] = next((rank for rank, start in enumerate(LONG) if item.nodeid.startswith(start)), len(LONG))
        marks = [mark for fixture, mark in ASKS.items() if fixture in getattr(item, "fixturenames", ())]
        for mark in [*marks, *["long"] * (ranks[item] < len(LONG))]:
            item.add_marker(mark)
    items.sort(key=ranks.get)


@pytest.fixture(scope="session")
def browser():
    """Yield a headless Chromium. Without one the test is skipped; in CI it fails."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=_chromium(), args=_QUIET)
        except Error as error:
            message = "no Chromium: `make browser` installs it, or set RAVINE_CHROMIUM to its path"
            if os.environ.get("CI"):
                pytest.fail(f"{message} ({error})")
            pytest.skip(message)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """Yield a fresh page of a fresh browser context."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module", autouse=True)
def _forget_programs():
    """Free what a file's tests have compiled: hardly another file calls it, and a worker would grow by gigabytes."""
    yield
    jax.clear_caches()


@pytest.fixture
def compiled():
    """Return a function that calls another and says how many programs JAX compiled for it."""
    events = []

    def listen(event, seconds, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            events.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)

    def count(call, *args, **kwargs):
        before = len(events)
        jax.block_until_ready(call(*args, **kwargs))
        return len(events) - before

    return count


def pytest_terminal_summary(terminalreporter):
    """Say what the tests of the exercises covered. It is here since with xdist nothing else is loaded in the end."""
    covered = collections.defaultdict(set)
    for report in terminalreporter.stats.get("passed", ()):
        for key, value in report.user_properties:
            if key == "covers":
                covered[value[0]].add(value[1])
    if covered:
        counts = ", ".join(f"{len(cases)} {kind}" for kind, cases in covered.items())
        terminalreporter.write_line(f"exercises covered: {counts}")
