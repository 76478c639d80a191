"""Every update rule of the course: each an `optax.GradientTransformation`, each beside its formula."""

from ravine.optimizers._momentum import (
    accumulated_momentum,
    averaged_momentum,
    heavy_ball,
    momentum,
    nesterov,
    nesterov_lookahead,
    sgd,
)

__all__ = [
    "accumulated_momentum",
    "averaged_momentum",
    "heavy_ball",
    "momentum",
    "nesterov",
    "nesterov_lookahead",
    "sgd",
]
