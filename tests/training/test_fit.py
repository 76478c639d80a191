"""`fit` is the loop that anybody would write by hand, and refuses to be less."""

import functools
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ravine as rv

from .loop import BATCH, EPOCHS, EXAMPLES, STEPS, accept, by_hand, fit

RULE = rv.nesterov_lookahead(0.1, decay=0.7)  # it needs value_fn, on the batch at hand
equal = functools.partial(jax.tree.map, np.testing.assert_array_equal)
close = functools.partial(jax.tree.map, functools.partial(np.testing.assert_allclose, rtol=1e-11, atol=1e-13))


def test_it_is_the_loop_written_by_hand():
    accept(fit(RULE), RULE)


def order(epochs=EPOCHS, seed=0):
    return [np.random.default_rng((seed, epoch)).permutation(EXAMPLES) for epoch in range(epochs)]


def keys(steps=EPOCHS * STEPS):
    return jax.random.key_data(jax.random.split(jax.random.key(0), steps))


@pytest.mark.parametrize("slip", [
    {}, {"forget_state": True}, {"forget_model": True}, {"late": True},
    {"orders": order(1) * EPOCHS}, {"orders": [np.arange(EXAMPLES)] * EPOCHS},
    {"orders": [np.random.default_rng(epoch).integers(EXAMPLES, size=EXAMPLES) for epoch in range(EPOCHS)]},
    {"orders": [epoch[:EXAMPLES // BATCH * BATCH] for epoch in order()]},
    {"keys": [*keys(STEPS)] * EPOCHS}, {"keys": np.repeat(keys(EPOCHS), STEPS, axis=0)}],
    ids=["none", "optimizer's state anew each epoch", "model's state anew each epoch", "loss after the step",
         "one order", "no shuffling", "with replacement", "last batch dropped", "the same keys each epoch",
         "one key an epoch"])
def test_slips_are_refused(slip):
    run = by_hand(RULE, **({"orders": order(), "keys": keys()} | slip))
    if slip:
        with pytest.raises(AssertionError):
            accept(run, RULE)
    else:
        accept(run, RULE)


def test_the_key_decides():
    equal(fit(RULE, key=0), fit(RULE, key=0))
    rows = [fit(RULE, key=key).model_state["rows"].tolist() for key in range(4)]
    assert len({tuple(order) for order in rows}) == 4


def test_in_the_order_given():
    run = fit(RULE, shuffle=False)
    np.testing.assert_array_equal(run.model_state["rows"], np.tile(np.arange(EXAMPLES), EPOCHS))
    close(run, by_hand(RULE, [np.arange(EXAMPLES)] * EPOCHS, run.metrics["key"]))


def mean_square(params, batch):
    x, y = batch
    return jnp.mean((x @ params - y) ** 2)


X = np.random.default_rng(1).normal(size=(12, 3))
DATA = (X, X @ [1.0, -2.0, 0.5] + 0.1)
PLAIN = {"loss": mean_square, "params": np.zeros(3), "optimizer": RULE, "data": DATA, "batch_size": 4, "epochs": 3,
         "key": jax.random.key(0)}


def fit_plain(**change):
    return rv.fit(**(PLAIN | change))


@pytest.mark.parametrize("optimizer", [RULE, optax.lbfgs()], ids=["nesterov_lookahead", "optax.lbfgs"])
def test_the_whole_data_as_one_batch_is_minimize(optimizer):
    run = fit_plain(optimizer=optimizer, batch_size=12, epochs=7, shuffle=False)
    twin = rv.minimize(mean_square, np.zeros(3), optimizer, 7, args=(DATA,))
    assert (run.metrics, run.evaluations, run.model_state) == (None, None, None)
    close((run.params, run.losses), (twin.params, twin.losses[:-1]))


def test_a_plain_loss_is_the_long_one_without_state():
    def long(params, model_state, batch, key):
        return mean_square(params, batch), (model_state, None)

    equal(fit_plain(), fit_plain(loss=long))


def test_losses_of_other_makes():
    class Model:
        def loss(self, params, batch, power=2):
            return mean_square(params, batch)

    def anything(*args):
        return mean_square(*args)

    for loss in (Model().loss, jax.jit(mean_square), jax.tree_util.Partial(anything)):
        close(fit_plain(loss=loss), fit_plain())


def test_a_single_array_as_data():
    def variance(params, batch):
        return jnp.mean((batch - params) ** 2)

    run = fit_plain(loss=variance, params=0.0, data=X[:, 0], batch_size=12, optimizer=rv.sgd(0.5), epochs=1)
    np.testing.assert_allclose(run.params, X[:, 0].mean(), rtol=1e-14)


def test_evaluations_begin_at_the_start():
    run = fit_plain(evaluate=lambda params: (params, mean_square(params, DATA)))
    points, risks = run.evaluations
    assert points.shape == (4, 3)
    np.testing.assert_array_equal(points[np.array([0, -1])], [np.zeros(3), run.params])
    np.testing.assert_allclose(risks, [mean_square(w, DATA) for w in points], rtol=1e-13)


def test_evaluations_are_taken_where_the_rule_says():
    run = fit_plain(optimizer=rv.schedule_free(rv.sgd(0.1)), evaluate=lambda params: params)
    assert np.max(abs(run.evaluations[-1] - run.params)) > 1e-3
    np.testing.assert_allclose(run.evaluations[-1], rv.eval_params(run.optimizer_state, run.params), rtol=1e-13)


def test_the_trained_network_of_the_digits():
    x, y = rv.data.digits()
    network = rv.networks.batch_norm_mlp((64, 16, 10))
    params, state = network.init(jax.random.key(0), np.float32)

    def loss(params, state, batch, key):
        outputs, state = network.apply(params, state, batch[0], True)
        return jnp.mean(optax.losses.softmax_cross_entropy_with_integer_labels(outputs, batch[1])), (state, None)

    def accuracy(params, state):
        return jnp.mean(network.apply(params, state, x[1280:], False)[0].argmax(-1) == y[1280:])

    run = rv.fit(loss, params, rv.adam(1e-2), (x[:1280], y[:1280]), batch_size=64, epochs=5, key=jax.random.key(0),
                 model_state=state, evaluate=accuracy)
    assert run.evaluations[0] < 0.4 < 0.9 < run.evaluations[-1]
    assert {leaf.dtype for leaf in jax.tree.leaves((run.params, run.model_state, run.losses))} == {np.dtype("float32")}


def test_in_float32_by_default():
    program = """
import jax, jax.numpy as jnp, numpy as np, ravine as rv
def loss(params, batch):
    return jnp.mean((batch - params[0]) ** 2)
run = rv.fit(loss, [0.0], rv.nesterov(0.1), np.arange(7.0), batch_size=3, epochs=20, key=jax.random.key(0))
assert {leaf.dtype for leaf in (run.params[0], run.losses)} == {np.dtype("float32")}
assert 1.0 < float(run.params[0]) < 5.0, run.params
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
