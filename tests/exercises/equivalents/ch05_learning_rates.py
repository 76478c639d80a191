"""Right answers to the exercise of chapter 5, written in other ways."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

import ravine as rv


def _library(t, peak, warmup, T, floor):
    return rv.schedules.cosine_with_warmup(peak, warmup, T, floor)(t)


def _optax(t, peak, warmup, T, floor):
    return optax.warmup_cosine_decay_schedule(0.0, peak, warmup, T, floor)(t)


@jax.jit
def _where(t, peak, warmup, T, floor):
    rising = peak * t / jnp.maximum(warmup, 1)
    left = jnp.clip((T - t) / (T - warmup), 0, 1)
    return jnp.where(t < warmup, rising, floor + (peak - floor) * jnp.sin(jnp.pi / 2 * left) ** 2)


def _plain_python(t, peak, warmup, T, floor):
    if t >= T:
        return floor
    if t >= warmup:
        angle = math.pi * (t - warmup) / (T - warmup)
        return 0.5 * (peak + floor) + 0.5 * (peak - floor) * math.cos(angle)
    return t * (peak / warmup)


def _numpy(t, peak, warmup, T, floor):
    waves = floor + (peak - floor) * (1 + np.cos(np.linspace(0, np.pi, T - warmup + 1))) / 2
    return np.concatenate([np.linspace(0, peak, warmup, endpoint=False), waves])[min(t, T)]


def _cond(t, peak, warmup, T, floor):
    return lax.cond(t < warmup, lambda: jnp.asarray(peak * t / max(warmup, 1), float), lambda: jnp.asarray(
        floor + (peak - floor) * 0.5 * (1 + jnp.cos(jnp.pi * jnp.minimum(1.0, (t - warmup) / (T - warmup)))), float))


EQUIVALENTS = {"warmup_cosine": [_library, _optax, _where, _plain_python, _numpy, _cond]}
