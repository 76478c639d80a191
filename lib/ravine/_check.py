"""Bad input gets an error that names the argument, the value and what is allowed."""

import numbers

import jax
import jax.numpy as jnp
import numpy as np
import optax


def number(name, value, allowed="(-inf, inf)", *, scalar=False):
    """Return `value` if it is a number (or an array of numbers) in the interval `allowed`.

    Python and NumPy scalars come back as `float`, arrays as `jax.Array`. Values that JAX is tracing have no number
    yet and pass unseen.

    Args:
        name: how the caller's signature calls the value; the error begins with it.
        value: a real number or array of real numbers.
        allowed: an interval as mathematics writes it, such as ``"[0, 1)"``.
        scalar: whether an array must hold a single number.

    Raises:
        TypeError: `value` is not a real number or array of real numbers.
        ValueError: `value`, or an entry of it, lies outside `allowed`, or is NaN; or it is an array and `scalar`.
    """
    if isinstance(value, (jax.Array, np.ndarray)) and _is_real(value.dtype):
        if scalar and value.shape != ():
            raise ValueError(f"{name} has shape {value.shape}: must be a single number in {allowed}")
        if isinstance(value, jax.core.Tracer):
            return value
        entries = np.asarray(value, float)
        outside = entries[~_inside(entries, allowed)]
        if outside.size:
            raise ValueError(f"{name} holds {outside[0]}: every entry must be in {allowed}")
        return _typed(jnp.asarray(value))
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        value = float(value)
        if not _inside(value, allowed):
            raise ValueError(f"{name} = {value}: must be in {allowed}")
        return value
    raise TypeError(f"{name} = {value!r}: must be a real number in {allowed}")


def _typed(array):
    # Python's numbers become weakly typed arrays; for those JAX would compile every program a second time.
    return jnp.asarray(array, array.dtype) if array.weak_type else array


def _is_real(dtype):
    return jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer)


def _inside(value, allowed):
    low, high = (float(end) for end in allowed[1:-1].split(","))
    above = value >= low if allowed[0] == "[" else value > low
    below = value <= high if allowed[-1] == "]" else value < high
    return above & below  # NaN is neither


def pair(name, value, allowed, second=None):
    """Return `value` as two numbers, the first not above the second.

    Args:
        name: how the caller's signature calls the pair; its entries are ``name[0]`` and ``name[1]``.
        value: a tuple or list of two numbers.
        allowed: the interval for both.
        second: another interval for the second number.

    Raises:
        TypeError: `value` is not a pair of numbers.
        ValueError: a number lies outside its interval, or the pair is out of order.
    """
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name} = {value!r}: must be a pair of numbers")
    low = number(f"{name}[0]", value[0], allowed, scalar=True)
    high = number(f"{name}[1]", value[1], second or allowed, scalar=True)
    disordered = low > high
    if not isinstance(disordered, jax.core.Tracer) and disordered:
        raise ValueError(f"{name} = {value}: the first number must not be above the second")
    return low, high


def rate(name, value):
    """Return `value` if it is a learning rate: a number or array that is not negative, or a schedule."""
    return value if callable(value) else number(name, value, "[0, inf)")


def count(name, value, at_least=1):
    """Return `value` as an `int` if it is a whole number, at least `at_least`.

    Raises:
        TypeError: `value` is not an integer (sizes fix the shape of the program, so they cannot be traced).
        ValueError: `value` is below `at_least`.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} = {value!r}: must be a whole number, at least {at_least}")
    if value < at_least:
        raise ValueError(f"{name} = {value}: must be at least {at_least}")
    return int(value)


def flag(name, value):
    """Return `value` as a `bool` if it is True or False.

    Raises:
        TypeError: it is anything else, perhaps an argument meant for the next place.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} = {value!r}: must be True or False")
    return bool(value)


def float_tree(name, tree):
    """Return `tree` with its leaves as JAX arrays if every leaf is a real floating-point array.

    Raises:
        TypeError: a leaf is no array, or its numbers are not real floating-point ones.
    """
    def leaf(path, value):
        where = name + jax.tree_util.keystr(path)
        try:
            value = value if isinstance(value, jax.Array) else jnp.asarray(value)
        except (TypeError, ValueError):
            raise TypeError(f"{where} = {value!r}: must be an array of floating-point numbers") from None
        if not jnp.issubdtype(value.dtype, jnp.floating):
            raise TypeError(f"{where} has dtype {value.dtype}: must be real and floating point, "
                            f"as in jnp.asarray(x, float)")
        return _typed(value)

    return jax.tree_util.tree_map_with_path(leaf, tree)


