"""Right answers to the exercises of chapter 7, written in other ways."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax

import ravine as rv


def _library(rule, w, slots, g, t=1):
    """One step of a rule of the library, as its t-th."""
    state = rule.init(w)._replace(slots=slots)
    if state.count is not None:
        state = state._replace(count=jnp.asarray(t - 1, jnp.int32))
    updates, state = rule.update(g, state, w)
    return w + updates, *state.slots


def _entries(*arrays):
    """Entry by entry, as Python numbers."""
    return zip(*(np.asarray(array).tolist() for array in arrays), strict=True)


def _gains_ravine(w, k, g, gp, lr):
    return _library(rv.local_gains(lr), w, (k, gp), g)[:2]


def _gains_loop(w, k, g, gp, lr):
    new_w, new_k = [], []
    for weight, gain, slope, last in _entries(w, k, g, gp):
        gain = min(gain + 0.05, 10) if slope * last > 0 else max(gain * 0.95, 0.1)
        new_w.append(weight - lr * slope * gain)
        new_k.append(gain)
    return new_w, new_k


def _gains_signs(w, k, g, gp, lr):
    same = np.sign(g) == np.sign(gp)
    same &= np.asarray(g) != 0
    k = same * (np.asarray(k) + 0.05) + ~same * (np.asarray(k) - 0.05 * np.asarray(k))
    k = np.minimum(np.maximum(k, 0.1), 10.0)
    return w - k * (lr * np.asarray(g)), k


@jax.jit
def _gains_select(w, k, g, gp, lr):
    agree = jnp.logical_or((g > 0) & (gp > 0), (g < 0) & (gp < 0))
    k = jnp.select([agree, ~agree], [k + 0.05, k * (1 - 0.05)]).clip(0.1, 10.0)
    return [w - k * g * lr, k]


def _rprop_ravine(w, g, gp, step):
    new_w, step, gp = _library(rv.rprop(), w, (step, gp), g)
    return new_w, gp, step


def _rprop_loop(w, g, gp, step):
    w, g, step = np.array(w), np.array(g), np.array(step)
    for i in range(len(w)):
        if g[i] * float(gp[i]) > 0:
            step[i] = min(step[i] * 1.2, 50)
        elif g[i] * float(gp[i]) < 0:
            step[i] = max(step[i] / 2, 1e-6)
            g[i] = 0
        if g[i] > 0:
            w[i] -= step[i]
        elif g[i] < 0:
            w[i] += step[i]
    return w, g, step


def _rprop_powers(w, g, gp, step):
    product = jnp.sign(g * gp)
    step = jnp.clip(step * 1.2 ** (product > 0) * 0.5 ** (product < 0), 1e-6, 50.0)
    g = g * (product >= 0)
    return w - jnp.sign(g) * step, g, step


def _rprop_masks(w, g, gp, step):
    up, down = g * gp > 0, g * gp < 0
    step = step.at[up].multiply(1.2).at[down].multiply(0.5)
    g = g.at[down].set(0)
    step = jnp.minimum(jnp.maximum(step, 1e-6), 50.0)
    return w.at[:].add(-step * jnp.where(g == 0, 0, g / jnp.abs(jnp.where(g == 0, 1, g)))), g, step


def _adagrad_ravine(w, s, g, lr, eps):
    return _library(rv.adagrad(lr, eps), w, (s,), g)


def _adagrad_loop(w, s, g, lr, eps):
    new_w, new_s = [], []
    for weight, total, slope in _entries(w, s, g):
        new_s.append(total + slope * slope)
        new_w.append(weight - lr / (eps + math.sqrt(new_s[-1])) * slope)
    return new_w, new_s


def _adagrad_numpy(w, s, g, lr, eps):
    w, s, g = np.array(w), np.array(s), np.array(g)
    s += np.square(g)
    w -= lr * g / (s**0.5 + eps)
    return w, s


def _adagrad_hypotenuse(w, s, g, lr, eps):
    length = jnp.hypot(jnp.sqrt(s), g)
    return w - g * (lr / (length + eps)), length**2


def _rmsprop_ravine(w, s, g, lr, rho, eps):
    return _library(rv.rmsprop(lr, rho, eps), w, (s,), g)


def _rmsprop_optax(w, s, g, lr, rho, eps):
    rule = optax.scale_by_rms(rho, eps, eps_in_sqrt=False)
    updates, state = rule.update(g, rule.init(w)._replace(nu=s))
    return optax.apply_updates(w, optax.tree.scale(-lr, updates)), state.nu


def _rmsprop_moved(w, s, g, lr, rho, eps):
    s = s + (1 - rho) * (g * g - s)
    return w - lr * g / (eps + s**0.5), s


@functools.partial(jax.jit, static_argnames=("rho", "eps"))
@functools.partial(jax.vmap, in_axes=(0, 0, 0, None, None, None))
def _rmsprop_vmapped(w, s, g, lr, rho, eps):
    s = rho * s + g * g * (1 - rho)
    return w - lr * jnp.divide(g, jnp.sqrt(s) + eps), s


def _adadelta_ravine(w, s, u, g, rho, eps):
    return _library(rv.adadelta(1.0, rho, eps), w, (s, u), g)


def _adadelta_one_root(w, s, u, g, rho, eps):
    s = s * rho + g**2 * (1 - rho)
    change = -jnp.sqrt((u + eps) / (s + eps)) * g
    return w + change, s, u * rho + change**2 * (1 - rho)


def _adadelta_loop(w, s, u, g, rho, eps):
    new = []
    for weight, squares, steps, slope in _entries(w, s, u, g):
        squares = rho * squares + (1 - rho) * slope**2
        step = math.sqrt(steps + eps) / math.sqrt(squares + eps) * slope
        new.append((weight - step, squares, rho * steps + (1 - rho) * step**2))
    return tuple(zip(*new, strict=True))


def _adam_ravine(w, m, v, g, t, lr, b1, b2, eps):
    return _library(rv.adam(lr, b1, b2, eps), w, (m, v), g, t)


def _adam_optax(w, m, v, g, t, lr, b1, b2, eps):
    rule = optax.scale_by_adam(b1, b2, eps)
    state = rule.init(w)._replace(count=jnp.asarray(t - 1), mu=m, nu=v)
    updates, state = rule.update(g, state)
    return w - lr * updates, state.mu, state.nu


def _adam_corrected_rate(w, m, v, g, t, lr, b1, b2, eps):
    """The paper's shorter form, whose ε̂ is ε √(1 − β₂ᵗ)."""
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
    root = math.sqrt(1 - b2**t)
    return w - lr * root / (1 - b1**t) * m / (jnp.sqrt(v) + eps * root), m, v


