"""What the rules that look at curvature share: they choose a direction, and most of them search along it.

A method is a function of a `Point` and of its own memory that returns a direction, written for one vector:

    def _bfgs(at, inverse):
        …
        return Direction(-inverse @ at.g, inverse)

`descend` makes an `optax.GradientTransformationExtraArgs` of it, with the calling convention of Optax's L-BFGS. Its
numbers are leaves of the optimizer, as in `_lift.py`, so another damping compiles nothing.
"""

import dataclasses
import enum
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jax.tree_util import Partial

from ravine import _check, _program
from ravine.optimizers._lift import fitted, plain

# On a GPU a product of float32 arrays keeps ten bits by default; secant equations and conjugacy need them all.
dot = functools.partial(jnp.matmul, precision="highest")
_SEARCH_STEPS = 30  # evaluations of the loss and its gradient, at most, in one search
_DECREASE = 1e-4  # the c₁ of the Wolfe conditions: of the decrease that the slope promises, how much must come


class StepStatus(enum.IntEnum):
    """What became of a step; the state of a rule holds it as an int32 array, which compares with these.

    STEPPED: the step is the method's own. With a search, it satisfies the strong Wolfe conditions.
    SHORT: the search ended at a lower loss, but before the slope had flattened.
    STEEPEST: the method's direction was not finite or did not lead downhill, or the search before had failed. The
        search went along −g instead, and the loss is lower.
    STATIONARY: the gradient is zero, or no more than rounding: along the direction it promises to lower the loss by
        at most ε² of it, with the ε of its type. The parameters stay.
    SEARCH_FAILED: the search found no lower loss, and the parameters stay. The method begins anew, along −g.
    NOT_FINITE: the loss, its gradient or the step is infinite or NaN, and the parameters stay.
    """

    STEPPED = 0
    SHORT = 1
    STEEPEST = 2
    STATIONARY = 3
    SEARCH_FAILED = 4
    NOT_FINITE = 5


class DescentState(NamedTuple):
    """What a rule that looks at curvature remembers between steps.

    Attributes:
        age: the steps since the start, or since a search failed and the method began anew.
        status: what became of the last step, a `StepStatus`.
        indefinite: whether the curvature that the last step met was not positive: of the (damped) Hessian, or along
            the last step of a quasi-Newton method, which then learns nothing from it.
        params: the parameters before the last step, as one vector.
        grads: the gradient there.
        memory: what the method itself remembers.
        value: the loss where the last step has led, or NaN from a rule that does not search.
        grad: the gradient there, a tree like the parameters, or None from a rule that does not search.
    """

    age: jax.Array
    status: jax.Array
    indefinite: jax.Array
    params: jax.Array
    grads: jax.Array
    memory: Any
    value: jax.Array
    grad: Any


class Point(NamedTuple):
    """What a method may look at, in terms of one vector.

    Attributes:
        w: the parameters.
        g: the gradient.
        f: the loss, as a function of the vector.
        predict: the first part of a loss that has two, vector -> outputs; else None.
        loss: the second, outputs -> scalar; else None.
        age: the steps since the method began; at 0 there is no last point.
        last_w: the parameters at the last point.
        last_g: the gradient there.
    """

    w: jax.Array
    g: jax.Array
    f: Callable
    predict: Callable | None
    loss: Callable | None
    age: jax.Array
    last_w: jax.Array
    last_g: jax.Array


class Direction(NamedTuple):
    """What a method answers: the step that it proposes, its new memory, and whether it met curvature ≤ 0."""

    p: jax.Array
    memory: Any = ()
    indefinite: Any = False


def descend(name, method, memory=None, *, search, split=False, static=(), **numbers):
    """Return the `optax.GradientTransformationExtraArgs` that steps in the direction of `method`.

    Args:
        name: what errors call the rule.
        method: ``method(at: Point, memory, *static, **numbers) -> Direction``, for one vector. A module-level function,
            since optimizers are recognised by it.
        memory: ``memory(w, *static)``, what the method remembers at first; None for nothing.
        search: None to take the direction as the step; else how far a search along it flattens the slope: the c₂ of
            the strong Wolfe conditions, between 0 and 1.
        split: whether the method needs the two parts of the loss.
        static: whole numbers or names that fix the program.
        **numbers: numbers of the rule, checked by the caller; or schedules, of the state's ``age``.
    """
    rule = _Rule(name, method, memory, search, split, static)
    return optax.GradientTransformationExtraArgs(Partial(_init, rule), Partial(_update, rule, numbers))


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class _Rule:
    name: str
    method: Callable
    memory: Callable | None
    search: float | None
    split: bool
    static: tuple


def _init(rule, params):
    params = _check.filled_tree("params", params)
    w, _ = ravel_pytree(params)
    memory = rule.memory(w, *rule.static) if rule.memory else ()
    none = jnp.zeros_like(w)
    return DescentState(jnp.zeros([], jnp.int32), jnp.int32(StepStatus.STEPPED), jnp.asarray(False), none, none, memory,
                        jnp.full([], jnp.nan, w.dtype), jax.tree.map(jnp.zeros_like, params) if rule.search else None)


