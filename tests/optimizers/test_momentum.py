"""What defines the forms of momentum: which are equal, under which map of constants, and where they part."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ravine as rv

from .compare import schedule

fixed = settings(max_examples=25, deadline=None, derandomize=True, database=None)
decays = st.floats(0.0, 0.999)
rates = st.floats(1e-6, 1.0)
# The condition number and the angle are arguments of the program too: all examples share one.
bowls = st.builds(rv.landscapes.quadratic, st.floats(1.0, 20.0), rotation=st.floats(-3.0, 3.0))
START = np.array([-2.0, 1.0])
STEPS = 30


def path(rule, surface, rate, decay, **flags):
    """Return the points of a run whose constants are arguments of the program."""
    return rv.minimize(surface, START, rule(jnp.asarray(rate), decay=jnp.asarray(decay), **flags), STEPS).path


def close(ours, theirs, decay):
    # Every step rounds a few times; what a rounding moves is carried on for 1 / (1 − γ) steps of momentum.
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=4 * STEPS * 2**-52 * np.max(abs(theirs)) / (1 - decay))


@fixed
@given(bowls, st.floats(1e-6, 0.09), decays)
def test_with_a_constant_rate_the_forms_are_one(surface, rate, decay):
    velocity = path(rv.momentum, surface, rate, decay)
    close(path(rv.heavy_ball, surface, rate, decay), velocity, decay)
    close(path(rv.accumulated_momentum, surface, rate, decay), velocity, decay)
    close(path(rv.averaged_momentum, surface, rate / (1 - decay), decay), velocity, decay)


def test_with_a_schedule_they_part():
    surface = rv.landscapes.quadratic(5.0)
    velocity, displacement, accumulated = (
        rv.minimize(surface, START, rule(schedule), 30).path
        for rule in (rv.momentum, rv.heavy_ball, rv.accumulated_momentum))
    close(displacement, velocity, 0.9)
    assert np.max(abs(accumulated - velocity)) > 0.1


@fixed
@given(bowls, st.floats(1e-6, 0.09), decays)
def test_the_look_ahead_points_are_the_iterates_of_the_library_form(surface, rate, decay):
    w = path(rv.nesterov_lookahead, surface, rate, decay)
    v = jnp.concatenate([jnp.zeros((1, 2)), w[:-1] - w[1:]])
    close(w - decay * v, path(rv.nesterov, surface, rate, decay), decay)


@fixed
@given(rates, decays, st.integers(1, 40))
def test_an_unbiased_average_of_a_constant_is_that_constant(rate, decay, steps):
    rule = rv.averaged_momentum(jnp.asarray(rate), jnp.asarray(decay), debias=True)
    g, state = jnp.array([3.0, -0.5]), rule.init(jnp.zeros(2))
    for _ in range(steps):
        updates, state = rule.update(g, state)
    # 1 − βᵗ keeps the digits of βᵗ: it is wrong by ε at most, and that is large only next to a small 1 − βᵗ.
    np.testing.assert_allclose(updates, -rate * g, rtol=2**-52 * steps * 4 / (1 - decay))


@pytest.mark.parametrize(("rule", "gain"), [
    (rv.momentum, 10.0), (rv.accumulated_momentum, 10.0), (rv.heavy_ball, 10.0), (rv.nesterov, 10.0),
    (rv.nesterov_lookahead, 10.0), (rv.averaged_momentum, 1.0), (rv.sgd, 1.0)])
def test_the_final_speed_on_a_slope(rule, gain):
    # A constant gradient g: the steps tend to η g / (1 − γ), or to η g for an average.
    points = rv.minimize(lambda w: -3.0 * w, 0.0, rule(0.01), 400).path
    assert points[-1] - points[-2] == pytest.approx(0.03 * gain, rel=1e-11)


@pytest.mark.parametrize(("eigenvalue", "rate", "decay"), [(1.0, 0.1, 0.2), (1.0, 0.3, 0.9), (4.0, 0.5, 0.5)])
def test_momentum_on_a_parabola_is_a_damped_oscillator(eigenvalue, rate, decay):
    # w⁺ = (1 + β − αλ) w − β w⁻: the roots of z² − (1 + β − αλ) z + β give the path in closed form.
    roots = np.roots([1.0, -(1 + decay - rate * eigenvalue), decay]).astype(complex)
    weights = np.linalg.solve([[1, 1], roots], [1.0, 1.0 - rate * eigenvalue])
    t = np.arange(51)
    closed_form = (weights[:, None] * roots[:, None] ** t).sum(0).real
    run = rv.minimize(rv.landscapes.quadratic(eigenvalue, dimension=1), [1.0], rv.momentum(rate, decay), 50)
    np.testing.assert_allclose(run.path[0], closed_form, rtol=0, atol=1e-13)


def test_a_step_of_descent():
    run = rv.minimize(rv.landscapes.quadratic(4.0), START, rv.sgd(0.1), 1)
    np.testing.assert_allclose(run.path, [START, START - 0.1 * np.array([1.0, 4.0]) * START], rtol=1e-15)
