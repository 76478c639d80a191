"""Clipping: what it leaves alone, what it keeps, and gradients at the ends of the floating-point numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.test_util import check_grads

import ravine as rv

RANDOM = np.random.default_rng(3)
TREE = {"a": jnp.asarray(RANDOM.normal(size=(3, 4))), "b": (jnp.asarray(RANDOM.normal(size=5)), jnp.asarray(-2.0))}
NORM = float(optax.tree.norm(TREE))


def clipped(rule, grads):
    return rule.update(grads, rule.init(grads))[0]


def single(*entries):
    return jnp.array(entries, jnp.float32)


# 0.9 of the norm is longer than the largest entry.
@pytest.mark.parametrize("limit", [0.01, 1.0, NORM / 2, 0.9 * NORM, 2 * NORM])
def test_equal_to_optax(limit):
    for ours, theirs in ((rv.clip_by_norm, optax.clip_by_global_norm), (rv.clip_by_value, optax.clip)):
        jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-14),
                     clipped(ours(limit), TREE), clipped(theirs(limit), TREE))


def test_the_norm_is_that_of_the_whole_tree_and_the_direction_stays():
    short = clipped(rv.clip_by_norm(0.5), TREE)
    assert float(optax.tree.norm(short)) == pytest.approx(0.5, rel=1e-14)
    jax.tree.map(lambda x, g: np.testing.assert_allclose(x / g, 0.5 / NORM, rtol=1e-14), short, TREE)


def test_up_to_the_limit_nothing_changes():
    for rule, grads in ((rv.clip_by_norm(5.0), single(3, -4)), (rv.clip_by_value(4.0), single(3, -4)),
                        (rv.clip_by_norm(5.0), single(0, 0)), (rv.clip_by_norm(100.0), TREE)):
        jax.tree.map(np.testing.assert_array_equal, clipped(rule, grads), grads)


@pytest.mark.parametrize("size", [1e20, 3e38])
def test_large_gradients_in_single_precision(size):
    np.testing.assert_allclose(clipped(rv.clip_by_norm(5.0), size * single(1, -1)), np.sqrt(12.5) * single(1, -1),
                               rtol=1e-6)
    np.testing.assert_array_equal(clipped(rv.clip_by_value(5.0), size * single(1, -1)), single(5, -5))


@pytest.mark.parametrize("size", [1e-30, 1e-44])
def test_small_gradients_in_single_precision(size):
    grads = single(size, 0)
    np.testing.assert_array_equal(clipped(rv.clip_by_norm(1.0), grads), grads)
    if size > 1e-38:  # the smallest normal number
        np.testing.assert_allclose(clipped(rv.clip_by_norm(size / 10), grads), grads / 10, rtol=1e-6)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_gradients_that_are_not_finite(bad):
    out = clipped(rv.clip_by_norm(1.0), {"a": single(bad, 1), "b": single(0)})
    assert all(jnp.isnan(leaf).all() for leaf in jax.tree.leaves(out))
    np.testing.assert_array_equal(clipped(rv.clip_by_value(2.0), single(bad, 1)), single(np.clip(bad, -2, 2), 1))


@pytest.mark.parametrize("limit", [1.0, np.float64(1.0), jnp.array(1.0), np.float32(1.0)])
def test_types_are_kept(limit):
    tree = {"half": jnp.full(2, 3, jnp.bfloat16), "single": single(2), "double": jnp.full((), 4.0)}
    for rule in (rv.clip_by_norm(limit), rv.clip_by_value(limit)):
        with jax.numpy_dtype_promotion("strict"):
            out = clipped(rule, tree)
        assert jax.tree.map(lambda leaf: leaf.dtype, out) == jax.tree.map(lambda leaf: leaf.dtype, tree)
        assert clipped(rule, {}) == {}
        assert clipped(rule, {"empty": jnp.ones((0, 2))})["empty"].shape == (0, 2)


def test_derivatives():
    check_grads(lambda g: clipped(rv.clip_by_norm(0.5), g), (TREE,), order=1, modes=["rev"])
    np.testing.assert_array_equal(jax.grad(lambda g: clipped(rv.clip_by_norm(0.5), g).sum())(jnp.zeros(2)), [1.0, 1.0])


@pytest.mark.parametrize("x", [0.97, 1.0, 1.03])
def test_a_plain_step_flies_off_the_cliff_and_a_clipped_one_stays_and_descends(x):
    cliff, start, rate = rv.landscapes.cliff, np.array([x, 1.0]), 0.5
    plain = rv.minimize(cliff, start, rv.sgd(rate), 1)
    slope = np.array([0.2 * x + 40 / np.cosh(20 * (x - 1)) ** 2, 0.2])
    np.testing.assert_allclose(plain.params, start - rate * slope, rtol=1e-13)
    assert plain.params[0] < cliff.window[0][0]
    assert plain.losses[1] > plain.losses[0]

    run = rv.minimize(cliff, start, optax.chain(rv.clip_by_norm(1.0), rv.sgd(rate)), 40)
    np.testing.assert_allclose(run.path[1], start - rate * slope / np.linalg.norm(slope), rtol=1e-13)
    assert np.all(np.diff(run.losses) < 0)
    # At its foot the cliff's slope is this, and the bowl 0.1 ‖w‖² shrinks w by 1 − 0.2 η a step, and what is added so.
    rest = rate * 40 / np.cosh(20 * (run.path[1, 0] - 1)) ** 2 / (0.2 * rate)
    np.testing.assert_allclose(run.params, (1 - 0.2 * rate) ** 39 * run.path[1], rtol=1e-13, atol=rest)


@pytest.mark.parametrize("make", [rv.clip_by_norm, rv.clip_by_value])
def test_limits_are_arguments_of_the_program(make, compiled):
    def run(limit):  # without a rule behind, because each `optax.chain` is a program of its own
        return rv.minimize(rv.landscapes.quadratic(5.0), np.array([-2.0, 1.0]), make(limit), steps=4).path

    first = run(0.5)
    assert compiled(run, 0.6) == 0
    np.testing.assert_allclose(jax.vmap(run)(jnp.array([0.5, 0.6])), [first, run(0.6)], rtol=1e-13)


@pytest.mark.parametrize(("make", "name"), [(rv.clip_by_norm, "max_norm"), (rv.clip_by_value, "limit")])
def test_bad_input(make, name):
    for value, error in ((0.0, ValueError), (-1.0, ValueError), (np.nan, ValueError), (np.inf, ValueError),
                         (np.ones(2), ValueError), (None, TypeError), (True, TypeError)):
        with pytest.raises(error, match=rf"^{name} .*must be .*\(0, inf\)"):
            make(value)
    for grads in (jnp.arange(3), [None, "g"]):
        with pytest.raises(TypeError, match=r"^grads.* must be "):
            clipped(make(1.0), grads)
