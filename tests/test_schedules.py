"""Schedules against Optax's and closed forms, traced and not, and in the program that is there already."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ravine as rv
from ravine import schedules
from ravine._compat import enable_x64
from schedule_cases import PAIRS, STEPS, error

every = pytest.mark.parametrize(("ours", "theirs"), [pytest.param(make(), theirs, id=name)
                                                     for name, (make, theirs) in PAIRS.items()])


@every
def test_step_for_step(ours, theirs):
    assert error(ours, theirs) <= 1
    for step in (0, 4, 10, 40):
        np.testing.assert_allclose(ours(step), ours(STEPS)[step], rtol=1e-14)


@every
def test_traced_mapped_and_differentiated(ours, theirs):
    expected = ours(STEPS)
    np.testing.assert_allclose(jax.vmap(jax.jit(ours))(jnp.asarray(STEPS, jnp.int32)), expected, rtol=1e-14)
    jitted = jax.jit(lambda schedule, step: schedule(step))
    np.testing.assert_allclose(jitted(ours, jnp.asarray(7.0, jnp.float32)), expected[7], rtol=1e-6)
    slope = jax.grad(lambda step: ours(step))(7.25)
    around = [float(ours(jnp.asarray(7.25 + way))) for way in (-1e-6, 1e-6)]
    np.testing.assert_allclose(slope, (around[1] - around[0]) / 2e-6, rtol=1e-7, atol=1e-9)


@every
def test_in_a_rule(ours, theirs):
    start = np.array([-2.0, 1.0])
    paths = [rv.minimize(rv.landscapes.quadratic(2.0), start, rule, 40).path
             for rule in (rv.momentum(ours), rv.momentum(lambda step: theirs(step.astype(float))))]
    np.testing.assert_allclose(*paths, rtol=0, atol=1e-12)


LARGE = {
    "step_decay": schedules.step_decay(1.0, [2**24 + 1], factor=0.1),
    "cosine_with_warmup": schedules.cosine_with_warmup(1.0, 10**6, 10**8),
    "exponential_decay": schedules.exponential_decay(1.0, 1, 1 - 1e-7),
    "inverse_time_decay": schedules.inverse_time_decay(1.0, 1, 1e-3),
    "one_cycle": schedules.one_cycle(1.0, 10**8),
}


@pytest.mark.parametrize("ours", LARGE.values(), ids=LARGE)
@pytest.mark.parametrize("step", [1, 10**6, 2**24 - 1, 2**24, 2**24 + 1, 2**24 + 2, 10**8 - 10**5, 10**8 - 10**3])
def test_single_precision_at_large_steps(ours, step):
    exact = float(ours(step))
    with enable_x64(False):
        single = jax.jit(ours)(jnp.int32(step))
    assert single.dtype == jnp.float32
    # A few roundings, and an exponential of up to −10 turns those of its argument into ten of its own.
    assert float(single) == pytest.approx(exact, rel=20 * 2**-23)


def test_equal_schedules_are_equal():
    for make, _ in PAIRS.values():
        assert make() == make()
        assert hash(make()) == hash(make())
    assert schedules.one_cycle(0.1, 10) != schedules.one_cycle(0.2, 10)
    assert schedules.one_cycle(0.1, 10) != schedules.one_cycle(0.1, 11)


@pytest.mark.parametrize("make", [
    lambda value: schedules.step_decay(value, [2, 3]), lambda value: schedules.cosine_with_warmup(value, 2, 10),
    lambda value: schedules.exponential_decay(value, 5, 1 - value), lambda value: schedules.one_cycle(value, 10),
    lambda value: schedules.inverse_time_decay(value, 5, value)])
def test_a_fresh_schedule_compiles_nothing_and_may_be_traced(make, compiled):
    def run(value):
        return rv.minimize(rv.landscapes.quadratic(5.0), np.array([-2.0, 1.0]), rv.adam(make(value)), steps=4).path

    first = run(0.1)
    assert compiled(run, 0.1) == 0
    assert compiled(run, 0.2) == 0
    values = jnp.array([0.1, 0.2])
    np.testing.assert_allclose(jax.vmap(run)(values), [first, run(0.2)], rtol=1e-12)


@pytest.mark.parametrize(("make", "name", "error"), [
    (lambda: schedules.step_decay(-1.0, [1]), "init_value", ValueError),
    (lambda: schedules.step_decay(None, [1]), "init_value", TypeError),
    (lambda: schedules.step_decay(1.0, 5), "boundaries", TypeError),
    (lambda: schedules.step_decay(1.0, [2.5]), r"boundaries\[0\]", TypeError),
    (lambda: schedules.step_decay(1.0, [3, 0]), r"boundaries\[1\]", ValueError),
    (lambda: schedules.step_decay(1.0, [3, 3]), "boundaries", ValueError),
    (lambda: schedules.step_decay(1.0, [3], factor=0.0), "factor", ValueError),
    (lambda: schedules.step_decay(1.0, [3, 4], factor=1e200), "factor", ValueError),
    (lambda: schedules.cosine_with_warmup(math.inf, 1, 2), "peak_value", ValueError),
    (lambda: schedules.cosine_with_warmup(1.0, -1, 2), "warmup_steps", ValueError),
    (lambda: schedules.cosine_with_warmup(1.0, 1.0, 2), "warmup_steps", TypeError),
    (lambda: schedules.cosine_with_warmup(1.0, 2, 2), "warmup_steps", ValueError),
    (lambda: schedules.cosine_with_warmup(1.0, 0, 0), "total_steps", ValueError),
    (lambda: schedules.cosine_with_warmup(1.0, 1, 2, end_value=-0.1), "end_value", ValueError),
    (lambda: schedules.exponential_decay(1.0, 0, 0.5), "transition_steps", ValueError),
    (lambda: schedules.exponential_decay(1.0, 5, 0.0), "decay_rate", ValueError),
    (lambda: schedules.exponential_decay("1", 5, 0.5), "init_value", TypeError),
    (lambda: schedules.inverse_time_decay(1.0, 5, -0.5), "decay_rate", ValueError),
    (lambda: schedules.inverse_time_decay(1.0, True, 0.5), "transition_steps", TypeError),
    (lambda: schedules.inverse_time_decay(np.ones(2), 1, 0.5), "init_value", ValueError),
    (lambda: schedules.one_cycle(math.nan, 10), "peak_value", ValueError),
    (lambda: schedules.one_cycle(1.0, 3), "total_steps", ValueError)])
def test_bad_input(make, name, error):
    with pytest.raises(error, match=rf"^{name} .*must "):
        make()
