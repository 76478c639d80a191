"""Curvature: a Hessian-vector product beside a gradient, a spectrum by Lanczos beside the whole Hessian and matfree."""

import functools

import jax
import jax.numpy as jnp
import matfree.decomp
from jax.flatten_util import ravel_pytree

import ravine as rv
from performance.measuring import Part, at_least, at_most, medians, table
from performance.runs import problem

PRODUCTS = ((64, 75, 10), (64, 300, 100, 10))  # networks of 5,600 and of 50,000 parameters
SPECTRUM = (64, 40, 10)  # 3,000
BATCH = 256
PROBES, STEPS = 8, 32


def products():
    """Compare a Hessian-vector product with the gradient."""
    rows, aims = [], []
    for sizes in PRODUCTS:
        loss, params, data, size = problem(sizes, BATCH)
        v = jax.tree.map(jnp.ones_like, params)
        gradient = jax.jit(jax.grad(loss))
        spent = medians({"gradient": functools.partial(gradient, params, *data),
                         "product": functools.partial(rv.curvature.hvp, loss, params, v, args=data)}, seconds=4)
        ratio = spent["product"] / spent["gradient"]
        rows.append([size, 1e6 * spent["gradient"], 1e6 * spent["product"], ratio])
        aims.append(at_most(f"a Hessian-vector product, in gradients, {size} parameters", 2.3, ratio))
    return table(["parameters", "gradient, µs", "product, µs", "in gradients"], rows), aims


def with_matfree(loss, params, data):
    """Return the same quadrature by matfree's Lanczos, compiled: nodes and weights of the spectrum."""
    flat, unravel = ravel_pytree(params)
    lanczos = matfree.decomp.tridiag_sym(STEPS, reortho="full")
    slope = jax.grad(lambda w: loss(unravel(w), *data))

    @jax.jit
    def density(keys):
        def quadrature(key):
            z = jax.random.rademacher(key, flat.shape, flat.dtype)
            found = lanczos(lambda v: jax.jvp(slope, (flat,), (v,))[1], z)
            nodes, vectors = jnp.linalg.eigh(found.J_small)
            return nodes, vectors[0] ** 2 / PROBES

        return jax.lax.map(quadrature, keys)

    return density


@functools.partial(jax.jit, static_argnums=0)
def products_alone(loss, params, data, vectors):
    """Return the products with many vectors, one after the other."""
    return jax.lax.map(lambda v: rv.curvature.hvp(loss, params, v, args=data), vectors)


def spectra():
    """Compare the spectrum by Lanczos with its products alone, with matfree's and with that of the whole Hessian."""
    loss, params, data, size = problem(SPECTRUM, BATCH)
    key = jax.random.key(0)
    density = with_matfree(loss, params, data)
    vectors = jax.tree.map(lambda w: jax.random.rademacher(key, (PROBES * STEPS, *w.shape), w.dtype), params)
    ways = {"`spectral_density`": functools.partial(rv.curvature.spectral_density, loss, params, key=key, probes=PROBES,
                                                    steps=STEPS, args=data),
            "its products alone": functools.partial(products_alone, loss, params, data, vectors),
            "matfree": functools.partial(density, jax.random.split(key, PROBES)),
            "all eigenvalues": functools.partial(rv.curvature.eigenvalues, loss, params, args=data)}
    spent = medians(ways, seconds=60)
    ours, *_, dense = spent.values()
    rows = [[way, seconds, seconds / ours] for way, seconds in spent.items()]
    return (table(["way", "seconds", "of ours"], rows),
            [at_least(f"spectrum of {size} parameters, {PROBES} probes of {STEPS} steps: times as fast as all of it",
                      50, dense / ours)])


def measure():
    """Return both comparisons."""
    (multiplied, first), (spread, second) = products(), spectra()
    return Part({"product": multiplied, "spectrum": spread}, first + second)
