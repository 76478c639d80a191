"""The rules that figures offer: whatever the library has, as soon as it has it."""

import jax
import jax.numpy as jnp
import optax
import pytest

import ravine as rv
from ravine.figures import _rules


def halving(learning_rate):
    """Return a rule that the library does not have."""
    return optax.chain(optax.scale(0.5), optax.scale(-learning_rate))


def newtons(learning_rate=1.0):
    def update(grads, state, params, *, value_fn, **_):
        return -learning_rate * jnp.linalg.solve(jax.hessian(value_fn)(params), grads), state

    return optax.GradientTransformationExtraArgs(lambda params: (), update)


def winding(learning_rate):
    return optax.chain(optax.sgd(learning_rate), *[optax.trace(0.9)] * 60)


def untraceable():
    return optax.stateless(lambda grads, params: jax.lax.lgamma(grads))


def flattening(limit):
    return rv.clip_by_value(limit)


@pytest.fixture
def grown(monkeypatch):
    """A library with more rules."""
    for rule in (halving, newtons, winding, untraceable, flattening):
        monkeypatch.setattr(rv.optimizers, rule.__name__, rule, raising=False)
        monkeypatch.setattr(rv.optimizers, "__all__", [*rv.optimizers.__all__, rule.__name__])


def test_every_rule_that_needs_no_more_than_a_rate_is_offered(grown):
    offered = _rules.offered()
    assert offered["halving"] == offered["newtons"] == offered["sgd"] == "learning_rate"
    assert offered["rprop"] == "initial_step"
    assert offered["untraceable"] is None
    assert not {"flattening", "clip_by_norm", "clip_by_value"} & offered.keys()


def test_what_has_no_place_in_a_page_is_left_out_by_name(grown):
    sources, left_out = _rules.emitted(2)
    assert {"winding", "untraceable"} <= set(left_out)
    assert {"halving", "newtons"} <= sources.keys()
    assert sources.keys() | set(left_out) == _rules.offered().keys()
    assert max(map(len, sources.values())) <= 8000
    sources, left_out = _rules.emitted(2, hessian=False)
    assert "newtons" in left_out
    assert "halving" in sources