def _update(rule, numbers, grads, state, params=None, *, value=None, grad=None, value_fn=None, predict=None, loss=None,
            **_):
    if params is None or value is None or grad is None or value_fn is None:
        raise TypeError(f"{rule.name}: update needs params, value=, grad= and value_fn=, which ravine.minimize passes")
    if rule.split and (predict is None or loss is None):
        raise TypeError(f"{rule.name}: needs a loss in two parts, such as ravine.split(predict, loss)")
    params = _check.float_tree("params", params)
    for name, tree in (("grads", grads), ("grad", grad)):
        _check.same_tree(name, _check.float_tree(name, tree), "params", params)
    size = sum(leaf.size for leaf in jax.tree.leaves(params))
    if state.params.size != size:
        raise ValueError(f"params has {size} entries, state has {state.params.size}: they must agree")
    return _program.run(_step, rule, numbers, grads, state, params, value, grad, value_fn, predict, loss)


def _step(rule, numbers, grads, state, params, value, grad, value_fn, predict, loss):
    w, unravel = ravel_pytree(params)
    g, slope = (ravel_pytree(tree)[0].astype(w.dtype) for tree in (grads, grad))
    value = jnp.asarray(value, w.dtype)

    def f(w):
        return jnp.asarray(value_fn(unravel(w)), w.dtype)

    numbers = {name: fitted(name, _at_step(number, state.age), value) for name, number in numbers.items()}
    at = Point(w, g, f, predict and (lambda w: predict(unravel(w))), loss, state.age, state.params, state.grads)
    p, memory, indefinite = rule.method(at, state.memory, *rule.static, **numbers)
    if rule.search is None:
        u, status = p, StepStatus.STEPPED
    else:
        down = dot(p, slope)  # not finite if p is not
        own = (down < 0) & jnp.isfinite(down) & (state.status != StepStatus.SEARCH_FAILED)
        p = jnp.where(own, p, steepest(slope))
        rests = -dot(p, slope) <= float(jnp.finfo(w.dtype).eps) ** 2 * abs(value)
        found = _search(f, w, value, slope, jnp.where(rests, 0, p), rule.search)
        u, status = found.u, found.status
        status = jnp.where(own | (status == StepStatus.SEARCH_FAILED), status, StepStatus.STEEPEST)
        status = jnp.where(rests, StepStatus.STATIONARY, status)
    finite = jnp.isfinite(value) & jnp.all(jnp.isfinite(g) & jnp.isfinite(u))
    status = jnp.where(finite, status, StepStatus.NOT_FINITE)
    status = jnp.where(jnp.all(g == 0), StepStatus.STATIONARY, status).astype(jnp.int32)
    stays = status >= StepStatus.STATIONARY
    state = state._replace(age=jnp.where(status == StepStatus.SEARCH_FAILED, 0, optax.safe_increment(state.age)),
                           status=status, indefinite=jnp.asarray(indefinite), params=w, grads=g, memory=memory)
    if rule.search is not None:
        state = state._replace(value=jnp.where(stays, value, found.value),
                               grad=unravel(jnp.where(stays, slope, found.grad)))
    return unravel(jnp.where(stays, 0, u)), state


def _at_step(number, step):
    number = plain(number)
    return number(step) if callable(number) else number


def steepest(g):
    """Return −g, shortened to length 1 if it is longer: how far to go is for the search to find."""
    length = jnp.linalg.norm(g)
    return -g / jnp.where(length > 1, length, 1)


class _Reached(NamedTuple):
    """Where a search ended: the step, the loss and its gradient there, and what became of it."""

    u: jax.Array
    value: jax.Array
    grad: jax.Array
    status: jax.Array


def _search(f, w, value, g, p, flatness):
    """Return how far along p the strong Wolfe conditions hold: mostly at p itself.

    So that is asked first. The bookkeeping of Optax's search costs more than a cheap loss, so it is left for the rest.
    It begins at 2p or 0.4p: not at 0.5p, which it might double, and ask at p again.
    """
    there, grad = jax.value_and_grad(f)(w + p)
    slope, slope_there = dot(g, p), dot(grad, p)
    low = there <= value + _DECREASE * slope
    flat = abs(slope_there) <= flatness * abs(slope)

    def whole():
        return _Reached(p, there, grad, jnp.int32(StepStatus.STEPPED))

    def part_or_multiple():
        rounding = 10 * float(jnp.finfo(w.dtype).eps)
        search = optax.scale_by_zoom_linesearch(_SEARCH_STEPS - 1, slope_rtol=_DECREASE, curv_rtol=flatness,
                                                approx_dec_rtol=rounding, initial_guess_strategy="keep")
        start = search.init(w)._replace(learning_rate=jnp.where(low & (slope_there < 0), 2, 0.4).astype(w.dtype))
        u, found = search.update(p, start, w, value=value, grad=g, value_fn=f)
        wolfe = (found.info.decrease_error <= 0) & (found.info.curvature_error <= 0)
        lower = found.value < value
        status = jnp.where(wolfe, StepStatus.STEPPED, jnp.where(lower, StepStatus.SHORT, StepStatus.SEARCH_FAILED))
        return _Reached(u, found.value, found.grad, status.astype(jnp.int32))

    return jax.lax.cond(low & flat, whole, part_or_multiple)
