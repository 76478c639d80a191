"""The references of chapter 8 against the library, SciPy, and each other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import ravine as rv
from ravine.exercises._exercise import find
from ravine.optimizers import _newton, _quasi_newton

newton, cg, bfgs, lbfgs, hessian_free = (
    find(name).reference for name in ("newton", "cg", "bfgs", "lbfgs", "hessian_free"))

A = jnp.array([[4.0, 1.0, -0.5, 0.8], [1.0, 3.0, 0.7, -0.4], [-0.5, 0.7, 2.0, 0.3], [0.8, -0.4, 0.3, 1.0]])
b = jnp.array([2.0, -1.0, 3.0, 0.5])
S = np.array([[1.0, -0.6, 0.4, 0.9], [-0.3, 1.1, 0.7, -0.5], [0.6, 0.2, -0.8, 0.5]])
Y = S @ A


def test_newton_reaches_the_minimum_of_a_quadratic_and_damped_that_of_a_damped_one():
    np.testing.assert_allclose(newton(b, A @ b, A, 0.0), np.zeros(4), atol=1e-14)
    np.testing.assert_allclose((A + 2 * np.eye(4)) @ newton(b, A @ b, A, 2.0), 2 * b, rtol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_conjugate_gradient_is_that_of_the_library(n):
    found = rv.krylov.conjugate_gradient(lambda v: A @ v, b, tol=0.0, max_steps=n)
    np.testing.assert_allclose(cg(A, b, n), found.x, rtol=1e-12)


def test_bfgs_is_the_update_of_scipy_and_takes_y_to_s():
    ours, theirs = np.eye(4), scipy.optimize.BFGS(init_scale=1.0)
    theirs.initialize(4, "inv_hess")
    for s, y in zip(S, Y, strict=True):
        ours = bfgs(ours, s, y)
        theirs.update(s, y)
        np.testing.assert_allclose(ours, theirs.get_matrix(), rtol=1e-12)
        np.testing.assert_allclose(ours @ y, s, rtol=1e-12)


def test_lbfgs_applies_the_matrix_of_bfgs_from_a_scaled_identity():
    Hinv = S[-1] @ Y[-1] / (Y[-1] @ Y[-1]) * np.eye(4)
    for s, y in zip(S, Y, strict=True):
        Hinv = bfgs(Hinv, s, y)
    np.testing.assert_allclose(lbfgs(b, S, Y), -Hinv @ b, rtol=1e-12)


def test_hessian_free_is_newton_after_as_many_steps_as_dimensions_and_before_that_the_librarys_conjugate_gradient():
    def f(w):
        return w @ A @ w / 2 + jnp.sum(w**4)

    g, H = jax.grad(f)(b), jax.hessian(f)(b)
    np.testing.assert_allclose(hessian_free(f, b, 0.5, 4), newton(b, g, H, 0.5), rtol=1e-10)
    found = rv.krylov.conjugate_gradient(lambda v: H @ v + 0.5 * v, -g, tol=0.0, max_steps=2)
    np.testing.assert_allclose(hessian_free(f, b, 0.5, 2), b + found.x, rtol=1e-12)


def test_the_references_are_the_rules_of_the_library():
    def f(w):
        return w @ A @ w / 2 + jnp.sum(w**4)

    g, H = jax.grad(f)(b), jax.hessian(f)(b)
    np.testing.assert_allclose(newton(b, g, H, 0.5), b + _newton.newton_direction(g, H, 0.5), rtol=1e-12)
    p, _ = _newton.hessian_free_direction(lambda v: H @ v, g, 0.5, 3)
    np.testing.assert_allclose(hessian_free(f, b, 0.5, 3), b + p, rtol=1e-12)
    np.testing.assert_allclose(bfgs(A, S[1], Y[1]), _quasi_newton.bfgs_inverse(A, S[1], Y[1]), rtol=1e-12)
    pairs = _quasi_newton.no_pairs(b, len(S))
    for s, y in zip(S, Y, strict=True):
        pairs = _quasi_newton.with_pair(pairs, s, y)
    np.testing.assert_allclose(lbfgs(b, S, Y), _quasi_newton.lbfgs_direction(b, pairs), rtol=1e-12)
