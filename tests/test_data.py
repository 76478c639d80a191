"""The data are what they say, the same every time, and need no network."""

import socket

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ravine as rv

TOYS = {"circles": rv.data.circles, "moons": rv.data.moons, "xor": rv.data.xor, "spirals": rv.data.spirals}
each_toy = pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS)
EVERY = TOYS | {"digits": rv.data.digits, "mnist1d": lambda: rv.data.mnist1d(200)}


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    def refuse(*_):
        raise OSError("the data must need no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_arrays_of_one_kind_and_the_same_every_time(make):
    x, y = make()
    assert (x.dtype, y.dtype) == (np.float32, np.int32)
    assert x.ndim == 2
    assert y.shape == (len(x),)
    assert sorted(set(y.tolist())) == list(range(y.max() + 1))
    for first, again in zip((x, y), make(), strict=True):
        np.testing.assert_array_equal(first, again)


def test_digits():
    x, y = rv.data.digits()
    assert x.shape == (1797, 64)
    assert (x.min(), x.max()) == (0.0, 1.0)
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_mnist1d_leaves_the_global_generators_alone():
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.random(3)  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    x, y = rv.data.mnist1d(500, seed=1)
    np.testing.assert_array_equal(np.random.random(3), expected)  # noqa: NPY002
    assert x.shape == (500, 40)
    assert np.bincount(y).tolist() == [50] * 10
    np.testing.assert_allclose([x.mean(dtype=float), x.std(dtype=float)], [0, 1], atol=1e-6)
    assert not np.array_equal(rv.data.mnist1d(500, seed=2)[0], x)


@each_toy
def test_toys_are_balanced_shuffled_and_change_with_the_seed(toy):
    x, y = toy(samples=121)
    counts = np.bincount(y)
    assert counts.max() - counts.min() <= 1
    assert np.any(np.diff(y) < 0)
    assert not np.array_equal(toy(samples=121, seed=1)[0], x)


def test_where_the_toys_lie_without_noise():
    x, y = rv.data.circles(noise=0)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), np.where(y == 0, 1, 0.5), rtol=1e-6)
    x, y = rv.data.moons(noise=0)
    np.testing.assert_allclose(np.linalg.norm(x - np.where(y[:, None] == 0, 0.0, [1.0, 0.5]), axis=1), 1, rtol=1e-6)
    assert (x[y == 0, 1] >= 0).all()
    assert (x[y == 1, 1] <= 0.5).all()
    x, y = rv.data.xor(noise=0)
    np.testing.assert_array_equal(x[:, 0] * x[:, 1] < 0, y == 1)
    x, y = rv.data.spirals(noise=0, classes=4, turns=1.5)
    radius, angle = np.linalg.norm(x, axis=1), np.arctan2(x[:, 1], x[:, 0])
    assert radius.max() <= 1 + 1e-6
    around = (angle / (2 * np.pi) - 1.5 * radius - y / 4) % 1
    np.testing.assert_allclose(np.minimum(around, 1 - around), 0, atol=1e-5)


@each_toy
def test_the_noise_is_normal_noise_of_its_size(toy):
    shaken, still = toy(samples=4000, noise=0.3)[0].astype(float), toy(samples=4000, noise=0)[0]
    noise = shaken - still
    assert abs(np.mean(noise)) < 4 * 0.3 / np.sqrt(8000)
    assert abs(np.std(noise) / 0.3 - 1) < 4 / np.sqrt(2 * 8000)


def test_the_true_risk_is_the_expectation():
    problem = rv.data.linear_problem(dimension=4, noise=0.7, condition_number=9.0, seed=3)
    w, b = np.array([0.5, -1.0, 2.0, 0.0]), 0.3
    x, y = problem.sample(200_000, seed=1)
    squares = (x @ w + b - y) ** 2
    assert abs(squares.mean() - problem.risk(w, b)) < 4 * squares.std() / np.sqrt(squares.size)
    assert problem.risk(problem.weights, problem.bias) == 0.7**2
    covariance = jax.hessian(problem.risk)(jnp.asarray(w), b) / 2
    np.testing.assert_allclose(covariance, np.diag(9.0 ** (np.arange(4) / 3)), rtol=1e-14)


