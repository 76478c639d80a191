"""Bad input is refused, in a sentence that names the argument; all other input works."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ravine as rv

from .cases import LOOKING, RULES, WITH_DECAY, WITH_RATE, each, slots

W = jnp.ones(3)


@each(WITH_RATE)
@pytest.mark.parametrize(("rate", "error"), [
    (-0.1, ValueError), (-1e-30, ValueError), (math.nan, ValueError), (math.inf, ValueError),
    (np.float32(-1), ValueError), (np.array([0.1, -0.1]), ValueError), (jnp.array(math.nan), ValueError),
    ("0.1", TypeError), (None, TypeError), (True, TypeError), (np.True_, TypeError), (0.1j, TypeError),
    ([0.1], TypeError), (jnp.array(True), TypeError), (np.array(["0.1"]), TypeError), (jnp.array(0.1j), TypeError)])
def test_rate(rule, rate, error):
    with pytest.raises(error, match=r"^learning_rate .*must be .*\[0, inf\)"):
        rule(rate)


@each(WITH_DECAY)
@pytest.mark.parametrize(("decay", "error"), [
    (-0.1, ValueError), (1.0, ValueError), (1.1, ValueError), (math.nan, ValueError), (1, ValueError),
    (jnp.array([0.5, 1.0]), ValueError), (None, TypeError), ("0.9", TypeError), (False, TypeError),
    (lambda step: 0.9, TypeError)])
def test_decay(rule, decay, error):
    with pytest.raises(error, match=r"^decay .*must be .*\[0, 1\)"):
        rule(0.1, decay=decay)


@pytest.mark.parametrize("debias", [0.99, 1, None, "yes"])
def test_debias(debias):
    with pytest.raises(TypeError, match=r"^debias = .*must be True or False"):
        rv.averaged_momentum(0.1, 0.9, debias)


@each(RULES)
@pytest.mark.parametrize("params", [jnp.arange(3), {"a": 1}, [np.ones(2, bool)], jnp.ones(2, complex), "weights",
                                    {"a": object()}])
def test_parameters_that_are_no_floats(rule, params):
    with pytest.raises(TypeError, match=r"^params.* must be "):
        rule(0.1).init(params)



@each({name: rule for name, rule in RULES.items() if name != "nesterov_lookahead"})  # which looks at no gradient
@pytest.mark.parametrize("grads", [jnp.arange(3), jnp.ones(3, complex), [None, "g"]])
def test_gradients_that_are_no_floats(rule, grads):
    with pytest.raises(TypeError, match=r"^grads.* must be "):
        rule(0.1).update(grads, rule(0.1).init(W))


@each({name: rule for name, rule in WITH_DECAY.items() if name not in (*LOOKING, "muon")})
def test_gradients_that_do_not_match_the_state(rule):
    state = rule(0.1).init({"a": W, "b": W})
    with pytest.raises(ValueError, match=r"^grads and state are trees of different structure"):
        rule(0.1).update({"a": W}, state)
    with pytest.raises(ValueError, match=r"^grads\['b'\] has shape \(1, 3\), state\['b'\] has shape \(3,\)"):
        rule(0.1).update({"a": W, "b": W[None]}, state)


def test_looking_ahead_without_a_loss_or_with_other_parameters():
    rule = rv.nesterov_lookahead(0.1)
    for missing in ({"params": W}, {"value_fn": jnp.sum}):
        with pytest.raises(TypeError, match="nesterov_lookahead: update needs params and value_fn="):
            rule.update(W, rule.init(W), **missing)
    with pytest.raises(ValueError, match=r"^params has shape \(2,\), state has shape \(3,\)"):
        rule.update(W, rule.init(W), W[:2], value_fn=jnp.sum)


@each(WITH_RATE)
def test_rates_that_do_not_fit_the_parameters(rule):
    with pytest.raises(ValueError, match=r"^learning_rate has shape \(2,\).*\(3,\)"):
        rv.minimize(jnp.sum, W, rule(np.array([0.1, 0.2])), steps=1)


def test_decays_that_do_not_fit_the_parameters():
    with pytest.raises(ValueError, match=r"^decay has shape \(4, 3\).*\(3,\)"):
        rv.minimize(jnp.sum, W, rv.nesterov_lookahead(0.1, decay=jnp.full((4, 3), 0.9)), steps=1)


anything = st.one_of(st.floats(), st.floats(0, 1), st.integers(-2, 2), st.none(), st.booleans(), st.text(max_size=2),
                     st.complex_numbers())


@each(WITH_DECAY)
@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(rate=anything, decay=anything, shape=st.sampled_from([(), (0,), (3,), (2, 1, 2)]),
       dtype=st.sampled_from(["bfloat16", "float32", "float64", "int32"]))
def test_good_input_works_and_bad_input_is_named(rule, rate, decay, shape, dtype):
    def run():
        optimizer = optax.with_extra_args_support(rule(rate, decay=decay))
        return optimizer.update(params, optimizer.init(params), params,
                                value_fn=lambda w: jnp.sum(w["w"].astype(float)))

    def is_number_in(value, low, high):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value < high

    params = {"w": jnp.ones(shape, dtype)}
    if is_number_in(rate, 0, math.inf) and is_number_in(decay, 0, 1) and dtype != "int32":
        updates, state = run()
        for leaf in jax.tree.leaves((updates, slots(state))):
            assert leaf.shape == shape
            assert leaf.dtype == dtype
    else:
        with pytest.raises((TypeError, ValueError), match=r"^(learning_rate|decay|params\['w'\]) .*must be"):
            run()
