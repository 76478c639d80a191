"""How two rules are compared. Both comparisons return the largest difference as a share of what rounding may do.

Open loop: one fixed stream of gradients is fed to both, and their updates are compared, in float32 and float64. This
tells rules apart that a run in float32 cannot, because nothing pulls the two together again.

Closed loop: both run on a surface in float64, and their points are compared.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

import ravine as rv

STEPS = 30
# Warm-up, a plateau, a drop to a tenth, a slow decay: where the rate moves, the forms of momentum part.
RATES = np.concatenate([np.linspace(0.02, 0.1, 8), np.full(7, 0.1), 0.01 * 0.97 ** np.arange(STEPS - 15)])


def schedule(step):
    """Return the rate of a step; the same double to NumPy's loops and to JAX."""
    return jnp.asarray(RATES)[step]


@functools.cache
def stream(dtype):
    """Return the gradients of STEPS steps, each a tree; their entries are of other sizes and habits."""
    random = np.random.default_rng(0)
    normal = random.normal(size=(STEPS, 15))
    t = np.arange(STEPS)
    entries = normal * 10.0 ** random.integers(-8, 9, 15)
    entries[:, 0] = 0.0
    entries[:, 1] = 1.0
    entries[:, 2] = (-1.0) ** t
    entries[:, 3] = 1e-12 * normal[:, 3]
    entries[:, 4] = 1e12 * normal[:, 4]
    entries[:, 5] = np.where(t == 0, 1e6, 1e-3)
    entries[:, 6] = np.where(t % 7 == 3, normal[:, 6], 0.0)
    entries[:, 7] = 100 * float(jnp.finfo(dtype).tiny) * normal[:, 7]
    return [{"kernel": jnp.asarray(row[:8].reshape(2, 4), dtype), "bias": (jnp.asarray(row[8:], dtype),)}
            for row in entries]


def updates(optimizer, gradients):
    """Return the updates with which an optimizer answers a stream of gradients: an array, one row a step."""
    optimizer = optax.with_extra_args_support(optimizer)
    params = jax.tree.map(jnp.zeros_like, gradients[0])
    state, rows = optimizer.init(params), []
    for gradient in gradients:
        plane = functools.partial(_plane, gradient)
        update, state = optimizer.update(gradient, state, params, value=0.0, grad=gradient, value_fn=plane)
        leaves = jax.tree.leaves(update)
        assert {leaf.dtype for leaf in leaves} == {leaf.dtype for leaf in jax.tree.leaves(gradient)}
        rows.append(np.concatenate([np.ravel(leaf) for leaf in leaves]).astype(float))
    return np.stack(rows)


def _plane(gradient, w):
    return sum(jnp.vdot(*pair) for pair in zip(jax.tree.leaves(gradient), jax.tree.leaves(w), strict=True))


@functools.cache
def _reference(make, numbers, rate, dtype):
    reference = make(rate, **dict(numbers))
    absolute = [jax.tree.map(abs, gradient) for gradient in stream(dtype)]
    return updates(reference, stream(dtype)), abs(updates(reference, absolute))


def open_loop(case, numbers, rate, dtype, rule=None):
    """Compare `rule`, by default that of the case, with its Optax form on the stream. Right: at most 1.

    The bound. Each step rounds a slot twice (a product, a sum), by half an epsilon, in each of two programs: 2 ε a
    step; 8 ε more for the constants and what leaves the slot. Sums cancel, so ε is a share of the sum of absolute
    values: of what the reference answers to |g|. And what falls below the smallest normal number is flushed to 0.
    """
    seen = updates((rule or case.rule)(rate, **numbers), stream(dtype))
    expected, size = _reference(case.optax, tuple(numbers.items()), rate, dtype)
    info = jnp.finfo(dtype)
    roundings = 2 * np.arange(STEPS)[:, None] + 8
    return np.max(abs(seen - expected) / (roundings * (float(info.eps) * size + float(info.tiny))))


_BOWL = np.array([[8.0, 3.0], [3.0, 2.0]])


def _bowl(w):
    return 0.5 * w @ jnp.asarray(_BOWL) @ w


def _rosenbrock_gradient(w):
    x, y = w
    return np.array([-400 * x * (y - x**2) - 2 * (1 - x), 200 * (y - x**2)])


# name: the function, its gradient by hand, the start, the scale of the rate
SURFACES = {
    "bowl": (_bowl, lambda w: _BOWL @ w, np.array([-2.0, 1.0]), 1.0),
    "Rosenbrock": (rv.landscapes.rosenbrock, _rosenbrock_gradient, np.array([-1.2, 1.0]), 2e-3),
}


def closed_loop(case, numbers, surface, rate, rule=None):
    """Compare `rule`, by default that of the case, with its NumPy loop on a surface. Right: at most 1.

    The bound. A step makes errors of a few ε of the point; later steps carry them on as they carry a nudge of the
    start, which is measured with the loop itself.
    """
    fun, gradient, start, scale = SURFACES[surface]
    steps = STEPS if callable(rate) else 200
    rates = RATES if callable(rate) else np.full(steps, rate * scale)
    rate = rate if callable(rate) else rate * scale

    def path(start):
        return np.array([start, *case.loop(gradient, start, rates, **numbers)])

    expected, nudge = path(start), 1e-7
    carried = max(1.0, *(np.max(abs(path(start + nudge * way) - expected)) / nudge for way in np.eye(2)))
    # Decays that a case names are handed over as arrays: all of them run in one compiled program.
    arrays = {name: jnp.asarray(value) if name == "decay" else value for name, value in numbers.items()}
    seen = rv.minimize(fun, start, (rule or case.rule)(rate, **arrays), steps).path
    return np.max(abs(seen - expected)) / (steps * np.finfo(float).eps * carried * np.max(abs(expected)))
