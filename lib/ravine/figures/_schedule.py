"""The live figure `schedule`: one noisy descent under any schedule of the rate, brought down where the reader says."""

import functools
import inspect
import json

import jax
import jax.numpy as jnp
import numpy as np

from ravine import landscapes, notebook, optimizers, plotting, schedules
from ravine._compat import enable_x64
from ravine.figures import _figure
from ravine.figures._emit import emit
from ravine.figures._playground import as_object

RULES = {rule.__name__: rule for rule in (optimizers.sgd, optimizers.adam)}
STEPS = 600
UNIT = 10  # steps; every place is a multiple of it, so that a tenth of it is a number of steps too
TAIL = 30  # the last steps, over which the loss is averaged to say where a run ended
RUNS = 24  # whose mean is shown
EIGENVALUES = 0.1 * 200.0 ** np.linspace(0, 1, 4)  # of the bowl: from 0.1 to 20
START = EIGENVALUES**-0.5  # every direction begins with a loss of ½
RATES = (0.001, 0.11)  # from 2/λ_max = 0.1 on, gradient descent at a constant rate blows up
NOISES = (0.0, 1.0)
LOSSES = (1e-4, 3.0)  # on the axis
PLACES = tuple(range(20, STEPS + 1, 20))  # where the curve of ends is computed

# What a schedule is given besides its peak. Steps are shares of the place, other numbers what they are left at; those
# that it cannot do without are chosen so that a tenth of the rate is left at the place.
SHARES = {"warmup_steps": 0.1, "transition_steps": 1, "total_steps": 1, "boundaries": 1}
LEFT = 0.1
NUMBERS = {("inverse_time_decay", "decay_rate"): 1 / LEFT - 1}


def offered():
    """Return the names of all schedules of the library."""
    return [name for name, make in vars(schedules).items() if inspect.isfunction(make) and not name.startswith("_")]


SCHEDULES = offered()


def arguments(name, place):
    """Return what a schedule is given besides its peak so that it has come down at `place`, by name."""
    given = {}
    for each in list(inspect.signature(getattr(schedules, name)).parameters.values())[1:]:
        if each.name in SHARES:
            steps = round(SHARES[each.name] * place)
            given[each.name] = [steps] if each.name == "boundaries" else steps
        elif each.default is each.empty:
            given[each.name] = NUMBERS.get((name, each.name), LEFT)
    return given


def made(name, peak, place):
    """Return the schedule of that name with this peak, brought down at `place`."""
    return getattr(schedules, name)(peak, **arguments(name, place))


# ---------------------------------------------------------------- what the page computes with


def _loss(w):
    bowl = landscapes.quadratic(EIGENVALUES[-1] / EIGENVALUES[0], len(EIGENVALUES))
    return EIGENVALUES[0] * bowl(w)


def _run(rule, rates, noise, size):
    """Return the loss before every step and after the last, of a run with these rates.

    Args:
        rule: its name.
        rates: one for each step.
        noise: what is added to each gradient, ``size`` times: one row for each step.
        size: σ.
    """
    def step(carry, now):
        (w, state), (rate, noise) = carry, now
        value, gradient = jax.value_and_grad(_loss)(w)
        updates, state = RULES[rule](rate).update(gradient + size * noise, state, w)
        return (w + updates, state), value

    w = jnp.asarray(START)
    (w, _), values = jax.lax.scan(step, (w, RULES[rule](0.0).init(w)), (rates, noise))
    return jnp.append(values, _loss(w))


