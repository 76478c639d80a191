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

from .cases import CASES

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
    tiny = float(jnp.finfo(dtype).tiny)
    entries[:, 7] = 100 * tiny * normal[:, 7]
    entries[:, 8] = tiny ** (2 / 3) * normal[:, 8]  # a product of two of them underflows
    return [{"kernel": jnp.asarray(row[:8].reshape(2, 4), dtype), "bias": (jnp.asarray(row[8:], dtype),)}
            for row in entries]


def weights(like):
    """Return the parameters at which the stream of gradients is met, for the rules that ask for them."""
    random = np.random.default_rng(1)
    return jax.tree.map(lambda g: jnp.asarray(10.0 ** random.integers(-3, 4, g.shape) * random.normal(size=g.shape),
                                              g.dtype), like)


def updates(optimizer, gradients, params):
    """Return the updates with which an optimizer answers a stream of gradients: an array, one row a step."""
    optimizer = optax.with_extra_args_support(optimizer)
    state, answers = optimizer.init(params), []
    for gradient in gradients:
        plane = functools.partial(_plane, gradient)
        update, state = optimizer.update(gradient, state, params, value=0.0, grad=gradient, value_fn=plane)
        assert {leaf.dtype for leaf in jax.tree.leaves(update)} == {leaf.dtype for leaf in jax.tree.leaves(gradient)}
        answers.append(update)
    return rows(answers)


def rows(trees):
    """Return a list of trees as an array, one row a tree."""
    leaves = [[np.ravel(leaf) for leaf in jax.tree.leaves(tree)] for tree in trees]
    return np.stack([np.concatenate(row) for row in leaves]).astype(float)


class _Still(np.ndarray):
    """A point that stays where it is: w − step is −step, without the rounding that a distant w would add."""

    def __sub__(self, step):
        return (-step).view(_Still)


def loop_updates(loop, rate, gradients, numbers):
    """Return the updates with which a NumPy loop answers a stream of gradients."""
    gradients = rows(gradients)
    answers, start = iter(gradients), np.zeros_like(gradients[0]).view(_Still)
    rates = RATES if callable(rate) else np.full(STEPS, rate)
    return np.array(list(loop(lambda w: next(answers), start, rates, **numbers)))


def _plane(gradient, w):
    return sum(jnp.vdot(*pair) for pair in zip(jax.tree.leaves(gradient), jax.tree.leaves(w), strict=True))


@functools.cache
def _reference(case, numbers, rate, dtype):
    """Return what the reference answers to the stream, and the sizes of which rounding and flushing take a share."""
    def answers(gradients, params):
        if case.optax is None:
            return loop_updates(case.loop, rate, gradients, dict(numbers))
        return updates(case.reference(rate, **dict(numbers)), gradients, params)

    stimulus = stream(dtype), weights(stream(dtype)[0])
    expected = answers(*stimulus)
    size = abs(answers(*jax.tree.map(abs, stimulus)) if case.sums else expected)
    tiny = float(jnp.finfo(dtype).tiny)
    if case.optax is None:  # then one side alone flushes, and the rule may divide what is lost by ε
        smallest = jax.tree.map(lambda g: np.full(g.shape, tiny), stream(dtype))
        tiny += abs(answers(smallest, None))
    return expected, size, tiny


def open_loop(case, numbers, rate, dtype):
    """Compare the rule of a case with its reference on the stream. Right: at most 1.

    The bound. Each step rounds a slot twice (a product, a sum), by half an epsilon, in each of two programs: 2 ε a
    step and slot; 8 ε more for the constants and what leaves the slots. Sums cancel, so ε is a share of
    the sum of absolute values: of what the reference answers to |g| and |w|. Averages of squares and roots of them keep
    relative errors as they are; other formulas enlarge them by their `condition`. Past 1 they leave nothing to compare.
    And what falls below the smallest normal number is flushed to 0.
    """
    seen = updates(case.rule(rate, **numbers), stream(dtype), weights(stream(dtype)[0]))
    expected, size, tiny = _reference(case, tuple(numbers.items()), rate, dtype)
    roundings = 2 * case.slots * np.arange(STEPS)[:, None] + 8
    condition = case.condition(rows(stream(dtype)), **numbers) if case.condition else 1
    share = roundings * float(jnp.finfo(dtype).eps) * condition
    allowed = np.where(share < 1, share * size + roundings * tiny, np.inf)
    return np.max(abs(seen - expected) / allowed)


_BOWL = np.array([[8.0, 3.0], [3.0, 2.0]])


def _bowl(w):
    return 0.5 * w @ jnp.asarray(_BOWL) @ w


def _rosenbrock_gradient(w):
    x, y = w
    return np.array([-400 * x * (y - x**2) - 2 * (1 - x), 200 * (y - x**2)])


# name: the function, its gradient by hand, the start, the scale of the rate
SURFACES = {
    "bowl": (_bowl, lambda w: _BOWL @ w, np.array([-1.9137, 1.0421]), 1.0),
    "Rosenbrock": (rv.landscapes.rosenbrock, _rosenbrock_gradient, np.array([-1.2, 1.0]), 2e-3),
}


def closed_loop(case, numbers, surface, rate):
    """Compare the rule of a case with its NumPy loop on a surface. Right: at most 1.

    The bound. A step makes errors of a few ε of the point; later steps carry them on as they carry a nudge of the
    start, which is measured with the loop itself.
    """
    fun, gradient, start, scale = SURFACES[surface]
    rates = RATES if callable(rate) else np.full(case.steps, rate * scale)
    rate = rate if callable(rate) else rate * scale

    def path(start):
        return np.array([start, *case.loop(gradient, start, rates, **numbers)])

    expected, nudge = path(start), 1e-8
    carried = max(1.0, *(np.max(abs(path(start + nudge * way) - expected)) / nudge for way in np.eye(2)))
    # Numbers that a case names are handed over as arrays: all of them run in one compiled program.
    arrays = {name: jnp.asarray(value) if isinstance(value, float) else value for name, value in numbers.items()}
    seen = rv.minimize(fun, start, case.rule(rate, **arrays), len(rates)).path
    return np.max(abs(seen - expected)) / (len(rates) * np.finfo(float).eps * carried * np.max(abs(expected)))


def refused(name):
    """Return whether the comparisons tell the rule of a case, as it stands now, from its references.

    Most slips show in single precision; some are smaller than that, or show under a moving rate or on a surface only.
    """
    case = next(case for case in CASES if case.name == name)
    ways = [(open_loop, 0.1, jnp.float32), (open_loop, schedule, jnp.float64), (open_loop, 0.1, jnp.float64)]
    ways = [(compare, case, numbers, *how) for compare, *how in ways if case.open for numbers in case.numbers]
    ways += [(closed_loop, case, case.numbers[0], "bowl", rate) for rate in (0.1, schedule)]
    return any(not compare(*how) <= 1 for compare, *how in ways if case.schedules or schedule not in how)
