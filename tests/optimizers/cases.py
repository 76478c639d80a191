"""Every rule beside its references: one row a rule. A new rule is a new row here, and its wrong versions beside.

Each rule has two references. `optax` is a transformation that takes the same steps. `loop` is the rule as the
lecture writes it, in NumPy: it is given the gradient as a function of w, the rate of every step, and the rule's
numbers, and yields the point after each step.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable

import numpy as np
import optax
import pytest

import ravine as rv


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    name: str
    rule: Callable
    optax: Callable
    loop: Callable
    numbers: tuple = ({}, {"decay": 0.0}, {"decay": 0.99})
    schedules: bool = True  # whether Optax agrees under a schedule as well


def descent(gradient, w, rates):
    for rate in rates:
        w = w - rate * gradient(w)
        yield w


def velocity(gradient, w, rates, decay=0.9):
    v = np.zeros_like(w)
    for rate in rates:
        v = decay * v + rate * gradient(w)
        w = w - v
        yield w


def accumulated(gradient, w, rates, decay=0.9):
    v = np.zeros_like(w)
    for rate in rates:
        v = decay * v + gradient(w)
        w = w - rate * v
        yield w


def averaged(gradient, w, rates, decay=0.9, debias=False):
    u = np.zeros_like(w)
    for t, rate in enumerate(rates, start=1):
        u = decay * u + (1 - decay) * gradient(w)
        w = w - rate * u / (1 - decay**t if debias else 1)
        yield w


def heavy_ball(gradient, w, rates, decay=0.9):
    before = w
    for rate in rates:
        w, before = w - rate * gradient(w) + decay * (w - before), w
        yield w


def nesterov(gradient, w, rates, decay=0.9):
    v = np.zeros_like(w)
    for rate in rates:
        g = gradient(w)
        v = decay * v + g
        w = w - rate * (g + decay * v)
        yield w


def look_ahead(gradient, w, rates, decay=0.9):
    v = np.zeros_like(w)
    for rate in rates:
        v = decay * v + rate * gradient(w - decay * v)
        w = w - v
        yield w


def optax_momentum(learning_rate, decay=0.9):
    return optax.sgd(learning_rate, momentum=decay)


def optax_velocity(learning_rate, decay=0.9):
    # scale_by_learning_rate flips the sign, so that trace sums −ηg.
    return optax.chain(optax.scale_by_learning_rate(learning_rate), optax.trace(decay))


def optax_averaged(learning_rate, decay=0.9):
    if callable(learning_rate):
        return optax.sgd(lambda step: learning_rate(step) * (1 - decay), momentum=decay)
    return optax.sgd(learning_rate * (1 - decay), momentum=decay)


def optax_unbiased(learning_rate, decay=0.9, debias=True):
    return optax.chain(optax.ema(decay, debias), optax.scale_by_learning_rate(learning_rate))


def optax_nesterov(learning_rate, decay=0.9):
    return optax.sgd(learning_rate, momentum=decay, nesterov=True)


UNBIASED = ({"debias": True}, {"debias": True, "decay": 0.0}, {"debias": True, "decay": 0.999})

CASES = (
    Case("sgd", rv.sgd, optax.sgd, descent, numbers=({},)),
    Case("momentum", rv.momentum, optax_velocity, velocity),
    Case("momentum, constant rate", rv.momentum, optax_momentum, velocity, ({},), schedules=False),
    Case("accumulated_momentum", rv.accumulated_momentum, optax_momentum, accumulated),
    Case("averaged_momentum", rv.averaged_momentum, optax_averaged, averaged),
    Case("averaged_momentum, debias", rv.averaged_momentum, optax_unbiased, averaged, UNBIASED),
    Case("heavy_ball", rv.heavy_ball, optax_velocity, heavy_ball),
    Case("nesterov", rv.nesterov, optax_nesterov, nesterov),
    # Looking ahead sees nothing new where the gradient is the same everywhere; elsewhere the loop is the reference.
    Case("nesterov_lookahead", rv.nesterov_lookahead, optax_velocity, look_ahead),
)

# Every rule once, for what holds of all of them.
RULES = {case.name: functools.partial(case.rule, **case.numbers[0]) for case in CASES if case.schedules}
WITH_DECAY = {name: rule for name, rule in RULES.items() if "decay" in inspect.signature(rule).parameters}


def each(rules):
    """Run a test for each of these rules: it is given `rule`, a function of the learning rate."""
    return pytest.mark.parametrize("rule", [pytest.param(rule, id=name) for name, rule in rules.items()])
