"""The exercises of chapter 8, second-order methods: with the Hessian, or with products; BFGS in its own file."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from ravine.exercises import _ch08_bfgs
from ravine.exercises._exercise import Exercise


def newton(w, g, H, lam):
    """One step of Newton's method, damped.

    w, g  weights and gradient, arrays of shape (d,)
    H     the Hessian, a symmetric matrix of shape (d, d)
    lam   the damping λ: H + λI stands in place of H

    Returns w, the new weights.
    """
    return w - jnp.linalg.solve(H + lam * jnp.eye(len(w)), g)


def _newton_with(matrix=lambda H, lam: H + lam * np.eye(len(H)), step=np.linalg.solve):
    """Return `newton` with another matrix, or another step made of it and the gradient."""
    def changed(w, g, H, lam):
        return w - step(matrix(H, lam), g)
    return changed


def _saddle_free(H, lam):
    """|H| + λI, with the absolute eigenvalues of H."""
    eigenvalues, vectors = np.linalg.eigh(H)
    return vectors @ np.diag(np.abs(eigenvalues) + lam) @ vectors.T


_newton = Exercise(
    reference=newton,
    returns="w",
    probes=[
        (np.array([1.0, -2.0, 0.5]), np.array([2.0, -1.0, 3.0]),
         np.array([[4.0, 1.0, -0.5], [1.0, 3.0, 0.7], [-0.5, 0.7, 2.0]]), 0.8),
        (np.array([0.2, 1.5, -0.7]), np.array([0.3, -0.4, 0.7]),
         np.array([[0.9, -0.3, 1.2], [-0.3, -2.0, 0.4], [1.2, 0.4, 1.6]]), 0.5),
        (np.array([3e-6, -1e-6, 4e-6]), np.array([-2e-6, 5e-6, 1e-6]),
         np.array([[2.0, 0.6, 0.3], [0.6, 1.0, -0.2], [0.3, -0.2, 3.0]]), 1.5),
        (np.array([2e7, 5e7, -3e7]), np.array([3e6, -8e6, 5e6]),
         np.array([[0.4, 0.1, -0.1], [0.1, 0.3, 0.05], [-0.1, 0.05, 0.2]]), 0.1),
    ],
    concept="Near w the loss looks like a quadratic with gradient g and curvature H, and the minimum of a quadratic is "
            "one linear system away. The damping adds λ to every eigenvalue of H, so that flat directions do not ask "
            "for endless steps.",
    formula="w ← w − (H + λI)⁻¹ g  (solve a linear system; the inverse itself is not needed)",
    blank="lam * jnp.eye(len(w))",
    mistakes={
        "damping_everywhere": (
            _newton_with(lambda H, lam: H + lam),
            "λ is added to every entry of H. Add it to the diagonal alone: H + λI."),
        "no_damping": (
            _newton_with(lambda H, lam: H),
            "the damping is missing. Solve with H + λI in place of H."),
        "damping_subtracted": (
            _newton_with(lambda H, lam: H - lam * np.eye(len(H))),
            "λ is subtracted from the diagonal. Add it, so that the steps become shorter: H + λI."),
        "damping_scaled": (
            _newton_with(lambda H, lam: H + lam * np.diag(np.diag(H))),
            "the damping is scaled by the diagonal of H. That is Marquardt's form; here λ itself is added, H + λI."),
        "damping_of_inverse": (
            lambda w, g, H, lam: w - np.linalg.solve(H, g) - lam * g,
            "λ is added to the inverse of H. Add it to H itself, before solving: (H + λI) d = g."),
        "rate": (
            lambda w, g, H, lam: w - lam * np.linalg.solve(H, g),
            "λ multiplies the step. It is no rate: it is added to the diagonal, H + λI."),
        "multiplied": (
            _newton_with(step=lambda M, g: M @ g),
            "the gradient is multiplied by the matrix. Solve (H + λI) d = g: steps are long where curvature is small."),
        "diagonal": (
            _newton_with(step=lambda M, g: g / np.diag(M)),
            "only the diagonal of H is used. Newton's step solves with the whole matrix."),
        "entries_inverted": (
            _newton_with(step=lambda M, g: (1 / M) @ g),
            "the entries of the matrix are inverted one by one. The inverse of a matrix is another thing: solve "
            "(H + λI) d = g."),
        "entries_divided": (
            _newton_with(step=lambda M, g: g / M),
            "the gradient is divided by the matrix entry by entry. Solve (H + λI) d = g."),
        "inverse_not_applied": (
            _newton_with(step=lambda M, g: np.linalg.inv(M) * g),
            "the inverse is multiplied with g entry by entry. A matrix is applied with @, and solve does it in one."),
        "curvature_ignored": (
            _newton_with(step=lambda M, g: g),
            "the Hessian is not used. This is a gradient step: solve (H + λI) d = g."),
        "saddle_free": (
            _newton_with(_saddle_free),
            "negative curvature is turned positive. That is saddle-free Newton; here H is taken with its signs."),
        "ascent": (
            _newton_with(step=lambda M, g: -np.linalg.solve(M, g)),
            "the step is added. Subtract it: w ← w − (H + λI)⁻¹ g."),
        "step_only": (
            lambda w, g, H, lam: _newton_with()(w, g, H, lam) - w,
            "only the step comes back. Return the new weights, w plus the step."),
        "solution_only": (
            lambda w, g, H, lam: w - _newton_with()(w, g, H, lam),
            "only the solution of the linear system comes back. Return the new weights: w minus it."),
    },
)


def cg(A, b, n):
    """Conjugate gradient for A x = b: n steps from x = 0.

    A  a symmetric positive definite matrix, shape (d, d)
    b  the right-hand side, shape (d,)
    n  how many steps, at most d

    Returns x after these n steps, whether it solves the system or not.
    """
    x, r, p = jnp.zeros_like(b), b, b
    for _ in range(n):
        Ap = A @ p
        alpha = r @ r / (p @ Ap)
        x = x + alpha * p
        r_new = r - alpha * Ap
        p = r_new + r_new @ r_new / (r @ r) * p
        r = r_new
    return x


def _cg_with(start=np.zeros_like, alpha=lambda A, r, p: r @ r / (p @ A @ p),
             residual=lambda r, alpha, Ap: r - alpha * Ap, beta=lambda old, r: r @ r / (old @ old),
             direction=lambda old, r, p, beta: r + beta * p, move=lambda x, alpha, r, p: x + alpha * p):
    """Return `cg` with some of its parts replaced."""
    def changed(A, b, n):
        x, r, p = start(b), b, b
        for _ in range(n):
            length = alpha(A, r, p)
            x, old, r = move(x, length, r, p), r, residual(r, length, A @ p)
            p = direction(old, r, p, beta(old, r))
        return x
    return changed


def _stale_residual(A, b, n):
    x, p = np.zeros_like(b), b
    for _ in range(n):
        alpha = b @ b / (p @ A @ p)
        x, r = x + alpha * p, b - alpha * A @ p
        p = r + r @ r / (b @ b) * p
    return x


_conjugate_gradient = _cg_with()
_MATRIX = np.array([[4.0, 1.0, -0.5, 0.8], [1.0, 3.0, 0.7, -0.4], [-0.5, 0.7, 2.0, 0.3], [0.8, -0.4, 0.3, 1.0]])
_OTHER = np.array([[2.0, -0.9, 0.4, 0.2], [-0.9, 1.5, 0.3, -0.6], [0.4, 0.3, 5.0, 1.1], [0.2, -0.6, 1.1, 3.0]])

_cg = Exercise(
    reference=cg,
    returns="x",
    probes=[
        (_MATRIX, np.array([2.0, -1.0, 3.0, 0.5]), 2),
        (_OTHER, np.array([0.3, 0.8, -0.4, 0.7]), 3),
        (2e-6 * _MATRIX, np.array([-2.0, 5.0, 1.0, 4.0]), 3),
        (3e4 * _OTHER, np.array([-3.0, 1.0, 2.0, -6.0]), 2),
    ],
    concept="Solving A x = b is minimizing ½ xᵀA x − bᵀx, whose negative gradient is the residual r = b − A x. Walk "
            "along p to the lowest point. Then turn: the next p is the new residual, plus as much of the old p as "
            "makes the two conjugate, so that no step spoils what the steps before have reached.",
    formula="x = 0,  p = r = b;   α = rᵀr / pᵀAp,   x ← x + α p,   r⁺ = r − α A p,   β = r⁺ᵀr⁺ / rᵀr,   p ← r⁺ + β p",
    blank="r_new @ r_new / (r @ r)",
    mistakes={
        "beta_zero": (
            _cg_with(beta=lambda old, r: 0.0),
            "each direction is the residual itself. That is steepest descent; add β times the old direction."),
        "beta_inverted": (
            _cg_with(beta=lambda old, r: old @ old / (r @ r)),
            "β is upside down. The new residual stands above, the old one below: β = r⁺ᵀr⁺ / rᵀr."),
        "beta_one": (
            _cg_with(beta=lambda old, r: 1.0),
            "β is 1. Perhaps r was overwritten before β was made: β = r⁺ᵀr⁺ / rᵀr needs both residuals."),
        "beta_root": (
            _cg_with(beta=lambda old, r: np.sqrt(r @ r / (old @ old))),
            "β is a ratio of norms. It is the ratio of their squares: β = r⁺ᵀr⁺ / rᵀr."),
        "beta_sign": (
            _cg_with(beta=lambda old, r: -(r @ r) / (old @ old)),
            "β has the wrong sign. The old direction is added: p ← r⁺ + β p."),
        "fixed_direction": (
            _cg_with(direction=lambda old, r, p, beta: p),
            "the direction never changes. After each step it turns: p ← r⁺ + β p."),
        "old_residual": (
            _cg_with(direction=lambda old, r, p, beta: old + beta * p),
            "the new direction is made from the old residual. Take the new one: p ← r⁺ + β p."),
        "stale_residual": (
            _stale_residual,
            "the residual stays b. At the end of each step put the new one in its place: r ← r⁺."),
        "residual_added": (
            _cg_with(direction=lambda old, r, p, beta: r + beta * old),
            "β multiplies the old residual. It multiplies the old direction: p ← r⁺ + β p."),
        "pTp_above": (
            _cg_with(alpha=lambda A, r, p: p @ p / (p @ A @ p)),
            "α has pᵀp above. It is rᵀr / pᵀAp."),
        "pTp_below": (
            _cg_with(alpha=lambda A, r, p: r @ r / (p @ p)),
            "α has pᵀp below. How far to go depends on the curvature along p: α = rᵀr / pᵀAp."),
        "steepest_alpha": (
            _cg_with(alpha=lambda A, r, p: r @ r / (r @ A @ r)),
            "α has rᵀAr below. That is steepest descent's; the step goes along p: α = rᵀr / pᵀAp."),
        "residual_sign": (
            _cg_with(residual=lambda r, alpha, Ap: r + alpha * Ap),
            "the residual grows by α A p. It is b − A x, so it changes by −α A p."),
        "residual_without_alpha": (
            _cg_with(residual=lambda r, alpha, Ap: r - Ap),
            "the residual changes by A p. The step was α p, so it changes by α A p."),
        "moves_along_residual": (
            _cg_with(move=lambda x, alpha, r, p: x + alpha * r),
            "x moves along the residual. It moves along the direction: x ← x + α p."),
        "other_way": (
            _cg_with(move=lambda x, alpha, r, p: x - alpha * p),
            "x moves the other way. r = b − A x points downhill: x ← x + α p."),
        "starts_at_b": (
            _cg_with(start=lambda b: b),
            "x starts at b, with the residual of x = 0. Start at x = 0."),
        "one_step_less": (
            lambda A, b, n: _conjugate_gradient(A, b, n - 1),
            "there is one step too few. Take n steps."),
        "one_step_more": (
            lambda A, b, n: _conjugate_gradient(A, b, n + 1),
            "there is one step too many. Take n steps."),
        "solved": (
            lambda A, b, n: np.linalg.solve(A, b),
            "the exact solution comes back. Return x as it is after n steps, which may be fewer than it takes."),
        "returns_residual": (
            lambda A, b, n: b - A @ _conjugate_gradient(A, b, n),
            "the residual comes back. Return x."),
    },
)


def hessian_free(f, w, lam, n):
    """One step of Hessian-free optimization: Newton's, by conjugate gradient.

    f    the loss, a function of w
    w    weights, an array of shape (d,)
    lam  the damping λ
    n    how many steps of conjugate gradient, at most d

    With the gradient g and the Hessian H of f at w, conjugate gradient solves
    (H + λI) d = -g, n steps from d = 0. It asks for products H p only, which
    jax.jvp gives; the matrix is never made.
    Returns w + d, the new weights.
    """
    gradient = jax.grad(f)
    d, r = jnp.zeros_like(w), -gradient(w)
    p = r
    for _ in range(n):
        Ap = jax.jvp(gradient, (w,), (p,))[1] + lam * p
        alpha = r @ r / (p @ Ap)
        d = d + alpha * p
        r_new = r - alpha * Ap
        p = r_new + r_new @ r_new / (r @ r) * p
        r = r_new
    return w + d


@functools.cache
def _derivatives(f, dtype, *w):
    """Return gradient and Hessian, which all the mistakes ask for at the same few points.

    Product by product, as an answer finds them: what they need is compiled already.
    """
    w, gradient = np.array(w, dtype), jax.grad(f)
    columns = [jax.jvp(gradient, (w,), (unit,))[1] for unit in np.eye(len(w), dtype=dtype)]
    return np.array(gradient(w)), np.array(columns)


def _hessian_free_with(matrix=lambda H, lam: H + lam * np.eye(len(H)), point=lambda w: w, right=lambda g, w, lam: -g,
                       solve=_conjugate_gradient):
    """Return `hessian_free` with another matrix, from another point, another right-hand side, or another solver."""
    def changed(f, w, lam, n):
        g, _ = _derivatives(f, w.dtype, *np.asarray(w))
        _, H = _derivatives(f, w.dtype, *np.asarray(point(w)))
        return w + solve(matrix(H, lam), right(g, w, lam), n)
    return changed


def _quartic(w):
    return w @ (jnp.array([1.0, 3.0, 2.0]) * w + w**3)


def _bowl(w):
    return w @ jnp.array([[1.0, 0.4, 0.2], [0.4, 5.0, 0.6], [0.2, 0.6, 2.0]]) @ w


_hessian_free = Exercise(
    reference=hessian_free,
    returns="w",
    probes=[
        (_quartic, np.array([1.0, -2.0, 0.5]), 0.8, 2),
        (_quartic, np.array([0.6, 0.9, -1.2]), 3.0, 2),
        (_bowl, np.array([3e-6, -1e-6, 4e-6]), 4.0, 2),
        (_bowl, np.array([2e7, 5e7, -3e7]), 1.5, 1),
    ],
    concept="Newton's step solves a linear system, and conjugate gradient solves it with nothing but products of the "
            "matrix with vectors. A product with the Hessian is the derivative of the gradient along that vector: it "
            "costs about as much as two gradients, whatever the number of weights.",
    formula="conjugate gradient on p ↦ H p + λ p, from d = 0, with right-hand side −g;   "
            "H p = d/dε ∇f(w + ε p) at ε = 0;   w ← w + d",
    blank="(w,), (p,)",
    mistakes={
        "no_damping": (
            _hessian_free_with(lambda H, lam: H),
            "the damping is missing. Each product is H p + λ p."),
        "damping_subtracted": (
            _hessian_free_with(lambda H, lam: H - lam * np.eye(len(H))),
            "the damping is subtracted. Each product is H p + λ p."),
        "damping_everywhere": (
            _hessian_free_with(lambda H, lam: H + lam),
            "λ times the sum of p is added to each product. That adds λ to every entry of H; λI adds λ p."),
        "damping_times_product": (
            _hessian_free_with(lambda H, lam: (1 + lam) * H),
            "the damping multiplies the product. Each product is H p + λ p."),
        "penalty": (
            _hessian_free_with(right=lambda g, w, lam: -g - lam * w),
            "λw is added to the gradient. The damping changes the matrix alone, not the loss."),
        "other_sign": (
            _hessian_free_with(right=lambda g, w, lam: g),
            "the weights climb. Solve for −g, and add d."),
        "products_at_zero": (
            _hessian_free_with(point=lambda w: 0 * w),
            "the Hessian is taken at 0. Take it at w."),
        "diagonal": (
            _hessian_free_with(lambda H, lam: np.diag(np.diag(H) + lam)),
            "only the diagonal of H is used. The product H p takes the whole of it."),
        "steepest": (
            _hessian_free_with(solve=_cg_with(beta=lambda old, r: 0.0)),
            "each direction is the residual itself. That is steepest descent; conjugate gradient adds β times the old "
            "direction."),
        "one_step_less": (
            _hessian_free_with(solve=lambda A, b, n: _conjugate_gradient(A, b, n - 1)),
            "there is one step of conjugate gradient too few. Take n."),
        "one_step_more": (
            _hessian_free_with(solve=lambda A, b, n: _conjugate_gradient(A, b, n + 1)),
            "there is one step of conjugate gradient too many. Take n."),
        "solved": (
            _hessian_free_with(solve=lambda A, b, n: np.linalg.solve(A, b)),
            "the system is solved to the end. Take n steps of conjugate gradient, which may be fewer than it takes."),
        "starts_at_gradient": (
            _hessian_free_with(solve=_cg_with(start=lambda b: b)),
            "d starts at −g, with the residual of d = 0. Start at d = 0."),
        "step_only": (
            lambda f, w, lam, n: _hessian_free_with()(f, w, lam, n) - w,
            "only d comes back. Return the new weights, w + d."),
    },
)


EXERCISES = (_newton, _cg, *_ch08_bfgs.EXERCISES, _hessian_free)
