"""The comparisons have teeth: each of these wrong versions, one slip away from a rule, is refused.

A new rule brings its own slips. Where a slip shows under a moving rate or on a surface only, the table says so.
"""

import jax
import jax.numpy as jnp
import optax
import pytest
from jax.tree_util import Partial

import ravine as rv
from ravine.optimizers._lift import lift

from .cases import CASES
from .compare import closed_loop, open_loop, schedule

BY_NAME = {case.name: case for case in CASES}


def slip(formula, decay=0.9, **lifted):
    """Return what makes a rule of a wrong formula."""
    def rule(learning_rate, **_):
        return lift(formula, learning_rate, slots=(0.0,), decay=decay, **lifted)

    return rule


def old_velocity(g, v, *, learning_rate, decay):
    return -v, decay * v + learning_rate * g


def damped_velocity(g, v, *, learning_rate, decay):
    v = decay * v + (1 - decay) * learning_rate * g
    return -v, v


def all_decayed(g, v, *, learning_rate, decay):
    v = decay * (v + learning_rate * g)
    return -v, v


def rate_outside(g, v, *, learning_rate, decay):
    v = decay * v + g
    return -learning_rate * v, v


def rate_inside(g, v, *, learning_rate, decay):
    v = decay * v + learning_rate * g
    return -v, v


def old_accumulated(g, v, *, learning_rate, decay):
    return -learning_rate * v, decay * v + g


def swapped_weights(g, u, *, learning_rate, decay):
    u = (1 - decay) * u + decay * g
    return -learning_rate * u, u


def no_weight(g, u, *, learning_rate, decay):
    u = decay * u + g
    return -learning_rate * u, u


def biased(g, u, *, learning_rate, decay, t):
    u = decay * u + (1 - decay) * g
    return -learning_rate * u, u


def late_t(g, u, *, learning_rate, decay, t):
    u = decay * u + (1 - decay) * g
    return -learning_rate * u / (1 - decay ** (t + 1)), u


def linear_bias(g, u, *, learning_rate, decay, t):
    u = decay * u + (1 - decay) * g
    return -learning_rate * u / jnp.minimum(1.0, (1 - decay) * t), u


def debiased_slot(g, u, *, learning_rate, decay, t):
    u = (decay * u + (1 - decay) * g) / (1 - decay**t)
    return -learning_rate * u, u


def repelled(g, displacement, *, learning_rate, decay):
    displacement = -decay * displacement - learning_rate * g
    return displacement, displacement


def slot_before_decay(g, displacement, *, learning_rate, decay):
    displacement = decay * displacement - learning_rate * g
    return displacement, displacement / decay


def old_correction(g, v, *, learning_rate, decay):
    return -learning_rate * (g + decay * v), decay * v + g


def doubled_decay(g, v, *, learning_rate, decay):
    v = decay * v + g
    return -learning_rate * (g + decay**2 * v), v


def correction_only(g, v, *, learning_rate, decay):
    v = decay * v + g
    return -learning_rate * decay * v, v


def gradient_at(place):
    """Return a look-ahead rule that takes its gradient at `place(w, v, decay)`."""
    def rule(learning_rate, **_):
        velocity = rv.momentum(learning_rate)

        def update(grads, state, params, *, value_fn, **_):
            ahead = jax.tree.map(lambda w, v: place(w, v, 0.9), params, *state.slots)
            return velocity.update(jax.grad(value_fn)(ahead), state)

        return optax.GradientTransformationExtraArgs(velocity.init, Partial(update))

    return rule


OPEN = "open", 0.1, jnp.float64
SINGLE = "open", 0.1, jnp.float32
MOVING = "open", schedule, jnp.float64
BOWL = "closed", "bowl", 0.1

WRONG = {
    ("sgd", "ascent"): (lambda learning_rate: rv.sgd(lambda step: -learning_rate), SINGLE),
    ("sgd", "the next step's rate"): (lambda learning_rate: rv.sgd(lambda step: learning_rate(step + 1)), MOVING),
    ("sgd", "rate off by 1e-6"): (lambda learning_rate: rv.sgd(learning_rate * (1 + 1e-6)), SINGLE),
    ("sgd", "rate off by 1e-14"): (lambda learning_rate: rv.sgd(learning_rate * (1 + 1e-14)), OPEN),
    ("momentum", "the old velocity used"): (slip(old_velocity), SINGLE),
    ("momentum", "(1 − γ) before g"): (slip(damped_velocity), SINGLE),
    ("momentum", "γ before g as well"): (slip(all_decayed), SINGLE),
    ("momentum", "rate outside"): (slip(rate_outside), MOVING),
    ("momentum", "γ off by 1e-5"): (slip(rate_inside, decay=0.9 * (1 + 1e-5)), SINGLE),
    ("momentum", "γ off by 1e-13"): (slip(rate_inside, decay=0.9 * (1 + 1e-13)), OPEN),
    ("accumulated_momentum", "the old v used"): (slip(old_accumulated), SINGLE),
    ("accumulated_momentum", "rate inside"): (slip(rate_inside), MOVING),
    ("averaged_momentum", "β and 1 − β swapped"): (slip(swapped_weights), SINGLE),
    ("averaged_momentum", "no 1 − β"): (slip(no_weight), SINGLE),
    ("averaged_momentum, debias", "no debias"): (slip(biased, counts=True), SINGLE),
    ("averaged_momentum, debias", "t one too high"): (slip(late_t, counts=True), SINGLE),
    ("averaged_momentum, debias", "βt for βᵗ"): (slip(linear_bias, counts=True), SINGLE),
    ("averaged_momentum, debias", "the slot debiased"): (slip(debiased_slot, counts=True), SINGLE),
    ("heavy_ball", "β with the wrong sign"): (slip(repelled), SINGLE),
    ("heavy_ball", "the slot undecayed"): (slip(slot_before_decay), SINGLE),
    ("nesterov", "plain momentum"): (slip(rate_outside), SINGLE),
    ("nesterov", "the old v in the correction"): (slip(old_correction), SINGLE),
    ("nesterov", "γ² in the correction"): (slip(doubled_decay), SINGLE),
    ("nesterov", "no g in the correction"): (slip(correction_only), SINGLE),
    ("nesterov_lookahead", "gradient at w"): (gradient_at(lambda w, v, decay: w), BOWL),
    ("nesterov_lookahead", "gradient at w − v"): (gradient_at(lambda w, v, decay: w - v), BOWL),
    ("nesterov_lookahead", "gradient behind"): (gradient_at(lambda w, v, decay: w + decay * v), BOWL),
}


@pytest.mark.parametrize("name", WRONG, ids=" with ".join)
def test_refused(name):
    rule, (kind, *how) = WRONG[name]
    compare = {"open": open_loop, "closed": closed_loop}[kind]
    case = BY_NAME[name[0]]
    assert compare(case, case.numbers[0], *how) <= 1
    assert compare(case, case.numbers[0], *how, rule=rule) > 1
