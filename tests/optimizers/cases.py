"""Every rule beside its references: one row a rule. A new rule is a new row here, and its wrong versions beside.

Each rule has two references: `optax`, a transformation that takes the same steps, where there is one, and `loop`, the
rule as the lecture writes it.
"""

import dataclasses
import functools
import inspect
import itertools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ravine as rv

from . import loops


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    name: str
    rule: Callable
    optax: Callable | None
    loop: Callable
    numbers: tuple = ({}, {"decay": 0.0}, {"decay": 0.99})
    schedules: bool = True  # whether it runs under a schedule, and Optax agrees there too
    everywhere: bool = True  # whether the tests of all rules run over it
    # For the bound of the open loop: whether a slot adds up numbers of both signs, and the factor by which the formula
    # enlarges relative errors, `condition(gradients, **numbers)`, one entry a gradient.
    sums: bool = True
    condition: Callable | None = None


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


def optax_rprop(initial_step, factors=(0.5, 1.2), bounds=(1e-6, 50.0)):
    rule = optax.rprop(initial_step, *factors, *bounds)

    def update(grads, state, params=None):
        # Optax returns the update of the step before; its state has this one's. Where g·g⁻ underflows it sees no sign.
        _, state = rule.update(jax.tree.map(jnp.sign, grads), state)
        return jax.tree.map(jnp.negative, state[0].prev_updates), state

    return optax.GradientTransformation(rule.init, update)


def optax_adagrad(learning_rate, initial_accumulator=0.0):
    return optax.adagrad(learning_rate, initial_accumulator, eps=0.0)


def optax_rmsprop(learning_rate, **numbers):
    return optax.rmsprop(learning_rate, eps_in_sqrt=False, **numbers)


def running(entries, decay):
    """Return the moving averages, begun at 0, of the rows of an array."""
    return np.stack(list(itertools.accumulate(entries, lambda average, x: decay * average + (1 - decay) * x,
                                              initial=np.zeros_like(entries[0]))))[1:]


def quotient(whole, part):
    return np.divide(whole, part, out=np.ones_like(whole), where=whole > 0)


def difference_of_squares(g, decay=0.9, **_):
    # r − m² is small next to r and m² where gradients hardly vary; the worst of all steps stays in the momentum.
    r, m, size = running(g**2, decay), running(g, decay), running(abs(g), decay)
    return np.maximum.accumulate(quotient(r + 2 * abs(m) * size, r - m**2))


def interpolation(g, b1=0.9, b2=0.99, **_):
    # The sign is that of b1 m + (1 − b1) g: unknown where this is a rounding of its terms.
    before = np.concatenate([0 * g[:1], g[:-1]])
    m, size = (b1 * running(x(before), b2) + (1 - b1) * x(g) for x in (np.positive, abs))
    return quotient(size, abs(m))


def fed_back(g, **_):
    # Each step's errors enter u, and with it the next step.
    return np.arange(1, len(g) + 1)[:, None]


UNBIASED = ({"debias": True}, {"debias": True, "decay": 0.0}, {"debias": True, "decay": 0.999})

CASES = (
    Case("sgd", rv.sgd, optax.sgd, loops.descent, numbers=({},)),
    Case("momentum", rv.momentum, optax_velocity, loops.velocity),
    Case("momentum, constant rate", rv.momentum, optax_momentum, loops.velocity, ({},), False, everywhere=False),
    Case("accumulated_momentum", rv.accumulated_momentum, optax_momentum, loops.accumulated),
    Case("averaged_momentum", rv.averaged_momentum, optax_averaged, loops.averaged),
    Case("averaged_momentum, debias", rv.averaged_momentum, optax_unbiased, loops.averaged, UNBIASED),
    Case("heavy_ball", rv.heavy_ball, optax_velocity, loops.heavy_ball),
    Case("nesterov", rv.nesterov, optax_nesterov, loops.nesterov),
    # Looking ahead sees nothing new where the gradient is the same everywhere; elsewhere the loop is the reference.
    Case("nesterov_lookahead", rv.nesterov_lookahead, optax_velocity, loops.look_ahead),

    Case("local_gains", rv.local_gains, None, loops.local_gains,
         ({}, {"delta": 0.3, "bounds": (0.01, 100.0)}, {"delta": 0.2, "bounds": (0.9, 1.5)}), sums=False),
    Case("rprop", rv.rprop, optax_rprop, loops.rprop,
         ({}, {"factors": (0.7, 1.5)}, {"bounds": (0.05, 0.3)}), schedules=False, sums=False),
    Case("adagrad", rv.adagrad, None, loops.adagrad,
         ({}, {"eps": 0.5}, {"eps": 1e-3, "initial_accumulator": 0.1})),
    Case("adagrad, ε = 0", functools.partial(rv.adagrad, eps=0.0), optax_adagrad,
         functools.partial(loops.adagrad, eps=0.0), ({}, {"initial_accumulator": 0.1}), everywhere=False),
    Case("adadelta", rv.adadelta, lambda rate, decay=0.95, eps=1e-6: optax.adadelta(rate, decay, eps), loops.adadelta,
         ({}, {"decay": 0.0}, {"decay": 0.5, "eps": 0.01}), sums=False, condition=fed_back),
    Case("rmsprop", rv.rmsprop, optax_rmsprop, loops.rmsprop,
         ({}, {"decay": 0.0}, {"decay": 0.99, "eps": 0.1}, {"momentum": 0.8})),
    Case("rmsprop, Nesterov", rv.rmsprop, optax_rmsprop, loops.rmsprop,
         ({"momentum": 0.8, "nesterov": True},), everywhere=False),
    Case("rmsprop, centred", rv.rmsprop, optax_rmsprop, loops.rmsprop,
         ({"centered": True, "momentum": 0.5}, {"centered": True, "decay": 0.99}, {"centered": True, "eps": 0.5}),
         condition=difference_of_squares),
    Case("adam", rv.adam, optax.adam, loops.adam,
         ({}, {"b1": 0.0, "b2": 0.9}, {"b1": 0.99, "b2": 0.0}, {"eps": 0.5}, {"eps": 1e-30})),
    Case("adam, biased", rv.adam, None, loops.adam,
         ({"debias": False}, {"debias": False, "b1": 0.5, "b2": 0.9, "eps": 0.01}), everywhere=False),
    Case("adamw", rv.adamw, optax.adamw, functools.partial(loops.adam, weight_decay=1e-2),
         ({"weight_decay": 1e-2}, {"weight_decay": 0.5, "b1": 0.5}, {"weight_decay": 0.0, "eps": 0.5})),
    Case("lion", rv.lion, optax.lion, loops.lion,
         ({"weight_decay": 0.1}, {"weight_decay": 0.0, "b1": 0.5, "b2": 0.9}, {"weight_decay": 0.0, "b1": 0.0}),
         condition=interpolation),
)

# Every rule once, for what holds of all of them; `rprop` has a first step size for the rate.
RULES = {case.name: functools.partial(case.rule, **case.numbers[0]) for case in CASES if case.everywhere}
WITH_RATE = {name: rule for name, rule in RULES.items() if name != "rprop"}
WITH_DECAY = {name: rule for name, rule in RULES.items() if "decay" in inspect.signature(rule).parameters}


def each(rules):
    """Run a test for each of these rules: it is given `rule`, a function of the learning rate."""
    return pytest.mark.parametrize("rule", [pytest.param(rule, id=name) for name, rule in rules.items()])
