"""What `curvature` computes exactly: Hessians, products, eigenvalues, critical points, steps."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ravine as rv
from curvature_cases import (
    DIFFERENCES,
    NETWORK,
    SINGLE,
    V,
    X,
    Y,
    flat,
    gauss_newton_error,
    hvp_error,
    network_loss,
    predict,
    softmax_loss,
)
from ravine import curvature

KEY = jax.random.key(0)
SINGLE_DATA = np.float32(X), np.float32(Y)

# Every function of the module, on the network: parameters, data -> result
CALLS = {
    "hessian": lambda w, data: curvature.hessian(network_loss, w, args=data),
    "hvp": lambda w, data: curvature.hvp(network_loss, w, V, args=data),
    "gauss_newton_vp": lambda w, data: curvature.gauss_newton_vp(predict, softmax_loss, w, V, args=data),
    "eigenvalues": lambda w, data: curvature.eigenvalues(network_loss, w, args=data),
    "condition_number": lambda w, data: curvature.condition_number(network_loss, w, args=data),
    "step_diagnostics": lambda w, data: curvature.step_diagnostics(network_loss, w, 0.1, args=data),
    "sharpness": lambda w, data: curvature.sharpness(network_loss, w, steps=4, args=data),
    "spectral_density": lambda w, data: curvature.spectral_density(network_loss, w, key=KEY, probes=2, steps=3,
                                                                   args=data),
    "hessian_trace": lambda w, data: curvature.hessian_trace(network_loss, w, key=KEY, probes=3, args=data),
    "hessian_diagonal": lambda w, data: curvature.hessian_diagonal(network_loss, w, key=KEY, probes=3, args=data),
}
LIKE_PARAMETERS = {"hvp": lambda found: found, "gauss_newton_vp": lambda found: found,
                   "hessian_diagonal": lambda found: found.value}


@pytest.mark.parametrize("name", CALLS)
def test_any_tree_without_promotion_and_compiled_once(name, compiled):
    call = CALLS[name]
    found = call(SINGLE, SINGLE_DATA)
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} - {np.dtype(bool)} == {np.dtype("float32")}
    if name in LIKE_PARAMETERS:
        assert jax.tree.map(jnp.shape, LIKE_PARAMETERS[name](found)) == jax.tree.map(jnp.shape, SINGLE)
    other = jax.tree.map(lambda w: 2 * w, SINGLE)
    assert compiled(call, other, (SINGLE_DATA[1] @ np.ones((2, 3), np.float32), SINGLE_DATA[1])) == 0


@pytest.mark.parametrize("name", ["hvp", "step_diagnostics", "sharpness", "hessian_diagonal"])
def test_under_jit_and_vmap(name):
    two = jax.tree.map(lambda w: np.stack([w, 2 * w]), NETWORK)
    mapped = jax.jit(jax.vmap(lambda w: CALLS[name](w, (X, Y))))(two)
    for i in range(2):
        one = CALLS[name](jax.tree.map(lambda w, i=i: w[i], two), (X, Y))
        jax.tree.map(lambda many, one, i=i: np.testing.assert_allclose(many[i], one, atol=1e-10), mapped, one)


def test_hessian_of_least_squares_is_the_gram_matrix():
    x, y = np.random.default_rng(1).normal(size=(9, 4)), np.ones(9)

    def squares(w, x, y):
        return jnp.sum((x @ w - y) ** 2) / 2

    np.testing.assert_allclose(curvature.hessian(squares, np.ones(4), args=(x, y)), x.T @ x, rtol=1e-13)
    found = curvature.eigenvalues(squares, np.ones(4), args=(x, y))
    np.testing.assert_allclose(found, np.linalg.svd(x)[1][::-1] ** 2, rtol=1e-12)
    np.testing.assert_allclose(curvature.condition_number(squares, np.ones(4), args=(x, y)), np.linalg.cond(x) ** 2)
    np.testing.assert_allclose(curvature.sharpness(squares, np.ones(4), args=(x, y)), found[-1], rtol=1e-13)


@pytest.mark.parametrize(("x", "y"), [(-1.2, 1.0), (1.0, 1.0), (0.3, -2.0)])
def test_hessian_of_rosenbrock(x, y):
    expected = [[1200 * x**2 - 400 * y + 2, -400 * x], [-400 * x, 200]]
    found = curvature.hessian(lambda p: rv.landscapes.rosenbrock(jnp.stack([p["x"], p["y"]])), {"x": x, "y": y})
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_hessian_of_a_network_is_how_its_gradient_changes():
    found = CALLS["hessian"](NETWORK, (X, Y))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(found, DIFFERENCES, atol=1e-9)
    v = flat(V)
    np.testing.assert_allclose(flat(CALLS["hvp"](NETWORK, (X, Y))), found @ v, atol=1e-13)
    np.testing.assert_allclose(CALLS["eigenvalues"](NETWORK, (X, Y)), np.linalg.eigvalsh(found), atol=1e-14)


def test_products_with_differences_and_with_matrices():
    assert hvp_error() <= 1
    assert gauss_newton_error() <= 1


def test_gauss_newton_is_the_hessian_where_the_model_is_linear():
    w, v = np.ones((3, 2)), np.random.default_rng(2).normal(size=(3, 2))

    def linear(w, x, y):
        return x @ w

    def loss(w, x, y):
        return softmax_loss(linear(w, x, y), x, y)

    np.testing.assert_allclose(curvature.gauss_newton_vp(linear, softmax_loss, w, v, args=(X, Y)),
                               curvature.hvp(loss, w, v, args=(X, Y)), atol=1e-15)


def test_inside_other_transformations():
    bowl = rv.landscapes.rosenbrock
    w, v = jnp.array([-1.2, 1.0]), jnp.array([0.5, 2.0])
    third = jax.jit(jax.grad(lambda w, scale: v @ curvature.hvp(lambda w: scale * bowl(w), w, v)))(w, 2.0)
    np.testing.assert_allclose(third, [2 * (2400 * w[0] * v[0] ** 2 - 800 * v[0] * v[1]), 2 * -400 * v[0] ** 2])


TURN = np.linalg.qr(np.random.default_rng(3).normal(size=(12, 12)))[0]


def turned(eigenvalues):
    matrix = (TURN * eigenvalues) @ TURN.T
    return (matrix + matrix.T) / 2


def bowl(w, matrix):
    return w @ matrix @ w / 2


@pytest.mark.parametrize(("eigenvalues", "expected"), [
    (np.geomspace(1, 50, 12), 50.0), (-np.geomspace(1, 50, 12), 50.0), (np.r_[-8.0, np.linspace(2, 5, 11)], 4.0),
    (np.geomspace(1e-12, 1, 12), 1e12), (np.maximum(np.arange(12) - 1.0, 0), np.inf), (np.zeros(12), np.inf),
    (np.r_[0.0, np.geomspace(1e-8, 1e8, 11)], np.inf)])
def test_condition_number(eigenvalues, expected):
    matrix = turned(eigenvalues)
    rtol = 1e-15 * expected * 100 if np.isfinite(expected) else 0  # eigenvalues are right to some ε of the largest
    np.testing.assert_allclose(curvature.condition_number(matrix), expected, rtol=rtol)
    np.testing.assert_allclose(curvature.condition_number(bowl, np.ones(12), args=(matrix,)), expected, rtol=rtol)


def monkey(w):
    return w[0] ** 3 - 3 * w[0] * w[1] ** 2


def round_bowl(w):
    return w @ w


def long_bowl(w):
    return w[0] ** 2 + 1e-6 * w[1] ** 2


def long_saddle(w):
    return w[0] ** 2 - 1e-6 * w[1] ** 2


@functools.cache
def scaled(fun):
    return lambda w, scale: scale * fun(w)


@pytest.mark.parametrize(("fun", "point", "tol", "kind"), [
    (round_bowl, [0.0, 0.0], None, "minimum"),
    (lambda w: -w @ w, [0.0, 0.0], None, "maximum"),
    (lambda w: w[0] * w[1], [0.0, 0.0], None, "saddle"),
    (rv.landscapes.rosenbrock, [1.0, 1.0], None, "minimum"),
    (rv.landscapes.rosenbrock, [-1.2, 1.0], None, "not critical"),
    (rv.landscapes.himmelblau, rv.landscapes.himmelblau.minima[1], None, "minimum"),
    (monkey, [0.0, 0.0], None, "degenerate"),
    (monkey, [1e-3, 0.0], None, "not critical"),
    (monkey, [1e-3, 0.0], 1e-3, "saddle"),
    (lambda w: w[0] ** 2 + w[1] ** 4, [0.0, 0.0], None, "degenerate"),
    (lambda w: -w[0] ** 2 + w[1] ** 3, [0.0, 0.0], None, "degenerate"),
    (lambda w: w[0] ** 2 - w[1] ** 2 + 0 * w[2], [0.0, 0.0, 5.0], None, "saddle"),
    (lambda w: 0 * w[0], [1.0, 2.0], None, "degenerate"),
    (lambda w: w[0] ** 4, [1e-3], None, "not critical"),
    (lambda w: 3 * w[0], [0.0], None, "not critical"),
    (lambda w: jnp.sqrt(w[0]), [-1.0], None, "not critical"),
    (long_bowl, [0.0, 0.0], None, "minimum"),
    (long_bowl, [0.0, 0.0], 1e-5, "degenerate"),
    (long_saddle, [0.0, 0.0], None, "saddle"),
    (long_saddle, [0.0, 0.0], 1e-5, "degenerate"),
    (round_bowl, [1e-6, 0.0], None, "not critical"),
    (round_bowl, [1e-6, 0.0], 1e-5, "minimum"),
    (round_bowl, [1e-6, 0.0], 1e-7, "not critical"),
    (round_bowl, np.float32([1e-6, 0.0]), None, "minimum")])
def test_critical_points(fun, point, tol, kind):
    for scale in (1.0, 1e-12, 1e12):
        assert curvature.classify_critical_point(scaled(fun), np.asarray(point), tol, args=(scale,)) == kind


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.19, 0.21, 1.0])
def test_step_on_a_quadratic_is_what_the_model_says(rate):
    found = curvature.step_diagnostics(rv.landscapes.quadratic(10.0), [0.0, 1.0], rate)
    np.testing.assert_allclose(found[:4], [100, 1000, -100 * rate + 500 * rate**2, 5 * ((1 - 10 * rate) ** 2 - 1)],
                               atol=1e-13)
    np.testing.assert_allclose(found.predicted_change, found.actual_change, atol=1e-13)
    assert bool(found.ill_conditioned) == (rate > 0.2)


def test_step_where_the_model_errs():
    w, rate = np.array([-1.2, 1.0]), 2e-3
    g = np.array([-400 * w[0] * (w[1] - w[0] ** 2) - 2 * (1 - w[0]), 200 * (w[1] - w[0] ** 2)])
    H = np.array([[1200 * w[0] ** 2 - 400 * w[1] + 2, -400 * w[0]], [-400 * w[0], 200]])
    found = curvature.step_diagnostics(rv.landscapes.rosenbrock, w, rate)
    bowl = rv.landscapes.rosenbrock
    np.testing.assert_allclose(found, [g @ g, g @ H @ g, -rate * g @ g + rate**2 * g @ H @ g / 2,
                                       bowl(w - rate * g) - bowl(w), rate * g @ H @ g / 2 > g @ g], rtol=1e-12)
