"""Where optimizers go: surfaces with known minima, each with a window to draw it in, and slices of a network's loss."""

from ravine.landscapes._classic import beale, himmelblau, quadratic, rastrigin, rosenbrock
from ravine.landscapes._slices import bezier, curve_loss, filter_normalised, line, plane, random_direction
from ravine.landscapes._surface import Surface
from ravine.landscapes._terrain import (
    cliff,
    flat_with_steep_hole,
    monkey_saddle,
    pathological_curvature,
    plateau,
    product,
    ravine,
    saddle,
    steep_optima,
    temperature_softmax,
)

__all__ = [
    "Surface",
    "beale",
    "bezier",
    "cliff",
    "curve_loss",
    "filter_normalised",
    "flat_with_steep_hole",
    "himmelblau",
    "line",
    "monkey_saddle",
    "pathological_curvature",
    "plane",
    "plateau",
    "product",
    "quadratic",
    "random_direction",
    "rastrigin",
    "ravine",
    "rosenbrock",
    "saddle",
    "steep_optima",
    "temperature_softmax",
]
