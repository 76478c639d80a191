"""Clipping of gradients, by the norm of all of them or entry by entry. Chained before a rule."""

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import Partial

from ravine import _check
from ravine.optimizers._adaptive import ratio, root
from ravine.optimizers._lift import fitted


def clip_by_norm(max_norm):
    r"""Shorten the gradient, as one vector over the whole tree, where it is longer than a limit.

    $$g \leftarrow c\, \frac{g}{\lVert g \rVert} \quad\text{if } \lVert g \rVert > c$$

    Its direction stays. A gradient with an infinite or NaN entry has no direction: all of it becomes NaN, so that the
    run is seen to have diverged.

    Args:
        max_norm: c > 0, the largest Euclidean norm that passes.

    Returns:
        An `optax.GradientTransformation`; it remembers nothing.

    Raises:
        ValueError: a limit that is not positive.
        TypeError: it is not a number.

    Source: Pascanu, Mikolov & Bengio (2013). Equal to ``optax.clip_by_global_norm``, except that squares do not
    overflow: there gradients of 1e20 in float32 become 0.

    Example:
        Chained before a rule, it limits the length of the steps of `sgd` to ηc.

        >>> import jax.numpy as jnp, optax, ravine as rv
        >>> rule = optax.chain(rv.clip_by_norm(1.0), rv.sgd(0.5))
        >>> rv.minimize(lambda w: 3 * w[0] + 4 * w[1], jnp.zeros(2), rule, steps=1).params.round(3).tolist()
        [-0.3, -0.4]
    """
    max_norm = _check.number("max_norm", max_norm, "(0, inf)", scalar=True)
    return optax.GradientTransformation(Partial(_remembers_nothing), Partial(_clip_by_norm, max_norm))


def clip_by_value(limit):
    r"""Clip every entry of the gradient by itself; its direction may change.

    $$g_i \leftarrow \min(\max(g_i, -c), c)$$

    An infinite entry becomes ±c; NaN stays NaN.

    Args:
        limit: c > 0, the largest size of an entry that passes.

    Returns:
        An `optax.GradientTransformation`; it remembers nothing.

    Raises:
        ValueError: a limit that is not positive.
        TypeError: it is not a number.

    Source: Mikolov (2012). Equal to ``optax.clip``.
    """
    limit = _check.number("limit", limit, "(0, inf)", scalar=True)
    return optax.GradientTransformation(Partial(_remembers_nothing), Partial(_clip_by_value, limit))


def _remembers_nothing(params):
    return optax.EmptyState()


def _clip_by_norm(max_norm, grads, state, params=None):
    grads = _check.float_tree("grads", grads)
    squares = jnp.asarray(sum(jnp.sum(g.astype(float)**2) for g in jax.tree.leaves(grads)), float)
    # Only squares that have overflowed, or lost digits, are worth a second way, which reads the gradients twice more.
    limits = jnp.finfo(squares.dtype)
    fits = (squares > float(limits.tiny / limits.eps)) & jnp.isfinite(squares)
    largest, norm = jax.lax.cond(fits, lambda: (jnp.ones_like(squares), root(squares)), lambda: _measured(grads)[::2])

    def clip(g):
        clipped = ratio(max_norm, norm) * ratio(g.astype(float), largest)
        return jnp.where(norm * largest <= max_norm, g, clipped.astype(g.dtype))

    return jax.tree.map(clip, grads), state


def direction(tree):
    """Return a tree divided by its Euclidean norm, in the default float type at least; 0 where all of it is 0."""
    _, unit, norm = _measured(tree)
    return jax.tree.map(lambda leaf: ratio(leaf, norm), unit)


def _measured(tree):
    """Return the largest entry of a tree, the tree in units of it, and its norm in these units."""
    # Divided by the largest entry first: 1e20 squared would be infinite in float32.
    sizes = [jnp.max(jnp.abs(leaf), initial=0).astype(float) for leaf in jax.tree.leaves(tree)]
    largest = jnp.max(jnp.array(sizes), initial=0)
    unit = jax.tree.map(lambda leaf: ratio(leaf.astype(float), largest), tree)
    return largest, unit, root(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(unit)))


def _clip_by_value(limit, grads, state, params=None):
    grads = _check.float_tree("grads", grads)
    return jax.tree.map(lambda g: jnp.clip(g, -fitted("limit", limit, g), fitted("limit", limit, g)), grads), state
