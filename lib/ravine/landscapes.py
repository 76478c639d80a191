"""Analytic surfaces with known minima, each with a window to draw it in."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from ravine import _check

Point = tuple[float, ...]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Surface:
    """A function of a vector, and what is known of it.

    Call it as the function that it is: ``surface(w)`` is a scalar for a vector `w`.

    Attributes:
        fun: the function. A surface with parameters holds a `jax.tree_util.Partial` over them, so that two quadratics
            share one compiled program.
        name: what a picture calls it.
        minima: the points where it is locally least, as tuples; empty if there is none.
        window: ((left, right), (bottom, top)), the part worth drawing of a surface over the plane.
        start: a point from which descent is instructive.
    """

    fun: Callable[[Any], Any]
    name: str = dataclasses.field(metadata={"static": True})
    minima: tuple[Point, ...] = dataclasses.field(metadata={"static": True})
    window: tuple[Point, Point] = dataclasses.field(metadata={"static": True})
    start: Point = dataclasses.field(metadata={"static": True})

    def __call__(self, w):
        return self.fun(w)


def quadratic(condition_number=10.0, dimension=2, rotation=0.0):
    r"""Return the bowl ½ wᵀHw with eigenvalues spread geometrically from 1 to κ.

    $$f(w) = \tfrac12 w^\top H w, \qquad H = Q\,\mathrm{diag}(1, \dots, \kappa)\,Q^\top$$

    Args:
        condition_number: κ ≥ 1, the largest eigenvalue; the smallest is 1. For one dimension H = κ.
        dimension: the length of w.
        rotation: the angle in radians by which Q turns the plane of the first and the last axis.

    Returns:
        A `Surface` with its minimum at 0.
    """
    condition_number = _check.number("condition_number", condition_number, "[1, inf)")
    dimension = _check.count("dimension", dimension)
    eigenvalues = np.geomspace(condition_number, 1.0, dimension)[::-1]
    turn = np.eye(dimension)
    if dimension > 1:
        turn[np.ix_([0, -1], [0, -1])] = [[np.cos(rotation), -np.sin(rotation)], [np.sin(rotation), np.cos(rotation)]]
    hessian = turn @ np.diag(eigenvalues) @ turn.T
    return Surface(Partial(_quadratic, hessian), "quadratic", ((0.0,) * dimension,), ((-2.2, 2.2), (-1.6, 1.6)),
                   (-2.0,) + (1.0,) * (dimension - 1))


def _quadratic(hessian, w):
    return 0.5 * w @ (jnp.asarray(hessian, w.dtype) @ w)


def _rosenbrock(w):
    return jnp.sum(100.0 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2)


rosenbrock = Surface(_rosenbrock, "Rosenbrock", ((1.0, 1.0),), ((-1.8, 1.8), (-0.8, 2.2)), (-1.2, 1.0))
"""Rosenbrock's curved valley Σ 100 (w[i+1] − w[i]²)² + (1 − w[i])², in any dimension; least, 0, at (1, …, 1)."""


def _beale(w):
    x, y = w
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


beale = Surface(_beale, "Beale", ((3.0, 0.5),), ((-4.5, 4.5), (-2.2, 2.2)), (-2.0, 1.5))
"""Beale's plateau with steep corners; least, 0, at (3, ½)."""


def _himmelblau(w):
    x, y = w
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


himmelblau = Surface(
    _himmelblau,
    "Himmelblau",
    ((3.0, 2.0), (-2.805118086952745, 3.131312518250573), (-3.779310253377747, -3.283185991286170),
     (3.584428340330492, -1.848126526964404)),
    ((-5.0, 5.0), (-5.0, 5.0)),
    (0.0, -0.5),
)
"""Himmelblau's four equal minima (x² + y − 11)² + (x + y² − 7)²."""
