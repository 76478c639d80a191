"""`sweep`: one training for a whole grid of hyper-parameters."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from ravine import _check, _program


def sweep(make_optimizer, values, train, *, together=8):
    r"""Train once for each value of the hyper-parameters, all in one compiled program.

    $$\text{result}_i = \mathrm{train}(\mathrm{make\_optimizer}(\text{value}_i))$$

    Every value makes an optimizer outside the program first, so that a bad one gets its usual error. Inside, values
    are traced: any number that a rule accepts as an array can be swept over, but no size, flag or name. The program is
    kept for the two functions and the shapes of `values`, so other values run in it at once; what the functions have
    captured is a constant of it, and a new ``lambda`` is a new function.

    Args:
        make_optimizer: ``make_optimizer(value) -> optimizer``, such as ``rv.adam``, where a value is one row.
        values: an array or a list of numbers; or a tuple or dict of arrays with equally many rows, and ``value`` is
            then such a tuple or dict.
        train: ``train(optimizer) -> result``, any tree of arrays, such as a `Run` of `minimize` or a `Fit` of `fit`.
        together: how many runs advance side by side. On a processor 8 were as fast as any other number, or nearly;
            a GPU wants more.

    Returns:
        The results as one tree, each array with a leading axis for the values. A run that diverged is a result too.

    Raises:
        TypeError: an argument is not of its kind, or `make_optimizer` returns no optimizer.
        ValueError: the arrays of `values` have no row, or different numbers of rows; or what `make_optimizer` raises.

    Example:
        On w²/2 gradient descent multiplies w by 1 − η.

        >>> import jax.numpy as jnp, ravine as rv
        >>> def train(optimizer):
        ...     return rv.minimize(lambda w: w**2 / 2, 1.0, optimizer, steps=2).params
        >>> rv.sweep(rv.sgd, jnp.array([0.5, 1.0, 3.0]), train).tolist()
        [0.25, 0.0, 4.0]
    """
    _check.function("make_optimizer", make_optimizer)
    _check.function("train", train)
    if isinstance(values, list) and all(np.ndim(value) == 0 for value in values):
        values = np.asarray(values)
    arrays, count = _check.rows("values", values)
    together = _check.count("together", together)
    if not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values)):
        rows = jax.tree.map(np.asarray, values)
        for i in range(count):
            value = jax.tree.map(lambda array, i=i: array[i].item() if array.ndim == 1 else array[i], rows)
            _check.optimizer(f"make_optimizer({value!r})", make_optimizer(value))
    return _program.run(_sweep, make_optimizer, train, arrays, together=together)


def _sweep(make_optimizer, train, values, *, together):
    # Groups of one size, the last filled up with its last value: a smaller group would be compiled for itself.
    count = len(jax.tree.leaves(values)[0])
    groups = math.ceil(count / together)
    size = math.ceil(count / groups)
    filled = jnp.minimum(jnp.arange(groups * size), count - 1)
    results = jax.lax.map(lambda value: train(make_optimizer(value)),
                          jax.tree.map(lambda array: array[filled], values), batch_size=size if size > 1 else None)
    return jax.tree.map(lambda array: array[:count], results)
