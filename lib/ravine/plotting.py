"""The one style of Ravine's pictures, and the pictures that recur.

A picture has no background and draws its text and axes in `INK`, which `ravine.show` replaces by the colour of the
page's text. Its lines take colours that keep a contrast of at least 3 on white and on the dark page, and that the
colour-blind can tell apart.
"""

import jax
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler

INK = "#102030"
"""A colour that stands for "the page's text colour" until the picture is shown."""

BLUE, ORANGE, GREEN, PINK, GREY = "#2a6fd6", "#d95f02", "#12a37f", "#b8529a", "#6a6a6a"
COLOURS = (BLUE, ORANGE, GREEN, PINK, GREY)
"""The colours of lines, in their order: blue, orange, green, pink, grey, each also by its name, as `plotting.BLUE`."""

_STYLE = {
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.grid": False,
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def set_style():
    """Make Ravine's style the default of every figure that follows."""
    plt.rcParams.update(_STYLE)


def figure(columns=1, height=3.2, width=7.6, **options):
    """Return ``(figure, axes)`` in the book's width and style: `columns` pictures side by side.

    Args:
        columns: how many pictures; one gives a single `Axes`, more an array of them.
        height: in inches.
        width: in inches; 7.6 is the width of the book's column.
        **options: for `matplotlib.pyplot.subplots`, such as ``sharey=True``.
    """
    set_style()
    return plt.subplots(1, columns, figsize=(width, height), **options)


@jax.jit
def _heights(surface, points):
    return jax.vmap(surface)(points)


def contours(ax, surface, levels=14, points=80):
    """Draw the level lines of a `ravine.landscapes.Surface` over its window, closer together near the minimum."""
    (left, right), (bottom, top) = surface.window
    x, y = np.meshgrid(np.linspace(left, right, points), np.linspace(bottom, top, points))
    values = np.asarray(_heights(surface, np.stack([x.ravel(), y.ravel()], 1))).reshape(x.shape)
    low = values.min()
    heights = low + (values.max() - low) * np.linspace(0, 1, levels + 1)[1:] ** 3
    ax.contour(x, y, values, levels=heights, colors=INK, linewidths=0.7, alpha=0.35)
    for minimum in surface.minima:
        ax.plot(*minimum, marker="*", color=INK, markersize=9)
    ax.set(xlim=(left, right), ylim=(bottom, top), xlabel="$w_1$", ylabel="$w_2$")


def path(ax, points, label=None, every=1, **options):
    """Draw the points of a run, ``run.path`` of shape (steps + 1, 2), as a line with a dot for each point."""
    points = np.asarray(points)[::every]
    ax.plot(points[:, 0], points[:, 1], **{"marker": ".", "markersize": 5, "linewidth": 1.2, "label": label} | options)


def label_line(ax, x, y, text, **options):
    """Write `text` at the point (x, y) of the data, beside the line that it names, instead of a legend."""
    ax.annotate(text, (x, y), **{"xytext": (5, 0), "textcoords": "offset points", "va": "center"} | options)
