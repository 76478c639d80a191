"""Rules that learn curvature from the gradients of successive points, and search along their direction."""

import jax
import jax.numpy as jnp

from ravine import _check
from ravine.optimizers._adaptive import ratio
from ravine.optimizers._descent import Direction, descend, dot, steepest


def nonlinear_cg(beta="polak_ribiere"):
    r"""Nonlinear conjugate gradient: −g, bent towards the last direction.

    $$p = -g + \beta\,p^-, \qquad w \leftarrow w + \alpha p$$

    with, where y = g − g⁻,

    $$\beta_\text{FR} = \frac{g^\top g}{g^{-\top} g^-}, \quad
      \beta_\text{PR} = \max\Bigl(0, \frac{g^\top y}{g^{-\top} g^-}\Bigr), \quad
      \beta_\text{HS} = \max\Bigl(0, \frac{g^\top y}{p^{-\top} y}\Bigr), \quad
      \beta_\text{DY} = \frac{g^\top g}{p^{-\top} y}$$

    The search for α begins with Newton's step along the line, $-g^\top p / p^\top H p$. On a quadratic that is exact,
    all four formulas agree, and the method is linear conjugate gradient. Elsewhere Polak and Ribière's (or Hestenes and
    Stiefel's) forgets the last direction when it has become useless; the other two may creep.

    Args:
        beta: "fletcher_reeves", "polak_ribiere", "hestenes_stiefel" or "dai_yuan".

    Returns:
        An `optax.GradientTransformationExtraArgs` with a `DescentState`; its memory is p. Where p would not lead
        downhill it is −g. ``indefinite`` says that the curvature along p was not positive.

    Raises:
        ValueError: `beta` is none of the four.
        TypeError: update is called without ``params``, ``value``, ``grad`` and ``value_fn``, which `ravine.minimize`
            passes.

    Source: Fletcher & Reeves (1964); Polak & Ribière (1969); Hestenes & Stiefel (1952); Dai & Yuan (1999). Nocedal &
    Wright, Numerical Optimization (2006), section 5.2.

    Example:
        On a quadratic, as many steps as there are distinct eigenvalues.

        >>> import jax.numpy as jnp, ravine as rv
        >>> bowl = rv.landscapes.quadratic(condition_number=100.0, dimension=3)
        >>> float(rv.minimize(bowl, jnp.ones(3), rv.nonlinear_cg(), steps=3).losses[-1]) < 1e-8
        True
    """
    if beta not in tuple(_BETAS):
        raise ValueError(f"beta = {beta!r}: must be one of {', '.join(map(repr, _BETAS))}")
    # Conjugacy rests on the slope's vanishing at the end of a search, so this one goes further than others.
    return descend("nonlinear_cg", _nonlinear_cg, _no_direction, search=0.1, static=(_BETAS[beta],))


def _no_direction(w, beta):
    return jnp.zeros_like(w)


def _nonlinear_cg(at, p, beta):
    p = -at.g + jnp.where(at.age > 0, beta(at.g, at.last_g, p), 0) * p
    p = jnp.where(dot(at.g, p) < 0, p, -at.g)
    curvature = _curvature_along(at.f, at.w, p)
    alpha = jnp.where(curvature > 0, -dot(at.g, p) / curvature, 1 / jnp.maximum(1, jnp.linalg.norm(p)))
    return Direction(alpha * p, p, curvature <= 0)


def _curvature_along(f, w, p):
    """Return pᵀHp, as the second derivative of f along p."""
    def slope(w):
        return jax.jvp(f, (w,), (p,))[1]

    return jax.jvp(slope, (w,), (p,))[1]


def _fletcher_reeves(g, last_g, last_p):
    return ratio(dot(g, g), dot(last_g, last_g))


def _polak_ribiere(g, last_g, last_p):
    return jnp.maximum(0, ratio(dot(g, g - last_g), dot(last_g, last_g)))


def _hestenes_stiefel(g, last_g, last_p):
    return jnp.maximum(0, ratio(dot(g, g - last_g), dot(last_p, g - last_g)))


def _dai_yuan(g, last_g, last_p):
    return ratio(dot(g, g), dot(last_p, g - last_g))


_BETAS = {"fletcher_reeves": _fletcher_reeves, "polak_ribiere": _polak_ribiere,
          "hestenes_stiefel": _hestenes_stiefel, "dai_yuan": _dai_yuan}


def bfgs():
    r"""BFGS: an inverse Hessian built from the steps, and the changes of the gradient that they made.

    $$w \leftarrow w - \alpha B g, \qquad
      B \leftarrow (I - \rho\,s y^\top)\,B\,(I - \rho\,y s^\top) + \rho\,s s^\top, \qquad \rho = \frac{1}{s^\top y}$$

    with s = w − w⁻ and y = g − g⁻. Then B y = s, as for the true inverse Hessian of a quadratic. B stays positive
    definite as long as sᵀy > 0, which the search sees to. The first step is along −g, at most of length 1; before the
    first pair enters, B is $\gamma I$ with γ = sᵀy/yᵀy.

    Returns:
        An `optax.GradientTransformationExtraArgs` with a `DescentState`; its memory is B, n × n numbers. Its step
        satisfies the strong Wolfe conditions. ``indefinite`` says that the last pair had sᵀy ≤ 0 (to rounding), and
        was left out.

    Raises:
        TypeError: update is called without ``params``, ``value``, ``grad`` and ``value_fn``, which `ravine.minimize`
            passes.

    Source: Broyden, Fletcher, Goldfarb and Shanno (1970). Nocedal & Wright, Numerical Optimization (2006), section 6.1.

    Example:
        >>> import numpy as np, ravine as rv
        >>> run = rv.minimize(rv.landscapes.rosenbrock, np.array([-1.2, 1.0]), rv.bfgs(), steps=45, tol=1e-3)
        >>> run.params.round(3).tolist()
        [1.0, 1.0]
    """
    return descend("bfgs", _bfgs, _identity, search=0.9)


