"""Right answers to the exercises of chapter 11, written in other ways."""

import jax
import jax.numpy as jnp
import numpy as np

import ravine as rv


def _train_ravine(x, gamma, beta, eps):
    layer = rv.networks.batch_norm(3, eps=eps)
    return layer.apply({"scale": gamma, "shift": beta}, layer.init(jax.random.key(0), x.dtype)[1], x, True)[0]


def _train_loop(x, gamma, beta, eps):
    x, y = np.asarray(x, float), np.empty((4, 3))
    for j in range(3):
        column = x[:, j]
        y[:, j] = (column - column.mean()) * float(gamma[j]) / np.sqrt(column.var() + eps) + float(beta[j])
    return y


def _train_vmapped(x, gamma, beta, eps):
    def feature(x, gamma, beta):
        x = x - x.sum() / 4
        return gamma * x * jax.lax.rsqrt(x @ x / 4 + eps) + beta

    return jax.vmap(feature, in_axes=(1, 0, 0), out_axes=1)(x, gamma, beta)


def _running_ravine(x, rm, var, momentum, eps):
    layer, params = rv.networks.batch_norm(3, momentum, eps), {"scale": jnp.ones_like(rm), "shift": jnp.zeros_like(rm)}
    state = layer.apply(params, {"mean": rm, "variance": var}, x, True)[1]
    return layer.apply(params, state, x, False)[0], state["mean"], state["variance"]


def _running_moved(x, rm, var, momentum, eps):
    rm += (1 - momentum) * (x.mean(0) - rm)
    var += (1 - momentum) * (x.std(0) ** 2 - var)
    return [(x - rm) * (var + eps) ** -0.5, rm, var]


def _running_loop(x, rm, var, momentum, eps):
    x, rm, var = np.array(x), np.array(rm), np.array(var)
    for j in range(3):
        mean = sum(x[:, j]) / 4
        var[j] = var[j] * momentum + sum((x[:, j] - mean) ** 2) / 4 * (1 - momentum)
        rm[j] = rm[j] * momentum + mean * (1 - momentum)
        x[:, j] = (x[:, j] - rm[j]) / np.sqrt(var[j] + eps)
    return x, rm, var


EQUIVALENTS = {
    "bn_train": [_train_ravine, _train_loop, _train_vmapped],
    "bn_running": [_running_ravine, _running_moved, _running_loop],
}
