"""Right answers to the exercises of chapter 3, written in other ways."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import ravine as rv


def _hvp_reverse(f, w, v):
    return jax.grad(lambda w: jnp.vdot(jax.grad(f)(w), v))(w)


def _hvp_forward_inside(f, w, v):
    return jax.grad(lambda w: jax.jvp(f, (w,), (v,))[1])(w)


def _hvp_matrix(f, w, v):
    return np.asarray(jax.hessian(f)(w)) @ np.asarray(v)


def _hvp_along_a_line(f, w, v):
    return jax.jacfwd(lambda t: jax.grad(f)(w + t * v))(0.0)


def _hvp_linearized(f, w, v):
    return jax.linearize(jax.grad(f), w)[1](v)


def _max_lr_numpy(H):
    values = np.linalg.eigvals(np.asarray(H))
    return [2 / max(values), max(values) / min(values)]


def _max_lr_norms(H):
    return 2 / jnp.linalg.norm(H, ord=2), jnp.linalg.cond(H)


@jax.jit
def _max_lr_singular_values(H):
    sizes = jnp.linalg.svd(H, compute_uv=False)
    return 2 / sizes.max(), sizes.max() / sizes.min()


def _max_lr_power_iteration(H):
    """Multiply until the vector turns no more, with H and with its inverse."""
    H = np.asarray(H)

    def top(A):
        v = np.ones(len(A), A.dtype)
        for _ in range(200):
            v = A @ v
            v /= np.linalg.norm(v)
        return v @ A @ v

    largest = top(H)
    return 2 / largest, largest * top(np.linalg.inv(H))


def _max_lr_fori(H):
    def square(_, A):
        A = A @ A
        return A / jnp.trace(A)

    def top(A):  # the powers of A / trace go to the projection on its first eigenvector
        return jnp.trace(lax.fori_loop(0, 12, square, A / jnp.trace(A)) @ A)

    return 2 / top(H), top(H) * top(jnp.linalg.inv(H))


def _classify_counting(H):
    values = np.linalg.eigvalsh(np.asarray(H))
    share = values / max(abs(values))
    positive, negative = sum(share > 1e-4), sum(share < -1e-4)
    if positive and negative:
        return "saddle"
    if positive + negative < len(values):
        return "degenerate"
    return "minimum" if positive else "maximum"


def _classify_ends(H):
    values = jnp.linalg.eigh(H)[0]
    low, high = values[0], values[-1]
    zero = 1e-4 * max(abs(low), abs(high))
    if low < -zero:
        return "saddle" if high > zero else "maximum" if high < -zero else "degenerate"
    return "minimum" if low > zero else "degenerate"


def _classify_loop(H):
    found = set()
    values = jnp.linalg.eigvalsh(H).tolist()
    for value in values:
        found.add(0 if abs(value) <= 1e-4 * max(map(abs, values)) else 1 if value > 0 else -1)
    return {(1,): "minimum", (-1,): "maximum"}.get(tuple(found), "saddle" if {1, -1} <= found else "degenerate")


def _classify_library(H):
    return rv.curvature.classify_critical_point(lambda w, H: w @ H @ w / 2, jnp.zeros(len(H), H.dtype), 1e-4, args=(H,))


EQUIVALENTS = {
    "hvp": [rv.curvature.hvp, _hvp_reverse, _hvp_forward_inside, _hvp_matrix, _hvp_along_a_line, _hvp_linearized],
    "max_lr": [_max_lr_numpy, _max_lr_norms, _max_lr_singular_values, _max_lr_power_iteration, _max_lr_fori],
    "classify": [_classify_counting, _classify_ends, _classify_loop, _classify_library],
}
