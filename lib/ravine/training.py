"""The training loops: `minimize` for a function, compiled once for all rates."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ravine import _check

_PATH_LIMIT = 10_000_000  # entries; a longer path is kept only on request


class Run(NamedTuple):
    """What a run left behind.

    Attributes:
        params: the parameters after the last step.
        losses: the loss at every point of the run, the start included: shape (steps + 1,).
        path: the parameters at every point, each leaf with a leading axis of steps + 1; None if they were not kept.
        stopped_at: the number of steps taken: fewer than asked only if `tol` was met.
    """

    params: Any
    losses: jax.Array
    path: Any
    stopped_at: jax.Array


def minimize(fun, params, optimizer, steps, *, args=(), tol=None, keep_path=None):
    r"""Run `optimizer` on ``fun`` for a number of steps, in one compiled program.

    The program is compiled for the function, the kind of rule, the shapes and the number of steps. Another start,
    another learning rate or other `args` run in it at once.

    Args:
        fun: ``fun(params, *args) -> scalar``, the loss.
        params: a tree of floating-point arrays, the start.
        optimizer: a rule of Ravine's, or any `optax.GradientTransformation`. Its ``update`` is given ``value``,
            ``grad`` and ``value_fn`` as well, as Optax's own L-BFGS wants them.
        steps: how many updates, at least 1.
        args: a tuple of arrays, the data; they are arguments of the compiled program.
        tol: stop where the gradient's norm is at most this; the steps that are left cost nothing.
        keep_path: whether to return every point. None: if the path has at most 10⁷ numbers.

    Returns:
        A `Run`. One that diverged is a result too: its losses grow to infinity or become NaN.

    Raises:
        TypeError: `params` holds other than floating-point arrays, or `steps` is no whole number.
        ValueError: `fun` does not return a scalar, `steps` is below 1, or `tol` is negative.

    Example:
        >>> import jax.numpy as jnp, ravine as rv
        >>> run = rv.minimize(lambda w: jnp.sum(w**2), jnp.ones(3), rv.sgd(0.25), steps=10)
        >>> float(run.losses[-1]) == 3 * 0.25**10
        True
    """
    if not callable(fun):
        raise TypeError(f"fun = {fun!r}: must be a function of the parameters")
    if not isinstance(optimizer, optax.GradientTransformation):
        raise TypeError(f"optimizer = {optimizer!r}: must be an optax.GradientTransformation, such as rv.sgd(0.1)")
    if not isinstance(args, tuple):
        raise TypeError(f"args = {args!r}: must be a tuple, such as (x, y)")
    params = _check.float_tree("params", params)
    steps = _check.count("steps", steps)
    if tol is not None:
        tol = _check.number("tol", tol, "[0, inf)")
    if keep_path is None:
        keep_path = steps * sum(leaf.size for leaf in jax.tree.leaves(params)) <= _PATH_LIMIT
    arrays, program = _split((fun, optimizer, args))
    return _minimize(program, steps, bool(keep_path), arrays, params, tol)


def _split(tree):
    """Part a tree into its arrays and numbers, and the rest, which is hashable and picks the compiled program."""
    leaves, structure = jax.tree.flatten(tree)
    dynamic = tuple(isinstance(leaf, (jax.Array, np.ndarray, np.generic, float, int)) for leaf in leaves)
    arrays = [leaf for leaf, moves in zip(leaves, dynamic, strict=True) if moves]
    rest = tuple(None if moves else leaf for leaf, moves in zip(leaves, dynamic, strict=True))
    return arrays, (structure, dynamic, rest)


def _join(arrays, program):
    structure, dynamic, rest = program
    arrays = iter(arrays)
    return structure.unflatten([next(arrays) if moves else leaf for moves, leaf in zip(dynamic, rest, strict=True)])


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _minimize(program, steps, keep_path, arrays, params, tol):
    fun, optimizer, args = _join(arrays, program)
    optimizer = optax.with_extra_args_support(optimizer)

    def objective(params):
        return fun(params, *args)

    value = jax.eval_shape(objective, params)
    if getattr(value, "shape", None) != ():
        raise ValueError(f"fun must return a scalar loss, but returned {value}")

    def advance(params, state, value, grad):
        updates, state = optimizer.update(grad, state, params, value=value, grad=grad, value_fn=objective)
        return optax.apply_updates(params, updates), state

    def step(carry, _):
        params, state, taken = carry
        value, grad = jax.value_and_grad(objective)(params)
        new, state = advance(params, state, value, grad)
        return (new, state, taken + 1), (value, params if keep_path else None)

    def step_until(carry, _):
        before, value, found = carry

        def alive(_):
            params, state, taken = before
            value, grad = jax.value_and_grad(objective)(params)
            found = optax.global_norm(grad) <= tol

            def go(_):
                return (*advance(params, state, value, grad), taken + 1)

            return jax.lax.cond(found, lambda _: before, go, None), value, found

        after, value, found = jax.lax.cond(found, lambda _: carry, alive, None)
        return (after, value, found), (value, before[0] if keep_path else None)

    start = (params, optimizer.init(params), jnp.zeros([], jnp.int32))
    if tol is None:
        (params, _, taken), (losses, path) = jax.lax.scan(step, start, length=steps)
    else:
        begin = (start, jnp.zeros(value.shape, value.dtype), jnp.zeros([], bool))
        ((params, _, taken), _, _), (losses, path) = jax.lax.scan(step_until, begin, length=steps)
    losses = jnp.append(losses, objective(params))
    if keep_path:
        path = jax.tree.map(lambda points, last: jnp.concatenate([points, last[None]]), path, params)
    return Run(params, losses, path if keep_path else None, taken)
