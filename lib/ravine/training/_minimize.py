"""`minimize`: a rule on a function, for a number of steps."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from ravine import _check, _program
from ravine.optimizers import DescentState
from ravine.training import _step

_PATH_LIMIT = 10_000_000  # entries; a longer path is kept only on request


class Run(NamedTuple):
    """What a run left behind.

    Attributes:
        params: the parameters after the last step.
        losses: the loss at every point of the run, the start included: shape (steps + 1,).
        path: the parameters at every point, each leaf with a leading axis of steps + 1; None if they were not kept.
        stopped_at: the number of steps taken: fewer than asked only if `tol` was met.
        state: the rule's state after the last step, which `ravine.eval_params` asks for.
    """

    params: Any
    losses: jax.Array
    path: Any
    stopped_at: jax.Array
    state: Any


def minimize(fun, params, optimizer, steps, *, args=(), tol=None, keep_path=None):
    r"""Run `optimizer` on ``fun`` for a number of steps, in one compiled program.

    The program is compiled for the function, the kind of rule, the shapes and the number of steps. Another start,
    another learning rate or other `args` run in it at once.

    Args:
        fun: ``fun(params, *args) -> scalar``, the loss.
        params: a tree of floating-point arrays, the start.
        optimizer: a rule of Ravine's, or any `optax.GradientTransformation`. Its ``update`` is given ``value``,
            ``grad`` and ``value_fn`` as well, as Optax's own L-BFGS wants them; and ``predict`` and ``loss`` if `fun`
            is made by `ravine.split`.
        steps: how many updates, at least 1.
        args: a tuple of arrays, the data; they are arguments of the compiled program.
        tol: stop where the gradient's norm is at most this; the steps that are left cost nothing.
        keep_path: whether to return every point. None: if steps × size of the parameters is at most 10⁷.

    Returns:
        A `Run`. One that diverged is a result too: its losses grow to infinity or become NaN.

    Raises:
        TypeError: an argument is not of its kind: `params` holds other than real floating-point arrays, `steps` is no
            whole number, `args` no tuple, …
        ValueError: `fun` does not return one real number, `steps` is below 1, or `tol` is negative.

    Example:
        >>> import jax.numpy as jnp, ravine as rv
        >>> run = rv.minimize(lambda w: jnp.sum(w**2), jnp.ones(3), rv.sgd(0.25), steps=10)
        >>> float(run.losses[-1]) == 3 * 0.25**10
        True
    """
    _check.function("fun", fun)
    _check.optimizer("optimizer", optimizer)
    _check.data("args", args)
    params = _check.float_tree("params", params)
    steps = _check.count("steps", steps)
    if tol is not None:
        tol = _check.number("tol", tol, "[0, inf)", scalar=True)
    if keep_path is None:
        keep_path = steps * sum(leaf.size for leaf in jax.tree.leaves(params)) <= _PATH_LIMIT
    keep_path = _check.flag("keep_path", keep_path)
    return _program.run(_minimize, fun, optimizer, args, params, tol, steps=steps, keep_path=keep_path)


def _minimize(fun, optimizer, args, params, tol, *, steps, keep_path):
    objective = _step.bind(fun, args)
    _check.scalar_loss(objective, params)

    def advance(point):
        params, state = _step.take(optimizer, objective, point.params, point.state, point.value, point.grad)
        if isinstance(state, DescentState) and state.grad is not None and state.value.dtype == point.value.dtype:
            value, grad = state.value, state.grad  # the rule has searched, and been there
        else:
            value, grad = jax.value_and_grad(objective)(params)
        return _Point(params, state, value, grad, point.steps + 1)

    def step(point, _):
        if tol is None:
            point = advance(point)
        else:
            point = jax.lax.cond(optax.tree.norm(point.grad) <= tol, lambda point: point, advance, point)
        return point, (point.value, point.params if keep_path else None)

    value, grad = jax.value_and_grad(objective)(params)
    start = _Point(params, optimizer.init(params), value, grad, jnp.zeros([], jnp.int32))
    end, (losses, path) = jax.lax.scan(step, start, length=steps)
    losses, path = jax.tree.map(lambda first, rest: jnp.concatenate([jnp.asarray(first)[None], rest]),
                                (value, params if keep_path else None), (losses, path))
    return Run(end.params, losses, path, end.steps, end.state)


class _Point(NamedTuple):
    """Where a run is: the parameters, and what the next step needs to know of them."""

    params: Any
    state: Any
    value: jax.Array
    grad: Any
    steps: jax.Array
