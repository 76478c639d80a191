"""The test functions of optimization, whose minima are known."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from ravine import _check
from ravine.landscapes._surface import Surface


def quadratic(condition_number=10.0, dimension=2, rotation=0.0):
    r"""Return the bowl ½ wᵀHw with eigenvalues spread geometrically from 1 to κ.

    $$f(w) = \tfrac12 w^\top H w, \qquad H = Q\,\mathrm{diag}(1, \dots, \kappa)\,Q^\top$$

    Args:
        condition_number: κ ≥ 1, the largest eigenvalue; the smallest is 1. For one dimension H = κ.
        dimension: the length of w, at least 1. H is held whole, so not beyond some thousands.
        rotation: the angle in radians by which Q turns the plane of the first and the last axis, from the first to
            the last.

    Returns:
        A `Surface` with its minimum at 0. Another κ or angle is no reason to compile again; both may be traced.

    Raises:
        ValueError: `condition_number` is below 1, `dimension` is, or one of the three is not finite or not a scalar.
        TypeError: `condition_number` or `rotation` is not a number, or `dimension` no whole one.

    Example:
        >>> import ravine as rv
        >>> float(rv.landscapes.quadratic(condition_number=10.0)([1.0, 1.0]))
        5.5
    """
    condition_number = _check.number("condition_number", condition_number, "[1, inf)", scalar=True)
    dimension = _check.count("dimension", dimension)
    rotation = _check.number("rotation", rotation, "(-inf, inf)", scalar=True) if dimension > 1 else 0.0
    traced = isinstance(condition_number, jax.core.Tracer) or isinstance(rotation, jax.core.Tracer)
    xp = jnp if traced else np  # NumPy where it can: float64 whatever JAX's own default
    eigenvalues = condition_number ** xp.linspace(1.0, 0.0, dimension)[::-1]
    ends = np.eye(dimension)[[0, -1]]
    cos, sin = xp.cos(rotation), xp.sin(rotation)
    turn = np.eye(dimension) + ends.T @ xp.array([[cos - 1, -sin], [sin, cos - 1]]) @ ends
    return Surface(Partial(_quadratic, (turn * eigenvalues) @ turn.T), "quadratic", ((0.0,) * dimension,),
                   ((-2.2, 2.2), (-1.6, 1.6)), (-2.0,) + (1.0,) * (dimension - 1))


def _quadratic(hessian, w):
    return 0.5 * w @ (jnp.asarray(hessian, w.dtype) @ w)


def _rosenbrock(w):
    return jnp.sum(100.0 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2)


rosenbrock = Surface(Partial(_rosenbrock), "Rosenbrock", ((1.0, 1.0),), ((-1.8, 1.8), (-0.8, 2.2)), (-1.2, 1.0))
"""Rosenbrock's curved valley Σ 100 (w[i+1] − w[i]²)² + (1 − w[i])², in any dimension; least, 0, at (1, …, 1)."""


def _beale(w):
    x, y = w
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


beale = Surface(Partial(_beale), "Beale", ((3.0, 0.5),), ((-4.5, 4.5), (-2.2, 2.2)), (-2.0, 1.5))
"""Beale's plateau with steep corners; least, 0, at (3, ½)."""


def _himmelblau(w):
    x, y = w
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


himmelblau = Surface(
    Partial(_himmelblau),
    "Himmelblau",
    ((3.0, 2.0), (-2.805118086952745, 3.131312518250573), (-3.779310253377747, -3.283185991286170),
     (3.584428340330492, -1.848126526964404)),
    ((-5.0, 5.0), (-5.0, 5.0)),
    (0.0, -0.5),
)
"""Himmelblau's four equal minima (x² + y − 11)² + (x + y² − 7)²."""


def _rastrigin(w):
    return jnp.sum(w**2 + 20 * jnp.sin(jnp.pi * w) ** 2)  # 1 − cos 2x = 2 sin² x, which loses no digits near 0


_DIMPLES = (0.0, -0.9949586376523348, 0.9949586376523348, -1.9899122337085497, 1.9899122337085497)

rastrigin = Surface(
    Partial(_rastrigin),
    "Rastrigin",
    tuple(sorted(itertools.product(_DIMPLES, repeat=2), key=lambda w: w[0] ** 2 + w[1] ** 2)),
    ((-2.4, 2.4), (-2.4, 2.4)),
    (-1.8, 1.3),
)
"""Rastrigin's egg carton Σ w[i]² + 10 (1 − cos 2πw[i]), in any dimension; least, 0, at 0, with a dimple near every
point of whole numbers: 25 of them in the window of the plane."""
