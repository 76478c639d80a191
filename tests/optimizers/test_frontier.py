"""What the tables of rules do not ask of the recent ones: their twins in Optax, orthogonality, averages, bad input."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from optax import contrib

import ravine as rv
from ravine.optimizers._frontier import orthogonalised

from . import loops
from .compare import RATES, STEPS, schedule

RANDOM = np.random.default_rng(5)
START = np.array([-1.2, 1.0])


def valley(w):
    """Return a loss of a tree with a wide and a tall matrix, and arrays that are none."""
    return sum(jnp.sum(jnp.sqrt(1 + (leaf - 1) ** 2)) for leaf in jax.tree.leaves(w))


TREE = {"wide": RANDOM.normal(size=(3, 5)), "tall": [RANDOM.normal(size=(6, 2))],
        "bias": RANDOM.normal(size=4), "scale": RANDOM.normal(), "filter": RANDOM.normal(size=(2, 2, 3))}


def optax_path(rule, fun, w, **extra):
    """Return the points of a run of an Optax rule."""
    def step(carry, _):
        w, state = carry
        updates, state = rule.update(jax.grad(fun)(w), state, w, **extra)
        w = optax.apply_updates(w, updates)
        return (w, state), w

    w = jax.tree.map(jnp.asarray, w)
    return jax.jit(lambda w: jax.lax.scan(step, (w, rule.init(w)), length=STEPS)[1])(w)


def close(ours, theirs, tolerance):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x[1:], y, rtol=0, atol=tolerance), ours, theirs)


@pytest.mark.parametrize("rho", [0.05, 1.0])
@pytest.mark.parametrize("inner", [lambda: rv.momentum(0.01), lambda: optax.adam(0.01)], ids=["ours", "Optax's"])
def test_sam_is_that_of_optax(inner, rho):
    adversary = optax.chain(contrib.normalize(), optax.sgd(rho))
    theirs = contrib.sam(inner(), adversary, opaque_mode=True)
    expected = optax_path(theirs, valley, TREE, grad_fn=lambda w, _: jax.grad(valley)(w))
    close(rv.minimize(valley, TREE, rv.sam(inner(), rho), STEPS).path, expected, 1e-13)


def test_sam_by_default_in_optax_counts_the_way_uphill_as_an_update():
    theirs = contrib.sam(optax.sgd(0.001), optax.chain(contrib.normalize(), optax.sgd(0.05)))
    path = optax_path(theirs, rv.landscapes.rosenbrock, START)
    ours = rv.minimize(rv.landscapes.rosenbrock, START, rv.sam(rv.sgd(0.001), 0.05), STEPS // 2).path
    np.testing.assert_allclose(path[1::2], ours[1:], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(path[0::2] - ours[:-1], axis=1), 0.05)


def test_sam_stays_where_there_is_no_slope_and_sees_large_ones():
    assert rv.minimize(lambda w: jnp.sum(w**2), jnp.zeros(3), rv.sam(rv.sgd(0.1)), 1).params.tolist() == [0.0] * 3
    steep = rv.minimize(lambda w: 1e25 * jnp.sum(w**2), jnp.ones(1, jnp.float32), rv.sam(rv.sgd(1e-27), 1.0), 1)
    np.testing.assert_allclose(steep.params, 1 - 1e-27 * 1e25 * 4, rtol=1e-6)


def test_sam_with_another_radius_compiles_nothing(compiled):
    def run(rho):
        return rv.minimize(rv.landscapes.rosenbrock, START, rv.sam(rv.adam(0.01), rho), 4).path

    paths = [run(rho) for rho in (0.0, 0.3)]
    assert compiled(run, 0.4) == 0
    np.testing.assert_allclose(jax.vmap(run)(jnp.array([0.0, 0.3])), paths, rtol=1e-12)
    np.testing.assert_array_equal(paths[0], rv.minimize(rv.landscapes.rosenbrock, START, rv.adam(0.01), 4).path)


@pytest.mark.parametrize("rate", [0.05, schedule], ids=["constant", "schedule"])
@pytest.mark.parametrize("numbers", [
    {}, {"nesterov": False}, {"decay": 0.0}, {"decay": 0.5, "weight_decay": 0.2}], ids=str)
def test_muon_is_its_loop_on_matrices_and_adam_elsewhere(rate, numbers):
    path = rv.minimize(valley, TREE, rv.muon(rate, **numbers), STEPS).path
    rates = RATES if callable(rate) else np.full(STEPS, rate)
    for seen, start in ((path["wide"], TREE["wide"]), (path["tall"][0], TREE["tall"][0])):
        expected = list(loops.muon(lambda w: (w - 1) / np.sqrt(1 + (w - 1) ** 2), start, rates, **numbers))
        # Newton-Schulz enlarges a relative error of a small singular value by 3.4445⁵ at most; 30 steps carry it on.
        # The error is that of sums of as many products as a matrix has columns or rows.
        rounding = max(start.shape) * 2**-52
        np.testing.assert_allclose(seen[1:], expected, rtol=0, atol=3.4445**5 * STEPS * rounding)
    rest = {name: TREE[name] for name in ("bias", "scale", "filter")}
    expected = rv.minimize(valley, rest, rv.adam(rate), STEPS).path
    jax.tree.map(np.testing.assert_array_equal, {name: path[name] for name in rest}, expected)


@pytest.mark.parametrize("numbers", [{}, {"weight_decay": 0.2}], ids=str)
def test_muon_without_nesterov_is_that_of_optax(numbers):
    matrices = {"wide": TREE["wide"], "tall": TREE["tall"]}
    ours = rv.minimize(valley, matrices, rv.muon(0.05, nesterov=False, **numbers), STEPS).path
    # Optax adds 1e-8 to a norm of about 1, which Newton-Schulz enlarges.
    close(ours, optax_path(contrib.muon(0.05, nesterov=False, **numbers), valley, matrices), 1e-8 * 3.4445**5 * 0.05)
    corrected = optax_path(contrib.muon(0.05), valley, matrices)
    uncorrected = rv.minimize(valley, matrices, rv.muon(0.05), STEPS).path
    assert np.max(abs(uncorrected["wide"][1:] - corrected["wide"])) > 1e-3  # NAdam's correction of the first steps


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (1, 5)])
def test_singular_values_near_one(shape):
    left, _, right = np.linalg.svd(RANDOM.normal(size=shape), full_matrices=False)
    spectrum = np.geomspace(1 / 500, 1, len(right))
    seen = orthogonalised(jnp.asarray(1e30 * (left * (spectrum / np.linalg.norm(spectrum))) @ right))
    stretched = left.T @ seen @ right.T
    np.testing.assert_allclose(stretched, np.diag(np.diag(stretched)), atol=1e-12)
    assert np.all(np.diag(stretched) > 0.68)
    assert np.all(np.diag(stretched) < 1.21)
    np.testing.assert_array_equal(orthogonalised(jnp.zeros(shape)), 0.0)


def test_muon_with_another_rule_for_the_rest():
    path = rv.minimize(valley, TREE, rv.muon(0.05, otherwise=rv.sgd(0.3)), 3).path
    expected = rv.minimize(valley, TREE["bias"], rv.sgd(0.3), 3).path
    np.testing.assert_allclose(path["bias"], expected, rtol=1e-14)


@pytest.mark.parametrize(("inner", "theirs"), [
    (rv.sgd, optax.sgd), (functools.partial(rv.adam, b1=0.0), functools.partial(optax.adam, b1=0.0))],
    ids=["sgd", "adam"])
@pytest.mark.parametrize("b1", [0.5, 0.9, 1.0])
def test_schedule_free_is_that_of_optax(inner, theirs, b1):
    ours = rv.minimize(valley, TREE, rv.schedule_free(inner(0.1), b1=b1), STEPS).path
    close(ours, optax_path(contrib.schedule_free(theirs(0.1), 0.1, b1), valley, TREE), 1e-13)


def warm_up(step):
    return 0.1 * jnp.minimum(1.0, (step + 1) / 10)


def test_schedule_free_reads_the_schedule_with_its_optimizer_and_optax_one_step_ahead():
    ours = rv.minimize(valley, TREE, rv.schedule_free(rv.sgd(warm_up), warm_up), STEPS).path
    ahead = optax_path(contrib.schedule_free(optax.sgd(warm_up), warm_up), valley, TREE)
    level = optax_path(contrib.schedule_free(optax.sgd(warm_up), lambda step: warm_up(step - 1)), valley, TREE)
    close(ours, level, 1e-13)
    assert np.max(abs(ours["bias"][1:] - ahead["bias"])) > 1e-3


def test_the_parameters_to_evaluate_are_the_weighted_mean_of_the_iterates():
    rule, w = optax.chain(rv.clip_by_norm(100.0), rv.schedule_free(rv.sgd(schedule), schedule)), jnp.asarray(START)
    state, z = rule.init(w), []
    for _ in range(STEPS):
        updates, state = rule.update(w - 1, state, w)
        w = optax.apply_updates(w, updates)
        z.append(state[1].z)
    np.testing.assert_allclose(rv.eval_params(state, w), np.average(z, axis=0, weights=RATES**2), rtol=1e-13)
    assert jnp.all(rv.eval_params(rv.adam(0.1).init(w), w) == w)


def test_a_schedule_that_begins_at_zero_moves_nothing_at_first():
    from_zero = rv.schedules.cosine_with_warmup(0.1, warmup_steps=3, total_steps=10)
    path = rv.minimize(valley, TREE, rv.schedule_free(rv.sgd(from_zero), from_zero), 5).path
    np.testing.assert_allclose(path["bias"][1], TREE["bias"], rtol=1e-15)
    assert np.isfinite(path["bias"]).all()


@pytest.mark.parametrize(("make", "name", "error"), [
    (lambda: rv.sam(0.1), "optimizer", TypeError), (lambda: rv.sam(rv.sgd(0.1), -1.0), "rho", ValueError),
    (lambda: rv.sam(rv.sgd(0.1), None), "rho", TypeError), (lambda: rv.muon(0.1, 1.0), "decay", ValueError),
    (lambda: rv.muon(0.1, nesterov=0.9), "nesterov", TypeError),
    (lambda: rv.muon(0.1, weight_decay=-1.0), "weight_decay", ValueError),
    (lambda: rv.muon(0.1, otherwise="adam"), "otherwise", TypeError),
    (lambda: rv.schedule_free(0.1), "optimizer", TypeError),
    (lambda: rv.schedule_free(rv.sgd(0.1), b1=0.0), "b1", ValueError),
    (lambda: rv.schedule_free(rv.sgd(0.1), -0.1), "learning_rate", ValueError)])
def test_bad_input(make, name, error):
    with pytest.raises(error, match=rf"(?s)^{name} .*must "):
        make()


def test_what_an_update_needs():
    w = jnp.ones((2, 2))
    for rule, message in ((rv.sam(rv.sgd(0.1)), "sam: update needs params and value_fn="),
                          (rv.muon(0.1), "params = None: this rule uses the parameters"),
                          (rv.schedule_free(rv.sgd(0.1)), "params = None: schedule_free averages the parameters")):
        with pytest.raises(TypeError, match=rf"^{message}"):
            rule.update(w, rule.init(w))
    with pytest.raises(ValueError, match=r"^params has shape \(3,\), state has shape \(2, 2\)"):
        rv.eval_params(rv.schedule_free(rv.sgd(0.1)).init(w), jnp.ones(3))
