"""The distributions of starting weights: their moments, their twins in jax.nn, and orthogonality."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ravine import initializers

KEY = jax.random.key(7)
NORMAL, UNIFORM = "normal", "uniform"
# The fourth moment of a standard normal and a standard uniform number, and the eighth.
FOURTH, EIGHTH = {NORMAL: 3.0, UNIFORM: 9 / 5}, {NORMAL: 105.0, UNIFORM: 9.0}
SHAPES = [(40, 900), (900, 40), (300, 300), (3, 3, 16, 400)]


def fans(shape):
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


# The initializer, its distribution, and its variance as the lecture writes it.
RANDOM = {
    "normal": (initializers.normal(0.3), NORMAL, lambda fan_in, fan_out: 0.3**2),
    "fan_in_normal": (initializers.fan_in_normal(), NORMAL, lambda fan_in, fan_out: 1 / fan_in),
    "kaiming_normal": (initializers.kaiming_normal(), NORMAL, lambda fan_in, fan_out: 2 / fan_in),
    "kaiming_uniform": (initializers.kaiming_uniform(), UNIFORM, lambda fan_in, fan_out: 2 / fan_in),
    "sigmoid_xavier_uniform": (initializers.sigmoid_xavier_uniform(), UNIFORM,
                               lambda fan_in, fan_out: 16 * 2 / (fan_in + fan_out)),
    **{f"xavier_uniform, gain {gain}": (initializers.xavier_uniform(gain), UNIFORM,
                                        lambda fan_in, fan_out, gain=gain: gain**2 * 2 / (fan_in + fan_out))
       for gain in (1.0, 0.5, 5 / 3)},
    **{f"xavier_normal, gain {gain}": (initializers.xavier_normal(gain), NORMAL,
                                       lambda fan_in, fan_out, gain=gain: gain**2 * 2 / (fan_in + fan_out))
       for gain in (1.0, 0.5, 5 / 3)},
}


def deviation(initializer, distribution, variance, shape):
    """Return by how many standard errors the moments of one draw miss those of a distribution. Right: below 5.

    A mean of n numbers xᵏ has the variance (E x²ᵏ − (E xᵏ)²) / n. Past 5 standard errors a right one comes once in a
    million draws.
    """
    x = np.asarray(initializer(KEY, shape, jnp.float64)).ravel() / math.sqrt(variance(*fans(shape)))
    moments = {1: 0.0, 2: 1.0, 3: 0.0, 4: FOURTH[distribution]}
    squares = {1: 1.0, 2: FOURTH[distribution], 3: {NORMAL: 15.0, UNIFORM: 27 / 7}[distribution],
               4: EIGHTH[distribution]}
    return max(abs(np.mean(x**k) - moments[k]) / math.sqrt((squares[k] - moments[k] ** 2) / x.size) for k in moments)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("row", RANDOM.values(), ids=RANDOM)
def test_moments(row, shape):
    assert deviation(*row, shape) < 5


@pytest.mark.parametrize("row", RANDOM.values(), ids=RANDOM)
def test_rows_and_columns_are_alike_and_independent(row):
    # The product of two of 40 columns (rows), divided by n = 900, is a mean of n numbers of variance 1. 780 of them.
    initializer, _, variance = row
    for shape in ((900, 40), (40, 900)):
        x = initializer(KEY, shape, jnp.float64) / math.sqrt(variance(*shape))
        gram = (x.T @ x if shape[0] == 900 else x @ x.T) / 900
        assert np.max(abs(gram[np.triu_indices(40, 1)])) < 6 / math.sqrt(900)


@pytest.mark.parametrize("name", [name for name, row in RANDOM.items() if row[1] == UNIFORM])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_bounds_of_uniform_weights(name, shape):
    initializer, _, variance = RANDOM[name]
    bound, w = math.sqrt(3 * variance(*fans(shape))), initializer(KEY, shape, jnp.float64)
    assert jnp.max(abs(w)) <= bound * (1 + 1e-15)
    assert jnp.max(abs(w)) > bound * (1 - 20 / w.size)  # all of n numbers are below that once in e²⁰


scaling = jax.nn.initializers.variance_scaling
WRONG = {
    "the deviation for the variance": ("kaiming_normal", lambda key, shape, dtype: scaling(1, "fan_in", NORMAL)(
        key, shape, dtype) * 2 / math.sqrt(fans(shape)[0])),
    "fan out": ("kaiming_normal", scaling(2, "fan_out", NORMAL)),
    "1 for 2": ("kaiming_normal", initializers.fan_in_normal()),
    "truncated": ("kaiming_normal", scaling(2, "fan_in", "truncated_normal")),
    "uniform": ("kaiming_normal", initializers.kaiming_uniform()),
    "3 for 6": ("kaiming_uniform", scaling(1, "fan_in", UNIFORM)),
    "PyTorch's default": ("kaiming_uniform", scaling(1 / 3, "fan_in", UNIFORM)),
    "the sum of the fans": ("xavier_uniform, gain 1.0", scaling(0.5, "fan_avg", UNIFORM)),
    "the geometric mean": ("xavier_normal, gain 1.0", scaling(1.0, "fan_geo_avg", NORMAL)),
    "the gain unsquared": ("xavier_normal, gain 0.5", scaling(0.5, "fan_avg", NORMAL)),
    "glorot_normal": ("xavier_normal, gain 1.0", jax.nn.initializers.glorot_normal()),
    "4 in the variance": ("sigmoid_xavier_uniform", scaling(4, "fan_avg", UNIFORM)),
    "the variance as the deviation": ("normal", jax.nn.initializers.normal(0.3**2)),
    "from 0 up": ("kaiming_uniform", lambda key, shape, dtype: abs(initializers.kaiming_uniform()(key, shape, dtype))),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_moments_refuse(name):
    row, wrong = WRONG[name]
    _, distribution, variance = RANDOM[row]
    assert max(deviation(wrong, distribution, variance, shape) for shape in SHAPES[:2]) > 5


TWINS = {
    "normal": (initializers.normal(0.3), jax.nn.initializers.normal(0.3)),
    "fan_in_normal": (initializers.fan_in_normal(), scaling(1, "fan_in", NORMAL)),
    "kaiming_normal": (initializers.kaiming_normal(), scaling(2, "fan_in", NORMAL)),
    "kaiming_uniform": (initializers.kaiming_uniform(), jax.nn.initializers.he_uniform()),
    "xavier_uniform": (initializers.xavier_uniform(), jax.nn.initializers.glorot_uniform()),
    "xavier_uniform, gain": (initializers.xavier_uniform(1.5), scaling(2.25, "fan_avg", UNIFORM)),
    "xavier_normal": (initializers.xavier_normal(), scaling(1, "fan_avg", NORMAL)),
    "sigmoid_xavier_uniform": (initializers.sigmoid_xavier_uniform(), scaling(16, "fan_avg", UNIFORM)),
    "orthogonal": (initializers.orthogonal(1.5), jax.nn.initializers.orthogonal(1.5)),
    "zeros": (initializers.zeros, jax.nn.initializers.zeros),
    "constant": (initializers.constant(42.0), jax.nn.initializers.constant(42.0)),
}


@pytest.mark.parametrize(("ours", "theirs"), TWINS.values(), ids=TWINS)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_same_key_twins(ours, theirs, dtype):
    np.testing.assert_array_equal(ours(KEY, (2, 3, 4), dtype), theirs(KEY, (2, 3, 4), dtype))


@pytest.mark.parametrize("ours", [pair[0] for pair in TWINS.values()], ids=TWINS)
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float32])
def test_the_type_asked_for(ours, dtype):
    w = jax.jit(functools.partial(ours, shape=(4, 3), dtype=dtype))(KEY)
    assert w.dtype == dtype
    assert w.shape == (4, 3)
    assert ours(KEY, (4, 3)).dtype == float


@pytest.mark.parametrize("shape", [(7, 7), (9, 4), (4, 9), (1, 5), (2, 3, 4)])
@pytest.mark.parametrize("gain", [1.0, 0.5, math.sqrt(2)])
def test_orthogonal(shape, gain):
    w = initializers.orthogonal(gain)(KEY, shape, jnp.float64).reshape(-1, shape[-1])
    gram = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(gram, gain**2 * np.eye(len(gram)), rtol=0, atol=20 * gain**2 * 2**-52)


def test_orthogonal_matrices_have_no_preferred_direction():
    # The entries of one column are uniform on the sphere: mean 0, mean square 1/n. Householder's signs would show here.
    keys = jax.random.split(KEY, 400)
    w = jax.vmap(lambda key: initializers.orthogonal(1.0)(key, (3, 3), jnp.float64))(keys)
    assert np.max(abs(w.mean(0))) < 5 * math.sqrt(1 / 3 / 400)
    assert abs(np.mean(jnp.linalg.det(w) > 0) - 0.5) < 5 * 0.5 / math.sqrt(400)


@pytest.mark.parametrize(("make", "name", "error"), [
    (lambda: initializers.constant("42"), "value", TypeError),
    (lambda: initializers.constant(math.nan), "value", ValueError),
    (lambda: initializers.normal(-1.0), "stddev", ValueError),
    (lambda: initializers.normal(None), "stddev", TypeError),
    (lambda: initializers.xavier_uniform(0.0), "gain", ValueError),
    (lambda: initializers.xavier_normal("relu"), "gain", TypeError),
    (lambda: initializers.orthogonal(-1.0), "gain", ValueError),
    (lambda: initializers.kaiming_normal()(KEY, (3,)), "shape", ValueError),
    (lambda: initializers.orthogonal()(KEY, ()), "shape", ValueError),
    (lambda: initializers.xavier_uniform()(KEY, 3), "shape", TypeError),
    (lambda: initializers.normal(0.1)(0, (3, 2)), "key", TypeError),
    (lambda: initializers.kaiming_normal()(jnp.zeros(2), (3, 2)), "key", TypeError),
    (lambda: initializers.orthogonal()(jax.random.split(KEY), (3, 2)), "key", TypeError),
    (lambda: initializers.zeros(KEY, (3, 2.0)), r"shape\[1\]", TypeError),
    (lambda: initializers.kaiming_uniform()(KEY, (0, 3)), r"shape\[0\]", ValueError),
    (lambda: initializers.fan_in_normal()(KEY, (3, 2), int), "dtype", TypeError),
    (lambda: initializers.zeros(KEY, (3, 2), jnp.complex64), "dtype", TypeError)])
def test_bad_input(make, name, error):
    with pytest.raises(error, match=rf"(?s)^{name} .*must "):
        make()