def same_tree(name, tree, other_name, other):
    """Raise ValueError unless two trees have one structure and one shape a leaf."""
    if jax.tree.structure(tree) != jax.tree.structure(other):
        raise ValueError(f"{name} and {other_name} are trees of different structure: "
                         f"{jax.tree.structure(tree)} and {jax.tree.structure(other)}")
    for (path, leaf), twin in zip(jax.tree_util.tree_leaves_with_path(tree), jax.tree.leaves(other), strict=True):
        if jnp.shape(leaf) != jnp.shape(twin):
            where = jax.tree_util.keystr(path)
            raise ValueError(f"{name}{where} has shape {jnp.shape(leaf)}, "
                             f"{other_name}{where} has shape {jnp.shape(twin)}: they must agree")


def filled_tree(name, tree):
    """Return `float_tree(name, tree)` if it holds at least one number.

    Raises:
        TypeError: as `float_tree`.
        ValueError: there is no number in it.
    """
    tree = float_tree(name, tree)
    if not any(leaf.size for leaf in jax.tree.leaves(tree)):
        raise ValueError(f"{name} = {tree!r}: must hold at least one number")
    return tree


def function(name, value):
    """Raise TypeError unless `value` can be called."""
    if not callable(value):
        raise TypeError(f"{name} = {value!r}: must be a function")


def optimizer(name, value):
    """Raise TypeError unless `value` is an optimizer, Ravine's or Optax's."""
    if not isinstance(value, optax.GradientTransformation):
        raise TypeError(f"{name} = {value!r}: must be an optax.GradientTransformation, such as rv.sgd(0.1)")


def array_tree(name, tree):
    """Return `tree` with its leaves as JAX arrays; raise TypeError if one is no array of numbers."""
    def leaf(path, value):
        try:
            value = jnp.asarray(value)
        except (TypeError, ValueError):
            where = name + jax.tree_util.keystr(path)
            raise TypeError(f"{where} = {value!r}: must be an array of numbers") from None
        return _typed(value)

    return jax.tree_util.tree_map_with_path(leaf, tree)


def rows(name, tree):
    """Return `tree` with its leaves as JAX arrays, and the number of rows (entries of the first axis) they share.

    Raises:
        TypeError: a leaf is no array of numbers.
        ValueError: there is no array or no row, or the arrays have different numbers of rows.
    """
    arrays = array_tree(name, tree)
    for path, value in jax.tree_util.tree_leaves_with_path(tree):
        if np.ndim(value) == 0:
            where = name + jax.tree_util.keystr(path)
            raise ValueError(f"{where} = {value!r}: must be an array, with a first axis to run over")
    counts = sorted({len(array) for array in jax.tree.leaves(arrays)})
    if len(counts) != 1 or counts == [0]:
        raise ValueError(f"{name} has arrays of {counts} rows: must be one array or more, all with equally many")
    return arrays, counts[0]


def data(name, value):
    """Raise TypeError unless `value` is a tuple, the further arguments of a loss."""
    if not isinstance(value, tuple):
        raise TypeError(f"{name} = {value!r}: must be a tuple, such as (x, y)")


def scalar_loss(fun, params, name="fun"):
    """Raise ValueError unless ``fun(params)`` is one real floating-point number."""
    loss = jax.eval_shape(fun, params)
    if getattr(loss, "shape", None) != () or not jnp.issubdtype(loss.dtype, jnp.floating):
        raise ValueError(f"{name} must return a scalar loss, one floating-point number, but returned {loss}")


def symmetric(name, value):
    """Return `value` as an array if it is a symmetric matrix, to rounding; one that JAX is tracing passes unseen.

    Raises:
        TypeError: it is no array of real floating-point numbers.
        ValueError: it is empty, not square, or not symmetric.
    """
    matrix = float_tree(name, value)
    if not isinstance(matrix, jax.Array):
        raise TypeError(f"{name} = {value!r}: must be an array, a symmetric matrix")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ValueError(f"{name} has shape {matrix.shape}: must be a square matrix")
    if not isinstance(matrix, jax.core.Tracer):
        entries = np.asarray(matrix, float)
        if not np.allclose(entries, entries.T, rtol=0, atol=len(entries) * jnp.finfo(matrix.dtype).eps
                           * np.max(abs(entries)), equal_nan=True):
            raise ValueError(f"{name}: must be a symmetric matrix")
    return matrix


def key(name, value):
    """Return `value` if it is one key of JAX's random numbers, of the new kind or the old; else raise TypeError."""
    if isinstance(value, jax.Array):
        typed = jnp.issubdtype(value.dtype, jax.dtypes.prng_key)
        if value.shape == () if typed else value.shape == (2,) and value.dtype == jnp.uint32:
            return value
    raise TypeError(f"{name} = {value!r}: must be one random key, such as jax.random.key(0)")
