"""`fit`: a rule on data, in mini-batches."""

import functools
import inspect
import os
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ravine import _check, _program
from ravine.optimizers import eval_params
from ravine.training import _step


class Fit(NamedTuple):
    """What a fit left behind.

    Rows that belong to steps or epochs after a divergence are NaN (0, where they hold whole numbers).

    Attributes:
        params: the parameters after the last step.
        losses: the loss of each step's batch, before the step: shape (steps,).
        metrics: what the loss returned beside, each array with a leading axis of steps; None for a plain loss.
        evaluations: what `evaluate` returned, before the first epoch and after each: a leading axis of epochs + 1.
        stopped_at: the number of steps taken: fewer than asked if the fit diverged or was interrupted.
        model_state: the state of the model after the last step.
        optimizer_state: the state of the optimizer after the last step.
    """

    params: Any
    losses: jax.Array
    metrics: Any
    evaluations: Any
    stopped_at: jax.Array
    model_state: Any
    optimizer_state: Any


def fit(loss, params, optimizer, data, *, batch_size, epochs, key, model_state=None, evaluate=None, shuffle=True,
        progress=None):
    r"""Fit parameters to data: one step of `optimizer` for each mini-batch, and every example once an epoch.

    $$g = \nabla_w \frac{1}{|B|} \sum_{i \in B} L(w; x_i, y_i)$$

    (if the loss is a mean over its batch). The examples are shuffled anew for each epoch and cut into batches; where
    `batch_size` does not divide their number, the last batch is smaller. An epoch is one compiled program, kept for
    the same functions, kind of rule and shapes: another rate, start, key or other data run in it at once. What a
    function has captured is a constant of the program; a new ``lambda`` is a new function.

    A fit stops at a loss or gradient that is not finite: it does not take that step, and `stopped_at` is its number,
    counted from 0. Interrupted from the keyboard it returns what the epochs so far have brought.

    Args:
        loss: ``loss(params, batch) -> scalar``, or, for a model with a state, a random part or metrics to record,
            ``loss(params, model_state, batch, key) -> (scalar, (model_state, metrics))``, the key new in each step.
        params: a tree of floating-point arrays, the start.
        optimizer: a rule of Ravine's, or any `optax.GradientTransformation`. Its ``update`` is given ``value``,
            ``grad`` and ``value_fn`` on the batch at hand as well.
        data: a tree of arrays, such as ``(x, y)``, one example a row; a batch is such a tree with fewer rows.
        batch_size: examples a step, at most as many as there are.
        epochs: how many times to go through the data.
        key: for the order of the examples and for the loss, such as ``jax.random.key(0)``.
        model_state: a tree of arrays that the loss receives and returns anew, as that of batch normalization.
        evaluate: ``evaluate(params)``, with a model state ``evaluate(params, model_state)``: a tree of arrays to
            record after each epoch, such as the loss and the accuracy on held-out data. It is given the parameters to
            evaluate at: `eval_params` of those that take the steps, which matters for `schedule_free`.
        shuffle: False takes the examples in their order, each epoch alike.
        progress: whether to show a progress bar. None: unless the book is being built (`RAVINE_BOOK=1`), or the fit is
            part of a larger program (`jax.jit`, `jax.vmap`, `ravine.sweep`), which has none.

    Returns:
        A `Fit`. One that diverged is a result too.

    Raises:
        TypeError: an argument is not of its kind: `params` holds other than real floating-point arrays, `loss` takes
            neither two arguments nor four, …
        ValueError: `loss` does not return one real number (and, of four arguments, state and metrics), `batch_size` is
            more than there is, the arrays of `data` have different numbers of rows, …

    Example:
        >>> import jax, jax.numpy as jnp, ravine as rv
        >>> x = jnp.linspace(-1.0, 1.0, 32)
        >>> def loss(params, batch):
        ...     x, y = batch
        ...     return jnp.mean((params["w"] * x + params["b"] - y) ** 2)
        >>> start = {"w": 0.0, "b": 0.0}
        >>> run = rv.fit(loss, start, rv.sgd(0.5), (x, 3 * x + 1), batch_size=8, epochs=20, key=jax.random.key(0))
        >>> run.losses.shape, round(float(run.params["w"]), 2), round(float(run.params["b"]), 2)
        ((80,), 3.0, 1.0)
    """
    _check.function("loss", loss)
    _check.optimizer("optimizer", optimizer)
    params = _check.float_tree("params", params)
    data, examples = _check.rows("data", data)
    batch_size, epochs = _check.count("batch_size", batch_size), _check.count("epochs", epochs)
    if batch_size > examples:
        raise ValueError(f"batch_size = {batch_size}: must be at most {examples}, the number of examples in data")
    key = _check.key("key", key)
    if evaluate is not None:
        _check.function("evaluate", evaluate)
    shuffle = _check.flag("shuffle", shuffle)
    progress = os.environ.get("RAVINE_BOOK") != "1" if progress is None else _check.flag("progress", progress)
    plain = _is_plain(loss)
    if plain and model_state is not None:
        raise ValueError("model_state: a loss(params, batch) has none; write loss(params, model_state, batch, key)")

    point = _program.run(_start, optimizer, params, _check.array_tree("model_state", model_state))
    epoch = functools.partial(_epoch, loss, optimizer, data, key, batch_size=batch_size, shuffle=shuffle, plain=plain)
    look = functools.partial(_program.run, _look, evaluate) if evaluate else lambda point: None
    # A tracer has no value to stop for, nor time to pass. Inside jit every new array is one, whatever it is made of.
    traced = any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((point, data, key, jnp.zeros(()))))
    loop = _inside if traced else functools.partial(_interruptible, progress=progress)
    point, records, evaluations = loop(epoch, look, point, epochs)
    records = jax.tree.map(lambda rows: rows.reshape(-1, *rows.shape[2:]), records)  # epochs and steps to one axis
    (losses, metrics), evaluations = jax.device_put((records, evaluations))
    return Fit(point.params, losses, metrics, evaluations, point.steps, point.model_state, point.state)


