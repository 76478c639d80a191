"""Any tree of arrays, in the type it came in."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ravine as rv

from .cases import RULES, WITH_DECAY, WITH_RATE, each, slots


def plane(w):
    return sum((jnp.sum(leaf.astype(float)) for leaf in jax.tree.leaves(w)), jnp.zeros(()))


def steps(rule, params, grads, number=3):
    """Take some steps with one gradient; return the parameters, the last updates and the state."""
    rule = optax.with_extra_args_support(rule)
    state = rule.init(params)
    for _ in range(number):
        updates, state = rule.update(grads, state, params, value=0.0, grad=grads, value_fn=plane)
        params = optax.apply_updates(params, updates)
    return params, updates, state


@each(RULES)
def test_a_tree_moves_as_its_leaves_do(rule):
    params = {"a": [jnp.arange(6.0).reshape(2, 3), jnp.array(2.0)], "b": (jnp.ones(4), {"c": jnp.zeros((1, 2, 1))}),
              "none": None, "empty": ()}
    grads = jax.tree.map(jnp.ones_like, params)
    together, _, _ = steps(rule(0.1), params, grads)
    alone = jax.tree.map(lambda w, g: steps(rule(0.1), w, g)[0], params, grads)
    assert jax.tree.structure(together) == jax.tree.structure(params)
    jax.tree.map(np.testing.assert_array_equal, together, alone)


@each(RULES)
@pytest.mark.parametrize("empty", [{}, [], ()])
def test_an_empty_tree_stays_empty(rule, empty):
    params, _, state = steps(rule(0.1), empty, empty)
    assert params == empty
    assert all(slot == empty for slot in slots(state))


@each(WITH_RATE)
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32, jnp.float64])
@pytest.mark.parametrize("learning_rate", [
    0.125, np.float64(0.125), np.array(0.125), jnp.array(0.125, jnp.float32), jnp.array(0.125, jnp.float64),
    lambda step: np.float64(0.125), lambda step: jnp.full((), 0.125)])
def test_the_type_is_kept(rule, dtype, learning_rate):
    params = {"a": jnp.ones(3, dtype), "b": jnp.ones((), dtype)}
    with jax.numpy_dtype_promotion("strict"):
        params, updates, state = steps(rule(learning_rate), params, params)
    for leaf in jax.tree.leaves((params, updates, slots(state))):
        assert leaf.dtype == dtype
        assert not leaf.weak_type
    _, exact, _ = steps(rule(0.125), jnp.ones(()), jnp.ones(()))
    np.testing.assert_allclose(updates["b"].astype(float), exact, rtol=8 * float(jnp.finfo(dtype).eps))


@each(RULES)
def test_a_tree_of_many_types(rule):
    params = {"half": jnp.ones(2, jnp.bfloat16), "single": jnp.ones(2, jnp.float32), "double": jnp.ones(2)}
    with jax.numpy_dtype_promotion("strict"):
        _, updates, state = steps(rule(jnp.array(0.1)), params, params)
    for tree in (updates, *slots(state)):
        assert jax.tree.map(lambda leaf: leaf.dtype, tree) == jax.tree.map(lambda leaf: leaf.dtype, params)


@pytest.mark.parametrize("decay", [np.float32(0.875), np.array(0.875), jnp.array(0.875, jnp.bfloat16)])
@each(WITH_DECAY)
def test_a_decay_of_any_type(rule, decay):
    params = jnp.ones(3, jnp.float32)
    with jax.numpy_dtype_promotion("strict"):
        _, updates, state = steps(rule(0.125, decay=decay), params, params)
    assert {leaf.dtype for leaf in jax.tree.leaves((updates, slots(state)))} == {params.dtype}
    np.testing.assert_allclose(updates, steps(rule(0.125, decay=0.875), params, params)[1], rtol=1e-6)


def test_the_unbiased_average_of_a_half_precision_gradient_is_that_gradient():
    # 1 − 0.999ᵗ has one digit in bfloat16; with it the first steps would be wrong by tens of percent.
    g = jnp.ones(1, jnp.bfloat16)
    for number in range(1, 6):
        _, updates, _ = steps(rv.averaged_momentum(1.0, decay=0.999, debias=True), g, g, number)
        np.testing.assert_allclose(updates.astype(float), -1.0, rtol=number * float(jnp.finfo(jnp.bfloat16).eps))


@each(RULES)
def test_masked_leaves_are_left_alone(rule):
    params = {"train": jnp.ones(2), "freeze": jnp.ones(2)}
    masked = optax.with_extra_args_support(optax.masked(rule(0.1), {"train": True, "freeze": False}))
    updates, _ = masked.update(params, masked.init(params), params, value_fn=plane)
    alone, _ = steps(rule(0.1), params["train"], params["train"], 1)[1:]
    np.testing.assert_array_equal(updates["train"], alone)
    np.testing.assert_array_equal(updates["freeze"], params["freeze"])


@each(WITH_RATE)
def test_a_rate_for_every_coordinate(rule):
    rates = jnp.array([0.1, 0.2, 0.0])
    _, updates, _ = steps(rule(rates), jnp.ones(3), jnp.ones(3))
    each = [steps(rule(float(rate)), jnp.ones(()), jnp.ones(()))[1] for rate in rates]
    np.testing.assert_allclose(updates, each, rtol=1e-15)
