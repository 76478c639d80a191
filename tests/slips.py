"""Slips: wrong versions of the library's functions, each a change in the text of one, a step away from the right one.

A table SLIPS has rows of three: a function, the name of what it belongs to, and its slips by name, each with old and
new text in turn; every old text stands exactly once in the function. The files `test_wrong_*.py` refuse theirs at once,
by the comparison that holds the right version. `make mutants` (tools/mutants.py) collects all tables, writes each slip
into a copy of the library and runs the tests of its module there.
"""

import inspect
import sys

import pytest


def rows(slips):
    """Return the parameters of a test: function, name, changes."""
    return [pytest.param(function, name, changes, id=f"{name} with {slip}")
            for function, name, table in slips for slip, changes in table.items()]


def changed(source, changes):
    """Return a text with the changes made, old and new in turn."""
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in\n{source}"
        source = source.replace(old, new)
    return source


def put_in_place(function, changes, monkeypatch):
    """Put the changed function in the place of the right one, in its module."""
    names = dict(function.__globals__)
    exec(changed(inspect.getsource(function), changes), names)
    monkeypatch.setattr(sys.modules[function.__module__], function.__name__, names[function.__name__])
