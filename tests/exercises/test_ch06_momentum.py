"""The references of chapter 6 against the library's own rules."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ravine as rv
from ravine.exercises._exercise import find


def _steps(rule, w, v, grad, n=5):
    """Run a rule of the library from weights w and velocity v."""
    def surface(w):  # a scalar function with the gradient `grad`, for value_fn
        return jnp.vdot(jax.lax.stop_gradient(grad(w)), w)

    state, path = rule.init(w)._replace(slots=(v,)), []
    for _ in range(n):
        updates, state = rule.update(grad(w), state, w, value_fn=surface)
        w = optax.apply_updates(w, updates)
        path.append((w, *state.slots))
    return path


@pytest.mark.parametrize("name", ["velocity_step", "lookahead_step"])
def test_momentum_references_are_the_rules_of_the_library(name):
    reference, grad = find(name).reference, jax.grad(rv.landscapes.rosenbrock)
    w, v, path = jnp.array([-1.0, 1.2]), jnp.array([0.03, -0.02]), []
    rule = {"velocity_step": rv.momentum, "lookahead_step": rv.nesterov_lookahead}[name](1e-3, 0.8)
    expected = _steps(optax.with_extra_args_support(rule), w, v, grad)
    for _ in expected:
        w, v = reference(w, v, grad(w) if name == "velocity_step" else grad, 1e-3, 0.8)
        path.append((w, v))
    np.testing.assert_allclose(path, expected, rtol=1e-12)


def test_ewma_is_the_average_of_averaged_momentum_and_of_optax():
    x, beta = jnp.array([3.0, -1.0, 4.0, 1.0, -5.0, 9.0]), 0.85
    averages = find("ewma").reference(x, beta)
    for rule, sign in [(rv.averaged_momentum(1.0, beta, debias=True), -1), (optax.ema(beta, debias=True), 1)]:
        state = rule.init(x[0])
        for value, average in zip(x, averages, strict=True):
            update, state = rule.update(value, state)
            np.testing.assert_allclose(sign * update, average, rtol=1e-12)
