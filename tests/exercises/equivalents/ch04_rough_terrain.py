"""Right answers to the exercises of chapter 4, written in other ways."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.flatten_util import ravel_pytree

import ravine as rv


def _clip_library(tree, c):
    rule = rv.clip_by_norm(c)
    return rule.update(tree, rule.init(tree))[0]


def _clip_optax(tree, c):
    return optax.clip_by_global_norm(c).update(tree, optax.EmptyState())[0]


def _clip_one_vector(tree, c):
    vector, unravel = ravel_pytree(tree)
    return unravel(vector * jnp.minimum(1.0, c / jnp.linalg.norm(vector)))


def _clip_numpy(tree, c):
    squares = 0.0
    for g in tree.values():
        for entry in np.asarray(g).flat:
            squares += float(entry) ** 2
    factor = c / squares**0.5 if squares > c**2 else 1.0
    return {name: np.asarray(g) * factor for name, g in tree.items()}


@jax.jit
def _clip_divided_by_larger(tree, c):
    norm = optax.global_norm(tree)
    return jax.tree.map(lambda g: c * g / jnp.maximum(norm, c), tree)


def _clip_cond(tree, c):
    norm = jnp.sqrt(jax.tree.reduce(lambda total, g: total + jnp.vdot(g, g), tree, 0.0))
    return lax.cond(norm > c, lambda tree: jax.tree.map(lambda g: g * c / norm, tree), lambda tree: tree, tree)


def _jac_norm_chain_rule(Ws, x):
    jacobian = np.eye(len(x))
    for W in Ws:
        x = np.tanh(np.asarray(x) @ np.asarray(W))
        jacobian = np.diag(1 - x**2) @ np.asarray(W).T @ jacobian
    return np.linalg.svd(jacobian)[1][0]


@jax.jit
def _jac_norm_reverse(Ws, x):
    def network(h):
        return lax.fori_loop(0, len(Ws), lambda i, h: jnp.tanh(h @ jnp.stack(Ws)[i]), h)

    return jnp.linalg.svd(jax.jacfwd(network)(x), compute_uv=False).max()


def _jac_norm_eigenvalues(Ws, x):
    jacobian = jnp.eye(len(x))
    for W in Ws:
        x = jnp.tanh(x @ W)
        jacobian = jacobian @ W * (1 - x**2)
    return jnp.linalg.eigvalsh(jacobian @ jacobian.T)[-1] ** 0.5


def _jac_norm_directions(Ws, x):
    """Two by two: the largest stretch over a fine circle of directions."""
    def network(h):
        for W in Ws:
            h = jnp.tanh(h @ W)
        return h

    angle = np.linspace(0, np.pi, 100_001)
    stretched = np.asarray(jax.jacrev(network)(x)) @ np.stack([np.cos(angle), np.sin(angle)])
    return np.linalg.norm(stretched, axis=0).max()


EQUIVALENTS = {
    "clip": [_clip_library, _clip_optax, _clip_one_vector, _clip_numpy, _clip_divided_by_larger, _clip_cond],
    "jac_norm": [_jac_norm_chain_rule, _jac_norm_reverse, _jac_norm_eigenvalues, _jac_norm_directions],
}
