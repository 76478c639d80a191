"""References for Newton's rules and the products with matrices of curvature: the lecture's formulas in NumPy, dense.

Each `…_error` returns the largest difference between a formula of the library and its reference as a share of what
rounding may do: right is at most 1. They look the formulas up when called, so that wrong versions can stand in.
"""

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
import scipy.sparse.linalg

from ravine import _products
from ravine.optimizers import _descent, _newton

EPS = np.finfo(float).eps
SIZE = 6


def symmetric(eigenvalues, seed=0):
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(eigenvalues),) * 2))
    return (turn * np.asarray(eigenvalues)) @ turn.T


POSITIVE = symmetric(np.geomspace(0.5, 20, SIZE))
MIXED = symmetric([-3.0, -0.5, 0.5, 1.0, 4.0, 10.0])
VECTORS = np.random.default_rng(1).normal(size=(8, SIZE))
G = VECTORS[0]


def share(seen, expected, condition):
    """Return the difference over the rounding of a system of this condition number: some n ε of the largest entry."""
    seen, expected = np.asarray(seen, float), np.asarray(expected, float)
    if not np.all(np.isfinite(seen)):
        return np.inf
    return np.max(abs(seen - expected)) / (10 * SIZE * EPS * condition * np.max(abs(expected)))


def quadratic_point(H, w=VECTORS[1], age=0, last=VECTORS[2], predict=None, loss=None):
    """Return the `Point` at w of ½ wᵀHw, having come from `last`."""
    H, w, last = map(jnp.asarray, (H, w, last))
    return _descent.Point(w, H @ w, lambda w: 0.5 * w @ H @ w, predict, loss, jnp.int32(age), last, H @ last)


def newton_error():
    """Compare the step of `newton` with the inverse, for rates and dampings."""
    errors = []
    for rate, damping in ((1.0, 0.0), (0.5, 0.0), (1.0, 3.0)):
        step = _newton._newton(quadratic_point(POSITIVE), (), False, learning_rate=rate, damping=damping)
        expected = -rate * np.linalg.inv(POSITIVE + damping * np.eye(SIZE)) @ POSITIVE @ VECTORS[1]
        errors += [share(step.p, expected, 40), 2.0 * bool(step.indefinite)]
    return max(errors)


def enough_damping_error():
    """Compare the search's direction where H is indefinite with H + 2|μ|I for the most negative eigenvalue μ = −3."""
    step = _newton._newton(quadratic_point(MIXED), (), True, learning_rate=1.0, damping=0.5)
    singular = symmetric([0.0, 1.0, 1.0, 2.0, 4.0, 8.0])
    least = np.linalg.eigvalsh(singular + float(_newton._enough_damping(jnp.asarray(singular))) * np.eye(SIZE))[0]
    return max(share(step.p, -np.linalg.solve(MIXED + 6 * np.eye(SIZE), MIXED @ VECTORS[1]), 40),
               2.0 * (not step.indefinite), abs(least / (8 * EPS**0.5) - 1) * 1e6)


def saddle_free_error():
    """Compare the step of `saddle_free_newton` with |H| as the root of H²."""
    errors = []
    for rate, damping in ((1.0, 0.0), (0.5, 0.0), (1.0, 2.0)):
        step = _newton._saddle_free_newton(quadratic_point(MIXED), (), learning_rate=rate, damping=damping)
        size = scipy.linalg.sqrtm(MIXED @ MIXED) + damping * np.eye(SIZE)
        errors += [share(step.p, -rate * np.linalg.solve(size, MIXED @ VECTORS[1]), 400), 2.0 * (not step.indefinite)]
    return max(errors)


def outputs(w):
    return jnp.stack([w[0] * w[1] + w[2], jnp.sin(w[3]) + w[4] ** 2, w[5] * w[0] - w[1], w[2] * w[3] * w[4]])


def cost(out):
    return jnp.sum(jnp.cosh(out)) + out[0] * out[1]


def gauss_newton_reference(damping):
    w = jnp.asarray(VECTORS[1])
    J, H = jax.jacfwd(outputs)(w), jax.hessian(cost)(outputs(w))
    return -np.linalg.solve(np.asarray(J.T @ H @ J) + damping * np.eye(SIZE), G)


def gauss_newton_error():
    """Compare the steps of `gauss_newton` and `hessian_free` on a loss in two parts with the dense JᵀHJ + λI."""
    w = jnp.asarray(VECTORS[1])
    at = _descent.Point(w, jnp.asarray(G), lambda w: cost(outputs(w)), outputs, cost, jnp.int32(0), w, w)
    matrix = np.asarray(jax.jacfwd(outputs)(w).T @ jax.hessian(cost)(outputs(w)) @ jax.jacfwd(outputs)(w))
    condition = np.linalg.cond(matrix + 0.5 * np.eye(SIZE))
    return max(share(_newton._gauss_newton(at, (), damping=0.5).p, gauss_newton_reference(0.5), condition),
               share(_newton._hessian_free(at, (), 30, damping=0.5).p, gauss_newton_reference(0.5), condition**2))


def hessian_free_error():
    """Compare m steps of `hessian_free` with m steps of SciPy's conjugate gradient on H + λI."""
    errors, damped = [], POSITIVE + 0.5 * np.eye(SIZE)
    for steps in (1, 3, 30):
        step = _newton._hessian_free(quadratic_point(POSITIVE), (), steps, damping=0.5)
        expected, _ = scipy.sparse.linalg.cg(damped, -POSITIVE @ VECTORS[1], rtol=0, maxiter=min(steps, SIZE))
        errors += [share(step.p, expected, 41**2), 2.0 * bool(step.indefinite)]
    indefinite = _newton._hessian_free(quadratic_point(MIXED), (), 30, damping=0.5)
    return max(*errors, 2.0 * (not indefinite.indefinite), 2.0 * bool(indefinite.p @ MIXED @ VECTORS[1] > 0))


def product_error():
    """Compare both products with the dense matrices."""
    w, v = jnp.asarray(VECTORS[1]), jnp.asarray(G)
    J = jax.jacfwd(outputs)(w)
    return max(share(_products.hessian_product(lambda w: cost(outputs(w)), w)(v),
                     jax.hessian(lambda w: cost(outputs(w)))(w) @ v, 100),
               share(_products.gauss_newton_product(outputs, cost, w)(v),
                     J.T @ (jax.hessian(cost)(outputs(w)) @ (J @ v)), 100))
