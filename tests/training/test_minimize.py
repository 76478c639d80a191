"""`minimize`: what it returns, what it costs, what it accepts."""

import math
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ravine as rv

START = np.array([-1.2, 1.0])
BOWL = rv.landscapes.quadratic(5.0)


def by_hand(fun, params, optimizer, steps):
    """Run the loop that anybody would write, jitted step by step; return the losses and the last parameters."""
    optimizer = optax.with_extra_args_support(optimizer)
    state, losses = optimizer.init(params), []

    @jax.jit
    def step(params, state):
        value, grad = jax.value_and_grad(fun)(params)
        updates, state = optimizer.update(grad, state, params, value=value, grad=grad, value_fn=fun)
        return optax.apply_updates(params, updates), state, value

    for _ in range(steps):
        params, state, value = step(params, state)
        losses.append(value)
    return jnp.array([*losses, fun(params)]), params


def test_losses_and_path_begin_at_the_start_and_end_at_the_parameters():
    run = rv.minimize(rv.landscapes.rosenbrock, START, rv.momentum(1e-3), steps=20)
    assert run.losses.shape == (21,)
    assert run.path.shape == (21, 2)
    assert run.stopped_at == 20
    np.testing.assert_array_equal(run.path[0], START)
    np.testing.assert_array_equal(run.path[-1], run.params)
    np.testing.assert_allclose(run.losses, [rv.landscapes.rosenbrock(w) for w in run.path], rtol=1e-13)


@pytest.mark.parametrize("optimizer", [
    rv.nesterov(1e-3), rv.nesterov_lookahead(1e-3), optax.sgd(1e-3), optax.adam(1e-2), optax.lbfgs(),
    optax.chain(optax.clip(0.5), rv.heavy_ball(1e-2))],
    ids=["nesterov", "nesterov_lookahead", "optax.sgd", "optax.adam", "optax.lbfgs", "chain"])
def test_it_is_the_loop_written_by_hand(optimizer):
    run = rv.minimize(rv.landscapes.rosenbrock, START, optimizer, steps=25)
    losses, params = by_hand(rv.landscapes.rosenbrock, jnp.asarray(START), optimizer, steps=25)
    np.testing.assert_allclose(run.losses, losses, rtol=1e-11, atol=1e-20)
    np.testing.assert_allclose(run.params, params, rtol=1e-11)


def test_the_state_of_the_rule_is_handed_back():
    rate, beta = 0.1, 0.8
    run = rv.minimize(BOWL, START, rv.schedule_free(rv.sgd(rate), b1=beta), steps=25)
    z = START - rate * np.cumsum(jax.vmap(jax.grad(BOWL))(run.path[:-1]), axis=0)
    np.testing.assert_allclose(run.state.z, z[-1], rtol=1e-12)
    np.testing.assert_allclose(rv.eval_params(run.state, run.params), np.mean(z, axis=0), rtol=1e-12)


def test_optax_lbfgs_converges():
    run = rv.minimize(rv.landscapes.rosenbrock, START, optax.lbfgs(), steps=60)
    np.testing.assert_allclose(run.params, 1.0, atol=1e-8)


def test_tol_stops_and_costs_nothing_more():
    evaluated = []

    def fun(w):
        jax.debug.callback(lambda: evaluated.append(1))
        return BOWL(w)

    free = rv.minimize(BOWL, START, rv.sgd(0.2), steps=100)
    slopes = np.linalg.norm(jax.vmap(jax.grad(BOWL))(free.path), axis=1)
    expected = np.argmax(slopes <= 1e-3)
    run = jax.block_until_ready(rv.minimize(fun, START, rv.sgd(0.2), steps=100, tol=1e-3))
    jax.effects_barrier()
    assert run.stopped_at == expected < 50
    assert len(evaluated) == expected + 1
    np.testing.assert_allclose(run.path[:expected + 1], free.path[:expected + 1], rtol=1e-13)
    np.testing.assert_array_equal(run.path[expected:], np.broadcast_to(run.params, (101 - expected, 2)))
    np.testing.assert_array_equal(run.losses[expected:], np.full(101 - expected, run.losses[expected]))


