"""From an update written for one array to an optimizer for any tree of arrays.

A rule is a function of one gradient array and its slots (what it remembers, one array each):

    def _momentum(g, v, *, rate, decay):
        v = decay * v + rate * g
        return -v, v                      # what is added to w, then the new slots

`lift` makes an `optax.GradientTransformation` of it. Its `init` and `update` are `jax.tree_util.Partial`s, so an
optimizer is itself a pytree: numbers that were given as arrays, and the learning rate in any case, are its leaves.
Passed through `jax.jit` they are arguments of the compiled program. Another learning rate compiles nothing, and
`jax.vmap` runs over rates. Constants given as Python numbers stay constants: 1 − 0.999 is then exact in Python's
double precision, where a float32 argument would lose three digits.
"""

import dataclasses
from collections.abc import Hashable
from typing import Any, NamedTuple

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

    count: jax.Array | None
    slots: tuple


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Static:
    """Hides a value from `jax.jit`: it is part of the compiled program, not an argument of it."""

    value: Hashable


def lift(formula, learning_rate, *, slots=(), counts=False, params=False, **constants):
    """Return the `optax.GradientTransformation` that applies `formula` to every array of a tree.

    Args:
        formula: ``formula(g, *slots, rate, **constants) -> (update, *new_slots)``, all arrays of one shape; also given
            ``t`` (the number of this step, from 1) if `counts`, and ``w`` (the parameters) if `params`. A module-level
            function, since optimizers are recognised by it.
        learning_rate: a number, an array, or a schedule ``step -> rate`` with steps from 0, as in Optax.
        slots: the initial value of each slot.
        counts: whether the formula asks for ``t``.
        params: whether the formula asks for ``w``.
        **constants: the numbers and flags of the rule, checked by the caller.
    """
    rule = _Rule(formula, tuple(slots), counts or callable(learning_rate), counts, params)
    numbers = {"rate": _leaf_or_static(learning_rate, always_leaf=not callable(learning_rate))}
    numbers |= {name: _leaf_or_static(value) for name, value in constants.items()}
    return optax.GradientTransformation(Partial(_init, Static(rule)), Partial(_update, Static(rule), numbers))


class _Rule(NamedTuple):
    formula: Any
    slots: tuple
    keeps_count: bool
    counts: bool
    params: bool


def _leaf_or_static(value, always_leaf=False):
    return value if always_leaf or isinstance(value, jax.Array) else Static(value)


def _init(static, params):
    rule = static.value
    params = _check.float_tree("params", params)
    slots = tuple(jax.tree.map(lambda w, first=first: jnp.full_like(w, first), params) for first in rule.slots)
    return RuleState(jnp.zeros([], jnp.int32) if rule.keeps_count else None, slots)


def _update(static, numbers, grads, state, params=None):
    rule = static.value
    for slot in state.slots:
        _check.same_tree("grads", grads, "state", slot)
    if rule.params:
        if params is None:
            raise ValueError("params = None: this rule decays or compares the parameters, so update needs them")
        _check.same_tree("grads", grads, "params", params)
    numbers = {name: value.value if isinstance(value, Static) else value for name, value in numbers.items()}
    if callable(numbers["rate"]):
        numbers["rate"] = numbers["rate"](state.count)
    count = None if state.count is None else optax.safe_increment(state.count)
    if rule.counts:
        numbers["t"] = count

    leaves, structure = jax.tree.flatten(grads)
    rows = zip(leaves, *(jax.tree.leaves(slot) for slot in state.slots), strict=True)
    weights = jax.tree.leaves(params) if rule.params else [None] * len(leaves)
    results = [_apply(rule, row, w, numbers) for row, w in zip(rows, weights, strict=True)]
    trees = [structure.unflatten([result[i] for result in results]) for i in range(1 + len(state.slots))]
    return trees[0], RuleState(count, tuple(trees[1:]))


def _apply(rule, row, w, numbers):
    # Arrays among the numbers take the gradient's type: a float64 rate must not turn float32 parameters into float64.
    cast = {name: value.astype(row[0].dtype) if isinstance(value, jax.Array) and name != "t" else value
            for name, value in numbers.items()}
    return rule.formula(*row, **cast, **({"w": w} if rule.params else {}))
