"""The directions of the rules that look at curvature beside their references, and what their search promises."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ravine.optimizers import _descent, _quasi_newton

from .curvature_comparisons import COMPARISONS, error
from .quasi_newton_loops import pairs_of
from .search_loops import broken_promises


@pytest.mark.parametrize("name", COMPARISONS)
def test_direction(name):
    assert error(name) <= 1


def test_search():
    assert not broken_promises()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pairs_that_are_left_leave_no_rounding_in_the_inverse_of_the_triangle(dtype):
    """A bound for each entry, of one new triangle that is inverted; 40 pairs go through a memory of 5."""
    size, kept = 30, 5
    S = np.random.default_rng(0).normal(size=(40, size)).astype(dtype)
    S, Y, R_inverse = map(np.float64, pairs_of(S, S * np.logspace(-3, 3, size, dtype=dtype), kept))
    found = abs(R_inverse @ np.triu(S @ Y.T) - np.eye(kept))
    bound = (size + kept) * np.finfo(dtype).eps * abs(R_inverse) @ np.triu(abs(S) @ abs(Y.T))
    assert np.all(found <= bound)
    assert np.all(np.tril(R_inverse, -1) == 0)


@pytest.mark.parametrize(("method", "memory", "static"), [
    (_quasi_newton._bfgs, 2 * jnp.eye(2), ()), (_quasi_newton._lbfgs, pairs_of(jnp.eye(2), 2 * jnp.eye(2)), (2,))],
    ids=["bfgs", "lbfgs"])
def test_a_pair_of_negative_curvature_is_left_out(method, memory, static):
    w = jnp.array([1.0, 1.0])
    at = _descent.Point(w, -w, None, None, None, jnp.int32(3), 2 * w, -2 * w)
    answer = method(at, memory, *static)
    assert answer.indefinite
    jax.tree.map(np.testing.assert_array_equal, answer.memory, memory)
