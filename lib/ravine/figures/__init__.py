"""Live figures: the page runs the library's own code, traced by JAX and written as JavaScript.

`rv.figures.momentum()` in a cell shows the figure: in Jupyter and Colab as a widget whose settings are synced with
Python, in the book as an element that needs no kernel. `build` writes the scripts that the pages of the book load.
"""

import re

from ravine.figures import _figure
from ravine.figures._adaptive import Adaptive, adaptive
from ravine.figures._average import Average, average
from ravine.figures._conditioning import Conditioning, conditioning
from ravine.figures._edge import Edge, edge
from ravine.figures._gradient_noise import GradientNoise, gradient_noise
from ravine.figures._momentum import Momentum, momentum
from ravine.figures._newton import Newton, newton
from ravine.figures._playground import Playground, playground
from ravine.figures._race import Race, race
from ravine.figures._risk import Risk, risk
from ravine.figures._schedule import Schedule, schedule
from ravine.figures._signal import Signal, signal

__all__ = ["ALL", "adaptive", "average", "build", "conditioning", "edge", "gradient_noise", "momentum", "newton",
           "playground", "race", "risk", "schedule", "scripts", "signal"]

ALL = (Momentum, Newton, Adaptive, Conditioning, Playground, Race, Edge, Signal, GradientNoise, Risk, Schedule, Average)
"""The classes of all live figures."""


def build(folder):
    """Write into `folder` the scripts and the style sheet of all live figures, for the pages of the book.

    These are ``figures.css``; ``kit.classic.js``, what all figures share; ``NAME.classic.js`` for each figure; and
    ``loader.js``, which shows them. A page includes those that `scripts` names.

    Args:
        folder: a path; it is made if it is not there.
    """
    _figure.build(ALL, folder)


def scripts(page):
    """Return the names of the scripts that a page needs for its figures, in the order in which they must run.

    Args:
        page: the HTML of a page, or of its body.
    """
    names = re.findall(r'<div class="ravine-figure" data-module="(\w+)"', page)
    return ["kit.classic.js", *(f"{name}.classic.js" for name in dict.fromkeys(names)), "loader.js"] if names else []
