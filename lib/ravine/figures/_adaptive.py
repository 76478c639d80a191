"""The live figure `adaptive`: rates that belong to coordinates, in a ravine that need not lie along one."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from ravine import landscapes, notebook, optimizers, plotting
from ravine._compat import enable_x64
from ravine.figures import _figure
from ravine.figures._emit import emit, emit_objective, emit_rule
from ravine.training import minimize

# The drawing knows no rule by name: any rule(learning_rate) may stand here.
RULES = {rule.__name__: rule for rule in (
    optimizers.sgd, optimizers.momentum, optimizers.adagrad, optimizers.rmsprop, optimizers.adam)}
COLOURS = (plotting.BLUE, plotting.ORANGE, plotting.PINK, plotting.GREEN, plotting.GREY)
TOLERANCE = 0.01  # of the loss, which is 0 at the minimum
MOST_STEPS = 400
RATES = tuple(float(f"{10 ** (k / 6):.3g}") for k in range(-18, 7))
ANGLES = tuple(range(0, 91, 5))  # where the steps are counted
TUNING = ("once", "anew")


class Adaptive(_figure.Figure):
    """The widget of `adaptive`: its arguments are its traits."""

    module = "adaptive"
    caption = ("Five rules in a ravine that lies along the first axis, and the steps that they need when it is turned, "
               "each at its best rate for every angle. The adaptive rules have a rate for each coordinate, which helps "
               "as long as the ravine lies along one.")

    angle = _figure.Number(0.0, "[0, 90]")
    steepness = _figure.Number(50.0, "[1, 200]")
    rule = _figure.Choice("adagrad", RULES)
    tuning = _figure.Choice("anew", TUNING)

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`."""
        sources = [emit_objective("ravine", _ravine, 2, hessian=False, steepness=1.0, angle=0.0),
                   emit("start", _start, 0.0),
                   *(emit_rule(name, rule, 2, ("learning_rate",)) for name, rule in RULES.items())]
        window = [list(side) for side in landscapes.ravine().window]
        return _figure.namespace(
            sources, f"ravine, start, rules: {{ {', '.join(RULES)} }}, window: {window}, tolerance: {TOLERANCE}, "
                     f"mostSteps: {MOST_STEPS}, rates: {list(RATES)}, angles: {list(ANGLES)}")

    def runs(self, rule, angles):
        """Return the runs at these angles and all of `RATES`: the steps needed (401: too many), and the points.

        Their shapes are (angles, rates) and (angles, rates, 401, 2).
        """
        with enable_x64():
            found = _all_runs(rule)(self.steepness, np.array(angles, float), np.array(RATES))
        return [np.asarray(part) for part in found]

    def still(self):
        """Return the text of an `<svg>` with the paths, and the steps against the angle."""
        return notebook.svg(_draw(self), self.caption)


def adaptive(angle=0.0, steepness=50.0, rule="adagrad", tuning="anew"):
    r"""Return the live figure of adaptive rates: turn the ravine, and see the adaptive rules lose their straight way.

    Every rule runs at the rate that takes it below a loss of 0.01 in the fewest steps. The effective rate of a
    coordinate is how far a rule went along it in the last five steps, over the sum of the gradients that it saw. The
    arguments are attributes of the figure that is returned, and follow what the reader does with it.

    Args:
        angle: of the ravine (`ravine.landscapes.ravine`) with the first axis, 0 to 90 degrees.
        steepness: of its walls, 1 to 200.
        rule: whose effective rates are drawn: "sgd", "momentum", "adagrad", "rmsprop" or "adam".
        tuning: "once", every rule keeps the rate that is best at 0°, or "anew", it has the best one for every angle.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is outside its range, or none of these words.
    """
    return Adaptive(angle=angle, steepness=steepness, rule=rule, tuning=tuning)


def _ravine(w, steepness, angle):
    return landscapes.ravine(steepness, jnp.deg2rad(angle))(w)


def _start(angle):
    """Return the start, which turns with the ravine."""
    cos, sin = jnp.cos(jnp.deg2rad(angle)), jnp.sin(jnp.deg2rad(angle))
    return jnp.stack([jnp.stack([cos, -sin]), jnp.stack([sin, cos])]) @ jnp.array(landscapes.ravine().start)


@functools.cache
def _all_runs(rule):
    def run(steepness, angle, rate):
        surface = landscapes.ravine(steepness, jnp.deg2rad(angle))
        losses, points = minimize(surface, _start(angle), RULES[rule](rate), MOST_STEPS)[1:3]
        reached = losses <= TOLERANCE
        return jnp.where(reached.any(), reached.argmax(), MOST_STEPS + 1), points

    return jax.jit(jax.vmap(jax.vmap(run, (None, None, 0)), (None, 0, None)))


# ---------------------------------------------------------------- the still picture


def _draw(figure):
    picture, axes = plotting.figure(2, height=3.6)
    surface = landscapes.ravine(figure.steepness, np.deg2rad(figure.angle))
    plotting.contours(axes[0], surface)
    for name, colour in zip(RULES, COLOURS, strict=True):
        needed, points = figure.runs(name, (figure.angle, *ANGLES))
        chosen = needed.argmin(1)
        if figure.tuning == "once":
            chosen[:] = chosen[1]
        here, *steps = needed[np.arange(len(chosen)), chosen]
        plotting.path(axes[0], points[0, chosen[0], : min(here, MOST_STEPS) + 1], color=colour,
                      label=f"{name}, η = {RATES[chosen[0]]:g}")
        axes[1].plot(ANGLES, np.minimum(steps, MOST_STEPS), ".-", color=colour)
    axes[0].set_title(f"A ravine at {figure.angle:g}°")
    axes[1].set(title=f"Steps to a loss of {TOLERANCE}", xlabel="angle of the ravine", yscale="log", xticks=ANGLES[::3])
    picture.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return picture
