"""Each terrain is as hard as it says it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ravine as rv


def slope(surface, w, dtype=float):
    return float(jnp.linalg.norm(jax.grad(surface)(jnp.asarray(w, dtype))))


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.floats(1e-3, 1e6), st.floats(-10.0, 10.0))
def test_the_ravine_turns_by_its_angle(steepness, rotation):
    surface = rv.landscapes.ravine(steepness, rotation)
    along, across = np.array([np.cos(rotation), np.sin(rotation)]), np.array([-np.sin(rotation), np.cos(rotation)])
    heights = [surface(3 * along), surface(0.5 * across)]
    rounding = 1e-14 * (1 + steepness)
    np.testing.assert_allclose(heights, [np.sqrt(10) - 1, steepness / 8], rtol=0, atol=rounding)
    np.testing.assert_allclose(surface.start, -2.5 * along + 0.6 * across, rtol=1e-14)


def test_the_ravine_at_its_minimum_has_the_curvatures_1_and_s():
    curvature = jax.hessian(rv.landscapes.ravine(40.0, 0.3))(jnp.zeros(2))
    np.testing.assert_allclose(np.linalg.eigvalsh(curvature), [1.0, 40.0], rtol=1e-14)


def test_the_numbers_of_a_surface_may_be_traced():
    def height(s, rotation):
        return rv.landscapes.ravine(s, rotation)([1.0, -2.0]) + rv.landscapes.temperature_softmax(s)([1.0, -2.0])

    numbers = jnp.array([1.0, 9.0]), jnp.array([0.4, 3.0])
    looped = [height(*pair) for pair in zip(*np.asarray(numbers).tolist(), strict=True)]
    np.testing.assert_allclose(jax.jit(jax.vmap(height))(*numbers), looped, rtol=1e-13)


def test_another_number_compiles_nothing(compiled):
    def run(steepness, temperature):
        for surface in (rv.landscapes.ravine(steepness, 0.5), rv.landscapes.temperature_softmax(temperature)):
            rv.minimize(surface, np.array([0.2, 0.7]), rv.sgd(0.1), 3)

    run(3.0, 1e-5)
    assert compiled(run, 5.0, 1e-3) == 0


def test_the_plateau_looks_like_a_minimum_and_is_none():
    run = rv.minimize(rv.landscapes.plateau, np.array(rv.landscapes.plateau.start), rv.sgd(0.5), 4000)
    on_the_plain = (run.path[:, 0] < -2.5) & (run.path[:, 0] > -3.5)
    assert np.sum(on_the_plain) > 200
    assert slope(rv.landscapes.plateau, [-3.0, 0.0]) < 0.01 * slope(rv.landscapes.plateau, [-0.5, 0.0])
    assert run.losses[-1] < 1e-12


def test_the_cliff_throws_a_run_away():
    cliff = rv.landscapes.cliff
    assert slope(cliff, [1.0, 0.0]) > 100 * max(slope(cliff, [0.5, 1.0]), slope(cliff, [1.6, 1.0]) / 2)
    thrown = rv.minimize(cliff, np.array(cliff.start), rv.sgd(0.5), 60)
    leap = np.max(np.linalg.norm(np.diff(thrown.path, axis=0), axis=1))
    assert leap > 3


def test_the_plain_around_the_hole_is_almost_flat():
    hole = rv.landscapes.flat_with_steep_hole
    steepest = max(slope(hole, [r, 0.0]) for r in np.linspace(0.01, 0.2, 20))
    start = slope(hole, hole.start, np.float32)
    assert 0 < start < steepest / 1000


def test_the_softmax_is_flat_beside_a_wall():
    surface = rv.landscapes.temperature_softmax(1e-5)
    assert slope(surface, [0.5, -0.5], np.float32) == 0.0
    np.testing.assert_allclose(slope(surface, [-0.5, 0.5], np.float32), np.sqrt(2) * 1e5, rtol=1e-6)
    logits = np.array([0.3, -0.2, 0.9])
    expected = -jnp.log(jax.nn.softmax(logits / 0.7)[0])
    np.testing.assert_allclose(rv.landscapes.temperature_softmax(0.7)(logits), expected, rtol=1e-14)


@pytest.mark.parametrize(("make", "arguments", "error", "name"), [
    (rv.landscapes.ravine, {"steepness": 0.0}, ValueError, "steepness"),
    (rv.landscapes.ravine, {"steepness": np.nan}, ValueError, "steepness"),
    (rv.landscapes.ravine, {"steepness": np.ones(2)}, ValueError, "steepness"),
    (rv.landscapes.ravine, {"steepness": "50"}, TypeError, "steepness"),
    (rv.landscapes.ravine, {"rotation": np.inf}, ValueError, "rotation"),
    (rv.landscapes.temperature_softmax, {"temperature": 0}, ValueError, "temperature"),
    (rv.landscapes.temperature_softmax, {"temperature": -1.0}, ValueError, "temperature"),
    (rv.landscapes.temperature_softmax, {"temperature": None}, TypeError, "temperature")])
def test_bad_input(make, arguments, error, name):
    with pytest.raises(error, match=f"^{name} "):
        make(**arguments)
