"""Another rate, start, data or condition number runs in the program that is there already."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ravine as rv

from .cases import RULES, WITH_DECAY, WITH_RATE, each

START = np.array([-2.0, 1.0])


def run(optimizer, surface=None, start=START):
    return rv.minimize(surface or rv.landscapes.quadratic(5.0), start, optimizer, steps=4)


@each(RULES)
def test_for_another_rate_start_and_surface(rule, compiled):
    run(rule(0.1))
    assert compiled(run, rule(0.2)) == 0
    assert compiled(run, rule(np.float32(0.3))) == 0
    assert compiled(run, rule(0.2), rv.landscapes.quadratic(50.0, rotation=0.3), 2 * START) == 0


@each(RULES)
def test_for_another_array_of_rates(rule, compiled):
    run(rule(jnp.array(0.1)))
    assert compiled(run, rule(np.array(0.2))) == 0


@each(WITH_DECAY)
def test_for_another_array_of_decays(rule, compiled):
    run(rule(0.1, decay=jnp.array(0.5)))
    assert compiled(run, rule(0.2, decay=jnp.array(0.6))) == 0


@each(WITH_RATE)
def test_for_another_rate_of_the_same_schedule_object(rule, compiled):
    schedule = optax.cosine_decay_schedule(0.1, 10)
    run(rule(schedule))
    assert compiled(run, rule(schedule), start=2 * START) == 0


@each(RULES)
def test_in_a_jitted_function_of_the_optimizer(rule, compiled):
    traced = []

    @jax.jit
    def step(optimizer, state, w):
        traced.append(w)
        return optax.with_extra_args_support(optimizer).update(w, state, w, value_fn=lambda w: 0.5 * w @ w)

    w = jnp.asarray(START)
    for rate in (0.1, 0.2, 0.3):
        step(rule(rate), rule(rate).init(w), w)
    assert len(traced) == 1


@pytest.mark.parametrize("change", [
    lambda: run(rv.nesterov(0.1, decay=0.52)), lambda: run(rv.heavy_ball(0.1, decay=0.51)),
    lambda: run(rv.nesterov(jnp.array(0.1), decay=0.51)), lambda: run(rv.nesterov(0.1, decay=0.51), start=list(START))])
def test_the_count_sees_a_compilation(change, compiled):
    run(rv.nesterov(0.1, decay=0.51))
    assert compiled(change) >= 1
