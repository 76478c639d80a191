"""What the tests of the exercises share: an empty working folder, both precisions, and notes of what was covered."""

import jax
import pytest

from ravine import _compat
from ravine.exercises import _help, _progress


@pytest.fixture(autouse=True)
def fresh_session(tmp_path, monkeypatch):
    """As in a new kernel in an empty folder: nothing solved, no hint given, and no file left in the repository."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_progress, "_session", {})
    monkeypatch.setattr(_help, "_given", {})


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    with _compat.enable_x64(request.param == "float64"):
        assert jax.config.jax_enable_x64 == (request.param == "float64")
        yield request.param


@pytest.fixture
def covers(record_property):
    """Return a function that notes that this test, if it passes, covers a case of some kind."""
    return lambda kind, case: record_property("covers", (kind, case))