def test_risk_in_float32_stays_there():
    problem = rv.data.linear_problem(3)
    with jax.numpy_dtype_promotion("strict"):
        assert jax.jit(problem.risk)(jnp.ones(3, jnp.float32)).dtype == jnp.float32


def test_a_split_is_a_partition():
    x, y = np.arange(101)[:, None] * [1.0, 2.0], np.arange(101)
    parts = rv.data.split(x, y, fractions=(0.5, 0.2, 0.3), seed=4)
    assert [len(part[1]) for part in parts] == [50, 21, 30]
    assert sorted(np.concatenate([part[1] for part in parts])) == list(range(101))
    for inputs, labels in (parts.train, parts.validation, parts.test):
        np.testing.assert_array_equal(inputs, x[labels])
    again, other = (rv.data.split(y, fractions=(0.5, 0.2, 0.3), seed=seed) for seed in (4, 5))
    np.testing.assert_array_equal(again.train[0], parts.train[1])
    assert not np.array_equal(other.train[0], parts.train[1])


def test_orders():
    y = rv.data.spirals(samples=300, classes=3)[1]
    order = rv.data.sorted_order(y)
    np.testing.assert_array_equal(y[order], np.repeat([0, 1, 2], 100))
    assert (np.diff(order[:100]) > 0).all()
    order = rv.data.balanced_order(y, seed=1)
    assert sorted(order) == list(range(300))
    np.testing.assert_array_equal(np.sort(y[order].reshape(100, 3), 1), np.broadcast_to([0, 1, 2], (100, 3)))
    assert len({tuple(turn) for turn in y[order].reshape(100, 3)}) == 6
    assert not np.array_equal(rv.data.balanced_order(y, seed=2), order)
    assert set(rv.data.balanced_order([0, 0, 0, 1])[:2]) > {3}


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: rv.data.mnist1d(55), ValueError, "^samples = 55: must be a multiple of 10"),
    (lambda: rv.data.mnist1d(100, seed=-1), ValueError, "^seed = -1"),
    (lambda: rv.data.circles(1), ValueError, "^samples = 1: must be at least 2"),
    (lambda: rv.data.moons(noise=-0.1), ValueError, r"^noise = -0\.1"),
    (lambda: rv.data.xor(seed=0.5), TypeError, r"^seed = 0\.5"),
    (lambda: rv.data.spirals(classes=1), ValueError, "^classes = 1"),
    (lambda: rv.data.spirals(turns=0), ValueError, r"^turns = 0\.0"),
    (lambda: rv.data.linear_problem(0), ValueError, "^dimension = 0"),
    (lambda: rv.data.linear_problem(condition_number=0.5), ValueError, "^condition_number"),
    (lambda: rv.data.linear_problem(3).sample(0), ValueError, "^samples = 0"),
    (lambda: rv.data.linear_problem(3).risk(np.ones(2)), ValueError, r"^weights has shape \(2,\)"),
    (lambda: rv.data.linear_problem(3).risk(np.arange(3)), TypeError, "^weights has dtype int64"),
    (lambda: rv.data.split(), ValueError, "^arrays have"),
    (lambda: rv.data.split(np.ones(3), np.ones(4)), ValueError, r"^arrays have \[3, 4\] rows"),
    (lambda: rv.data.split(np.ones(3), fractions=(0.5, 0.6, -0.1)), ValueError, "^fractions ="),
    (lambda: rv.data.split(np.ones(3), fractions=(0.5, 0.6, 0.1)), ValueError, "^fractions ="),
    (lambda: rv.data.sorted_order(np.ones((3, 2))), ValueError, r"^y has shape \(3, 2\)"),
    (lambda: rv.data.balanced_order(1), ValueError, r"^y has shape \(\)")])
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
