"""One compiled program for all values of its arrays: what the functions that are called from Python run in."""

import functools

import jax


def run(function, *args, **static):
    """Return ``function(*args, **static)``, compiled.

    `args` are trees. Their arrays and numbers are arguments of the compiled program; whatever else they hold
    (functions, rules, None) and `static` choose it. So it is compiled again for another function, other shapes or
    another static value, and for nothing else. An array that a function of `args` has captured is a constant.
    """
    arrays, rest = split(args)
    return _run(function, tuple(static.items()), rest, arrays)


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _run(function, static, rest, arrays):
    return function(*join(arrays, rest), **dict(static))


def split(tree):
    """Part a tree into its arrays and numbers, and the rest, which is hashable and picks the compiled program."""
    leaves, structure = jax.tree.flatten(tree)
    dynamic = tuple(isinstance(leaf, (jax.Array, float, int)) or hasattr(leaf, "__array__") for leaf in leaves)
    arrays = [leaf for leaf, moves in zip(leaves, dynamic, strict=True) if moves]
    rest = tuple(None if moves else leaf for leaf, moves in zip(leaves, dynamic, strict=True))
    return arrays, (structure, dynamic, rest)


def join(arrays, rest):
    """Put together what `split` has parted."""
    structure, dynamic, others = rest
    arrays = iter(arrays)
    return structure.unflatten([next(arrays) if moves else leaf for moves, leaf in zip(dynamic, others, strict=True)])
