"""Ravine: deep-learning optimization, each rule next to its formula.

>>> import ravine as rv
>>> rule = rv.momentum(0.1, decay=0.9)
"""

import importlib

from ravine import curvature, initializers, krylov, landscapes, networks, optimizers, schedules, training
from ravine.optimizers import *  # noqa: F403
from ravine.optimizers import __all__ as _rules
from ravine.training import Fit, Run, fit, minimize, sweep

__version__ = "0.1.0"

# Loaded when first asked for: they bring in matplotlib, ipywidgets, scikit-learn and mnist1d.
_LAZY_MODULES = ("data", "exercises", "figures", "notebook", "plotting")
_LAZY_NAMES = {"seen": "notebook", "show": "notebook", "panel": "notebook"}

__all__ = [
    "Fit",
    "Run",
    "curvature",
    "fit",
    "initializers",
    "krylov",
    "landscapes",
    "minimize",
    "networks",
    "optimizers",
    "schedules",
    "sweep",
    "training",
    *_rules,
]


def __getattr__(name):
    if name in _LAZY_MODULES:
        return importlib.import_module(f"ravine.{name}")
    if name in _LAZY_NAMES:
        return getattr(importlib.import_module(f"ravine.{_LAZY_NAMES[name]}"), name)
    raise AttributeError(f"module 'ravine' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_LAZY_MODULES, *_LAZY_NAMES])
