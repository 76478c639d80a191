"""The directions of the rules that look at curvature beside their references, and what their search promises."""

import pytest

from .curvature_comparisons import COMPARISONS, error
from .search_loops import broken_promises


@pytest.mark.parametrize("name", COMPARISONS)
def test_direction(name):
    assert error(name) <= 1


def test_search():
    assert not broken_promises()
