"""Symmetric matrices of known spectrum, and how what the Krylov methods find is compared with what defines them.

Each comparison returns the largest error as a share of what rounding may do: right is at most 1.
"""

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse.linalg
from jax.tree_util import Partial

SIZE = 24
EPS = {dtype: float(np.finfo(dtype).eps) for dtype in (np.float32, np.float64)}


def matrix(eigenvalues, seed=0, dtype=np.float64):
    """Return a symmetric matrix with these eigenvalues and random eigenvectors."""
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(eigenvalues),) * 2))
    whole = (turn * np.asarray(eigenvalues)) @ turn.T
    return jnp.asarray((whole + whole.T) / 2, dtype)


def vector(seed=1, size=SIZE, dtype=np.float64):
    return jnp.asarray(np.random.default_rng(seed).normal(size=size), dtype)


def product(A):
    """Return v -> A v, with A an argument of compiled programs."""
    return Partial(jnp.matmul, A)


def lanczos_error(A, found):
    """Compare a decomposition with A Qᵀ = Qᵀ T + residual eᵀ, Q Qᵀ = I, Q residual = 0, and T with its form.

    A column's product and sums round n times, two passes add as many: 4 n ε in all. Where the space is complete, a
    β of ε^¾ ‖A‖ is taken for 0.
    """
    Q, alpha, beta, residual, rank = (np.asarray(part, float) for part in found)
    A, eps, steps = np.asarray(A, float), EPS[found.alpha.dtype.type], len(alpha)
    T = np.diag(alpha) + np.diag(beta, 1) + np.diag(beta, -1)
    last = np.eye(steps)[-1]
    size = np.linalg.norm(A, 2)
    rounding = 4 * len(A) * eps
    identity = np.linalg.norm(A @ Q.T - Q.T @ T - np.outer(residual, last), 2) / size
    inside = (np.arange(steps) < rank).astype(float)
    return max(identity / (rounding if rank == steps else rounding + eps**0.75),
               np.linalg.norm(Q @ Q.T - np.diag(inside), 2) / rounding,
               np.linalg.norm(Q @ residual) / size / rounding)


def scipy_iterates(A, b, count):
    """Return the first iterates of SciPy's conjugate gradient, from zero, one a row."""
    iterates = []
    scipy.sparse.linalg.cg(np.asarray(A), np.asarray(b), rtol=0, maxiter=count,
                           callback=lambda x: iterates.append(x.copy()))
    return np.array(iterates)


def cg_error(A, b, iterates):
    """Compare iterates with SciPy's to 1e-10 of the largest, and their residuals with an orthogonal set."""
    expected = scipy_iterates(A, b, len(iterates))
    residuals = np.asarray(b) - np.vstack([np.zeros(len(b)), iterates]) @ np.asarray(A)
    directions = residuals / np.linalg.norm(residuals, axis=1, keepdims=True)
    return max(np.max(abs(iterates - expected)) / np.max(abs(expected)) / 1e-10,
               np.max(abs(directions @ directions.T - np.eye(len(directions)))) / 1e-10)


def geometric(condition_number):
    return np.geomspace(1, condition_number, SIZE)


OUTLIERS = np.concatenate([np.linspace(-1, 1, SIZE - 3), [10.0, 100.0, 1000.0]])


def same(many, one, tolerance=1e-12):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance), many, one)
