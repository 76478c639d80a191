r"""The learning rate as a function of the step: schedules to hand to any rule in place of a number.

A schedule is called with the number of the step, from 0: a Python int, an array, or a number that JAX is tracing.
Schedules of equal numbers are equal, and a rule with a fresh one runs in the program compiled for the last.
"""

import dataclasses
import itertools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from ravine import _check


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Schedule:
    """A formula of the step and its numbers.

    It is a pytree: `values` are arguments of compiled programs, so that a schedule with another peak compiles nothing,
    and may be traced; `steps` are part of the program.
    """

    formula: Callable = dataclasses.field(metadata={"static": True})
    values: tuple
    steps: tuple = dataclasses.field(metadata={"static": True})

    def __call__(self, step):
        """Return the rate of a step."""
        return self.formula(jnp.asarray(step), *self.values, *self.steps)


def step_decay(init_value, boundaries, factor=0.1):
    r"""A staircase: the rate is multiplied by a factor at every boundary.

    $$\eta_t = \eta_0\, \gamma^{\#\{b \,:\, t \ge b\}}$$

    Args:
        init_value: η₀ ≥ 0.
        boundaries: the steps b from which on the rate is lower, whole numbers ≥ 1 in rising order.
        factor: γ > 0.

    Returns:
        A schedule ``step -> rate``.

    Raises:
        ValueError: a number outside its range, or boundaries that do not rise.
        TypeError: one of them is not a number, or a boundary not a whole one.

    Source: the lecture. Equal to ``optax.piecewise_constant_schedule(η₀, {b: γ, …})``.

    Example:
        >>> import ravine as rv
        >>> rate = rv.schedules.step_decay(1.0, boundaries=[10, 20], factor=0.5)
        >>> [float(rate(step)) for step in (0, 9, 10, 20)]
        [1.0, 1.0, 0.5, 0.25]
    """
    try:
        boundaries = tuple(boundaries)
    except TypeError:
        raise TypeError(f"boundaries = {boundaries!r}: must be a list of steps") from None
    boundaries = tuple(_check.count(f"boundaries[{i}]", boundary) for i, boundary in enumerate(boundaries))
    if any(later <= earlier for earlier, later in itertools.pairwise(boundaries)):
        raise ValueError(f"boundaries = {list(boundaries)}: must rise")
    init_value, factor = _number("init_value", init_value), _number("factor", factor, "(0, inf)")
    # A table made in Python's double precision: every stair is rounded once.
    try:
        stairs = tuple(init_value * factor**k for k in range(len(boundaries) + 1))
    except OverflowError:
        raise ValueError(f"factor = {factor}: must have finite powers, up to {len(boundaries)}") from None
    return Schedule(_step_decay, (stairs,), (boundaries,))


def _step_decay(step, stairs, boundaries):
    passed = sum((step >= boundary for boundary in boundaries), jnp.zeros(step.shape, int))
    return jnp.asarray(stairs, float)[passed]


