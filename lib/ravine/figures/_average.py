"""The live figure `average`: an average that forgets, what it remembers, and where it begins."""

import json

import jax
import jax.numpy as jnp
import numpy as np

from ravine import notebook, optimizers, plotting
from ravine._compat import enable_x64
from ravine.figures import _figure
from ravine.figures._emit import emit

LENGTH = 160  # of a series
BEFORE = 50  # steps shown before its first value
MEMORIES = (1.0, 50.0)  # 1/(1 − β)
NOISES = (0.0, 4.0)
TIMES = np.arange(1, LENGTH + 1)
TRENDS = {"season": 11 + 5 * np.cos(2 * np.pi * (TIMES - 1) / 120), "jump": np.where(TIMES <= 80, 7.0, 15.0),
          "loss": 3 + 13 * np.exp(-TIMES / 30)}
TRENDS = {name: trend.round(3) for name, trend in TRENDS.items()}


def _averages(values, decay):
    r"""Return the exponentially weighted averages V and V̂ of a sequence, without and with correction.

    $$V_t = \beta V_{t-1} + (1-\beta) S_t, \qquad \hat V_t = V_t / (1 - \beta^t)$$

    They are the steps that the rule `averaged_momentum` takes uphill, at a rate of 1, if the values are gradients.
    """
    def follow(debias):
        rule = optimizers.averaged_momentum(1.0, decay, debias)

        def step(state, value):
            update, state = rule.update(value, state)
            return state, -update

        return jax.lax.scan(step, rule.init(jnp.zeros(())), values)[1]

    return follow(False), follow(True)


class Average(_figure.Figure):
    """The widget of `average`: its arguments are its traits."""

    module = "average"
    caption = ("A noisy series and its exponentially weighted average, without and with correction; and the weight of "
               "every value in the average at one time, those included that were never measured.")

    beta = _figure.Number(0.95, f"[0, {1 - 1 / MEMORIES[1]:g}]")
    time = _figure.Count(12, at_most=LENGTH)
    series = _figure.Choice("season", TRENDS)
    noise = _figure.Number(2.5, f"[{NOISES[0]:g}, {NOISES[1]:g}]")

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`."""
        # Of this length, since a weight reaches from the last value back to the first place that is shown.
        sources = [emit("averages", _averages, np.zeros(LENGTH + BEFORE), 0.0)]
        facts = {"length": LENGTH, "before": BEFORE, "memories": MEMORIES, "noises": NOISES,
                 "trends": {name: trend.tolist() for name, trend in TRENDS.items()}}
        members = ", ".join(f"{name}: {json.dumps(fact)}" for name, fact in facts.items())
        return _figure.namespace(sources, f"averages, {members}")

    def averages(self, values):
        """Return the averages of a sequence without and with correction: float64, shape (2, length)."""
        with enable_x64():
            return np.stack(_traced(jnp.asarray(values, float), self.beta))

    def still(self):
        """Return the text of an `<svg>` with the series and its averages, and the weights."""
        return notebook.svg(_draw(self), self.caption)


def average(beta=0.95, time=12, series="season", noise=2.5):
    r"""Return the live figure of the exponentially weighted average: drag its memory, and see it go smooth and late.

    $$V_t = \beta V_{t-1} + (1-\beta) S_t, \qquad V_0 = 0, \qquad \hat V_t = \frac{V_t}{1 - \beta^t}$$

    A value that is k steps old has the weight (1−β)βᵏ, about 1/e of the newest one's when k = 1/(1−β). What falls
    before the first value is weight on nothing, which counts as 0; the correction shares it out. The arguments are
    attributes of the figure that is returned, and follow what the reader does with it.

    Args:
        beta: β in [0, 0.98].
        time: t, whose weights are shown, 1 to 160.
        series: "season", "jump" or "loss", what is measured.
        noise: the standard deviation of what is added to it, 0 to 4.

    Raises:
        TypeError: a number is none, or `time` no whole one.
        ValueError: `series` is none of the words, or a number outside its range.
    """
    return Average(beta=beta, time=time, series=series, noise=noise)


_traced = jax.jit(_averages)


# ---------------------------------------------------------------- the still picture


def _draw(figure):
    plotting.set_style()
    picture, (lines, weights) = plotting.plt.subplots(2, 1, figsize=(7.6, 5), sharex=True)
    values = TRENDS[figure.series] + figure.noise * np.random.default_rng(0).standard_normal(LENGTH)
    biased, corrected = figure.averages(values)
    lines.plot(TIMES, values, ".", color=plotting.GREY, markersize=4)
    lines.plot(TIMES, TRENDS[figure.series], color=plotting.GREY, linewidth=1)
    lines.plot(TIMES, biased, "--", color=plotting.ORANGE, label="not corrected")
    lines.plot(TIMES, corrected, color=plotting.BLUE, label="corrected")
    lines.set(title=f"A noisy series and its average, β = {figure.beta:g}", ylabel="value")
    lines.legend()
    impulse = np.eye(1, LENGTH + BEFORE)[0]
    shares, places = figure.averages(impulse)[0], figure.time - np.arange(LENGTH + BEFORE)
    weights.bar(places[places > 0], shares[places > 0], 1, color=plotting.BLUE, alpha=0.6)
    weights.bar(places[places <= 0], shares[places <= 0], 1, color=plotting.ORANGE, alpha=0.6)
    weights.axvline(figure.time - 1 / (1 - figure.beta), color=plotting.GREY, linestyle=":")
    weights.set(title=f"What counts at t = {figure.time}; dotted: one memory ago", xlabel="time", ylabel="weight",
                xlim=(-BEFORE, LENGTH))
    return picture
