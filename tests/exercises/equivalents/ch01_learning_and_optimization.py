"""Right answers to the exercise of chapter 1, written in other ways."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax


def _risk_loop(w, X, y):
    total = 0.0
    for x, target in zip(np.asarray(X), np.asarray(y), strict=True):
        total += (sum(float(weight) * float(entry) for weight, entry in zip(w, x, strict=True)) - target) ** 2
    return total / (2 * len(y))


def _risk_norm(w, X, y):
    return jnp.linalg.norm(y - jnp.dot(X, w)) ** 2 / 2 / y.size


@jax.jit
def _risk_vmapped(w, X, y):
    return jax.vmap(lambda x, target: 0.5 * jnp.square(jnp.vdot(w, x) - target))(X, y).mean()


def _risk_columns(w, X, y):
    errors = X @ w.reshape(-1, 1) - y.reshape(-1, 1)
    return (errors.T @ errors / (2 * len(X))).squeeze()


def _risk_fori(w, X, y):
    def add(i, total):
        return total + (X[i] @ w - y[i]) ** 2

    return lax.fori_loop(0, len(y), add, jnp.zeros((), X.dtype)) / (2 * len(y))


def _risk_optax(w, X, y):
    return optax.losses.l2_loss(X @ w, y).mean()


EQUIVALENTS = {"risk": [_risk_loop, _risk_norm, _risk_vmapped, _risk_columns, _risk_fori, _risk_optax]}
