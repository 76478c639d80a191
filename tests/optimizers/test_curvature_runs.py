"""What the rules that look at curvature promise in a run: how fast, always down, away from saddles.

One objective holds all surfaces, so that each rule is compiled once for this file.
"""

import functools

import jax
import numpy as np
import pytest

import ravine as rv

SEARCHING = {
    "newton": functools.partial(rv.newton, line_search=True),
    "saddle_free_newton": functools.partial(rv.saddle_free_newton, line_search=True),
    "nonlinear_cg": rv.nonlinear_cg, "bfgs": rv.bfgs, "lbfgs": rv.lbfgs, "hessian_free": rv.hessian_free,
}
PLAIN = {"newton, plain": rv.newton, "saddle_free_newton, plain": rv.saddle_free_newton}
RULES = SEARCHING | PLAIN
# Steps from (−1.2, 1) until the loss of Rosenbrock's valley is at most 1e-8.
ENOUGH = {"newton": 25, "saddle_free_newton": 25, "bfgs": 40, "lbfgs": 45, "nonlinear_cg": 40, "hessian_free": 30}
LANDS = rv.landscapes
BOWL = LANDS.quadratic(50.0)
SURFACES = (LANDS.rosenbrock, LANDS.himmelblau, LANDS.monkey_saddle, LANDS.saddle, BOWL, LANDS.beale)


def each(rules):
    return pytest.mark.parametrize("name", list(rules))


def terrain(w, which):
    return jax.lax.switch(which, SURFACES, w)


def run(name, surface, start, steps=45):
    return rv.minimize(terrain, np.array(start), RULES[name](), steps, args=(SURFACES.index(surface),))


@each(SEARCHING)
def test_rosenbrock_in_so_many_steps(name):
    found = run(name, LANDS.rosenbrock, [-1.2, 1.0])
    assert min(found.losses[: ENOUGH[name] + 1]) <= 1e-8
    np.testing.assert_allclose(found.path[ENOUGH[name]], 1.0, rtol=1e-7)


@each(SEARCHING)
@pytest.mark.parametrize(("surface", "start"), [
    (LANDS.rosenbrock, [-1.2, 1.0]), (LANDS.rosenbrock, [0.5, -2.0]), (LANDS.himmelblau, [0.0, -0.5]),
    (LANDS.himmelblau, [-0.2, -0.9]), (LANDS.beale, [-2.0, 1.5]), (BOWL, [-2.0, 1.0])],
    ids=lambda value: getattr(value, "name", None))
def test_the_loss_never_rises(name, surface, start):
    losses = run(name, surface, start).losses
    assert np.all(np.isfinite(losses))
    rounding = 10 * np.finfo(float).eps * losses[:-1]
    assert np.all(np.diff(losses) <= rounding)
    assert losses[-1] < losses[0]


@each(SEARCHING)
@pytest.mark.parametrize("angle", [0.1, 1.5, 3.0, 5.0])
def test_an_indefinite_start_leaves_downhill(name, angle):
    # The Hessian of the monkey saddle has eigenvalues ±6r wherever one stands. There is no minimum: only down.
    start = 0.1 * np.array([np.cos(angle), np.sin(angle)])
    losses = run(name, LANDS.monkey_saddle, start).losses
    assert losses[1] < losses[0]
    assert np.nanmin(losses) < -1
    assert not np.any(np.isnan(losses))


def test_newton_is_drawn_to_a_saddle_and_the_others_are_not():
    start = [1.0, 0.3]
    np.testing.assert_allclose(run("newton, plain", LANDS.saddle, start).params, 0.0, atol=1e-15)
    for name in {**SEARCHING, "saddle_free_newton, plain": None}:
        assert run(name, LANDS.saddle, start).losses[3] < 0


@each(RULES)
@pytest.mark.parametrize(("surface", "point"), [
    (LANDS.monkey_saddle, [0.0, 0.0]), (LANDS.saddle, [0.0, 0.0]), (LANDS.rosenbrock, [1.0, 1.0])],
    ids=["monkey saddle", "saddle", "minimum"])
def test_where_the_gradient_is_zero_it_stays(name, surface, point):
    found = run(name, surface, point)
    np.testing.assert_array_equal(found.params, point)
    assert np.all(found.losses == found.losses[0])


@each(SEARCHING)
def test_the_losses_are_those_of_the_points(name):
    # Himmelblau's loss is |r|², where each entry of r is a difference of terms of about 11, rounded by ε of those.
    found = run(name, LANDS.himmelblau, [0.0, -0.5])
    rounding = 10 * 11 * np.finfo(float).eps
    np.testing.assert_allclose(np.sqrt(found.losses), np.sqrt(jax.vmap(LANDS.himmelblau)(found.path)), 0, rounding)


@each(SEARCHING)
def test_a_second_call_compiles_nothing(name, compiled):
    run(name, LANDS.rosenbrock, [-1.2, 1.0])
    assert compiled(run, name, LANDS.beale, [0.3, 0.4]) == 0


def test_vmap_over_starts_is_a_loop_over_starts():
    starts = np.array([[-1.2, 1.0], [0.0, 0.0], [2.0, 2.0]])
    mapped = jax.vmap(lambda start: rv.minimize(LANDS.rosenbrock, start, rv.bfgs(), 12).path)(starts)
    looped = [run("bfgs", LANDS.rosenbrock, start).path[:13] for start in starts]
    np.testing.assert_allclose(mapped, looped, rtol=1e-6)
