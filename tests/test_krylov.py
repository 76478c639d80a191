"""Conjugate gradient and Lanczos against the identities that define them, and SciPy."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

import ravine as rv
from krylov_cases import EPS, OUTLIERS, SIZE, cg_error, geometric, lanczos_error, matrix, product, same, vector
from ravine.krylov import Status, conjugate_gradient, lanczos, tridiagonal

B = vector()


def solve(A, b=B, x0=None, *, tol=1e-10, max_steps=2 * SIZE):
    return conjugate_gradient(product(A), b, x0, tol=tol, max_steps=max_steps)


@pytest.mark.parametrize("condition_number", [3.0, 100.0])
def test_first_iterates_and_orthogonal_residuals(condition_number):
    A = matrix(geometric(condition_number))
    assert cg_error(A, B, np.array([solve(A, tol=0, max_steps=steps).x for steps in range(1, 7)])) <= 1


@pytest.mark.parametrize("distinct", [1, 2, 3, 4, 5])
def test_distinct_eigenvalues_take_as_many_steps(distinct):
    A = matrix(np.resize([1.0, 100.0, 7.0, 31.0, 2.5][:distinct], SIZE))
    found = solve(A, tol=1e-8)
    assert (found.steps, found.status) == (distinct, Status.CONVERGED)
    np.testing.assert_allclose(found.x, np.linalg.solve(A, B), rtol=0, atol=1e-8)


def test_residual_norms_are_those_of_the_iterates():
    A, x0 = matrix(geometric(100.0)), vector(2)
    found = solve(A, x0=x0, tol=1e-6)
    steps = int(found.steps)
    assert 5 < steps < 2 * SIZE
    assert found.residual_norms.shape == (2 * SIZE + 1,)
    np.testing.assert_allclose(found.residual_norms[0], np.linalg.norm(B - A @ x0), rtol=1e-13)
    # The residual is carried along, not made anew: each step rounds A x once more (Greenbaum 1997).
    rounding = steps * EPS[np.float64] * 100 * np.linalg.norm(found.x)
    np.testing.assert_allclose(found.residual_norms[steps], np.linalg.norm(B - A @ found.x), rtol=0, atol=rounding)
    np.testing.assert_array_equal(found.residual_norms[steps:], found.residual_norms[steps])
    below = found.residual_norms <= 1e-6 * np.linalg.norm(B)
    assert steps == np.argmax(below)


def test_a_start_only_shifts_the_problem():
    A, x0 = matrix(geometric(30.0)), 5 * vector(3)
    shifted = solve(A, B - A @ x0)
    found = solve(A, x0=x0, tol=1e-10 * float(jnp.linalg.norm(B - A @ x0) / jnp.linalg.norm(B)))
    assert found.steps == shifted.steps
    np.testing.assert_allclose(found.x, x0 + shifted.x, atol=1e-12)


SINGULAR = np.concatenate([[0.0, 0.0], np.linspace(1, 10, SIZE - 2)])
INDEFINITE = np.concatenate([[-1.0], np.linspace(1, 10, SIZE - 1)])
A0 = matrix(SINGULAR)


@pytest.mark.parametrize(("A", "b", "x0", "status"), [
    (matrix(geometric(10.0)), B, None, Status.CONVERGED),
    (matrix(geometric(10.0)), 0 * B, None, Status.CONVERGED),
    (matrix(geometric(10.0)), 0 * B, B, Status.CONVERGED),
    (A0, A0 @ B, None, Status.CONVERGED),
    (A0, B, None, Status.NEGATIVE_CURVATURE),
    (0 * A0, B, None, Status.NEGATIVE_CURVATURE),
    (-A0, B, None, Status.NEGATIVE_CURVATURE),
    (matrix(INDEFINITE), B, None, Status.NEGATIVE_CURVATURE),
    (matrix(INDEFINITE), B, vector(5), Status.NEGATIVE_CURVATURE),
    (matrix(geometric(1e12)), B, None, Status.MAX_STEPS),
    (A0.at[3, 4].set(jnp.nan), B, None, Status.NOT_FINITE),
    (A0.at[3, 4].set(jnp.inf), B, None, Status.NOT_FINITE),
    (A0.at[3, 4].set(jnp.nan), B, B, Status.NOT_FINITE),
    (A0, B.at[0].set(jnp.nan), None, Status.NOT_FINITE),
    (A0, B.at[0].set(jnp.inf), None, Status.NOT_FINITE)])
def test_status(A, b, x0, status):
    found = solve(A, b, x0)
    assert Status(int(found.status)) is status
    assert jnp.all(jnp.isfinite(found.x))
    if status is Status.CONVERGED:
        assert jnp.linalg.norm(b - A @ found.x) <= 2e-10 * jnp.linalg.norm(b)
    elif status is Status.NEGATIVE_CURVATURE:
        start = jnp.zeros(SIZE) if x0 is None else x0
        model = [float(x @ A @ x / 2 - b @ x) for x in (start, found.x)]
        assert model[1] < model[0] if found.steps else model[1] == model[0]
    elif status is Status.MAX_STEPS:
        assert found.steps == 2 * SIZE


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("dtype", EPS)
def test_what_a_singular_matrix_does_not_reach_is_never_converged(dtype, seed):
    found = solve(matrix(SINGULAR, seed, dtype), vector(seed + 100, dtype=dtype), tol=1e-6)
    assert found.status == Status.NEGATIVE_CURVATURE


def test_a_first_direction_of_negative_curvature_leaves_the_start():
    found = solve(matrix(-geometric(3.0)), x0=(x0 := vector(7)))
    assert found.steps == 0
    np.testing.assert_array_equal(found.x, x0)


@pytest.mark.parametrize("scale", [1e-30, 1e-15, 1.0, 1e15, 1e30])
def test_float32_at_any_scale(scale):
    A, b = matrix(geometric(10.0), dtype=np.float32), vector(dtype=np.float32)
    found = solve(A, scale * b, tol=1e-5)
    assert found.status == Status.CONVERGED
    assert found.x.dtype == found.residual_norms.dtype == np.float32
    np.testing.assert_allclose(found.x / scale, np.linalg.solve(A, b), rtol=0, atol=1e-4)
    same(lanczos(product(A), scale * b, 4).alpha, lanczos(product(A), b, 4).alpha, 1e-4)


def test_no_promotion_from_what_stands_beside():
    found = solve(matrix(geometric(10.0)), vector(dtype=np.float32), x0=vector(2), tol=jnp.asarray(1e-5))
    assert found.x.dtype == found.residual_norms.dtype == np.float32
    with jax.numpy_dtype_promotion("strict"):
        solve(matrix(geometric(10.0), dtype=np.float32), vector(dtype=np.float32))
    found = lanczos(product(matrix(geometric(10.0))), vector(dtype=np.float32), 4)
    assert {leaf.dtype for leaf in jax.tree.leaves(found._replace(rank=None))} == {np.dtype("float32")}


@pytest.mark.parametrize(("eigenvalues", "steps"), [
    (geometric(100.0), 1), (geometric(100.0), 10), (OUTLIERS, 20), (OUTLIERS, SIZE)])
@pytest.mark.parametrize("dtype", EPS)
def test_lanczos_decomposes(eigenvalues, steps, dtype):
    A = matrix(eigenvalues, dtype=dtype)
    found = lanczos(product(A), vector(dtype=dtype), steps)
    assert found.rank == steps
    assert found.vectors.shape == (steps, SIZE)
    assert (found.alpha.shape, found.beta.shape) == ((steps,), (steps - 1,))
    assert lanczos_error(A, found) <= 1


def test_lanczos_finds_every_eigenvalue_in_n_steps():
    found = lanczos(product(matrix(OUTLIERS)), B, SIZE)
    np.testing.assert_allclose(np.linalg.eigvalsh(tridiagonal(found.alpha, found.beta)), OUTLIERS, atol=1e-11)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("values", "rank"), [
    ([2.0], 1), ([0.0], 1), ([1.0, -3.0], 2), ([0.0, 1.0, 2.0, 5.0, -3.0], 5)])
@pytest.mark.parametrize("dtype", EPS)
def test_breakdown(values, rank, seed, dtype):
    A = matrix(np.resize(values, SIZE), seed, dtype)
    found = lanczos(product(A), vector(seed + 50, dtype=dtype), 10)
    assert found.rank == rank
    assert not np.any(found.vectors[rank:])
    assert not np.any(found.residual)
    assert not np.any(found.alpha[rank:])
    assert not np.any(found.beta[rank - 1:])
    if values != [0.0]:
        assert lanczos_error(A, found) <= 1


def test_more_steps_than_dimensions_and_no_vector():
    A = matrix([1.0, 2.0, 4.0])
    assert lanczos(product(A), jnp.ones(3), 10).rank == 3
    nothing = lanczos(product(A), jnp.zeros(3), 10)
    assert nothing.rank == 0
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(nothing))


def test_trees():
    A = matrix(geometric(10.0), seed=4)

    def parts(v):
        return {"w": v[:18].reshape(3, 6), "b": (v[18], v[19:])}

    def tree_product(tree):
        return parts(A @ jnp.concatenate([tree["w"].ravel(), tree["b"][0][None], tree["b"][1]]))

    found = conjugate_gradient(tree_product, parts(B), parts(vector(2)), tol=1e-10, max_steps=2 * SIZE)
    same(found.x, parts(solve(A, x0=vector(2)).x), 2e-10 * np.linalg.norm(B))  # what tol leaves, twice
    found, flat = lanczos(tree_product, parts(B), 6), lanczos(product(A), B, 6)
    same(found.vectors, jax.vmap(parts)(flat.vectors))
    same(found.residual, parts(flat.residual))
    same(found.alpha, flat.alpha)


def test_a_linearised_gradient_is_a_product():
    values = np.linspace(1.0, 5.0, SIZE)  # a constant of the linear function; jax 0.7 keeps it as a leaf without a hash

    def alpha(w):
        return lanczos(jax.linearize(jax.grad(lambda w: jnp.sum(values * jnp.cosh(w))), w)[1], B, 5).alpha

    same(alpha(B), lanczos(Partial(jnp.multiply, values * jnp.cosh(B)), B, 5).alpha)
    same(jax.jit(alpha)(B), alpha(B))


def test_under_jit_and_vmap():
    A, bs = matrix(INDEFINITE), jnp.stack([B, 0 * B, A0 @ vector(8), matrix(INDEFINITE)[0]])
    mapped = jax.jit(jax.vmap(lambda b: solve(A, b)))(bs)
    for i, b in enumerate(bs):
        same(jax.tree.map(lambda many, i=i: many[i], mapped), solve(A, b), 1e-9)
    mapped = jax.jit(jax.vmap(lambda v: lanczos(product(A), v, 6)))(bs)
    assert mapped.rank.tolist() == [6, 0, 6, 6]
    same(mapped.alpha[0], lanczos(product(A), B, 6).alpha)


def test_a_second_call_compiles_nothing(compiled):
    A = matrix(geometric(10.0))
    solve(A)
    assert compiled(solve, 2 * A, vector(9), tol=1e-3) == 0
    lanczos(product(A), B, 5)
    assert compiled(lanczos, product(2 * A), vector(9), 5) == 0


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"matvec": A0}, TypeError, "(?s)^matvec = .*must be a function"),
    ({"matvec": lambda v: v[1:]}, ValueError, r"^matvec's result has shape \(23,\), b has shape"),
    ({"matvec": lambda v: (v, v)}, ValueError, "^matvec's result and b are trees of different structure"),
    ({"b": np.arange(3)}, TypeError, "^b has dtype int64"),
    ({"b": {}}, ValueError, "^b = {}: must hold at least one number"),
    ({"b": np.zeros((0,))}, ValueError, "^b = .*must hold at least one number"),
    ({"x0": jnp.ones(3)}, ValueError, r"^x0 has shape \(3,\), b has shape \(24,\)"),
    ({"tol": -1.0}, ValueError, r"^tol = -1\.0"),
    ({"tol": math.nan}, ValueError, "^tol = nan"),
    ({"max_steps": 0}, ValueError, "^max_steps = 0"),
    ({"max_steps": 2.0}, TypeError, r"^max_steps = 2\.0")])
def test_bad_input_to_conjugate_gradient(change, error, message):
    good = {"matvec": product(A0), "b": B, "x0": None, "tol": 1e-6, "max_steps": 5}
    with pytest.raises(error, match=message):
        rv.krylov.conjugate_gradient(**(good | change))


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"matvec": 2.0}, TypeError, r"^matvec = 2\.0"),
    ({"matvec": lambda v: 1.0}, ValueError, r"^matvec's result has shape \(\), v0 has shape"),
    ({"v0": B * 1j}, TypeError, "^v0 has dtype complex"),
    ({"v0": []}, ValueError, r"^v0 = \[\]"),
    ({"steps": 0}, ValueError, "^steps = 0"),
    ({"steps": "few"}, TypeError, "^steps = 'few'")])
def test_bad_input_to_lanczos(change, error, message):
    with pytest.raises(error, match=message):
        rv.krylov.lanczos(**({"matvec": product(A0), "v0": B, "steps": 5} | change))
