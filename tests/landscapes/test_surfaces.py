"""The surfaces have the minima, the curvature and the windows that they say they have."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

import ravine as rv

PLANE = [rv.landscapes.rosenbrock, rv.landscapes.beale, rv.landscapes.himmelblau, rv.landscapes.rastrigin,
         rv.landscapes.quadratic(30.0, rotation=0.7), rv.landscapes.product, rv.landscapes.saddle,
         rv.landscapes.monkey_saddle, rv.landscapes.ravine(30.0, rotation=0.7), rv.landscapes.plateau,
         rv.landscapes.cliff, rv.landscapes.flat_with_steep_hole, rv.landscapes.temperature_softmax(),
         rv.landscapes.pathological_curvature, rv.landscapes.steep_optima]
WITHOUT_MINIMUM = {"product", "saddle", "monkey saddle", "softmax at a low temperature", "pathological curvature"}
each_surface = pytest.mark.parametrize("surface", PLANE, ids=lambda surface: surface.name)
kappas = st.floats(1.0, 1e6)
angles = st.floats(-10.0, 10.0)
fixed = settings(max_examples=30, deadline=None, derandomize=True, database=None)


@jax.jit
def derivatives(surface, w):
    return jax.grad(surface)(w), jax.hessian(surface)(w)


@jax.jit
@functools.partial(jax.vmap, in_axes=(None, 0))
def newton(surface, w):
    gradient, curvature = derivatives(surface, w)
    return gradient, curvature, w - jnp.linalg.solve(curvature + 1e-12 * jnp.eye(2), gradient)


def hessian(surface, at):
    return np.asarray(derivatives(surface, jnp.asarray(at))[1])


@each_surface
def test_every_minimum_is_one_and_lies_in_the_window(surface):
    assert bool(surface.minima) == (surface.name not in WITHOUT_MINIMUM)
    (left, right), (bottom, top) = surface.window
    for minimum in surface.minima:
        gradient, curvature = derivatives(surface, jnp.asarray(minimum))
        # The coordinates are rounded to doubles, so the gradient is as large as the curvature times that.
        rounding = 4 * np.linalg.norm(curvature) * np.spacing(np.max(np.abs(minimum)))
        assert np.linalg.norm(gradient) <= rounding
        assert np.linalg.eigvalsh(curvature)[0] > 0
        assert left < minimum[0] < right
        assert bottom < minimum[1] < top
    heights = [float(surface(minimum)) for minimum in surface.minima]
    np.testing.assert_allclose(heights, sorted(heights), rtol=1e-9, atol=1e-20)
    assert left < surface.start[0] < right
    assert bottom < surface.start[1] < top
    assert surface(surface.start) > min(heights, default=0.0) + 0.1


@each_surface
def test_no_minimum_is_missing(surface):
    # Newton's method from a grid over the window finds the critical points; those with positive curvature are listed.
    (left, right), (bottom, top) = surface.window
    grid = np.stack(np.meshgrid(np.linspace(left, right, 25), np.linspace(bottom, top, 25)), -1).reshape(-1, 2)

    points = grid
    for _ in range(60):
        gradients, curvatures, points = newton(surface, points)
        points = np.where(abs(points) < 1e6, points, grid)  # where it is flat, Newton's method leaves for infinity
    gradients, curvatures, _ = newton(surface, points)
    inside = (points > (left, bottom)).all(1) & (points < (right, top)).all(1)
    found = points[inside & (abs(gradients).max(1) < 1e-9) & (np.linalg.eigvalsh(curvatures)[:, 0] > 1e-6)]
    distances = np.linalg.norm(found[:, None] - np.reshape(surface.minima, (-1, 2)), axis=2)
    assert np.max(distances.min(1, initial=np.inf), initial=0.0) < 1e-7
    assert np.max(distances.min(0, initial=np.inf), initial=0.0) < 1e-7


@each_surface
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float32, jnp.float64])
def test_the_type_of_the_point_is_kept(surface, dtype):
    w = jnp.asarray(surface.start, dtype)
    with jax.numpy_dtype_promotion("strict"):
        assert surface(w).dtype == dtype
        assert jax.jit(jax.grad(surface))(w).dtype == dtype


@each_surface
def test_a_point_may_be_a_sequence_of_numbers(surface):
    assert surface([1, 2]) == surface((1.0, 2.0)) == surface(np.array([1, 2])) == surface(jnp.array([1.0, 2.0]))


@each_surface
@pytest.mark.parametrize("w", [1.0, np.ones((5, 2))])
def test_many_points_at_once_are_refused(surface, w):
    with pytest.raises(ValueError, match=r"^w has shape .*jax\.vmap"):
        surface(w)


@each_surface
def test_far_away_the_gradient_is_a_number_in_float32(surface):
    (left, right), (bottom, top) = surface.window
    far = 10 * np.array([(left, bottom), (right, top), (left, top), (0.0, bottom)], np.float32)
    heights, gradients = jax.vmap(jax.value_and_grad(surface))(far)
    assert gradients.dtype == np.float32
    assert np.isfinite(heights).all()
    assert np.isfinite(gradients).all()


def test_rosenbrock_in_many_dimensions():
    gradient, curvature = derivatives(rv.landscapes.rosenbrock, jnp.ones(7))
    np.testing.assert_array_equal(gradient, np.zeros(7))
    assert np.linalg.eigvalsh(curvature)[0] > 0
    # By hand: 100 (2 − 1)² + (1 − 1)² + 100 (0 − 4)² + (1 − 2)²
    assert rv.landscapes.rosenbrock([1.0, 2.0, 0.0]) == 1701.0


def test_values_by_hand():
    assert rv.landscapes.beale([0.0, 0.0]) == 1.5**2 + 2.25**2 + 2.625**2
    assert rv.landscapes.himmelblau([0.0, 0.0]) == 11**2 + 7**2
    assert rv.landscapes.quadratic(10.0)([1.0, 1.0]) == 5.5
    assert rv.landscapes.product([3.0, -2.0]) == -6.0
    assert rv.landscapes.saddle([3.0, 2.0]) == 5.0
    assert rv.landscapes.monkey_saddle([3.0, 2.0]) == -9.0
    assert rv.landscapes.flat_with_steep_hole([0.0, 0.1]) == pytest.approx(0.5, rel=1e-15)
    assert rv.landscapes.cliff([1.0, 2.0]) == 2.5
    assert rv.landscapes.plateau([6.0, 2.0]) == pytest.approx(4.0, abs=1e-15)
    valley = np.tanh(5.0) ** 2 + 0.05 + 0.5
    assert rv.landscapes.pathological_curvature([5.0, 0.0]) == pytest.approx(valley, rel=1e-15)  # another tanh


def test_rastrigin_in_many_dimensions():
    w = np.array([0.3, -1.2, 2.0, 0.0, 4.6])
    textbook = 10 * w.size + np.sum(w**2 - 10 * np.cos(2 * np.pi * w))
    np.testing.assert_allclose(rv.landscapes.rastrigin(w), textbook, rtol=1e-14)
    assert [rv.landscapes.rastrigin(minimum) for minimum in rv.landscapes.rastrigin.minima[:1]] == [0.0]


def test_steep_optima_are_three_normal_densities():
    w, total = np.array([-0.6, 0.1]), 0.0
    for centre in ((1.0, -0.5), (-1.0, 0.5), (-0.5, -0.8)):
        total -= multivariate_normal(centre, 0.04 * np.eye(2)).pdf(w)
    np.testing.assert_allclose(rv.landscapes.steep_optima(w), total, rtol=1e-13)


@fixed
@given(kappas, st.integers(2, 6), angles)
def test_the_bowl_has_its_condition_number_whatever_its_rotation(kappa, dimension, rotation):
    curvature = hessian(rv.landscapes.quadratic(kappa, dimension, rotation), np.ones(dimension))
    np.testing.assert_allclose(curvature, curvature.T, rtol=0, atol=1e-15 * kappa)
    expected = kappa ** (np.arange(dimension) / (dimension - 1))
    np.testing.assert_allclose(np.linalg.eigvalsh(curvature), expected, rtol=0, atol=1e-14 * kappa)


@fixed
@given(kappas, angles)
def test_the_steep_axis_turns_by_the_angle(kappa, rotation):
    bowl = rv.landscapes.quadratic(kappa, rotation=rotation)
    flat, steep = [np.cos(rotation), np.sin(rotation)], [-np.sin(rotation), np.cos(rotation)]
    np.testing.assert_allclose([bowl(flat), bowl(steep)], [0.5, kappa / 2], rtol=0, atol=1e-14 * kappa)


@pytest.mark.parametrize("rotation", [0.0, 1.0])
def test_the_bowl_in_one_dimension_is_as_steep_as_told(rotation):
    np.testing.assert_array_equal(hessian(rv.landscapes.quadratic(7.0, dimension=1, rotation=rotation), [1.0]), [[7.0]])


def test_without_rotation_the_bowl_is_exact():
    curvature = hessian(rv.landscapes.quadratic(1e4, dimension=3), np.ones(3))
    np.testing.assert_array_equal(curvature, np.diag([1.0, 100.0, 1e4]))


def test_the_condition_number_may_be_traced():
    def height(kappa, rotation):
        return rv.landscapes.quadratic(kappa, 3, rotation)([1.0, -2.0, 3.0])

    kappas, angles = jnp.array([1.0, 9.0, 100.0]), jnp.array([0.0, 0.4, 3.0])
    np.testing.assert_allclose(jax.vmap(height)(kappas, angles), [height(*pair) for pair in zip(
        kappas.tolist(), angles.tolist(), strict=True)], rtol=1e-13)
    # ½ wᵀHw is ½ (w₁² + √κ w₂² + κ w₃²) where nothing is rotated.
    np.testing.assert_allclose(jax.grad(height)(9.0, 0.0), 0.5 * (4 / 6 + 9), rtol=1e-14)


@pytest.mark.parametrize(("arguments", "error", "name"), [
    ({"condition_number": 0.5}, ValueError, "condition_number"),
    ({"condition_number": np.nan}, ValueError, "condition_number"),
    ({"condition_number": np.inf}, ValueError, "condition_number"),
    ({"condition_number": np.array([1.0, 2.0])}, ValueError, "condition_number"),
    ({"condition_number": "10"}, TypeError, "condition_number"),
    ({"dimension": 0}, ValueError, "dimension"),
    ({"dimension": 2.0}, TypeError, "dimension"),
    ({"rotation": np.inf}, ValueError, "rotation"),
    ({"rotation": None}, TypeError, "rotation")])
def test_bad_input(arguments, error, name):
    with pytest.raises(error, match=f"^{name} "):
        rv.landscapes.quadratic(**arguments)
