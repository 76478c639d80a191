"""Krylov methods: conjugate gradient and Lanczos. They see a symmetric matrix A only through products v → A v."""

import enum
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from ravine import _check, _program

# On a GPU a product of float32 arrays keeps ten bits by default; orthogonality to rounding needs them all.
_dot = functools.partial(jnp.dot, precision="highest")


class Status(enum.IntEnum):
    """Why conjugate gradient ended; a `CG` holds it as an int32 array, which compares with these."""

    CONVERGED = 0
    MAX_STEPS = 1
    NEGATIVE_CURVATURE = 2
    NOT_FINITE = 3


class CG(NamedTuple):
    """What conjugate gradient found.

    Attributes:
        x: the last iterate, a tree like b. Each step lowers ½ xᵀAx − bᵀx, so no iterate before was better.
        residual_norms: ‖b − Ax‖ at every iterate, the start included, as the recursion carries them: shape
            (max_steps + 1,). After the last step the last norm repeats.
        steps: the number of steps taken.
        status: a `Status`. Wherever it is not ``CONVERGED``, x is not the solution.
    """

    x: Any
    residual_norms: jax.Array
    steps: jax.Array
    status: jax.Array


class Lanczos(NamedTuple):
    """An orthonormal basis Q of a Krylov space in which A is tridiagonal: A Qᵀ = Qᵀ T + residual eᵀ.

    Attributes:
        vectors: the rows of Q, shape (steps, n); of a tree, each leaf with a leading axis of steps. Rows from `rank`
            on are zero.
        alpha: the diagonal of T, shape (steps,), zero from `rank` on.
        beta: the off-diagonals of T, shape (steps − 1,), zero from `rank` − 1 on.
        residual: what the space lacks, a tree like v0, orthogonal to Q; e is the last unit vector. Zero if the space
            is complete: `rank` is below steps, or A maps the space to itself.
        rank: the dimension of the space.
    """

    vectors: Any
    alpha: jax.Array
    beta: jax.Array
    residual: Any
    rank: jax.Array


def conjugate_gradient(matvec, b, x0=None, *, tol, max_steps):
    r"""Solve A x = b for a symmetric positive definite A.

    From $p_0 = r_0 = b - A x_0$:

    $$\alpha = \frac{r^\top r}{p^\top A p}, \quad x^+ = x + \alpha p, \quad r^+ = r - \alpha A p, \quad
    \beta = \frac{r^{+\top} r^+}{r^\top r}, \quad p^+ = r^+ + \beta p$$

    Residuals are orthogonal and directions conjugate, so m distinct eigenvalues take m steps. The method stops where
    the curvature $p^\top A p / p^\top p$ is negative, or at most 10 ε of the largest so far, which rounding hardly
    tells from zero: A is then indefinite, or singular with a b that it does not reach.

    Args:
        matvec: the product v → A v, for trees like `b`.
        b: the right-hand side, a tree of floating-point arrays.
        x0: where to start, a tree like `b`; zero if None. For b = 0 the answer is 0 whatever the start.
        tol: converged where ‖r‖ ≤ tol ‖b‖. Below the rounding ε of b's type it acts as ε.
        max_steps: the most steps to take, at least 1; each costs one product.

    Returns:
        A `CG`; its x is finite whatever the status says, unless the solution is too large for its type.

    Raises:
        TypeError: `matvec` is no function, `b` or `x0` holds other than real floating-point arrays, …
        ValueError: `x0`, or what `matvec` returns, is not a tree like `b`; `tol` is negative; `max_steps` is below 1.

    Source: Hestenes and Stiefel, Methods of conjugate gradients for solving linear systems, 1952.

    Example:
        >>> import jax.numpy as jnp, ravine as rv
        >>> A = jnp.array([[4.0, 1.0], [1.0, 3.0]])
        >>> found = rv.krylov.conjugate_gradient(lambda v: A @ v, A @ jnp.array([1.0, 2.0]), tol=1e-6, max_steps=10)
        >>> found.x.round(5).tolist(), int(found.steps), rv.krylov.Status(int(found.status)).name
        ([1.0, 2.0], 2, 'CONVERGED')
    """
    _check.function("matvec", matvec)
    b = _check.filled_tree("b", b)
    if x0 is not None:
        x0 = _check.float_tree("x0", x0)
        _check.same_tree("x0", x0, "b", b)
    tol = _check.number("tol", tol, "[0, inf)", scalar=True)
    max_steps = _check.count("max_steps", max_steps)
    return _program.run(_conjugate_gradient, matvec, b, x0, tol, max_steps=max_steps)


