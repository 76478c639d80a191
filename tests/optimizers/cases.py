"""Every rule beside its references: one row a rule. A new rule is a new row here, and its wrong versions beside.

Each rule has two references: `optax`, an expression that makes an Optax rule of the same steps, where there is one, and
`loop`, the rule as the lecture writes it.
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
from ravine.optimizers import _frontier

from . import loops


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    name: str
    rule: Callable
    optax: str | None  # an expression of the rule's own arguments, which the convention page prints as well
    loop: Callable
    numbers: tuple = ({}, {"decay": 0.0}, {"decay": 0.99})
    schedules: bool = True  # whether it runs under a schedule, and Optax agrees there too
    everywhere: bool = True  # whether the tests of all rules run over it
    # For the bound of the open loop: how many slots it has, whether one adds up numbers of both signs, and the factor
    # by which the formula enlarges relative errors, `condition(gradients, **numbers)`, one entry a gradient.
    slots: int = 1
    sums: bool = True
    condition: Callable | None = None
    open: bool = True  # whether it is compared in the open loop: not where a step depends on the ones that were taken
    steps: int = 200  # of the closed loop: fewer where the rule soon turns a rounding into another path

    def reference(self, learning_rate, **numbers):
        """Return the Optax rule that takes the same steps."""
        arguments = {name: argument.default for name, argument in inspect.signature(self.rule).parameters.items()}
        return eval(self.optax, {"optax": optax, "undelayed": undelayed, **arguments, **numbers,
                                 "learning_rate": learning_rate})


def sam(learning_rate, rho=0.05):
    return rv.sam(rv.sgd(learning_rate), rho)


def schedule_free(learning_rate, b1=0.9):
    return rv.schedule_free(rv.sgd(learning_rate), learning_rate, b1)


def slots(state):
    """Return the trees like the parameters that the state of a rule remembers."""
    if isinstance(state, _frontier.ScheduleFreeState):
        return state.z, *slots(state.inner)
    if isinstance(state, _frontier.MuonState):
        first, *others = state.others.slots
        return _frontier.joined(state.matrices.slots[0], first), *others
    return state.slots


def undelayed(rprop):
    """Return Optax's Rprop without the delay: it returns the update of the step before; its state has this one's."""
    def update(grads, state, params=None):
        _, state = rprop.update(jax.tree.map(jnp.sign, grads), state)  # where g·g⁻ underflows it sees no sign
        return jax.tree.map(jnp.negative, state[0].prev_updates), state

    return optax.GradientTransformation(rprop.init, update)


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


# The first of these flips the sign, so that trace sums −ηg.
VELOCITY = "optax.chain(optax.scale_by_learning_rate(learning_rate), optax.trace(decay))"
TRACE = "optax.sgd(learning_rate, momentum=decay)"
AVERAGE = "optax.chain(optax.trace(decay), optax.scale(1 - decay), optax.scale_by_learning_rate(learning_rate))"
UNBIASED_AVERAGE = "optax.chain(optax.ema(decay), optax.scale_by_learning_rate(learning_rate))"
RMSPROP = ("optax.rmsprop(learning_rate, decay, eps, momentum=momentum, nesterov=nesterov, centered=centered, "
           "eps_in_sqrt=False)")

UNBIASED = ({"debias": True}, {"debias": True, "decay": 0.0}, {"debias": True, "decay": 0.999})

CASES = (
    Case("sgd", rv.sgd, "optax.sgd(learning_rate)", loops.descent, numbers=({},), slots=0),
    Case("momentum", rv.momentum, VELOCITY, loops.velocity),
    Case("momentum, constant rate", rv.momentum, TRACE, loops.velocity, ({},), False, everywhere=False),
    Case("accumulated_momentum", rv.accumulated_momentum, TRACE, loops.accumulated),
    Case("averaged_momentum", rv.averaged_momentum, AVERAGE, loops.averaged),
    Case("averaged_momentum, debias", rv.averaged_momentum, UNBIASED_AVERAGE, loops.averaged, UNBIASED),
    Case("heavy_ball", rv.heavy_ball, VELOCITY, loops.heavy_ball),
    Case("nesterov", rv.nesterov, "optax.sgd(learning_rate, momentum=decay, nesterov=True)", loops.nesterov),
    # Looking ahead sees nothing new where the gradient is the same everywhere; elsewhere the loop is the reference.
    Case("nesterov_lookahead", rv.nesterov_lookahead, VELOCITY, loops.look_ahead),

    Case("local_gains", rv.local_gains, None, loops.local_gains,
         ({}, {"delta": 0.3, "bounds": (0.01, 100.0)}, {"delta": 0.2, "bounds": (0.9, 1.5)}), sums=False, slots=2,
         steps=30),
    Case("rprop", rv.rprop, "undelayed(optax.rprop(learning_rate, *factors, *bounds))", loops.rprop,
         ({}, {"factors": (0.7, 1.5)}, {"bounds": (0.05, 0.3)}), schedules=False, sums=False, slots=2, steps=30),
    Case("adagrad", rv.adagrad, None, loops.adagrad,
         ({}, {"eps": 0.5}, {"eps": 1e-3, "initial_accumulator": 0.1}), steps=30),
    Case("adagrad, ε = 0", functools.partial(rv.adagrad, eps=0.0),
         "optax.adagrad(learning_rate, initial_accumulator, eps=eps)", functools.partial(loops.adagrad, eps=0.0),
         ({}, {"initial_accumulator": 0.1}), everywhere=False, steps=30),
    Case("adadelta", rv.adadelta, "optax.adadelta(learning_rate, decay, eps)", loops.adadelta,
         ({}, {"decay": 0.0}, {"decay": 0.5, "eps": 0.01}), sums=False, condition=fed_back, slots=2, steps=30),
    Case("rmsprop", rv.rmsprop, RMSPROP, loops.rmsprop,
         ({}, {"decay": 0.0}, {"decay": 0.99, "eps": 0.1}, {"momentum": 0.8}), slots=2, steps=30),
    Case("rmsprop, Nesterov", rv.rmsprop, RMSPROP, loops.rmsprop,
         ({"momentum": 0.8, "nesterov": True},), everywhere=False, slots=2, steps=30),
    Case("rmsprop, centred", rv.rmsprop, RMSPROP, loops.rmsprop,
         ({"centered": True, "momentum": 0.5}, {"centered": True, "decay": 0.99}, {"centered": True, "eps": 0.5}),
         condition=difference_of_squares, slots=3, steps=30),
    Case("adam", rv.adam, "optax.adam(learning_rate, b1, b2, eps)", loops.adam,
         ({}, {"b1": 0.0, "b2": 0.9}, {"b1": 0.99, "b2": 0.0}, {"eps": 0.5}, {"eps": 1e-30}), slots=2, steps=30),
    Case("adam, biased", rv.adam, None, loops.adam,
         ({"debias": False}, {"debias": False, "b1": 0.5, "b2": 0.9, "eps": 0.01}), everywhere=False, slots=2,
         steps=30),
    Case("adamw", rv.adamw, "optax.adamw(learning_rate, b1, b2, eps, weight_decay=weight_decay)",
         functools.partial(loops.adam, weight_decay=1e-2),
         ({"weight_decay": 1e-2}, {"weight_decay": 0.5, "b1": 0.5}, {"weight_decay": 0.0, "eps": 0.5}), slots=2,
         steps=30),
    Case("lion", rv.lion, "optax.lion(learning_rate, b1, b2, weight_decay=weight_decay)", loops.lion,
         ({"weight_decay": 0.1}, {"weight_decay": 0.0, "b1": 0.5, "b2": 0.9}, {"weight_decay": 0.0, "b1": 0.0}),
         condition=interpolation, steps=30),

    # On a stream the gradient is the same uphill; on a surface the loop is the reference.
    Case("sam", sam, "optax.sgd(learning_rate)", loops.sam, ({}, {"rho": 0.0}, {"rho": 0.5}), slots=0,
         steps=15),  # after that the gradient is small, and its direction is lost on the way to 0
    Case("schedule_free", schedule_free, None, loops.schedule_free, ({}, {"b1": 0.5}, {"b1": 1.0}), open=False),
)

# Every rule once, for what holds of all of them; `rprop` has a first step size for the rate.
RULES = {case.name: functools.partial(case.rule, **case.numbers[0]) for case in CASES if case.everywhere}
RULES["muon"] = rv.muon  # its references are in test_frontier.py: they ask for matrices
LOOKING = ("nesterov_lookahead", "sam")  # they take gradients themselves, elsewhere
WITH_RATE = {name: rule for name, rule in RULES.items() if name != "rprop"}
WITH_DECAY = {name: rule for name, rule in RULES.items() if "decay" in inspect.signature(rule).parameters}


def each(rules):
    """Run a test for each of these rules: it is given `rule`, a function of the learning rate."""
    return pytest.mark.parametrize("rule", [pytest.param(rule, id=name) for name, rule in rules.items()])