def test_tol_at_the_start_and_never():
    assert rv.minimize(BOWL, np.zeros(2), rv.sgd(0.1), steps=5, tol=0).stopped_at == 0
    never = rv.minimize(BOWL, START, rv.sgd(0.1), steps=5, tol=1e-9)
    assert never.stopped_at == 5
    np.testing.assert_allclose(never.path, rv.minimize(BOWL, START, rv.sgd(0.1), steps=5).path, rtol=1e-14)


def test_a_constant_loss():
    assert rv.minimize(lambda w: 1.0, START, rv.sgd(0.1), steps=2).losses.tolist() == [1.0, 1.0, 1.0]
    assert rv.minimize(lambda w: 1.0, START, rv.sgd(0.1), steps=2, tol=0.1).stopped_at == 0


def test_keep_path():
    small = {"w": np.ones(1000, np.float32), "b": np.float32(1.0)}

    def fun(params):
        return jnp.sum(params["w"] ** 2) + params["b"] ** 2

    kept = rv.minimize(fun, small, rv.sgd(0.1), steps=3)
    assert jax.tree.map(jnp.shape, kept.path) == {"w": (4, 1000), "b": (4,)}
    assert rv.minimize(fun, small, rv.sgd(0.1), steps=3, keep_path=False).path is None
    # 10⁷ numbers are kept, one step more is not; only the shapes are worked out here.
    for size, is_kept in ((2_500_000, True), (2_500_001, False)):
        w = np.ones(size, np.float32)
        run = jax.eval_shape(lambda w: rv.minimize(lambda w: w @ w, w, rv.sgd(0.1), steps=4), w)
        assert (run.path is not None) == is_kept
    forced = jax.eval_shape(lambda w: rv.minimize(lambda w: w @ w, w, rv.sgd(0.1), steps=4, keep_path=True), w)
    assert forced.path.shape == (5, 2_500_001)


def test_a_diverging_run_is_data():
    run = rv.minimize(BOWL, START, rv.sgd(1.0), steps=2000)
    assert run.stopped_at == 2000
    assert run.losses[0] < run.losses[1] < run.losses[10]
    assert not np.isfinite(run.losses[-1])
    assert rv.minimize(BOWL, START, rv.sgd(1.0), steps=2000, tol=1e-3).stopped_at == 2000


@pytest.mark.parametrize("params", [[-1.2, 1.0], {"x": -1.2, "y": np.float32(1.0)}, (np.float64(1.0), (2.0,)), 3.0])
def test_any_tree_of_parameters(params):
    def fun(params):
        return sum(leaf**2 for leaf in jax.tree.leaves(params))

    run = rv.minimize(fun, params, rv.sgd(0.25), steps=2)
    assert jax.tree.structure(run.params) == jax.tree.structure(params)
    jax.tree.map(lambda path, w: np.testing.assert_allclose(path, [w, w / 2, w / 4], rtol=1e-7), run.path, params)
    dtypes = jax.tree.map(lambda w: jnp.asarray(w).dtype, params)
    assert jax.tree.map(lambda w: w.dtype, run.params) == dtypes == jax.tree.map(lambda path: path.dtype, run.path)


def test_the_start_of_a_surface_is_a_start():
    run = rv.minimize(rv.landscapes.himmelblau, rv.landscapes.himmelblau.start, rv.sgd(0.01), steps=200)
    np.testing.assert_allclose(run.params, rv.landscapes.himmelblau.minima[0], rtol=1e-10)


def test_args_are_data(compiled):
    def fun(w, x, y):
        return jnp.mean((x @ w - y["target"]) ** 2)

    x, w = np.random.default_rng(0).normal(size=(20, 3)), np.zeros(3)
    run = rv.minimize(fun, w, rv.momentum(0.1), 1000, args=(x, {"target": x @ [1.0, 2.0, 3.0]}))
    np.testing.assert_allclose(run.params, [1.0, 2.0, 3.0], rtol=1e-9)
    other = 2 * x, {"target": x @ [2.0, 0.0, 2.0]}
    assert compiled(rv.minimize, fun, w, rv.momentum(0.1), 1000, args=other) == 0
    run = rv.minimize(fun, w, rv.momentum(0.1), 1000, args=other)
    np.testing.assert_allclose(run.params, [1.0, 0.0, 1.0], atol=1e-9)


@pytest.mark.parametrize("optimizer", [optax.adam(0.01), optax.lbfgs()], ids=["adam", "lbfgs"])
def test_a_second_call_with_the_same_optax_rule_compiles_nothing(optimizer, compiled):
    rv.minimize(BOWL, START, optimizer, steps=3)
    assert compiled(rv.minimize, rv.landscapes.quadratic(7.0), 2 * START, optimizer, steps=3) == 0


