"""Right answers to the exercises of chapter 6, written in other ways."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

import ravine as rv


def _ewma_numpy(x, beta):
    x, average, corrected = np.asarray(x), 0.0, np.empty(len(x))
    for i in range(len(x)):
        average = beta * average + (1 - beta) * x[i]
        corrected[i] = average / (1 - beta ** (i + 1))
    return corrected


def _ewma_list_of_floats(x, beta):
    averages = [0.0]
    for value in x:
        averages.append(beta * averages[-1] + (1 - beta) * float(value))
    return [average / (1 - beta**t) for t, average in enumerate(averages) if t > 0]


def _ewma_scan(x, beta):
    def step(carry, value):
        average, power = carry
        average, power = beta * average + (1 - beta) * value, power * beta
        return (average, power), average / (1 - power)

    return lax.scan(step, (jnp.zeros((), x.dtype), jnp.ones((), x.dtype)), x)[1]


@jax.jit
def _ewma_traced_count(x, beta):
    def step(i, carry):
        average, corrected = carry
        average = beta * average + (1 - beta) * x[i]
        return average, corrected.at[i].set(average / (1 - beta ** (i + 1)))

    return lax.fori_loop(0, jnp.sum(jnp.ones_like(x)).astype(int), step, (jnp.zeros((), x.dtype), jnp.zeros_like(x)))[1]


def _ewma_while(x, beta):
    def more(state):
        return state[0] < len(x)

    def step(state):
        i, average, corrected = state
        average += (1 - beta) * (x[i] - average)
        return i + 1, average, corrected.at[i].set(average / (1 - beta ** (i + 1)))

    return lax.while_loop(more, step, (0, jnp.zeros((), x.dtype), jnp.zeros_like(x)))[2]


def _ewma_matrix(x, beta):
    t = jnp.arange(len(x))
    weights = jnp.tril((1 - beta) * beta ** jnp.abs(t[:, None] - t))
    return weights @ x / weights.sum(axis=1)


def _ewma_moving_weight(x, beta):
    average, averages = 0.0, []
    for t in range(1, len(x) + 1):
        average = average + (1 - beta) / (1 - beta**t) * (x[t - 1] - average)
        averages.append(average)
    return jnp.array(averages)


def _ewma_convolution(x, beta):
    weights = beta ** jnp.arange(len(x))
    return jnp.convolve(x, weights)[:len(x)] / jnp.cumsum(weights)


def _ewma_optax(x, beta):
    rule = optax.ema(beta, debias=True)
    state, averages = rule.init(x[0]), []
    for value in x:
        average, state = rule.update(value, state)
        averages.append(average)
    return tuple(averages)


def _velocity_numpy(w, v, g, lr, mu):
    w, v, g = np.array(w), np.array(v), np.array(g)
    v *= mu
    v += lr * g
    w -= v
    return w, v


def _velocity_entry_by_entry(w, v, g, lr, mu):
    new_w, new_v = jnp.zeros_like(w), jnp.zeros_like(v)
    for index in np.ndindex(w.shape):
        new_v = new_v.at[index].set(mu * v[index] + lr * g[index])
        new_w = new_w.at[index].set(w[index] - new_v[index])
    return [new_w, new_v]


@functools.partial(jax.jit, static_argnames="mu")
def _velocity_jitted(w, v, g, lr, mu):
    return (w - mu * v) - lr * g, lr * g + mu * v


def _velocity_accumulated(w, v, g, lr, mu):
    accumulated = mu * (v / lr) + g
    return w - lr * accumulated, lr * accumulated


def _velocity_vmapped(w, v, g, lr, mu):
    new = jax.vmap(lambda v, g: v * mu + g * lr)(v, g)
    return jax.tree.map(jnp.subtract, (w, 0), (new, -new))


def _velocity_lists(w, v, g, lr, mu):
    new = (mu * np.asarray(v) + lr * np.asarray(g)).tolist()
    return np.subtract(w, new).tolist(), new


def _lookahead_ravine(w, v, grad, lr, mu):
    """The library's rule, on a surface whose gradient is `grad`."""
    @jax.custom_jvp
    def surface(w):
        return 0.0 * w.sum()

    surface.defjvp(lambda primals, tangents: (surface(*primals), jnp.vdot(grad(*primals), *tangents)))
    rule = rv.nesterov_lookahead(lr, mu)
    updates, state = rule.update(w, rule.init(w)._replace(slots=(v,)), w, value_fn=surface)
    return optax.apply_updates(w, updates), state.slots[0]


def _lookahead_from_there(w, v, grad, lr, mu):
    there = w - mu * v
    new = there - lr * grad(there)
    return new, w - new


@functools.partial(jax.jit, static_argnames="grad")
def _lookahead_jitted(w, v, grad, lr, mu):
    velocity = lr * grad(w - v * mu) + v * mu
    return w - velocity, velocity


def _lookahead_numpy(w, v, grad, lr, mu):
    w, v = np.array(w), np.array(v)
    v = np.multiply(v, mu)
    v += lr * np.asarray(grad(w - v))
    return w - v, v


def _lookahead_other_sign(w, v, grad, lr, mu):
    forward = -v
    forward = mu * forward - lr * grad(w + mu * forward)
    return w + forward, -forward


class _Lookahead:
    def __call__(self, w, v, grad, lr, mu):
        self.v = mu * v + lr * grad(w - mu * v)
        return w - self.v, self.v


EQUIVALENTS = {
    "ewma": [_ewma_numpy, _ewma_list_of_floats, _ewma_scan, _ewma_traced_count, _ewma_while, _ewma_matrix,
             _ewma_moving_weight, _ewma_convolution, _ewma_optax],
    "velocity_step": [_velocity_numpy, _velocity_entry_by_entry, _velocity_jitted, _velocity_accumulated,
                      _velocity_vmapped, _velocity_lists],
    "lookahead_step": [_lookahead_ravine, _lookahead_from_there, _lookahead_jitted, _lookahead_numpy,
                       _lookahead_other_sign, _Lookahead()],
}
