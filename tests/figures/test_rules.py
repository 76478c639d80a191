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
        hessian = jax.hessian(value_fn)(params).reshape(grads.size, grads.size)
        return -learning_rate * jnp.linalg.solve(hessian, grads.ravel()).reshape(grads.shape), state

    return optax.GradientTransformationExtraArgs(lambda params: (), update)


def winding(learning_rate):
    return optax.chain(optax.sgd(learning_rate), *[optax.trace(0.9)] * 60)


def untraceable():
    return optax.stateless(lambda grads, params: jax.lax.lgamma(grads))


def flattening(limit):
    return rv.clip_by_value(limit)


def by_columns(learning_rate):
    """Return a rule that is sgd for a vector, and something else for a matrix."""
    return optax.stateless(lambda grads, params: -learning_rate * (grads - (grads.ndim > 1) * grads.mean(0)))


@pytest.fixture
def grown(monkeypatch):
    """A library with more rules."""
    for rule in (halving, newtons, winding, untraceable, flattening, by_columns):
        monkeypatch.setattr(rv.optimizers, rule.__name__, rule, raising=False)
        monkeypatch.setattr(rv.optimizers, "__all__", [*rv.optimizers.__all__, rule.__name__])


def test_every_rule_that_needs_no_more_than_a_rate_is_offered(grown):
    offered = _rules.offered()
    assert offered["halving"] == offered["newtons"] == offered["sgd"] == "learning_rate"
    assert offered["rprop"] == "initial_step"
    assert offered["untraceable"] is None
    assert not {"flattening", "clip_by_norm", "clip_by_value"} & offered.keys()


def test_what_has_no_place_in_a_page_is_left_out_by_name(grown):
    rules = _rules.Offered(2)
    assert {"winding", "untraceable", "by_columns", "muon"} <= set(rules.left_out())
    assert {"halving", "newtons"} <= set(rules)
    assert set(rules) | set(rules.left_out()) == _rules.offered().keys()
    assert len(rules) + len(rules.left_out()) == len(_rules.offered())
    assert max(map(len, rules.values())) <= 8000
    vectors = _rules.Offered(2, hessian=False)
    assert "newtons" in vectors.left_out()
    assert vectors["halving"] == rules["halving"]
    with pytest.raises(KeyError, match="newtons"):
        vectors["newtons"]


def test_what_the_page_has_no_place_for_is_refused():
    with pytest.raises(ValueError, match=r"rule = 'newton': must be one of accumulated_momentum, .*sgd$"):
        rv.figures.playground(rule="newton")
    with pytest.raises(ValueError, match=r"rules has 'muon': every entry must be one of accumulated_momentum, .*sgd$"):
        rv.figures.race(rules=["sgd", "muon"])
