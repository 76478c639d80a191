"""Every update rule of the course: each an `optax.GradientTransformation`, each beside its formula."""

from ravine.optimizers._adaptive import adadelta, adagrad, adam, adamw, rmsprop
from ravine.optimizers._clip import clip_by_norm, clip_by_value
from ravine.optimizers._frontier import eval_params, muon, sam, schedule_free
from ravine.optimizers._momentum import (
    accumulated_momentum,
    averaged_momentum,
    heavy_ball,
    momentum,
    nesterov,
    nesterov_lookahead,
    sgd,
)
from ravine.optimizers._sign import lion, local_gains, rprop

__all__ = [
    "accumulated_momentum",
    "adadelta",
    "adagrad",
    "adam",
    "adamw",
    "averaged_momentum",
    "clip_by_norm",
    "clip_by_value",
    "eval_params",
    "heavy_ball",
    "lion",
    "local_gains",
    "momentum",
    "muon",
    "nesterov",
    "nesterov_lookahead",
    "rmsprop",
    "rprop",
    "sam",
    "schedule_free",
    "sgd",
]