def test_another_tol_compiles_nothing(compiled):
    rv.minimize(BOWL, START, rv.sgd(0.1), steps=3, tol=0.1)
    assert compiled(rv.minimize, BOWL, START, rv.sgd(0.1), steps=3, tol=0.2) == 0


def test_the_objective_is_traced_once():
    traces = []

    def fun(w):
        traces.append(w)
        return BOWL(w)

    rv.minimize(fun, START, rv.sgd(0.1), steps=3)
    first = len(traces)
    rv.minimize(fun, 2 * START, rv.sgd(0.2), steps=3)
    assert len(traces) == first


def test_under_jit_and_vmap():
    def run(start):
        return rv.minimize(BOWL, start, rv.sgd(0.2), steps=30, tol=0.05)

    starts = np.array([START, 0.1 * START, np.zeros(2)])
    mapped, looped = jax.jit(jax.vmap(run))(starts), [run(start) for start in starts]
    assert len(set(mapped.stopped_at.tolist())) == 3
    for i, one in enumerate(looped):
        jax.tree.map(lambda many, one, i=i: np.testing.assert_allclose(many[i], one, 1e-13, 1e-15), mapped, one)


def test_in_float32_by_default():
    program = """
import jax, jax.numpy as jnp, numpy as np, ravine as rv
for start in ([-1.2, 1.0], (-1.2, 1.0), np.array([-1.2, 1.0])):
    for tol in (None, 1e-3):
        run = rv.minimize(lambda w: rv.landscapes.rosenbrock(jnp.asarray(w)), start, rv.nesterov(1e-3), 3000, tol=tol)
        assert {leaf.dtype for leaf in jax.tree.leaves((run.params, run.losses, run.path))} == {np.dtype("float32")}
        assert float(run.losses[-1]) < 1e-5, run.losses[-1]
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


GOOD = {"fun": BOWL, "params": START, "optimizer": rv.sgd(0.1), "steps": 3}


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"fun": 3.0}, TypeError, r"^fun = 3\.0"),
    ({"fun": lambda w: w}, ValueError, r"^fun must return a scalar loss.*\(2,\)"),
    ({"fun": lambda w: (w @ w, w)}, ValueError, "^fun must return a scalar loss"),
    ({"fun": lambda w: jnp.argmax(w)}, ValueError, "^fun must return a scalar loss, one floating-point.*int"),
    ({"fun": lambda w: w[0] + 1j}, ValueError, "^fun must return a scalar loss, one floating-point.*complex"),
    ({"fun": lambda w: None}, ValueError, "^fun must return a scalar loss.*None"),
    ({"params": np.arange(2)}, TypeError, "^params has dtype int64"),
    ({"params": {"w": [1]}}, TypeError, r"^params\['w'\]\[0\] has dtype int"),
    ({"params": "start"}, TypeError, "^params = 'start'"),
    ({"params": START * 1j}, TypeError, "^params has dtype complex128"),
    ({"optimizer": rv.sgd}, TypeError, "^optimizer = <function sgd"),
    ({"optimizer": 0.1}, TypeError, r"^optimizer = 0\.1: must be an optax\.GradientTransformation"),
    ({"steps": 0}, ValueError, "^steps = 0: must be at least 1"),
    ({"steps": -3}, ValueError, "^steps = -3"),
    ({"steps": 1.5}, TypeError, r"^steps = 1\.5: must be a whole number"),
    ({"steps": True}, TypeError, "^steps = True"),
    ({"args": [START]}, TypeError, r"^args = .*: must be a tuple"),
    ({"args": START}, TypeError, r"^args = .*: must be a tuple"),
    ({"tol": -1e-3}, ValueError, r"^tol = -0\.001"),
    ({"tol": math.nan}, ValueError, "^tol = nan"),
    ({"tol": np.ones(2)}, ValueError, r"^tol has shape \(2,\)"),
    ({"tol": "small"}, TypeError, "^tol = 'small'"),
    ({"keep_path": "yes"}, TypeError, "^keep_path = 'yes': must be True or False")])
def test_bad_input(change, error, message):
    with pytest.raises(error, match=message):
        rv.minimize(**(GOOD | change))
