"""Every update rule of the course: each an `optax.GradientTransformation`, each beside its formula."""

from ravine.optimizers._adaptive import adadelta, adagrad, adam, adamw, rmsprop
from ravine.optimizers._clip import clip_by_norm, clip_by_value
from ravine.optimizers._descent import DescentState as DescentState
from ravine.optimizers._descent import StepStatus as StepStatus
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
from ravine.optimizers._newton import gauss_newton, hessian_free, newton, saddle_free_newton
from ravine.optimizers._quasi_newton import bfgs, lbfgs, nonlinear_cg
from ravine.optimizers._sign import lion, local_gains, rprop
from ravine.optimizers._split import Split as Split
from ravine.optimizers._split import split

__all__ = [
    "accumulated_momentum",
    "adadelta",
    "adagrad",
    "adam",
    "adamw",
    "averaged_momentum",
    "bfgs",
    "clip_by_norm",
    "clip_by_value",
    "eval_params",
    "gauss_newton",
    "heavy_ball",
    "hessian_free",
    "lbfgs",
    "lion",
    "local_gains",
    "momentum",
    "muon",
    "nesterov",
    "nesterov_lookahead",
    "newton",
    "nonlinear_cg",
    "rmsprop",
    "rprop",
    "saddle_free_newton",
    "sam",
    "schedule_free",
    "sgd",
    "split",
]