class Schedule(_figure.Figure):
    """The widget of `schedule`: its arguments are its traits."""

    module = "schedule"
    caption = ("The learning rate of a noisy descent under a schedule, its loss, and where it ends if the rate comes "
               "down earlier or later. Dashed: the constant rate.")

    schedule = _figure.Choice("step_decay", SCHEDULES)
    rule = _figure.Choice("sgd", RULES)
    peak = _figure.Number(0.07, f"[{RATES[0]}, {RATES[1]:g}]")
    place = _figure.Count(100, at_most=STEPS, at_least=UNIT)
    noise = _figure.Number(0.5, f"[{NOISES[0]:g}, {NOISES[1]:g}]")

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`."""
        steps, noise = np.zeros(STEPS), np.zeros((STEPS, len(START)))
        sources = [emit(name, functools.partial(_run, name), steps, noise, 0.0) for name in RULES]
        # Made for a place of STEPS. Formulas of shares of the steps are stretched to another place by stretching time.
        sources += [emit(name, lambda t, peak, name=name: made(name, peak, STEPS)(t), steps, 0.0) for name in SCHEDULES]
        facts = {"steps": STEPS, "unit": UNIT, "tail": TAIL, "runs": RUNS, "size": noise.size, "rates": RATES,
                 "noises": NOISES, "losses": LOSSES, "places": PLACES, "curvatures": [EIGENVALUES[0], EIGENVALUES[-1]]}
        members = {
            "rules": as_object({name: name for name in RULES}),
            "schedules": as_object({name: as_object({"rates": name, "call": json.dumps(_template(name))})
                                    for name in SCHEDULES}),
            **{name: json.dumps(fact) for name, fact in facts.items()}}
        return _figure.namespace(sources, as_object(members)[1:-1])

    def rates(self, place=None):
        """Return the rate of every step, float64, if it comes down at `place`, the figure's own by default."""
        with enable_x64():
            return np.asarray(made(self.schedule, self.peak, place or self.place)(np.arange(STEPS)))

    def losses(self, tables, noise=None):
        """Return the mean losses of runs with tables of rates: shape (number of tables, STEPS + 1).

        Args:
            tables: shape (number of tables, STEPS).
            noise: shape (RUNS, STEPS, directions), drawn by default.
        """
        if noise is None:
            noise = np.random.default_rng(0).standard_normal((RUNS, STEPS, len(START)))
        with enable_x64():
            return np.asarray(_runs(self.rule, np.asarray(tables), noise, self.noise))

    def still(self):
        """Return the text of an `<svg>` with the rate, the loss, and the ends for all places."""
        return notebook.svg(_draw(self), self.caption)


def schedule(schedule="step_decay", rule="sgd", peak=0.07, place=100, noise=0.5):
    r"""Return the live figure of schedules: drag the place of the cut, and see where the loss ends.

    $$w_{t+1} = w_t - \eta_t\,(H w_t + \sigma \xi_t), \qquad \xi_t \sim N(0, I)$$

    or the same with Adam; the eigenvalues of H are 0.1 to 20. Cut early, and the run freezes far from the minimum; cut
    late, and the noise of the high rate is left. The arguments are attributes of the figure that is returned, and
    follow what the reader does with it.

    Args:
        schedule: the name of one of `ravine.schedules`.
        rule: "sgd" or "adam".
        peak: the largest rate, 0.001 to 0.11.
        place: the step at which the rate has come down, 10 to 600: the boundary of a staircase, the end of a wave, the
            step at which a tenth is left of a decay. The figure moves it by tens.
        noise: σ in [0, 1].

    Raises:
        TypeError: a number is none, or `place` no whole one.
        ValueError: an argument is none of the words, or outside its range.
    """
    return Schedule(schedule=schedule, rule=rule, peak=peak, place=place, noise=noise)


def _template(name):
    """Return how the call of a schedule reads, with ``{peak}`` for its peak and ``{0.1}`` for a tenth of the place."""
    texts = ["{peak}"]
    for parameter, value in arguments(name, STEPS).items():
        steps = f"{{{SHARES[parameter]}}}" if parameter in SHARES else f"{value:g}"
        texts.append(f"{parameter}=" + (f"[{steps}]" if isinstance(value, list) else steps))
    return f"{name}({', '.join(texts)})"


@functools.partial(jax.jit, static_argnums=0)
def _runs(rule, tables, noise, size):
    over_noise = jax.vmap(functools.partial(_run, rule), (None, 0, None))
    return jax.lax.map(lambda rates: over_noise(rates, noise, size).mean(0), tables)


# ---------------------------------------------------------------- the still picture


def _draw(figure):
    plotting.set_style()
    picture, (rate, loss, ends) = plotting.plt.subplots(3, 1, figsize=(7.6, 6.6))
    tables = np.stack([figure.rates(), np.full(STEPS, figure.peak), *map(figure.rates, PLACES)])
    losses = figure.losses(tables)
    for table, values, style in zip(tables[:2], losses[:2], ({"color": plotting.BLUE},
                                    {"color": plotting.GREY, "linestyle": "--"}), strict=True):
        rate.plot(table, **style)
        loss.semilogy(values, **style)
    ended = losses[:, -TAIL:].mean(1)
    ends.semilogy(PLACES, ended[2:], color=plotting.BLUE)
    ends.axhline(ended[1], color=plotting.GREY, linestyle="--")
    ends.plot(figure.place, ended[0], "o", color=plotting.BLUE)
    rate.plot(figure.place, figure.peak, "o", color=plotting.ORANGE)
    rate.set(title=f"The rate: {figure.schedule.replace('_', ' ')}", ylim=(0, RATES[1]), xlim=(0, STEPS))
    loss.set(title=f"The loss: mean of {RUNS} runs", xlabel="step", xlim=(0, STEPS))
    ends.set(title="Where the run ends", xlabel="place at which the rate comes down", ylabel="loss", xlim=(0, STEPS))
    return picture
