"""Slices of a loss against the same sums written out, and a curve that learns to stay low."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ravine as rv

PARAMS = {"dense": {"kernel": np.random.default_rng(0).normal(size=(3, 4)), "bias": np.ones(4)},
          "filters": np.random.default_rng(1).normal(size=(2, 2, 3, 5)), "scale": np.array(2.0)}
ALPHAS, BETAS = np.linspace(-1, 1, 5), np.linspace(0, 2, 3)


def loss(params):
    return sum(jnp.sum(jnp.sin(w)) for w in jax.tree.leaves(params))


def direction(seed, params=PARAMS):
    return rv.landscapes.random_direction(jax.random.key(seed), params)


def test_a_line_is_the_loss_at_each_point():
    d = direction(0)
    expected = [loss(jax.tree.map(lambda w, d, a=a: w + a * d, PARAMS, d)) for a in ALPHAS]
    np.testing.assert_allclose(rv.landscapes.line(loss, PARAMS, d, ALPHAS), expected, rtol=1e-12, atol=1e-12)


def test_a_plane_has_alpha_in_its_rows():
    d1, d2 = direction(0), direction(1)
    values = rv.landscapes.plane(loss, PARAMS, d1, d2, ALPHAS, BETAS)
    assert values.shape == (5, 3)
    for j, b in enumerate(BETAS):
        moved = jax.tree.map(lambda w, d, b=b: w + b * d, PARAMS, d2)
        np.testing.assert_allclose(values[:, j], rv.landscapes.line(loss, moved, d1, ALPHAS), rtol=1e-12, atol=1e-12)


def test_types_are_kept_and_nothing_is_compiled_twice(compiled):
    params = jax.tree.map(np.float32, PARAMS)
    values = rv.landscapes.plane(loss, params, direction(0, params), direction(1, params), ALPHAS, BETAS)
    assert values.dtype == np.float32
    others = direction(2, params), direction(3, params)
    assert compiled(rv.landscapes.plane, loss, params, *others, 2 * ALPHAS, BETAS) == 0
    surfaces = rv.landscapes.quadratic(2.0), rv.landscapes.quadratic(3.0)
    rv.landscapes.line(surfaces[0], np.ones(2), np.ones(2), ALPHAS)
    assert compiled(rv.landscapes.line, surfaces[1], np.ones(2), np.ones(2), ALPHAS) == 0


def test_a_random_direction_is_normal_and_its_leaves_are_independent():
    params = {"a": np.zeros((100, 100), np.float32), "b": np.zeros((100, 100))}
    drawn = direction(0, params)
    assert jax.tree.map(lambda w: w.dtype, drawn) == {"a": np.float32, "b": np.float64}
    for w in drawn.values():
        assert abs(np.mean(w)) < 4 / 100
        assert abs(np.mean(w**2) - 1) < 4 * np.sqrt(2) / 100
    assert abs(np.mean(drawn["a"] * drawn["b"])) < 4 / 100
    jax.tree.map(np.testing.assert_array_equal, drawn, direction(0, params))


def test_a_filter_is_all_that_feeds_one_output():
    normalised = rv.landscapes.filter_normalised(direction(0), PARAMS)
    for j in range(4):
        column, own = normalised["dense"]["kernel"][:, j], direction(0)["dense"]["kernel"][:, j]
        np.testing.assert_allclose(np.linalg.norm(column), np.linalg.norm(PARAMS["dense"]["kernel"][:, j]), rtol=1e-14)
        np.testing.assert_allclose(column @ own, np.linalg.norm(column) * np.linalg.norm(own), rtol=1e-14)
    for j in range(5):
        own = np.linalg.norm(PARAMS["filters"][..., j])
        np.testing.assert_allclose(np.linalg.norm(normalised["filters"][..., j]), own, rtol=1e-14)
    np.testing.assert_array_equal(normalised["dense"]["bias"], np.zeros(4))
    np.testing.assert_array_equal(normalised["scale"], 0.0)


def test_a_filter_of_zeros_stays_where_it_is():
    d, w = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [0.0, 1.0]])
    np.testing.assert_array_equal(rv.landscapes.filter_normalised(d, w), np.zeros((2, 2)))


def test_the_slice_does_not_see_how_two_layers_share_their_scale():
    # relu(x A) B is the same function for 10 A and B/10; so is its slice along normalised directions.
    x = np.random.default_rng(2).normal(size=(20, 3))
    a, b = np.random.default_rng(3).normal(size=(3, 4)), np.random.default_rng(4).normal(size=(4, 2))

    def risk(params):
        return jnp.mean((jax.nn.relu(x @ params[0]) @ params[1] - 1) ** 2)

    slices = [rv.landscapes.line(risk, params, rv.landscapes.filter_normalised(direction(5, params), params), ALPHAS)
              for params in ((a, b), (10 * a, b / 10))]
    np.testing.assert_allclose(*slices, rtol=1e-12)


def test_bezier():
    theta1, control, theta2 = (jax.tree.map(lambda w, s=s: s * w, PARAMS) for s in (1.0, 5.0, -3.0))
    for t, expected in ((0.0, theta1), (1.0, theta2), (0.25, jax.tree.map(
            lambda w: (0.75**2 + 2 * 0.25 * 0.75 * 5 - 3 * 0.25**2) * w, PARAMS))):
        point = rv.landscapes.bezier(theta1, control, theta2, t)
        jax.tree.map(lambda w, v: np.testing.assert_allclose(w, v, rtol=1e-14), point, expected)


def ring(w):
    return (w @ w - 1) ** 2


def test_the_loss_of_a_curve_is_its_mean():
    ends, control = np.array([[-1.0, 0.0], [1.0, 0.0]]), np.array([0.5, 1.0])
    expected = np.mean([ring(rv.landscapes.bezier(ends[0], control, ends[1], t)) for t in (1 / 6, 1 / 2, 5 / 6)])
    loss = rv.landscapes.curve_loss(ring, *ends, points=3)
    np.testing.assert_allclose(loss(control), expected, rtol=1e-14)


@pytest.mark.parametrize("rule", [rv.sgd(0.2), rv.nesterov(0.1)], ids=["sgd", "nesterov"])
def test_a_trained_curve_stays_low_where_the_straight_line_does_not(rule, compiled):
    ends = np.array([-1.0, 0.0]), np.array([1.0, 0.0])
    start = np.array([0.0, 0.1])
    run = rv.minimize(rv.landscapes.curve_loss(ring, *ends), start, rule, 200)
    times = np.linspace(0, 1, 41)
    along = [max(ring(rv.landscapes.bezier(ends[0], control, ends[1], t)) for t in times)
             for control in (np.zeros(2), run.params)]
    assert along[0] == 1.0
    # A parabola is not a circle: at best it leaves the ring by a little.
    assert along[1] < 0.1
    other = rv.landscapes.curve_loss(ring, ends[1], ends[0])
    assert compiled(rv.minimize, other, start, rule, 200) == 0


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: rv.landscapes.line(loss, PARAMS, np.ones(3), ALPHAS), ValueError, "^params and direction are trees"),
    (lambda: rv.landscapes.line(loss, np.ones(3), np.ones(4), ALPHAS), ValueError, r"^params has shape \(3,\)"),
    (lambda: rv.landscapes.line(loss, np.arange(3), np.ones(3), ALPHAS), TypeError, "^params has dtype int64"),
    (lambda: rv.landscapes.line(loss, np.ones(3), np.ones(3), 1.0), ValueError, r"^alphas has shape \(\)"),
    (lambda: rv.landscapes.plane(loss, np.ones(3), np.ones(3), np.ones(2), ALPHAS, BETAS), ValueError, "^params has"),
    (lambda: rv.landscapes.plane(loss, np.ones(3), np.ones(3), np.ones(3), ALPHAS, [[1]]), ValueError, "^betas has"),
    (lambda: rv.landscapes.filter_normalised(np.ones(3), PARAMS), ValueError, "^direction and params are trees"),
    (lambda: rv.landscapes.bezier(np.ones(2), np.ones(2), np.ones(2), 1.5), ValueError, r"^t = 1\.5"),
    (lambda: rv.landscapes.bezier(np.ones(2), np.ones(3), np.ones(2), 0.5), ValueError, "^theta1 has shape"),
    (lambda: rv.landscapes.curve_loss(ring, np.ones(2), np.ones(3)), ValueError, "^theta1 has shape"),
    (lambda: rv.landscapes.curve_loss(ring, np.ones(2), np.ones(2), points=0), ValueError, "^points = 0")])
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
