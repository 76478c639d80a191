"""The live figure `race`: drop the start anywhere; every rule takes the same number of steps from there."""

import functools
import inspect
import itertools
import json
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ravine import _check, landscapes, notebook, optimizers, plotting
from ravine._compat import enable_x64
from ravine.figures import _figure, _rules
from ravine.figures._emit import emit, emit_objective
from ravine.landscapes import Surface
from ravine.training import minimize

RATES = np.array([float(f"{rate:.3g}") for rate in np.geomspace(1e-6, 1e2, 65)])
"""The rates among which a rule finds its best."""


def surfaces():
    """Return ``{name: surface}`` for the library's surfaces over the plane, each with its default numbers."""
    found = {}
    for name in landscapes.__all__:
        made = getattr(landscapes, name)
        if inspect.isfunction(made) and all(each.default is not each.empty
                                            for each in inspect.signature(made).parameters.values()):
            made = made()
        if isinstance(made, Surface):
            found[name] = made
    return found


SURFACES = surfaces()
RULES = _rules.Offered(2)


class Race(_figure.Figure):
    """The widget of `race`: its arguments are its traits."""

    module = "race"
    caption = ("A race of optimizers: their paths on the level lines of the loss, and the loss at every step. Each has "
               "the same number of steps, and unless it is given another the learning rate that serves it best.")

    surface = _figure.Choice("himmelblau", SURFACES)
    rules = _figure.Choices(("sgd", "momentum", "nesterov", "adam"), RULES)
    rates = _figure.NamedNumbers(RULES, "(0, inf)")
    start = _figure.Point(SURFACES["himmelblau"].start, ["[-10, 10]"] * 2)
    clip = _figure.Number(0.0, "[0, inf)")
    steps = _figure.Count(200, at_most=2000)

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`."""
        hessian = any("objective.H(" in source for source in RULES.values())
        lands = [emit_objective(f"{name}_surface", surface, 2, hessian=hessian) for name, surface in SURFACES.items()]
        sources = [*RULES.values(), *lands, emit("clip", _clip, np.zeros(2), 1.0)]
        facts = ", ".join(f"{name}: {{ objective: {name}_surface, ...{json.dumps(_facts(surface))} }}"
                          for name, surface in SURFACES.items())
        return _figure.namespace(
            sources, f"rules: {{ {', '.join(RULES)} }}, leftOut: {json.dumps(RULES.left_out())}, "
                     f"surfaces: {{ {facts} }}, clip, rates: {json.dumps(RATES.tolist())}")

    def points(self):
        """Return the points of every run that the figure shows: ``{rule: float64 of shape (steps + 1, 2)}``."""
        paths = {}
        for name in self.rules:
            rate = self.rates.get(name) or best_rate(self.surface, name, self.steps)
            paths[name] = _runs(SURFACES[self.surface], name, np.array([rate]), self.start, self.steps, self.clip)[0][0]
        return paths

    def still(self):
        """Return the text of an `<svg>` with the paths and the losses."""
        return notebook.svg(_draw(self), self.caption)


def race(surface="himmelblau", rules=("sgd", "momentum", "nesterov", "adam"), rates=None, start=None, clip=0.0,
         steps=200):
    """Return the live figure of a race: drag the start; see who reaches which minimum, how soon, and who is lost.

    All rules take the same number of steps from the same start. A rule that is given no rate has the best of 65 from
    10⁻⁶ to 100, tried from the surface's own start without clipping: of those with which it never leaves the picture,
    the one that ends in the lowest minimum, and is there soonest; if none does, the one that ends lowest. To be in a
    minimum is to stay within a hundredth of the picture's diagonal. On a surface without a minimum the best rate is the
    one that is soonest below all of the picture, in strides of at most a tenth of the diagonal. The arguments are
    attributes of the figure that is returned, and follow what the reader does with it.

    Args:
        surface: the name of a surface of `ravine.landscapes` over the plane, such as "beale" or "cliff".
        rules: names of rules of `ravine.optimizers`. The figure offers all that need nothing but a rate, treat a
            vector as they would any array, and whose JavaScript is at most 8,000 characters long.
        rates: ``{rule: rate}`` for rules that are not to have their best rate; None for none.
        start: where all begin, a point of the surface's window; None for the surface's own start.
        clip: c ≥ 0: every gradient that a rule asks for comes through ``clip_by_norm(c)``; 0 for no clipping.
        steps: how many steps each takes, 1 to 2000.

    Raises:
        TypeError: an argument is not of its kind, such as a number or a list of names.
        ValueError: a name is not known, or a number is outside its range.
    """
    figure = Race(surface=surface, rules=rules, rates={} if rates is None else rates, clip=clip, steps=steps)
    own = SURFACES[figure.surface]
    figure.start = own.start if start is None else start
    for i, (entry, (low, high)) in enumerate(zip(figure.start, own.window, strict=True)):
        _check.number(f"start[{i}]", entry, f"[{low}, {high}]")
    return figure


# ---------------------------------------------------------------- the runs, and what became of them


def _clip(g, max_norm):
    rule = optimizers.clip_by_norm(max_norm)
    return rule.update(g, rule.init(g))[0]


def _clipped(surface, max_norm):
    """Return the surface with gradients as `clip_by_norm` hands them on, whoever asks for them."""
    @jax.custom_jvp
    def fun(w):
        return surface(w)

    @fun.defjvp
    def _jvp(primals, tangents):
        value, grad = jax.value_and_grad(surface)(*primals)
        return value, _clip(grad, max_norm) @ tangents[0]

    return fun


def _runs(surface, name, rates, start, steps, clip=0.0):
    """Return the paths and the losses of a rule at each of the rates, shapes (rates, steps + 1, 2 or nothing)."""
    make, rate = getattr(optimizers, name), _rules.offered()[name]
    fun = _clipped(surface, clip) if clip else surface

    def run(number):
        done = minimize(fun, jnp.asarray(start, float), make(**{rate: number} if rate else {}), steps)
        return done.path, done.losses

    with enable_x64():
        return jax.tree.map(np.asarray, jax.jit(jax.vmap(run))(rates))


@functools.cache
def best_rate(surface, name, steps):
    """Return the best of `RATES` for a rule on a surface, both named, from the surface's own start; `race` says how."""
    shown = SURFACES[surface]
    scores = [_score(shown, *each) for each in zip(*_runs(shown, name, RATES, shown.start, steps), strict=True)]
    return float(RATES[scores.index(min(scores))])


class Outcome(NamedTuple):
    """What became of a run.

    Attributes:
        kind: "reached" a minimum, or where there is none came "below" all of the picture; "diverged", or "outside" the
            picture; "still" or "moving" inside it.
        step: since when.
        at: the number of the minimum, or None.
    """

    kind: str
    step: int
    at: int | None = None


def outcome(surface, path, losses):
    """Return the `Outcome` of a run on a surface, from its points and its losses."""
    facts = _facts(surface)
    radius, last = facts["radius"], len(path) - 1

    def since(holds):
        """Return the first step from which on it holds, to the end."""
        return len(path) if not holds[-1] else len(path) - int(np.argmin(np.append(holds[::-1], False)))

    if surface.minima:
        gaps = np.hypot(*(path[:, None] - np.array(surface.minima)).T).T
        at = int(np.argmin(gaps[-1]))
        step = since(gaps[:, at] <= radius)
        if step <= last:
            return Outcome("reached", step, at)
    else:
        step = since(~(losses > facts["floor"]))
        if step <= last and losses[step] <= facts["floor"]:
            return Outcome("below", step)
    inside = _inside(surface, path)
    if not inside[-1]:
        lost = not np.hypot(*path[-1]) < 1e4 * radius
        return Outcome("diverged" if lost else "outside", since(~inside))
    rests = np.hypot(*(path[-(last // 10) - 1:] - path[-1]).T).max() <= 1e-4 * radius
    return Outcome("still" if rests else "moving", last)


def _inside(surface, path):
    low, high = np.array(surface.window).T
    return ((path >= low) & (path <= high)).all(1)


def _score(surface, path, losses):
    """Return what a sweep makes smallest."""
    kind, step, at = outcome(surface, path, losses)
    facts = _facts(surface)
    if kind == "below":
        strides = np.hypot(*np.diff(path[:step + 1], axis=0).T)
        return (0, 0, step) if (strides <= 10 * facts["radius"]).all() else (2, 0, 0)
    if not _inside(surface, path).all():
        return 2, 0, 0
    return (0, facts["ranks"][at], step) if kind == "reached" else (1, losses[-1], 0)


@functools.cache
def _facts(surface):
    """Return what the page is told of a surface, besides its function.

    `floor` is the least height in the window and `top` the greatest, `ranks` says for each minimum how many are lower,
    and `radius` is a hundredth of the window's diagonal.
    """
    (left, right), (bottom, top) = surface.window
    x, y = np.meshgrid(np.linspace(left, right, 61), np.linspace(bottom, top, 61))
    with enable_x64():
        grid = np.asarray(jax.vmap(surface)(np.stack([x.ravel(), y.ravel()], 1)))
        heights = np.array([float(surface(np.array(minimum))) for minimum in surface.minima])
    return {"name": surface.name, "minima": surface.minima, "window": surface.window, "start": surface.start,
            "ranks": [int(np.sum(heights < height - 1e-9)) for height in heights],
            "floor": float(np.min(np.append(heights, grid))), "top": float(grid.max()),
            "radius": float(np.hypot(right - left, top - bottom)) / 100}


# ---------------------------------------------------------------- the still picture


def _draw(figure):
    surface, paths = SURFACES[figure.surface], figure.points()
    picture, (valley, chart) = plotting.figure(2, height=3.6)
    plotting.contours(valley, surface)
    with enable_x64():
        losses = {name: np.asarray(jax.vmap(surface)(path)) for name, path in paths.items()}
    styles = zip(itertools.cycle("osD^v"), itertools.cycle(plotting.COLOURS), strict=False)
    for (name, path), (marker, colour) in zip(paths.items(), styles, strict=False):
        near = np.clip(path, -100, 100)  # what has left the picture is only to point the right way
        plotting.path(valley, near, color=colour, markersize=3)
        valley.plot(*near[-1], marker=marker, color=colour)
        height = losses[name] - _facts(surface)["floor"] if surface.minima else losses[name]
        label = f"{name}: {_words(surface, path, losses[name])}"
        chart.plot(height, color=colour, marker=marker, markevery=[-1], label=label)
    valley.plot(*figure.start, "o", color=plotting.INK, markerfacecolor="none")
    top, floor = _facts(surface)["top"], _facts(surface)["floor"]
    if surface.minima:
        chart.set(yscale="log", ylim=(1e-10 * (top - floor), top - floor))
    else:
        chart.set(ylim=(floor, top))
    chart.set(xlabel="step", title="loss above the lowest" if surface.minima else "loss")
    valley.set(title=f"{surface.name}, {figure.steps} steps each")
    picture.legend(*chart.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return picture


def _words(surface, path, losses):
    kind, step, at = outcome(surface, path, losses)
    if kind == "reached":
        return f"reached ({', '.join(f'{entry:.3g}' for entry in surface.minima[at])}) at step {step}"
    return {"below": f"reached the bottom at step {step}", "diverged": f"diverged at step {step}",
            "outside": f"outside the picture since step {step}", "still": "stands still",
            "moving": f"on its way, at loss {losses[-1]:.2g}"}[kind]
