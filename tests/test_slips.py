"""The slips that only `make mutants` tries fit the library as it stands: each changes its function, and can be read."""

import ast
import inspect
import textwrap

import pytest

from more_slips import SLIPS
from slips import changed, rows


@pytest.mark.parametrize(("function", "name", "changes"), rows(SLIPS))
def test_a_slip_fits(function, name, changes):
    right = inspect.getsource(function)
    assert ast.dump(ast.parse(textwrap.dedent(changed(right, changes)))) != ast.dump(ast.parse(textwrap.dedent(right)))
