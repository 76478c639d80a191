"""Losses with known Hessians, and how the tools of `curvature` are compared with them.

Each comparison returns the largest error as a share of what is allowed: right is at most 1.
"""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import wasserstein_distance

import ravine as rv

random = np.random.default_rng(0)
X, Y = random.normal(size=(12, 3)), random.normal(size=(12, 2))
# A network 3-4-2 as a tree, 26 parameters
NETWORK = {"first": (random.normal(size=(3, 4)), random.normal(size=4)),
           "second": (random.normal(size=(4, 2)), np.zeros(2))}
V = jax.tree.map(lambda w: random.normal(size=w.shape), NETWORK)
SINGLE = jax.tree.map(np.float32, NETWORK)


def predict(params, x, y):
    """Return the outputs; the data are those of the loss as well."""
    (w1, b1), (w2, b2) = params["first"], params["second"]
    return jnp.tanh(x @ w1 + b1) @ w2 + b2


def softmax_loss(outputs, x, y):
    """Return a loss that is convex and not quadratic in the outputs."""
    return jnp.mean(jax.nn.logsumexp(outputs, axis=1)) - jnp.mean(jax.nn.softmax(y) * outputs) * 2


def network_loss(params, x, y):
    return softmax_loss(predict(params, x, y), x, y)


def flat(tree):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)]).astype(float)


def raveled(fun, params, *args):
    """Return a loss as a function of one vector, in NumPy's hands, and the vector."""
    leaves, structure = jax.tree.flatten(params)
    shapes = [np.shape(leaf) for leaf in leaves]
    cuts = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def on_vector(w):
        parts = jnp.split(w, cuts)
        return fun(structure.unflatten([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]), *args)

    return on_vector, jnp.asarray(flat(params))


LOSS, POINT = raveled(network_loss, NETWORK, X, Y)
GRADIENT = jax.jit(jax.grad(LOSS))
# Row i: how the gradient changes along axis i, by central differences. Their own error is about h² + ε/h ≈ 1e-10.
STEP = 1e-5
DIFFERENCES = np.array([(GRADIENT(POINT + STEP * axis) - GRADIENT(POINT - STEP * axis)) / (2 * STEP)
                        for axis in np.eye(len(POINT))])


def jacobian_products():
    """Return JᵀHJ of the network, from J and H made whole, each by reverse differentiation of one output at a time."""
    outputs, w = raveled(lambda params: predict(params, X, Y).ravel(), NETWORK)
    J = jax.jit(jax.jacrev(outputs))(w)
    out = outputs(w)
    H = jax.jit(jax.jacrev(jax.grad(lambda out: softmax_loss(out.reshape(Y.shape), X, Y))))(out)
    return np.asarray(J.T @ H @ J)


GAUSS_NEWTON = jacobian_products()


def hvp_error(product=rv.curvature.hvp):
    """Compare a Hessian-vector product with differences of gradients, on the network."""
    seen = flat(product(lambda params: network_loss(params, X, Y), NETWORK, V))
    return np.max(abs(seen - DIFFERENCES @ flat(V))) / 1e-8


def gauss_newton_error(product=rv.curvature.gauss_newton_vp):
    """Compare a Gauss-Newton product with JᵀHJ made whole, on the network."""
    seen = flat(product(lambda p: predict(p, X, Y), lambda out: softmax_loss(out, X, Y), NETWORK, V))
    return np.max(abs(seen - GAUSS_NEWTON @ flat(V))) / 1e-13


STAIRS = np.repeat([-1.0, 0.0, 0.5, 4.0], [2, 10, 6, 2])
MIXED = np.linalg.qr(np.random.default_rng(1).normal(size=(20, 20)))[0]
MIXED = (MIXED * np.linspace(-2, 5, 20)) @ MIXED.T


def stairs(w):
    """Return a loss with a diagonal Hessian of four distinct eigenvalues."""
    return jnp.sum(STAIRS.astype(w.dtype) * w**2) / 2


def mixed(w):
    """Return a loss with a full Hessian, `MIXED`."""
    return w @ jnp.asarray(MIXED, w.dtype) @ w / 2


def exact_density_error(density=rv.curvature.spectral_density):
    """Compare a density with the eigenvalues of `stairs`: a diagonal Hessian is resolved exactly by each probe."""
    nodes, weights = density(stairs, jnp.zeros(20), key=jax.random.key(0), probes=2, steps=6)
    distance = wasserstein_distance(nodes, STAIRS, abs(np.asarray(weights)))
    return max(distance, abs(np.sum(weights) - 1)) / 1e-13


def density_error(density, fun, params, spectrum, probes, steps, key):
    """Compare a density with a spectrum, as a share of what theory allows.

    Gauss quadrature with k nodes integrates polynomials of degree 2k − 1, and a 1-Lipschitz function on [a, b] is
    within π (b − a) / 8k of one (Jackson, Favard), so the distance it adds is at most π (b − a) / 4k. The share of
    weight below t has variance at most 1 / 2nm over m probes: at most (b − a) / √(2nm) on average, of which three.
    """
    nodes, weights = density(fun, params, key=key, probes=probes, steps=steps)
    width = np.ptp(spectrum)
    allowed = np.pi * width / (4 * steps) + 3 * width / np.sqrt(2 * len(spectrum) * probes)
    return wasserstein_distance(nodes, spectrum, weights) / allowed


def calibration_error(estimate, fun, params, truth, keys, probes):
    """Compare errors with the standard errors that go with them, over many keys.

    (value − truth) / standard error is near a t of probes − 1 degrees, whose square has mean (probes − 1) /
    (probes − 3) and a standard deviation of about √2: 4 of it over √keys are allowed, and 4 for the mean of z itself.
    """
    value, standard_error = jax.jit(jax.vmap(lambda key: estimate(fun, params, key=key, probes=probes)))(keys)
    z = (np.asarray(value) - truth) / np.asarray(standard_error)
    spread = 4 / np.sqrt(len(keys))
    return max(np.max(abs(np.mean(z, 0))) / spread,
               np.max(abs(np.mean(z**2, 0) - (probes - 1) / (probes - 3))) / (np.sqrt(2) * spread))


def trace_spread_error(estimate=rv.curvature.hessian_trace):
    """Compare the standard error of a trace with √(2 Σ_{i≠j} H²/probes), the one of probes ±1, in 400 probes.

    A sample deviation of 400 is right to 1 / √800; four of it are allowed.
    """
    found = estimate(mixed, jnp.zeros(20), key=jax.random.key(3), probes=400)
    expected = np.sqrt(2 * np.sum((MIXED - np.diag(np.diag(MIXED))) ** 2) / 400)
    return abs(found.standard_error / expected - 1) / (4 / np.sqrt(800))
