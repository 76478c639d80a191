"""The directions of the rules that look at curvature beside their references, and what their search promises."""

import jax.numpy as jnp
import numpy as np
import pytest

from ravine.optimizers import _descent, _quasi_newton

from .curvature_comparisons import COMPARISONS, error
from .search_loops import broken_promises


@pytest.mark.parametrize("name", COMPARISONS)
def test_direction(name):
    assert error(name) <= 1


def test_search():
    assert not broken_promises()


@pytest.mark.parametrize(("method", "memory", "static"), [
    (_quasi_newton._bfgs, 2 * jnp.eye(2), ()), (_quasi_newton._lbfgs, (jnp.eye(2), 2 * jnp.eye(2)), (2,))],
    ids=["bfgs", "lbfgs"])
def test_a_pair_of_negative_curvature_is_left_out(method, memory, static):
    w = jnp.array([1.0, 1.0])
    at = _descent.Point(w, -w, None, None, None, jnp.int32(3), 2 * w, -2 * w)
    answer = method(at, memory, *static)
    assert answer.indefinite
    np.testing.assert_array_equal(answer.memory, memory)
