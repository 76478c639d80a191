"""The comparisons of `curvature_cases` have teeth: each wrong version, one slip away from the tool, is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from jax.tree_util import Partial

from curvature_cases import (
    MIXED,
    calibration_error,
    exact_density_error,
    gauss_newton_error,
    hvp_error,
    mixed,
    trace_spread_error,
)
from ravine import krylov
from ravine.curvature import Estimate


def ravelled(fun, params):
    w, unravel = ravel_pytree(params)
    return (lambda w: fun(unravel(w))), w, unravel


def product(formula):
    """Return a wrong Hessian-vector product: ``formula(f, w, v)`` on vectors."""
    def wrong(fun, params, v):
        f, w, unravel = ravelled(fun, params)
        return unravel(jax.jit(lambda w, v: formula(f, w, v))(w, ravel_pytree(v)[0]))

    return wrong


def gauss_newton(formula):
    """Return a wrong Gauss-Newton product: ``formula(predict, loss, w, v)`` on vectors of parameters."""
    def wrong(predict, loss, params, v):
        predict, w, unravel = ravelled(predict, params)
        return unravel(jax.jit(lambda w, v: formula(predict, loss, w, v))(w, ravel_pytree(v)[0]))

    return wrong


def hutchinson(sample, draw=jax.random.rademacher, error=lambda std, probes: std / jnp.sqrt(probes)):
    """Return an estimate from samples ``sample(z, Hz)``, all probes at once."""
    def estimate(fun, params, *, key, probes):
        z = draw(key, (probes, params.size), params.dtype)
        samples = jax.vmap(sample)(z, z @ jax.hessian(fun)(params))
        return Estimate(jnp.mean(samples, 0), error(jnp.std(samples, 0, ddof=1), probes))

    return estimate


def quadrature(weigh, start=lambda z: z):
    """Return a spectral density whose weights are ``weigh(eigenvectors)``."""
    def density(fun, params, *, key, probes, steps):
        H, parts = jax.hessian(fun)(params), []
        for z in jax.random.rademacher(key, (probes, params.size), params.dtype):
            basis = krylov.lanczos(Partial(jnp.matmul, H), start(z), steps)
            nodes, vectors = jnp.linalg.eigh(krylov.tridiagonal(basis.alpha, basis.beta))
            parts.append((nodes, weigh(vectors) / probes))
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    return density


def calibration(truth):
    keys = jax.random.split(jax.random.key(7), 400)
    return lambda estimate: calibration_error(estimate, mixed, jnp.zeros(20), truth, keys, 40)


trace_error, diagonal_error = calibration(np.trace(MIXED)), calibration(np.diag(MIXED))
RIGHT = {
    "hvp": (product(lambda f, w, v: jax.hessian(f)(w) @ v), hvp_error),
    "trace": (hutchinson(jnp.dot), trace_error),
    "diagonal": (hutchinson(jnp.multiply), diagonal_error),
    "spread of the trace": (hutchinson(jnp.dot), trace_spread_error),
    "density": (quadrature(lambda vectors: vectors[0] ** 2), exact_density_error),
}
WRONG = {
    "hvp: the diagonal only": (product(lambda f, w, v: jnp.diag(jax.hessian(f)(w)) * v), hvp_error),
    "hvp: g · v": (product(lambda f, w, v: jax.grad(f)(w) * v), hvp_error),
    "hvp: H at v": (product(lambda f, w, v: jax.hessian(f)(v) @ v), hvp_error),
    "hvp: H at w + v": (product(lambda f, w, v: jax.hessian(f)(w + v) @ v), hvp_error),
    "hvp: H along w": (product(lambda f, w, v: jax.hessian(f)(w) @ w), hvp_error),
    "hvp: v twice": (product(lambda f, w, v: 2 * jax.hessian(f)(w) @ v), hvp_error),
    "hvp: a crude difference": (product(lambda f, w, v: (jax.grad(f)(w + 1e-3 * v) - jax.grad(f)(w)) / 1e-3),
                                hvp_error),
    "Gauss-Newton: the Hessian": (gauss_newton(
        lambda predict, loss, w, v: jax.hessian(lambda w: loss(predict(w)))(w) @ v), gauss_newton_error),
    "Gauss-Newton: JᵀJ": (gauss_newton(
        lambda predict, loss, w, v: jax.vjp(predict, w)[1](jax.jvp(predict, (w,), (v,))[1])[0]), gauss_newton_error),
    "Gauss-Newton: ggᵀ": (gauss_newton(
        lambda predict, loss, w, v: (g := jax.grad(lambda w: loss(predict(w)))(w)) * (g @ v)), gauss_newton_error),
    "trace: no mean's root in the error": (hutchinson(jnp.dot, error=lambda std, probes: std), trace_error),
    "trace: the error squared": (hutchinson(jnp.dot, error=lambda std, probes: std**2 / probes), trace_error),
    "trace: one probe for all": (hutchinson(
        jnp.dot, draw=lambda key, shape, dtype: jnp.ones(shape, dtype).at[0, 0].set(-1)), trace_error),
    "trace: probes in [−1, 1]": (hutchinson(
        jnp.dot, draw=lambda key, shape, dtype: jax.random.uniform(key, shape, dtype, -1, 1)), trace_error),
    "trace: zeros and ones": (hutchinson(
        jnp.dot, draw=lambda key, shape, dtype: jax.random.bernoulli(key, 0.5, shape).astype(dtype)), trace_error),
    "trace: zᵀHz / zᵀz": (hutchinson(lambda z, Hz: z @ Hz / (z @ z)), trace_error),
    "trace: normal probes": (hutchinson(jnp.dot, draw=jax.random.normal), trace_spread_error),
    "diagonal: Hz": (hutchinson(lambda z, Hz: Hz), diagonal_error),
    "diagonal: |z ⊙ Hz|": (hutchinson(lambda z, Hz: abs(z * Hz)), diagonal_error),
    "density: weights not squared": (quadrature(lambda vectors: abs(vectors[0])), exact_density_error),
    "density: weights not squared, made to sum to 1": (
        quadrature(lambda vectors: abs(vectors[0]) / jnp.sum(abs(vectors[0]))), exact_density_error),
    "density: equal weights": (quadrature(lambda vectors: jnp.full(len(vectors), 1 / len(vectors))),
                               exact_density_error),
    "density: last entries": (quadrature(lambda vectors: vectors[-1] ** 2), exact_density_error),
    "density: rows for columns": (quadrature(lambda vectors: vectors[:, 0] ** 2), exact_density_error),
    "density: probes of other lengths": (quadrature(lambda vectors: vectors[0] ** 2, lambda z: z * jnp.arange(20.0)),
                                         exact_density_error),
}


@pytest.mark.parametrize("name", RIGHT)
def test_accepted(name):
    tool, error = RIGHT[name]
    assert error(tool) <= 1


@pytest.mark.parametrize("name", WRONG)
def test_refused(name):
    tool, error = WRONG[name]
    assert not error(tool) <= 1
