"""The rules that look at curvature on any tree, type and kind of objective, and what their state says."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.tree_util import Partial

import ravine as rv
from ravine.optimizers import StepStatus

from .test_curvature_runs import SEARCHING, each


@pytest.mark.parametrize("rule", [rv.newton, rv.saddle_free_newton])
def test_another_rate_or_damping_compiles_nothing(rule, compiled):
    bowl, start = rv.landscapes.quadratic(50.0), np.ones(2)
    rv.minimize(bowl, start, rule(), 2)
    assert compiled(rv.minimize, bowl, start, rule(0.5, 0.1), 2) == 0
    assert compiled(rv.minimize, bowl, start, rule(np.float32(0.5), 0.1), 2) == 0
    np.testing.assert_allclose(rv.minimize(bowl, start, rule(0.25), 2).params, 0.75**2)


@pytest.mark.parametrize("schedule", [rv.schedules.inverse_time_decay(0.5, 1, 1.0), lambda step: 0.5 / (1 + step)],
                         ids=["of the library", "of one's own"])
def test_newton_takes_a_schedule(schedule):
    path = rv.minimize(rv.landscapes.quadratic(50.0), np.ones(2), rv.newton(schedule), 3).path
    np.testing.assert_allclose(path[:, 0], np.cumprod([1, 1 - 0.5, 1 - 0.5 / 2, 1 - 0.5 / 3]), rtol=1e-12)


def valley(params):
    """Return a loss that is 3 where every entry is 1, and more elsewhere."""
    w = jnp.concatenate([params["a"].ravel(), params["b"][None]])
    return jnp.sum(jnp.cosh(w - 1)) + (w[0] - w[1]) ** 2


@each({**SEARCHING, "newton, plain": rv.newton})
def test_a_tree_in_float32(name):
    start = {"a": jnp.array([[0.5, -0.25]], jnp.float32), "b": jnp.array(0.75, jnp.float32)}
    rule = SEARCHING.get(name, rv.newton)()
    # Optax's search itself mixes types, so that only what comes out of it can be held to float32.
    with jax.numpy_dtype_promotion("standard" if name in SEARCHING else "strict"):
        found = rv.minimize(valley, start, rule, steps=15)
    for leaf in jax.tree.leaves((found.params, found.losses, found.path)):
        assert leaf.dtype == jnp.float32
    # A sum of four terms of about 1 is known to 4 ε, and |w − 1|² / 2 is at most what it is above 3.
    rounding = 4 * 3 * np.finfo(np.float32).eps
    np.testing.assert_allclose(found.losses[-1], 3.0, rtol=0, atol=rounding)
    for leaf in jax.tree.leaves(found.params):
        np.testing.assert_allclose(leaf, 1.0, rtol=0, atol=(2 * rounding) ** 0.5)


def test_a_minimum_is_found_to_more_digits_than_its_loss_can_tell():
    start = {"a": jnp.array([[0.5, -0.25]]), "b": jnp.array(0.75)}
    found = rv.minimize(valley, start, rv.bfgs(), steps=30)
    for leaf in jax.tree.leaves(found.params):
        np.testing.assert_allclose(leaf, 1.0, rtol=4 * np.finfo(float).eps)


def weighted(w, weights):
    return 0.5 * jnp.sum(weights * w**2)


@pytest.mark.parametrize("eigenvalues", [[1.0, 100.0], [1.0, 7.0, 100.0], [1.0, 2.0, 10.0, 40.0, 100.0]], ids=len)
def test_conjugate_gradient_ends_after_as_many_steps_as_eigenvalues(eigenvalues):
    diagonal, steps = jnp.asarray(np.resize(eigenvalues, 12)), len(eigenvalues)
    start = np.random.default_rng(0).normal(size=12)
    found = rv.krylov.conjugate_gradient(Partial(jnp.multiply, diagonal), diagonal * start, tol=0.0, max_steps=12)
    assert found.residual_norms[steps] <= 1e-8 * found.residual_norms[0]
    run = rv.minimize(weighted, start, rv.nonlinear_cg(), 5, args=(diagonal,))
    assert np.linalg.norm(run.path[steps]) <= 1e-8 * np.linalg.norm(start)


@pytest.mark.parametrize(("fun", "w", "status"), [
    (jnp.sum, jnp.ones(2), StepStatus.NOT_FINITE), (rv.landscapes.monkey_saddle, jnp.zeros(2), StepStatus.STATIONARY)],
    ids=["a slope", "a critical point"])
def test_where_the_hessian_is_zero_there_is_no_step_and_it_is_said(fun, w, status):
    for rule in (rv.newton(), rv.saddle_free_newton()):  # the Hessian of both functions is zero there
        value, grad = jax.value_and_grad(fun)(w)
        updates, state = rule.update(grad, rule.init(w), w, value=value, grad=grad, value_fn=fun)
        np.testing.assert_array_equal(updates, 0.0)
        assert state.status == status


def test_behind_another_transformation_the_losses_are_still_those_of_the_points():
    halved = optax.chain(rv.bfgs(), optax.scale(0.5))
    found = rv.minimize(rv.landscapes.rosenbrock, np.array([-1.2, 1.0]), halved, 4)
    np.testing.assert_allclose(found.losses, jax.vmap(rv.landscapes.rosenbrock)(found.path), rtol=1e-12)


# ---------------------------------------------------------------- a loss in two parts


def model(w, x, y):
    return jnp.tanh(x @ w)


def squares(out, x, y):
    return jnp.sum((out - y) ** 2)


def linear(w, x, y):
    return x @ w


X = np.random.default_rng(0).normal(size=(20, 3))
RIGHT = np.array([0.5, -1.0, 0.3])
DATA = X, np.tanh(X @ RIGHT)


def test_gauss_newton_on_linear_least_squares_is_newton():
    fun, start = rv.split(linear, squares), np.ones(3)
    one, other = (rv.minimize(fun, start, rule, 3, args=DATA).path
                  for rule in (rv.gauss_newton(damping=0.5), rv.newton(damping=0.5)))
    np.testing.assert_allclose(one, other, rtol=1e-12)
    landed = rv.minimize(fun, start, rv.gauss_newton(damping=0.0), 3, args=DATA).path
    np.testing.assert_allclose(landed[1], np.linalg.lstsq(*DATA)[0], rtol=1e-12)


@pytest.mark.parametrize("rule", [rv.gauss_newton, rv.hessian_free])
def test_a_split_objective_is_compiled_once(rule, compiled):
    start = np.zeros(3)
    found = rv.minimize(rv.split(model, squares), start, rule(), 12, args=DATA)
    np.testing.assert_allclose(found.params, RIGHT, rtol=1e-7)
    again = rv.split(model, squares)
    assert compiled(rv.minimize, again, start + 0.1, rule(damping=0.1), 12, args=DATA) == 0


def test_a_split_objective_is_like_any_other():
    fun, start = rv.split(model, squares), np.zeros(3)
    found = rv.minimize(fun, start, optax.lbfgs(), 15, args=DATA)
    np.testing.assert_allclose(found.params, RIGHT, rtol=1e-7)
    np.testing.assert_allclose(found.losses[0], fun(start, *DATA), rtol=1e-14)
