"""From an update written for one array to an optimizer for any tree of arrays.

A rule is a function of one gradient array and its slots (what it remembers, one array each):

    def _momentum(g, v, *, learning_rate, decay):
        v = decay * v + learning_rate * g
        return -v, v                      # what is added to w, then the new slots

`lift` makes an `optax.GradientTransformation` of it. Its `init` and `update` are `jax.tree_util.Partial`s, so an
optimizer is itself a pytree: numbers that were given as arrays, and the learning rate in any case, are its leaves.
Passed through `jax.jit` they are arguments of the compiled program. Another learning rate compiles nothing, and
`jax.vmap` runs over rates. Constants given as Python numbers stay constants: 1 − 0.999 is then exact in Python's
double precision, where a float32 argument would lose three digits.
"""

import dataclasses
from collections.abc import Callable, Hashable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import Partial

from ravine import _check


class RuleState(NamedTuple):
    """What a rule remembers between steps.

    Attributes:
        count: the steps taken so far (an int32 scalar), or None where neither the rule nor its rate asks.
        slots: a tuple of trees, each shaped like the parameters.
    """

    count: jax.Array | None  # type: ignore[assignment]  # Optax's name for it, which hides tuple.count
    slots: tuple


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Static:
    """Hides a value from `jax.jit`: it is part of the compiled program, not an argument of it."""

    value: Hashable


def lift(formula, learning_rate=None, *, slots=(), counts=False, params=False, **constants):
    """Return the `optax.GradientTransformation` that applies `formula` to every array of a tree.

    Args:
        formula: ``formula(g, *slots, learning_rate, **constants) -> (update, *new_slots)``, all arrays of one shape;
            also given ``t`` (the number of this step, from 1) if `counts`, and ``w`` (the parameters) if `params`.
            A module-level function, since optimizers are recognised by it.
        learning_rate: a number, an array, or a schedule ``step -> number`` with steps from 0, as in Optax; None for a
            rule that has none.
        slots: the initial value of each slot.
        counts: whether the formula asks for ``t``.
        params: whether the formula asks for ``w``.
        **constants: the numbers and flags of the rule, checked by the caller.
    """
    rule = _Rule(formula, counts or callable(learning_rate), counts, params)
    numbers = {name: static_unless_array(value) for name, value in constants.items()}
    if learning_rate is not None:
        numbers["learning_rate"] = static_unless_tree(learning_rate) if callable(learning_rate) else learning_rate
    first = [static_unless_array(value) for value in slots]
    return optax.GradientTransformation(Partial(_init, rule, first), Partial(_update, rule, numbers))


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class _Rule:
    formula: Callable
    keeps_count: bool
    counts: bool
    params: bool


def _init(rule, first, params):
    params = _check.float_tree("params", params)
    slots = tuple(jax.tree.map(lambda w, value=value: jnp.full_like(w, plain(value)), params) for value in first)
    return RuleState(jnp.zeros([], jnp.int32) if rule.keeps_count else None, slots)


def _update(rule, numbers, grads, state, params=None):
    grads = _check.float_tree("grads", grads)
    for slot in state.slots:
        _check.same_tree("grads", grads, "state", slot)
    if rule.params:
        if params is None:
            raise TypeError("params = None: this rule uses the parameters themselves, so its update needs them")
        params = _check.float_tree("params", params)
        _check.same_tree("grads", grads, "params", params)
    numbers = {name: plain(value) for name, value in numbers.items()}
    if callable(schedule := numbers.get("learning_rate")):
        numbers["learning_rate"] = schedule(state.count)
    count = optax.safe_increment(state.count) if rule.keeps_count else None

    leaves, structure = jax.tree.flatten(grads)
    weights = jax.tree.leaves(params) if rule.params else [None] * len(leaves)
    rows = zip(leaves, weights, *(jax.tree.leaves(slot) for slot in state.slots), strict=True)
    results = [_apply(rule, numbers, count, *row) for row in rows]
    updates, *slots = (structure.unflatten([result[i] for result in results]) for i in range(1 + len(state.slots)))
    return updates, RuleState(count, tuple(slots))


def _apply(rule, numbers, count, g, w, *slots):
    asked = {name: fitted(name, value, g) for name, value in numbers.items()}
    if rule.counts:
        asked["t"] = count
    if rule.params:
        asked["w"] = w
    return rule.formula(g, *slots, **asked)


def static_unless_array(value):
    """Return an array as it is, so that it is an argument of compiled programs, and all else as `Static`."""
    return value if isinstance(value, jax.Array) else Static(value)


def static_unless_tree(schedule):
    """Return a schedule that is a tree of its own numbers, as those of `ravine.schedules`, as it is; else `Static`."""
    return Static(schedule) if jax.tree_util.all_leaves([schedule]) else schedule


def fitted(name, value, like):
    """Return a number of a rule as its formula may use it next to the array `like`.

    An array takes the type of `like`: a float64 rate must not turn float32 parameters into float64 ones. Python's
    numbers and flags stay as they are.
    """
    value = plain(value)
    if not hasattr(value, "dtype"):
        return value
    axes = zip(value.shape[::-1], like.shape[::-1], strict=False)
    if value.ndim > like.ndim or any(size not in (1, own) for size, own in axes):
        raise ValueError(f"{name} has shape {value.shape}: must be a number, or fit gradients of shape {like.shape}")
    return jnp.asarray(value, like.dtype)


def plain(value):
    """Return the value, whether it is `Static` or not."""
    return value.value if isinstance(value, Static) else value
