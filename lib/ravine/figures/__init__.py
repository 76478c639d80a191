"""Live figures: the page runs the library's own code, traced by JAX and written as JavaScript.

`rv.figures.momentum()` in a cell shows the figure: in Jupyter and Colab as a widget whose settings are synced with
Python, in the book as an element that needs no kernel. `build` writes the scripts that the pages of the book load.
"""

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
           "playground", "race", "risk", "schedule", "signal"]

ALL = (Momentum, Newton, Adaptive, Conditioning, Playground, Race, Edge, Signal, GradientNoise, Risk, Schedule, Average)
"""The classes of all live figures."""


def build(folder):
    """Write into `folder` the scripts and the style sheet of all live figures, for the pages of the book.

    These are ``loader.js``, which a page includes with ``defer``; ``figures.css``; ``kit.classic.js``, what all figures
    share; and ``NAME.classic.js`` for each figure. The loader fetches the last three only where a figure stands.

    Args:
        folder: a path; it is made if it is not there.
    """
    _figure.build(ALL, folder)