class _Point(NamedTuple):
    """Where a fit is."""

    params: Any
    model_state: Any
    state: Any
    steps: jax.Array
    running: jax.Array


def _is_plain(loss):
    wanted = "must be loss(params, batch) or loss(params, model_state, batch, key)"
    try:
        parameters = inspect.signature(loss).parameters.values()
    except ValueError:
        raise TypeError(f"loss = {loss!r}: {wanted}, and its signature cannot be read") from None
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = sum(p.default is p.empty for p in positional)
    if required == 4:
        return False
    if required <= 2 and (len(positional) >= 2 or any(p.kind == p.VAR_POSITIONAL for p in parameters)):
        return True
    raise TypeError(f"loss = {loss!r} has {required} arguments without a default: {wanted}")


def _start(optimizer, params, model_state):
    return _Point(params, model_state, optimizer.init(params), jnp.zeros([], jnp.int32), jnp.array(True))


def _epoch(loss, optimizer, data, key, point, *, batch_size, shuffle, plain):
    examples = len(jax.tree.leaves(data)[0])
    # Sorting is slow to compile, so it has its own program, which all fits to as many examples share.
    order = _program.run(_order, key, point.steps, examples=examples, batch_size=batch_size, shuffle=shuffle)
    return _program.run(_batches, loss, optimizer, data, order, key, point, batch_size=batch_size, plain=plain)


def _order(key, steps, *, examples, batch_size, shuffle):
    if not shuffle:
        return jnp.arange(examples)
    epoch = steps // -(-examples // batch_size)
    order_key, _ = jax.random.split(key)
    return jax.random.permutation(jax.random.fold_in(order_key, epoch), examples)


def _batches(loss, optimizer, data, order, key, point, *, batch_size, plain):
    """Return the point after an epoch, and the loss and metrics of each step."""
    _, step_key = jax.random.split(key)

    def step(point, rows):
        batch = jax.tree.map(lambda array: array[rows], data)
        key = jax.random.fold_in(step_key, point.steps)
        return _advance(loss, optimizer, batch, key, point, plain)

    whole = len(order) // batch_size * batch_size
    point, records = jax.lax.scan(step, point, order[:whole].reshape(-1, batch_size))
    if whole < len(order):
        point, last = step(point, order[whole:])
        first = jax.tree.map(lambda rows: rows[0], records)
        _check.same_tree("(loss, metrics)", first, "of the smaller last batch (loss, metrics)", last)
        records = jax.tree.map(lambda rows, row: jnp.concatenate([rows, row[None]]), records, last)
    return point, records