def _identity(w):
    return jnp.eye(w.size, dtype=w.dtype)


def _bfgs(at, B):
    s, y, sound = _last_pair(at)
    B = jnp.where(at.age <= 1, jnp.where(sound, _gamma(s, y), 1) * _identity(s), B)
    B = jnp.where(sound, bfgs_inverse(B, s, y), B)
    return Direction(jnp.where(at.age > 0, -dot(B, at.g), steepest(at.g)), B, (at.age > 0) & ~sound)


def bfgs_inverse(B, s, y):
    """Return (I − ρsyᵀ) B (I − ρysᵀ) + ρssᵀ, multiplied out: n² operations instead of n³."""
    rho, By = 1 / dot(s, y), dot(B, y)
    return B - rho * (jnp.outer(s, By) + jnp.outer(By, s)) + (rho**2 * dot(y, By) + rho) * jnp.outer(s, s)


def _last_pair(at):
    """Return s, y, and whether they are there and have sᵀy > 0 by more than rounding."""
    s, y = at.w - at.last_w, at.g - at.last_g
    rounding = jnp.finfo(s.dtype).eps * jnp.linalg.norm(s) * jnp.linalg.norm(y)
    return s, y, (at.age > 0) & (dot(s, y) > rounding)


def _gamma(s, y):
    return ratio(dot(s, y), dot(y, y))  # between the least and the greatest eigenvalue of the inverse Hessian


def lbfgs(memory_size=10):
    r"""L-BFGS: `bfgs` from the last m pairs (s, y), without the matrix.

    $$w \leftarrow w - \alpha B g, \qquad B_0 = \gamma I, \quad \gamma = \frac{s^\top y}{y^\top y}
      \quad\text{with the last pair,}$$

    and B is what the update of `bfgs` makes of $B_0$ by the m pairs, the oldest first. B g needs no B: with ρ = 1/sᵀy,

    $$q = g; \quad \text{newest to oldest: } a_i = \rho_i s_i^\top q,\; q \leftarrow q - a_i y_i; \qquad
      r = \gamma q; \quad \text{oldest to newest: } r \leftarrow r + (a_i - \rho_i y_i^\top r)\,s_i$$

    Args:
        memory_size: m, at least 1.

    Returns:
        An `optax.GradientTransformationExtraArgs` with a `DescentState`; its memory is S and Y, m × n numbers each.
        Its step satisfies the strong Wolfe conditions. ``indefinite`` says that the last pair had sᵀy ≤ 0 (to
        rounding), and was left out.

    Raises:
        ValueError: `memory_size` is below 1.
        TypeError: it is no whole number; or update is called without ``params``, ``value``, ``grad`` and ``value_fn``,
            which `ravine.minimize` passes.

    Source: Nocedal (1980); Liu & Nocedal, On the limited memory BFGS method for large scale optimization (1989).

    Example:
        >>> import jax.numpy as jnp, ravine as rv
        >>> start = jnp.tile(jnp.array([-1.2, 1.0]), 500)
        >>> run = rv.minimize(lambda w: jnp.sum(jnp.cosh(w)), start, rv.lbfgs(), steps=10)
        >>> float(run.losses[-1]).__round__(6)
        1000.0
    """
    return descend("lbfgs", _lbfgs, _no_pairs, search=0.9, static=(_check.count("memory_size", memory_size),))


def _no_pairs(w, memory_size):
    return (jnp.zeros((memory_size, w.size), w.dtype),) * 2


def _lbfgs(at, pairs, memory_size):
    s, y, sound = _last_pair(at)
    S, Y = (jnp.where(sound, jnp.concatenate([old[1:], new[None]]), jnp.where(at.age > 0, old, 0))
            for old, new in zip(pairs, (s, y), strict=True))
    return Direction(jnp.where(at.age > 0, lbfgs_direction(at.g, S, Y), steepest(at.g)), (S, Y), (at.age > 0) & ~sound)


def lbfgs_direction(g, S, Y, gamma=None):
    """Return −Bg by the two loops; the pairs are rows of S and Y, shape (m, n), the newest last.

    A row of zeros is no pair. Without `gamma` it is that of the newest pair.
    """
    gamma = _gamma(S[-1], Y[-1]) if gamma is None else gamma
    rho = ratio(1, jnp.sum(S * Y, axis=1))

    def newest_to_oldest(q, pair):
        s, y, rho = pair
        a = rho * dot(s, q)
        return q - a * y, a

    def oldest_to_newest(r, pair):
        s, y, rho, a = pair
        return r + (a - rho * dot(y, r)) * s, None

    q, a = jax.lax.scan(newest_to_oldest, g, (S, Y, rho), reverse=True)
    r, _ = jax.lax.scan(oldest_to_newest, gamma * q, (S, Y, rho, a))
    return -r
