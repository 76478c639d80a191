"""`sweep` is a loop of single runs in one program."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ravine as rv

START = np.array([-1.2, 1.0])
BOWL = rv.landscapes.quadratic(5.0)
RATES = np.geomspace(1e-3, 1e3, 13)  # those from 2/5 on diverge


def train(optimizer):
    return rv.minimize(BOWL, START, optimizer, steps=200)


def momentum(value):
    rate, decay = value
    return rv.momentum(rate, decay=decay)


def adam(value):
    return rv.adam(value["rate"], b1=value["b"][0], b2=value["b"][1])


def inverse_time(rate):
    return optax.sgd(lambda step: rate / (1 + step))


@pytest.mark.parametrize(("make_optimizer", "values"), [
    (rv.sgd, RATES), (momentum, (RATES[:4], np.array([0.0, 0.5, 0.9, 0.99]))),
    (adam, {"rate": RATES[:3], "b": np.array([[0.9, 0.999], [0.5, 0.9], [0.0, 0.0]])}), (inverse_time, RATES[:2])],
    ids=["array", "tuple", "dict", "optax"])
def test_it_is_a_loop_of_runs(make_optimizer, values):
    runs = rv.sweep(make_optimizer, values, train)
    for i in range(len(jax.tree.leaves(values)[0])):
        one = train(make_optimizer(jax.tree.map(lambda array, i=i: jnp.asarray(array[i]), values)))
        jax.tree.map(lambda many, one, i=i: np.testing.assert_allclose(many[i], one, rtol=1e-10, atol=1e-14), runs, one)


def test_a_list_of_numbers_is_an_array_of_them():
    jax.tree.map(np.testing.assert_array_equal,
                 rv.sweep(rv.sgd, RATES.tolist(), train), rv.sweep(rv.sgd, RATES, train))


def test_runs_that_diverge_are_rows_like_others():
    runs = rv.sweep(rv.sgd, RATES, train)
    assert runs.path.shape == (13, 201, 2)
    # ((5η − 1)²⁰⁰)² leaves float64 between η = 1 and η = √10.
    np.testing.assert_array_equal(np.isfinite(runs.losses[:, -1]), RATES < 2)
    np.testing.assert_array_equal(runs.losses[:, -1] < runs.losses[:, 0], RATES < 2 / 5)


@pytest.mark.parametrize("together", [1, 2, 5, 12, 13, 100])
def test_any_number_of_runs_side_by_side(together):
    def end(optimizer):
        return rv.minimize(BOWL, START, optimizer, steps=3).params

    expected = START * (1 - RATES[:, None] * np.array([1.0, 5.0])) ** 3
    np.testing.assert_allclose(rv.sweep(rv.sgd, RATES, end, together=together), expected, rtol=1e-11, atol=1e-15)


def mean_square(params, batch):
    x, y = batch
    return jnp.mean((x @ params["w"] - y) ** 2)


X = np.random.default_rng(0).normal(size=(10, 2)).astype(np.float32)
Y = X @ np.array([1.0, -2.0], np.float32)


def fit(optimizer):
    return rv.fit(mean_square, {"w": np.zeros(2, np.float32)}, optimizer, (X, Y), batch_size=4, epochs=2,
                  key=jax.random.key(0), evaluate=lambda params: mean_square(params, (X, Y)))


def test_of_a_fit_in_float32():
    rates = np.array([0.1, 0.3, 1e30])
    runs = rv.sweep(rv.sgd, rates, fit)
    assert runs.stopped_at.tolist()[:2] == [6, 6]
    assert runs.stopped_at[2] < 6
    assert {leaf.dtype for leaf in (runs.params["w"], runs.losses, runs.evaluations)} == {np.dtype("float32")}
    for i, rate in enumerate(rates):  # six steps of some ten roundings by 2⁻²⁴ each, to numbers of size 1
        jax.tree.map(lambda many, one, i=i: np.testing.assert_allclose(many[i], one, rtol=4e-6, atol=4e-6), runs,
                     fit(rv.sgd(rate)))


def test_one_program_for_all_values_of_a_shape(compiled):
    traced = []

    def train(optimizer):
        traced.append(optimizer)
        return rv.minimize(BOWL, START, optimizer, steps=3).losses

    rv.sweep(momentum, (RATES, np.full(13, 0.9)), train)
    first = len(traced)
    assert first <= 2  # not once a value
    assert compiled(rv.sweep, momentum, (2 * RATES, np.full(13, 0.5)), train) == 0
    assert len(traced) == first
    assert compiled(rv.sweep, momentum, (RATES[:5], np.full(5, 0.5)), train) >= 1


def test_under_jit():
    inside = jax.jit(lambda rates: rv.sweep(rv.sgd, rates, train))(RATES[:3])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12), inside, rv.sweep(rv.sgd, RATES[:3], train))


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"make_optimizer": rv.sgd(0.1)}, TypeError, r"^make_optimizer = .*: must be a function"),
    ({"make_optimizer": lambda rate: rate}, TypeError, r"^make_optimizer\(0\.1\) = 0\.1: must be an optax.GradientTra"),
    ({"train": 3}, TypeError, "^train = 3: must be a function"),
    ({"values": np.array([0.1, -0.2])}, ValueError, r"^learning_rate = -0\.2: must be in \[0, inf\)"),
    ({"values": np.array([np.nan])}, ValueError, r"^learning_rate = nan"),
    ({"values": 0.1}, ValueError, r"^values = 0\.1: must be an array, with a first axis"),
    ({"values": (0.1, 0.2)}, ValueError, r"^values\[0\] = 0\.1: must be an array, with a first axis"),
    ({"values": [0.1, -0.2]}, ValueError, r"^learning_rate = -0\.2: must be in \[0, inf\)"),
    ({"values": [0.1, "fast"]}, TypeError, r"^values = .*: must be an array of numbers"),
    ({"values": "all"}, TypeError, "^values = 'all': must be an array of numbers"),
    ({"values": np.zeros(0)}, ValueError, r"^values has arrays of \[0\] rows"),
    ({"values": ()}, ValueError, r"^values has arrays of \[\] rows"),
    ({"values": (np.ones(2), np.ones(3))}, ValueError, r"^values has arrays of \[2, 3\] rows"),
    ({"together": 0}, ValueError, "^together = 0: must be at least 1"),
    ({"together": 2.0}, TypeError, r"^together = 2\.0: must be a whole number")])
def test_bad_input(change, error, message):
    with pytest.raises(error, match=f"(?s){message}"):
        rv.sweep(**({"make_optimizer": rv.sgd, "values": np.array([0.1]), "train": train} | change))