def _advance(loss, optimizer, batch, key, point, plain):
    """Return the next point, and the loss and metrics of this one."""
    if plain:
        objective = _step.bind(loss, (batch,))
        _check.scalar_loss(objective, point.params, "loss")

        def everything(params):
            return objective(params), (point.model_state, None)
    else:
        everything = _step.bind(loss, (point.model_state, batch, key))
        _check_returned(everything, point)

        def objective(params):
            return everything(params)[0]

    (value, (model_state, metrics)), grads = jax.value_and_grad(everything, has_aux=True)(point.params)
    finite = [jnp.all(jnp.isfinite(leaf)) for leaf in (value, *jax.tree.leaves(grads))]
    running = point.running & jnp.all(jnp.array(finite))

    def move(point):
        params, state = _step.take(optimizer, objective, point.params, point.state, value, grads)
        return _Point(params, model_state, state, point.steps + 1, running)

    after = jax.lax.cond(running, move, lambda point: point._replace(running=running), point)
    return after, _blank_unless(point.running, (value, metrics))


def _check_returned(everything, point):
    returned = jax.eval_shape(everything, point.params)
    match returned:
        case (_, (model_state, _)):
            _check.scalar_loss(lambda params: everything(params)[0], point.params, "loss")
            _check.same_tree("model_state", point.model_state, "the returned model_state", model_state)
            for old, new in zip(jax.tree.leaves(point.model_state), jax.tree.leaves(model_state), strict=True):
                if old.dtype != new.dtype:
                    raise TypeError(f"model_state has a dtype {old.dtype}, which loss returned as {new.dtype}")
        case _:
            raise ValueError(f"loss must return (scalar, (model_state, metrics)), but returned {returned}")


def _look(evaluate, point):
    params = eval_params(point.state, point.params)
    found = evaluate(params) if point.model_state is None else evaluate(params, point.model_state)
    return _blank_unless(point.running, found)


def _blank_unless(running, tree):
    return jax.tree.map(lambda leaf: jnp.where(running, leaf, jnp.full_like(leaf, _blank(leaf))), tree)


def _blank(leaf):
    return jnp.nan if jnp.issubdtype(jnp.result_type(leaf), jnp.inexact) else 0


def _inside(epoch, look, point, epochs):
    """Run the epochs as a part of the program that is being traced."""
    def body(point, _):
        point, records = epoch(point)
        return point, (records, look(point))

    first = look(point)
    point, (records, evaluations) = jax.lax.scan(body, point, length=epochs)
    return point, records, jax.tree.map(lambda row, rows: jnp.concatenate([row[None], rows]), first, evaluations)


def _interruptible(epoch, look, point, epochs, *, progress):
    """Run the epochs one after another, until they are done, the fit diverges, or the keyboard says stop."""
    from tqdm.auto import tqdm

    records, evaluations = [], [look(point)]
    with tqdm(total=epochs, unit="epoch", delay=1, leave=False, disable=not progress) as bar:
        try:
            while len(records) < epochs and point.running:
                after, record = epoch(point)
                evaluations.append(look(after))
                records.append(record)
                point = after
                bar.set_postfix(loss=f"{np.mean(record[0]):.3g}", refresh=False)
                bar.update()
        except KeyboardInterrupt:
            if not records:
                raise
    missing = 0 if point.running else epochs - len(records)
    return point, _stacked(records, missing), _stacked(evaluations, missing)


def _stacked(rows, missing):
    def stacked(*rows):
        rows = np.stack(rows)
        blank = np.full((missing, *rows.shape[1:]), _blank(rows), rows.dtype)
        return np.concatenate([rows, blank])

    return jax.tree.map(stacked, *rows)
