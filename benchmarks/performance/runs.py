"""Whole trainings: `minimize` beside a loop in Python, and `sweep` beside two ways with Optax."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

import ravine as rv
from performance.measuring import Part, at_least, at_most, medians, reading, table

BATCH = 32
# Sizes of networks, and how many times as fast as the loop `minimize` is to be there.
NETWORKS = {(4, 16, 5): 5.0, (64, 75, 10): 1.3}
STEPS = 500
RATES = np.geomspace(1e-4, 1e-1, 256).astype(np.float32)
SWEPT = 100  # steps of each training of a sweep
TRIED = 6  # rates, of which the time of the slow ways for all of them is told


@functools.cache
def problem(sizes, batch=BATCH):
    """Return a loss, parameters and a batch of data for a network of these sizes."""
    network = rv.networks.mlp(sizes)
    random = np.random.default_rng(0)
    x = jnp.asarray(random.normal(size=(batch, sizes[0])), jnp.float32)
    y = jnp.asarray(random.integers(sizes[-1], size=batch), jnp.int32)

    def loss(params, x, y):
        return optax.losses.softmax_cross_entropy_with_integer_labels(network.apply(params, x), y).mean()

    params = network.init(jax.random.key(0))
    return loss, params, (x, y), sum(leaf.size for leaf in jax.tree.leaves(params))


def stepper(loss, optimizer):
    """Return the compiled step that is written everywhere."""
    @jax.jit
    def step(params, state, x, y):
        value, grads = jax.value_and_grad(loss)(params, x, y)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, value

    return step


def loop(step, params, state, data, steps):
    """Return the losses of a training loop in Python."""
    losses = []
    for _ in range(steps):
        params, state, value = step(params, state, *data)
        losses.append(value)
    return losses


def bare(loss, optimizer, params, data, steps):
    """Return what a `scan` ends with that does nothing but the steps, and the losses: no library's share is in it."""
    def step(carry, _):
        params, state = carry
        value, grads = jax.value_and_grad(loss)(params, *data)
        updates, state = optimizer.update(grads, state, params)
        return (optax.apply_updates(params, updates), state), value

    return jax.lax.scan(step, (params, optimizer.init(params)), length=steps)


def minimizing():
    """Compare `minimize` with a bare scan of the same steps, and with a loop over a compiled step."""
    rows, aims = [], []
    for sizes, wanted in NETWORKS.items():
        loss, params, data, size = problem(sizes)
        optimizer = optax.adam(1e-3)
        step, state, ours = stepper(loss, optimizer), optimizer.init(params), rv.adam(1e-3)
        scan = jax.jit(functools.partial(bare, loss, optimizer, steps=STEPS))
        spent = medians({"ours": functools.partial(rv.minimize, loss, params, ours, STEPS, args=data),
                         "scan": functools.partial(scan, params, data),
                         "loop": functools.partial(loop, step, params, state, data, STEPS)}, seconds=4)
        rows.append([size, *(1e6 * spent[name] / STEPS for name in spent), spent["loop"] / spent["ours"]])
        aims.append(at_least(f"`minimize` beside a loop over a compiled step, {size} parameters: times as fast", wanted,
                             rows[-1][-1]))
    return table(["parameters", "`minimize`, µs a step", "bare scan", "loop", "times as fast"], rows), aims


def sweeping():
    """Compare `sweep` with Optax: all rates in one compiled program, and a loop over rates with a compiled step."""
    loss, params, data, size = problem(next(iter(NETWORKS)))

    def train(optimizer):
        return rv.minimize(loss, params, optimizer, SWEPT, args=data, keep_path=False).losses

    @jax.jit
    @jax.vmap
    def together(rate):
        (end, _), losses = bare(loss, optax.adam(rate), params, data, SWEPT)
        return jnp.append(losses, loss(end, *data))

    injected = optax.inject_hyperparams(optax.adam)(1e-3)
    shared = stepper(loss, injected)

    def one_step_for_all():
        losses = []
        for rate in RATES[:TRIED]:
            state = injected.init(params)
            state.hyperparams["learning_rate"] = rate
            losses.append(loop(shared, params, state, data, SWEPT))
        return losses

    def one_step_each():
        losses = []
        for rate in RATES[:TRIED].tolist():
            optimizer = optax.adam(rate)
            losses.append(loop(stepper(loss, optimizer), params, optimizer.init(params), data, SWEPT))
        return losses

    ways = {"`sweep`": functools.partial(rv.sweep, rv.adam, RATES, train),
            "Optax, one program: `vmap` of `scan`": lambda: together(RATES),
            "the same again": lambda: together(RATES),
            "Optax, a loop over rates and steps, one compiled step": one_step_for_all}
    spent = medians(ways, seconds=10)
    *_, slow = ways
    spent[slow] *= len(RATES) / TRIED
    usual = "Optax, the same loop, a step compiled for each rate"
    spent[usual] = reading(one_step_each) * len(RATES) / TRIED
    ours, best, again = (spent[name] for name in list(ways)[:3])
    rows = [[way, seconds, seconds / ours] for way, seconds in spent.items()]
    words = f"`sweep` of {len(RATES)} rates, {SWEPT} steps each, {size} parameters"
    noise = max(best / again, again / best)
    return (table(["way", "seconds", "of `sweep`'s"], rows),
            [at_most(f"{words}: of the time of the best way with Optax; the aim is how far that is from itself", noise,
                     ours / best),
             at_least(f"{words}: times as fast as the usual way, a step compiled for each rate", 50,
                      spent[usual] / ours)])


def measure():
    """Return both comparisons."""
    (minimized, first), (swept, second) = minimizing(), sweeping()
    return Part({"minimize": minimized, "sweep": swept}, first + second)