def cosine_with_warmup(peak_value, warmup_steps, total_steps, end_value=0.0):
    r"""Up in a straight line, down in half a wave.

    $$\eta_t = \begin{cases} \hat\eta\, t / t_w & t < t_w \\
      \eta_T + (\hat\eta - \eta_T)\, \tfrac12 \left(1 + \cos \pi \frac{t - t_w}{T - t_w}\right) & t_w \le t < T \\
      \eta_T & t \ge T \end{cases}$$

    Args:
        peak_value: η̂ ≥ 0, reached at step t_w.
        warmup_steps: t_w ≥ 0, below T; 0 for none.
        total_steps: T ≥ 1, warm-up included.
        end_value: η_T ≥ 0, from step T on.

    Returns:
        A schedule ``step -> rate``.

    Raises:
        ValueError: a number outside its range, or a warm-up that is not shorter than the whole.
        TypeError: a value is not a number, or a number of steps not a whole one.

    Source: Loshchilov & Hutter (2017); Goyal et al. (2017). Equal to ``optax.warmup_cosine_decay_schedule(0, η̂, t_w, T,
    η_T)``.

    Example:
        >>> import ravine as rv
        >>> rate = rv.schedules.cosine_with_warmup(1.0, warmup_steps=10, total_steps=30)
        >>> [round(float(rate(step)), 3) for step in (0, 5, 10, 20, 30)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    warmup_steps = _check.count("warmup_steps", warmup_steps, at_least=0)
    total_steps = _check.count("total_steps", total_steps)
    if warmup_steps >= total_steps:
        raise ValueError(f"warmup_steps = {warmup_steps}: must be below total_steps = {total_steps}")
    values = _number("peak_value", peak_value), _number("end_value", end_value)
    return Schedule(_cosine_with_warmup, values, (warmup_steps, total_steps))


def _cosine_with_warmup(step, peak_value, end_value, warmup_steps, total_steps):
    rising = peak_value * _share(step, max(warmup_steps, 1))
    falling = _half_wave(peak_value, end_value, _share(total_steps - step, total_steps - warmup_steps))
    return jnp.where(step < warmup_steps, rising, falling)


def _half_wave(start, end, left):
    """Return the value on half a cosine wave from `start` to `end` where a share `left` of the way is left."""
    # (1 + cos πx) / 2 = sin² ½π(1 − x), without the cancellation where the wave ends.
    return end + (start - end) * jnp.sin(0.5 * jnp.pi * jnp.clip(left, 0, 1)) ** 2


def exponential_decay(init_value, transition_steps, decay_rate):
    r"""The rate falls by the same share in every stretch of steps.

    $$\eta_t = \eta_0\, \gamma^{t / s}$$

    Args:
        init_value: η₀ ≥ 0.
        transition_steps: s ≥ 1, the steps in which the rate falls by γ.
        decay_rate: γ > 0; above 1 the rate grows, as in a test of the range of rates.

    Returns:
        A schedule ``step -> rate``.

    Raises:
        ValueError: a number outside its range.
        TypeError: one of them is not a number, or `transition_steps` not a whole one.

    Source: the lecture. Equal to ``optax.exponential_decay``.

    Example:
        >>> import ravine as rv
        >>> rate = rv.schedules.exponential_decay(1.0, transition_steps=10, decay_rate=0.25)
        >>> [float(rate(step)) for step in (0, 5, 10, 20)]
        [1.0, 0.5, 0.25, 0.0625]
    """
    transition_steps = _check.count("transition_steps", transition_steps)
    decay_rate = _number("decay_rate", decay_rate, "(0, inf)")
    # Next to 1 in float32, γ has few digits left; its logarithm, in Python's double precision here, has all of them.
    logarithm = math.log(decay_rate) if isinstance(decay_rate, float) else jnp.log(decay_rate)
    return Schedule(_exponential_decay, (_number("init_value", init_value), logarithm), (transition_steps,))


def _exponential_decay(step, init_value, logarithm, transition_steps):
    return init_value * jnp.exp(logarithm * _share(step, transition_steps))


def inverse_time_decay(init_value, transition_steps, decay_rate):
    r"""The rate falls like 1/t: the decay with which stochastic gradient descent is proved to converge.

    $$\eta_t = \frac{\eta_0}{1 + k\, t / s}$$

    Args:
        init_value: η₀ ≥ 0.
        transition_steps: s ≥ 1, the unit of time, in steps.
        decay_rate: k ≥ 0; the rate is halved after s/k steps.

    Returns:
        A schedule ``step -> rate``.

    Raises:
        ValueError: a number outside its range.
        TypeError: one of them is not a number, or `transition_steps` not a whole one.

    Source: Robbins & Monro (1951).

    Example:
        >>> import ravine as rv
        >>> rate = rv.schedules.inverse_time_decay(1.0, transition_steps=10, decay_rate=1.0)
        >>> [float(rate(step)) for step in (0, 10, 30)]
        [1.0, 0.5, 0.25]
    """
    values = _number("init_value", init_value), _number("decay_rate", decay_rate)
    return Schedule(_inverse_time_decay, values, (_check.count("transition_steps", transition_steps),))


def _inverse_time_decay(step, init_value, decay_rate, transition_steps):
    return init_value / (1 + decay_rate * _share(step, transition_steps))


def one_cycle(peak_value, total_steps):
    r"""One wave up and one down: from η̂/25 to η̂ in the first 30 % of the steps, then down to η̂/250 000.

    $$\eta_t = \eta_b + (\eta_a - \eta_b)\, \tfrac12 \left(1 + \cos \pi \frac{t - t_a}{t_b - t_a}\right), \qquad
      t_a \le t < t_b$$

    with (t, η) at the corners (0, η̂/25), (⌊0.3 T⌋, η̂) and (T, η̂/250 000).

    Args:
        peak_value: η̂ ≥ 0.
        total_steps: T ≥ 4, so that the rise has a step.

    Returns:
        A schedule ``step -> rate``.

    Raises:
        ValueError: a number outside its range.
        TypeError: `peak_value` is not a number, or `total_steps` not a whole one.

    Source: Smith & Topin (2019). Equal to ``optax.cosine_onecycle_schedule(T, η̂)``.

    Example:
        >>> import ravine as rv
        >>> rate = rv.schedules.one_cycle(1.0, total_steps=100)
        >>> [round(float(rate(step)), 6) for step in (0, 30, 100)]
        [0.04, 1.0, 4e-06]
    """
    total_steps = _check.count("total_steps", total_steps, at_least=4)
    return Schedule(_one_cycle, (_number("peak_value", peak_value),), (total_steps,))


def _one_cycle(step, peak_value, total_steps):
    top = int(0.3 * total_steps)
    rising = _half_wave(peak_value / 25, peak_value, _share(top - step, top))
    falling = _half_wave(peak_value, peak_value / 250_000, _share(total_steps - step, total_steps - top))
    return jnp.where(step < top, rising, falling)


def _share(steps, whole):
    return steps.astype(float) / whole  # as it stands, int32 / int32 is float32 in JAX, whatever the default


def _number(name, value, allowed="[0, inf)"):
    return _check.number(name, value, allowed, scalar=True)