class _Iterate(NamedTuple):
    """Where conjugate gradient is; x and r in units of the first residual's largest entry."""

    x: jax.Array
    r: jax.Array
    p: jax.Array
    rr: jax.Array
    largest: jax.Array
    norms: jax.Array
    steps: jax.Array
    status: jax.Array


def _conjugate_gradient(matvec, b, x0, tol, *, max_steps):
    product = _on_vectors("b", matvec, b)
    b, unravel = ravel_pytree(b)
    if x0 is None:
        x0, r = jnp.zeros_like(b), b
    else:
        x0 = jnp.where(jnp.any(b != 0), ravel_pytree(x0)[0].astype(b.dtype), 0)
        r = b - product(x0)
    # In these units no square of a residual overflows or vanishes, even in float32.
    unit = _unit(r)
    r = r / unit
    eps = jnp.finfo(b.dtype).eps
    enough = jnp.maximum(jnp.asarray(tol, b.dtype), eps) * _norm(b / unit)

    def judged(rr):
        unless_converged = jnp.where(jnp.isfinite(rr), Status.MAX_STEPS, Status.NOT_FINITE)
        return jnp.where(jnp.isfinite(rr) & (jnp.sqrt(rr) <= enough), Status.CONVERGED,
                         unless_converged).astype(jnp.int32)

    def goes_on(at):
        return (at.status == Status.MAX_STEPS) & (at.steps < max_steps)

    def step(at):
        Ap = product(at.p)
        curvature = _dot(at.p, Ap) / _dot(at.p, at.p)
        largest = jnp.maximum(at.largest, curvature)
        alpha = at.rr / _dot(at.p, Ap)
        r = at.r - alpha * Ap
        rr = _dot(r, r)
        p = r + rr / at.rr * at.p
        norms = at.norms.at[at.steps + 1].set(jnp.sqrt(rr))
        taken = _Iterate(at.x + alpha * at.p, r, p, rr, largest, norms, at.steps + 1, judged(rr))
        flat = jnp.isfinite(curvature) & (curvature <= 10 * eps * largest)
        ended = at._replace(status=jnp.where(flat, Status.NEGATIVE_CURVATURE, Status.NOT_FINITE).astype(jnp.int32))
        good = ~flat & jnp.isfinite(rr)
        return jax.tree.map(lambda new, old: jnp.where(good, new, old), taken, ended)

    rr = _dot(r, r)
    norms = jnp.full(max_steps + 1, jnp.sqrt(rr))
    start = _Iterate(jnp.zeros_like(b), r, r, rr, jnp.zeros_like(rr), norms, jnp.zeros([], jnp.int32), judged(rr))
    end = jax.lax.while_loop(goes_on, step, start)
    norms = jnp.where(jnp.arange(max_steps + 1, dtype=jnp.int32) <= end.steps, end.norms, end.norms[end.steps])
    return CG(unravel(x0 + unit * end.x), unit * norms, end.steps, end.status)


