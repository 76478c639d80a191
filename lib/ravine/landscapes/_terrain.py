"""Surfaces that each show one thing that makes descent hard."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from ravine import _check
from ravine.landscapes._surface import Surface


def _product(w):
    x, y = w
    return x * y


product = Surface(Partial(_product), "product", (), ((-2.0, 2.0), (-2.0, 2.0)), (1.5, 1.2))
"""The product x y of two weights, the smallest network there is; a saddle at 0, and no minimum."""


def _saddle(w):
    x, y = w
    return x**2 - y**2


saddle = Surface(Partial(_saddle), "saddle", (), ((-2.0, 2.0), (-2.0, 2.0)), (1.5, 0.01))
"""The saddle x² − y²; its start lies almost on the ridge that leads to the critical point 0."""


def _monkey_saddle(w):
    x, y = w
    return x * (x**2 - 3 * y**2)


monkey_saddle = Surface(Partial(_monkey_saddle), "monkey saddle", (), ((-1.5, 1.5), (-1.5, 1.5)), (1.0, 0.01))
"""The monkey saddle x³ − 3xy²; at 0 the gradient and the whole Hessian vanish."""


def ravine(steepness=50.0, rotation=0.0):
    r"""Return a gutter with steep parabolic walls, whose floor falls by about 1 a unit towards its minimum.

    $$f(w) = \sqrt{1 + u_1^2} - 1 + \tfrac12 s\,u_2^2, \qquad w = Q u$$

    Unlike along the bowl of `quadratic`, the slope of the floor does not grow with the distance.

    Args:
        steepness: s > 0, the curvature across the ravine; along it the curvature at the minimum is 1.
        rotation: the angle in radians by which Q turns the plane. Without it the ravine lies along the first axis,
            and a rule with one rate for every coordinate can undo its shape.

    Returns:
        A `Surface` over the plane with its minimum at 0. Both numbers may be traced, and another number is no reason
        to compile again.

    Raises:
        ValueError: `steepness` is not positive, or one of the two is not finite or not a scalar.
        TypeError: one of the two is not a number.

    Example:
        >>> import ravine as rv
        >>> float(rv.landscapes.ravine(steepness=8.0)([0.0, 0.5]))
        1.0
    """
    steepness = _check.number("steepness", steepness, "(0, inf)", scalar=True)
    rotation = _check.number("rotation", rotation, "(-inf, inf)", scalar=True)
    xp = jnp if isinstance(rotation, jax.core.Tracer) else np  # NumPy where it can: float64 whatever JAX's default
    cos, sin = xp.cos(rotation), xp.sin(rotation)
    start = xp.array([[cos, -sin], [sin, cos]]) @ xp.array([-2.5, 0.6])
    start = (-2.5, 0.6) if xp is jnp else tuple(start.tolist())
    return Surface(Partial(_ravine, steepness, cos, sin), "ravine", ((0.0, 0.0),), ((-3.0, 3.0), (-3.0, 3.0)), start)


def _ravine(steepness, cos, sin, w):
    steepness, cos, sin = (jnp.asarray(number, w.dtype) for number in (steepness, cos, sin))
    x, y = w
    along, across = cos * x + sin * y, cos * y - sin * x
    floor = along**2 / (1 + jnp.sqrt(1 + along**2))  # √(1 + u²) − 1, without losing digits near 0
    return floor + 0.5 * steepness * across**2


def _plateau(w):
    x, y = w
    return -jnp.expm1(-(x**2)) + (x / 6) ** 12 + 0.5 * y**2


plateau = Surface(Partial(_plateau), "plateau", ((0.0, 0.0),), ((-6.5, 6.5), (-2.0, 2.0)), (-6.0, 1.5))
"""A well in a plain between two walls, 1 − exp(−x²) + (x/6)¹² + ½y²: down the wall from the start and on the plain
between, 2.5 < |x| < 3.5, where the loss is 1, it looks as if the run had converged; least, 0, at 0."""


def _cliff(w):
    x, y = w
    return 0.1 * (x**2 + y**2) + 2 * (1 + jnp.tanh(20 * (x - 1)))


cliff = Surface(Partial(_cliff), "cliff", ((0.0, 0.0),), ((-3.0, 3.0), (-2.0, 2.0)), (2.5, 1.0))
"""A gentle bowl with a cliff of height 4 at x = 1, 0.1 (x² + y²) + 2 (1 + tanh 20 (x − 1)): the gradient on its face
is some hundred times the one above and below, and one step from there flies far away; least, 0, at 0."""


def _flat_with_steep_hole(w):
    squared = 100 * jnp.sum(w**2)
    return squared / (1 + squared)


flat_with_steep_hole = Surface(
    Partial(_flat_with_steep_hole), "flat with a steep hole", ((0.0, 0.0),), ((-2.0, 2.0), (-2.0, 2.0)), (-1.5, 1.0))
"""A plain of height 1 with a hole of radius 0.1, 100‖w‖² / (1 + 100‖w‖²), in any dimension; least, 0, at 0. The plain
slopes towards the hole, by hundreds of times less than the hole's wall."""


