"""Rules that learn curvature from the gradients of successive points, and search along their direction."""

from typing import NamedTuple

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

    and B is what the update of `bfgs` makes of $B_0$ by the m pairs, the oldest first. B g needs no B. With the pairs
    as rows of S and Y, R the upper triangle of $S Y^\top$, and D its diagonal,

    $$a = R^{-1} S g, \quad q = g - Y^\top a, \qquad b = R^{-\top} (D a - \gamma Y q), \quad
      B g = \gamma q + S^\top b.$$

    That is the well-known recursion from the newest pair to the oldest and back, its two loops solved at once: a and b
    are the coefficients that it finds one by one. A new pair is a new last row and column of $R^{-1}$.

    Args:
        memory_size: m, at least 1.

    Returns:
        An `optax.GradientTransformationExtraArgs` with a `DescentState`; its memory is S and Y, m × n numbers
        each, and R⁻¹. Its step satisfies the strong Wolfe conditions. ``indefinite`` says that the last pair had
        sᵀy ≤ 0 (to rounding), and was left out.

    Raises:
        ValueError: `memory_size` is below 1.
        TypeError: it is no whole number; or update is called without ``params``, ``value``, ``grad`` and ``value_fn``,
            which `ravine.minimize` passes.

    Source: Nocedal (1980); Liu & Nocedal, On the limited memory BFGS method for large scale optimization (1989); the
    recursion as matrices: Byrd, Nocedal & Schnabel, Representations of quasi-Newton matrices (1994).

    Example:
        >>> import jax.numpy as jnp, ravine as rv
        >>> start = jnp.tile(jnp.array([-1.2, 1.0]), 500)
        >>> run = rv.minimize(lambda w: jnp.sum(jnp.cosh(w)), start, rv.lbfgs(), steps=10)
        >>> float(run.losses[-1]).__round__(6)
        1000.0
    """
    return descend("lbfgs", _lbfgs, no_pairs, search=0.9, static=(_check.count("memory_size", memory_size),))


class Pairs(NamedTuple):
    """The last pairs, rows of S and Y, shape (m, n), the newest last, and R⁻¹, shape (m, m). Rows of zeros are none."""

    S: jax.Array
    Y: jax.Array
    R_inverse: jax.Array


def no_pairs(w, memory_size):
    """Return the `Pairs` of a method that has not stepped."""
    none = jnp.zeros((memory_size, w.size), w.dtype)
    return Pairs(none, none, jnp.zeros((memory_size, memory_size), w.dtype))


def with_pair(pairs, s, y):
    """Return the `Pairs` without the oldest, and with (s, y)."""
    S, Y, R_inverse = pairs.S[1:], pairs.Y[1:], pairs.R_inverse[1:, 1:]
    rho = 1 / dot(s, y)
    column = jnp.append(-rho * dot(R_inverse, dot(S, y)), rho)
    R_inverse = jnp.column_stack([jnp.pad(R_inverse, ((0, 1), (0, 0))), column])
    return Pairs(jnp.vstack([S, s]), jnp.vstack([Y, y]), R_inverse)


def _lbfgs(at, pairs, memory_size):
    s, y, sound = _last_pair(at)
    pairs = jax.tree.map(lambda old: jnp.where(at.age > 0, old, 0), pairs)
    pairs = jax.tree.map(lambda new, old: jnp.where(sound, new, old), with_pair(pairs, s, y), pairs)
    return Direction(jnp.where(at.age > 0, lbfgs_direction(at.g, pairs), steepest(at.g)), pairs, (at.age > 0) & ~sound)


def lbfgs_direction(g, pairs, gamma=None):
    """Return −Bg; without `gamma` it is that of the newest pair."""
    S, Y, R_inverse = pairs
    gamma = _gamma(S[-1], Y[-1]) if gamma is None else gamma
    a = dot(R_inverse, dot(S, g))
    q = g - dot(a, Y)
    b = dot(ratio(a, jnp.diag(R_inverse)) - gamma * dot(Y, q), R_inverse)
    return -gamma * q - dot(b, S)
