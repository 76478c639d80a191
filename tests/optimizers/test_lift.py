"""What `lift` gives a formula: the step's number, the parameters, slots that begin anywhere, flags."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ravine.optimizers._lift import lift

W = {"a": jnp.array([1.0, 2.0]), "b": jnp.array(3.0)}
G = jax.tree.map(lambda w: 10 * w, W)


def counted(g, *, learning_rate, t):
    return (learning_rate * t * jnp.ones_like(g),)


def decayed(g, total, *, learning_rate, weight_decay, w, upwards):
    total = total + g
    return (1 if upwards else -1) * learning_rate * (total + weight_decay * w), total


def run(optimizer, params=W, steps=3):
    state, seen = optimizer.init(params), []
    for _ in range(steps):
        updates, state = optimizer.update(G, state, params)
        seen.append(updates)
    return seen, state


def test_t_counts_from_one_and_a_schedule_from_zero():
    seen, state = run(lift(counted, lambda step: 10.0**step, counts=True))
    assert [updates["b"].item() for updates in seen] == [1.0, 20.0, 300.0]
    assert state.count == 3
    assert state.slots == ()


def test_only_what_needs_a_count_keeps_one():
    _, state = run(lift(decayed, 0.1, slots=(0.0,), params=True, weight_decay=0.0, upwards=False))
    assert state.count is None


def test_slots_begin_where_they_are_told_and_flags_stay_flags():
    seen, state = run(lift(decayed, 1.0, slots=(0.5,), params=True, weight_decay=2.0, upwards=True), steps=2)
    np.testing.assert_array_equal(seen[1]["a"], 0.5 + 2 * G["a"] + 2 * W["a"])
    np.testing.assert_array_equal(state.slots[0]["b"], 60.5)


def test_the_first_value_of_a_slot_may_be_traced():
    def last(first):
        rule = lift(decayed, 1.0, slots=(first,), params=True, weight_decay=0.0, upwards=False)
        return run(rule, steps=1)[0][0]["b"]

    np.testing.assert_array_equal(jax.vmap(last)(jnp.array([0.0, 1.0])), [-30.0, -31.0])


def test_a_formula_that_asks_for_the_parameters_must_get_them():
    rule = lift(decayed, 1.0, slots=(0.0,), params=True, weight_decay=0.0, upwards=False)
    with pytest.raises(TypeError, match=r"^params = None"):
        rule.update(G, rule.init(W))
    with pytest.raises(ValueError, match=r"^grads\['a'\] has shape \(2,\), params\['a'\] has shape \(\)"):
        rule.update(G, rule.init(W), {"a": jnp.array(1.0), "b": jnp.array(3.0)})


def test_an_optimizer_is_a_tree_of_its_arrays():
    rule = lift(decayed, 0.1, slots=(0.0,), params=True, weight_decay=jnp.array(0.2), upwards=True)
    assert sorted(map(float, jax.tree.leaves(rule))) == pytest.approx([0.1, 0.2])
    assert jax.tree.structure(rule) == jax.tree.structure(
        lift(decayed, 0.3, slots=(0.0,), params=True, weight_decay=jnp.array(0.4), upwards=True))
    assert jax.tree.structure(rule) != jax.tree.structure(
        lift(decayed, 0.1, slots=(0.0,), params=True, weight_decay=jnp.array(0.2), upwards=False))