def temperature_softmax(temperature=1e-5):
    r"""Return the cross-entropy of softmax(w/T), where w are the logits and the first class is the right one.

    $$f(w) = -\log \mathrm{softmax}(w / T)_1 = \log \textstyle\sum_j e^{(w_j - w_1) / T}$$

    For a small T it is flat where the first logit leads (the loss and its gradient are 0 to the last digit), and
    where it does not the slope is 1/T. Nothing but a step as small as T tells the one from the other in time.

    Args:
        temperature: T > 0.

    Returns:
        A `Surface` in any dimension from 2, the number of classes. It has no minimum, since every lead can grow.
        T may be traced, and another T is no reason to compile again.

    Raises:
        ValueError: `temperature` is not positive, not finite or not a scalar.
        TypeError: it is not a number.

    Example:
        >>> import ravine as rv
        >>> round(float(rv.landscapes.temperature_softmax(1e-5)([0.0, 1.0])))
        100000
    """
    temperature = _check.number("temperature", temperature, "(0, inf)", scalar=True)
    return Surface(Partial(_temperature_softmax, temperature), "softmax at a low temperature", (),
                   ((-1.0, 1.0), (-1.0, 1.0)), (-0.5, 0.5))


def _temperature_softmax(temperature, w):
    return jax.nn.logsumexp((w - w[0]) / jnp.asarray(temperature, w.dtype))


def _pathological_curvature(w):
    x, y = w
    return jnp.tanh(x) ** 2 + 0.01 * abs(x) + jax.nn.sigmoid(y)


pathological_curvature = Surface(
    Partial(_pathological_curvature), "pathological curvature", (), ((-6.0, 6.0), (-6.0, 6.0)), (-5.0, 5.0))
"""A long sharp valley, tanh² x + 0.01 |x| + σ(y): flat walls, a crease at x = 0, and a floor that falls for ever
towards y = −∞. Source: the University of Amsterdam's deep-learning tutorial 4."""

_HOLES = ((-0.5000000000144033, -0.7999999999617196), (-0.9999999999852996, 0.49999999996177896),
          (0.9999999999997028, -0.5000000000000594))


def _steep_optima(w):
    centres = jnp.asarray([(-0.5, -0.8), (-1.0, 0.5), (1.0, -0.5)], w.dtype)
    depth = 1 / (2 * jnp.pi * 0.2**2)  # each hole is the density of a normal distribution
    return -depth * jnp.sum(jnp.exp(-0.5 * jnp.sum(((w - centres) / 0.2) ** 2, axis=1)))


steep_optima = Surface(Partial(_steep_optima), "steep optima", _HOLES, ((-2.0, 2.0), (-2.0, 2.0)), (0.0, 0.0))
"""Three narrow holes in a plain, − Σ N(w; cᵢ, 0.2² I) with c = (−½, −0.8), (−1, ½), (1, −½), each about 3.98 deep.
Source: the University of Amsterdam's deep-learning tutorial 4."""
