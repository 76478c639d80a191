"""Right answers to the exercises of chapter 2, written in other ways."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

import ravine as rv


def _minibatches_sort(key, n, b):
    order = jnp.argsort(jax.random.uniform(key, n))
    return jnp.split(order, list(range(b, n, b)))


def _minibatches_numpy(key, n, b):
    random = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    order, batches = random.permutation(n), []
    while len(order):
        batches.append(order[:b])
        order = order[b:]
    return tuple(batches)


def _minibatches_lists(key, n, b):
    order = jax.random.choice(jax.random.split(key)[1], jnp.arange(n), (n,), replace=False)
    return [[int(i) for i in numbers] for numbers in itertools.zip_longest(*[iter(order.tolist())] * b)
            if None not in numbers] + ([order.tolist()[n - n % b:]] if n % b else [])


def _minibatches_generator(key, n, b):
    order = jax.random.permutation(key, jnp.arange(n, dtype="uint8"))
    batches = []
    for i, number in enumerate(order):
        if i % b == 0:
            batches.append([])
        batches[-1].append(number)
    return [jnp.stack(batch) for batch in batches]


def _sgd_epoch_scan(w, X, y, idx, lr):
    def step(w, batch):
        return w - lr * jnp.mean((X[batch] @ w - y[batch])[:, None] * X[batch], axis=0), None

    return lax.scan(step, w, idx)[0]


@jax.jit
def _sgd_epoch_autodiff(w, X, y, idx, lr):
    def loss(w, batch):
        return jnp.mean((X[batch] @ w - y[batch]) ** 2) / 2

    return lax.fori_loop(0, len(idx), lambda i, w: w - lr * jax.grad(loss)(w, idx[i]), w)


def _sgd_epoch_numpy(w, X, y, idx, lr):
    w, X, y = np.array(w), np.asarray(X), np.asarray(y)
    for batch in np.asarray(idx):
        gradient = np.zeros_like(w)
        for i in batch:
            gradient += (X[i].dot(w) - y[i]) * X[i]
        w -= lr / len(batch) * gradient
    return w


def _sgd_epoch_library(w, X, y, idx, lr):
    rule = rv.sgd(lr)
    state = rule.init(w)
    for batch in idx:
        gradient = jax.grad(lambda w, X, y: optax.losses.l2_loss(X @ w, y).mean())(w, X[batch], y[batch])
        updates, state = rule.update(gradient, state)
        w = optax.apply_updates(w, updates)
    return w


def _noise_std_numpy(G, nb):
    G = np.asarray(G)
    deviations = G - G.mean(axis=0)
    return np.sqrt((deviations**2).sum(axis=0) / len(G) / nb)


def _noise_std_loop(G, nb):
    return [float(np.std([float(row[j]) for row in G])) / nb**0.5 for j in range(G.shape[1])]


@jax.jit
def _noise_std_covariance(G, nb):
    return jnp.sqrt(jnp.diag(jnp.cov(G, rowvar=False, bias=True)) / nb)


def _noise_std_vmapped(G, nb):
    return jax.vmap(jnp.std, in_axes=1)(G / jnp.sqrt(nb))


EQUIVALENTS = {
    "minibatches": [_minibatches_sort, _minibatches_numpy, _minibatches_lists, _minibatches_generator],
    "sgd_epoch": [_sgd_epoch_scan, _sgd_epoch_autodiff, _sgd_epoch_numpy, _sgd_epoch_library],
    "noise_std": [_noise_std_numpy, _noise_std_loop, _noise_std_covariance, _noise_std_vmapped],
}