def lanczos(matvec, v0, steps):
    r"""Build an orthonormal basis of the space of v0, A v0, A² v0, … for a symmetric A.

    From $q_1 = v_0 / \lVert v_0 \rVert$:

    $$\alpha_j = q_j^\top A q_j, \qquad
    \beta_j q_{j+1} = A q_j - \alpha_j q_j - \beta_{j-1} q_{j-1}$$

    Each new vector is then made orthogonal to all before it once more, so that Q Qᵀ = I holds to rounding. Where a β
    is at most ε^¾ of the largest |α| or β so far (7e-6 in float32, 2e-12 in float64, what the rounding of products
    grows to in a few steps), the space is complete and the recursion ends: `rank` says how far it came.
    The eigenvalues of T = `tridiagonal(alpha, beta)` approximate those of A, the extreme ones first.

    Args:
        matvec: the product v → A v, for trees like `v0`.
        v0: the first vector, of any length but zero (then the rank is 0): a tree of floating-point arrays.
        steps: how many vectors, at least 1; each costs one product, and as much memory as `v0`.

    Returns:
        A `Lanczos`.

    Raises:
        TypeError: `matvec` is no function, `v0` holds other than real floating-point arrays, `steps` is no whole
            number.
        ValueError: `matvec` does not return a tree like `v0`, or `steps` is below 1.

    Source: Lanczos, An iteration method for the solution of the eigenvalue problem, 1950.

    Example:
        >>> import jax.numpy as jnp, ravine as rv
        >>> eigenvalues = jnp.array([1.0, 2.0, 2.0, 5.0])
        >>> basis = rv.krylov.lanczos(lambda v: eigenvalues * v, jnp.ones(4), steps=4)
        >>> int(basis.rank)
        3
    """
    _check.function("matvec", matvec)
    v0 = _check.filled_tree("v0", v0)
    return _program.run(_lanczos, matvec, v0, steps=_check.count("steps", steps))


def _lanczos(matvec, v0, *, steps):
    product = _on_vectors("v0", matvec, v0)
    v0, unravel = ravel_pytree(v0)

    def step(carry, j):
        basis, previous, q, beta, largest = carry
        basis = basis.at[j].set(q)
        w = product(q)  # 0 once the space is complete, since q is then 0; so are alpha and beta
        alpha = _dot(q, w)
        w = w - alpha * q - beta * previous
        w = w - _dot(_dot(basis, w), basis)  # what rounding has left of the basis
        beta = _norm(w)
        largest = jnp.maximum(largest, jnp.maximum(abs(alpha), beta))
        beta = jnp.where(beta <= float(jnp.finfo(w.dtype).eps) ** 0.75 * largest, 0, beta)
        return (basis, q, _over(w, beta), beta, largest), (alpha, beta)

    zero, nothing = jnp.zeros([], v0.dtype), jnp.zeros_like(v0)
    start = jnp.zeros((steps, v0.size), v0.dtype), nothing, _over(v0, _norm(v0)), zero, zero
    (basis, _, q, _, _), (alpha, beta) = jax.lax.scan(step, start, jnp.arange(steps))
    rank = jnp.any(v0 != 0).astype(jnp.int32) + jnp.sum(beta[:-1] != 0, dtype=jnp.int32)
    return Lanczos(jax.vmap(unravel)(basis), alpha, beta[:-1], unravel(beta[-1] * q), rank)


def tridiagonal(alpha, beta):
    """Return the symmetric matrix with diagonal `alpha`, shape (m,), and off-diagonals `beta`, shape (m − 1,)."""
    return jnp.diag(alpha) + jnp.diag(beta, 1) + jnp.diag(beta, -1)


def _on_vectors(name, matvec, like):
    """Return the product as a function of vectors, in the type of the tree `like`, and check what it returns."""
    flat, unravel = ravel_pytree(like)
    _check.same_tree("matvec's result", jax.eval_shape(matvec, like), name, like)
    return lambda v: ravel_pytree(matvec(unravel(v)))[0].astype(flat.dtype)


def _unit(v):
    largest = jnp.max(abs(v))
    return jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1)


def _norm(v):
    def measured():
        unit = _unit(v)
        return unit * jnp.sqrt(_dot(v / unit, v / unit))

    # Only squares that have overflowed, or lost digits, are worth a second way, which looks for the largest entry.
    square, limits = _dot(v, v), jnp.finfo(v.dtype)
    fits = (square > float(limits.tiny / limits.eps)) & jnp.isfinite(square)
    return jax.lax.cond(fits, lambda: jnp.sqrt(square), measured)


def _over(v, length):
    return jnp.where(length == 0, 0, v / length)
