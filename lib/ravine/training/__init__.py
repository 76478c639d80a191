"""The training loops: `minimize` for a function, `fit` for data in mini-batches, `sweep` for a grid of rates."""

from ravine.training._fit import Fit, fit
from ravine.training._minimize import Run, minimize
from ravine.training._sweep import sweep

__all__ = ["Fit", "Run", "fit", "minimize", "sweep"]