def _adam_loop(w, m, v, g, t, lr, b1, b2, eps):
    w, m, v, g = np.array(w), np.array(m), np.array(v), np.array(g)
    for i in range(w.size):
        m[i] += (1 - b1) * (g[i] - m[i])
        v[i] += (1 - b2) * (g[i] ** 2 - v[i])
        w[i] -= lr * (m[i] / (1 - b1**t)) / (eps + np.sqrt(v[i] / (1 - b2**t)))
    return w, m, v


@jax.jit
def _adam_traced(w, m, v, g, t, lr, b1, b2, eps):
    """Under jit even t and the constants are traced."""
    m, v = jnp.asarray([b1, b2])[:, None] * jnp.stack([m, v]) + jnp.stack([(1 - b1) * g, (1 - b2) * g**2])
    unbiased = m / (1 - jnp.power(b1, t)), v / (1 - jnp.power(b2, t))
    return w - lr * unbiased[0] / (jnp.sqrt(unbiased[1]) + eps), m, v


def _adamw_ravine(w, m, v, g, t, lr, b1, b2, eps, wd):
    return _library(rv.adamw(lr, b1, b2, eps, weight_decay=wd), w, (m, v), g, t)


def _adamw_decay_first(w, m, v, g, t, lr, b1, b2, eps, wd):
    """As PyTorch has it: the old weights shrink, then Adam's step."""
    shrunk = w * (1 - lr * wd)
    return _adam_loop(shrunk, m, v, g, t, lr, b1, b2, eps)


def _adamw_decay_after(w, m, v, g, t, lr, b1, b2, eps, wd):
    new, m, v = _adam_corrected_rate(w, m, v, g, t, lr, b1, b2, eps)
    return new - wd * lr * w, m, v


def _lion_ravine(w, m, g, lr, b1, b2, wd):
    return _library(rv.lion(lr, b1, b2, wd), w, (m,), g)


def _lion_comparisons(w, m, g, lr, b1, b2, wd):
    mixed = g + b1 * (m - g)
    return w * (1 - lr * wd) - jnp.where(mixed > 0, lr, jnp.where(mixed < 0, -lr, 0)), g + b2 * (m - g)


def _lion_loop(w, m, g, lr, b1, b2, wd):
    new_w, new_m = [], []
    for weight, average, slope in _entries(w, m, g):
        direction = math.copysign(1, b1 * average + slope * (1 - b1))
        new_w.append(weight - lr * wd * weight - lr * direction)
        new_m.append(b2 * average + (1 - b2) * slope)
    return np.array(new_w), np.array(new_m)


EQUIVALENTS = {
    "gains": [_gains_ravine, _gains_loop, _gains_signs, _gains_select],
    "rprop": [_rprop_ravine, _rprop_loop, _rprop_powers, _rprop_masks],
    "adagrad": [_adagrad_ravine, _adagrad_loop, _adagrad_numpy, _adagrad_hypotenuse],
    "rmsprop": [_rmsprop_ravine, _rmsprop_optax, _rmsprop_moved, _rmsprop_vmapped],
    "adadelta": [_adadelta_ravine, _adadelta_one_root, _adadelta_loop],
    "adam": [_adam_ravine, _adam_optax, _adam_corrected_rate, _adam_loop, _adam_traced],
    "adamw": [_adamw_ravine, _adamw_decay_first, _adamw_decay_after],
    "lion": [_lion_ravine, _lion_comparisons, _lion_loop],
}
