"""The references of chapter 3 against the library's curvature, and against gradient descent itself."""

import jax.numpy as jnp
import numpy as np
import pytest

import ravine as rv
from ravine.exercises._exercise import find

H = jnp.array([[2.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 4.0]])


def bowl(w, H):
    return w @ H @ w / 2


def test_hvp_is_that_of_the_library():
    w, v = jnp.array([-1.0, 1.2]), jnp.array([0.3, 2.0])
    np.testing.assert_allclose(find("hvp").reference(rv.landscapes.rosenbrock, w, v),
                               rv.curvature.hvp(rv.landscapes.rosenbrock, w, v), rtol=1e-12)


def test_the_condition_number_is_that_of_the_library():
    np.testing.assert_allclose(find("max_lr").reference(H)[1], rv.curvature.condition_number(H), rtol=1e-12)


def test_at_the_largest_rate_gradient_descent_neither_converges_nor_diverges():
    limit, _ = find("max_lr").reference(H)
    below, above = [rv.minimize(bowl, jnp.ones(3), rv.sgd(factor * limit), 500, args=(H,)).losses[-1]
                    for factor in (0.99, 1.01)]
    assert below < 1e-3 < 1e3 < above


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("eigenvalues", [(1, 2, 3), (-1, -2, -3), (1, -2, 3), (0, 1, 2), (0, -1, -2), (0, 1, -2),
                                         (0, 0, 0)])
def test_classify_agrees_with_the_library(eigenvalues, scale):
    matrix = scale * jnp.diag(jnp.array(eigenvalues, float))
    expected = rv.curvature.classify_critical_point(bowl, jnp.zeros(3), 1e-4, args=(matrix,))
    assert find("classify").reference(matrix) == expected
