"""`_program`: which changes compile again, and which do not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from ravine import _program


def power(fun, tree, number, *, times):
    for _ in range(times):
        tree = jax.tree.map(lambda w: number * fun(w), tree)
    return tree


def scaled(scale, w):
    return scale * w


SIN = Partial(scaled, np.ones(2))


@pytest.mark.parametrize(("change", "programs"), [
    ({}, 0), ({"number": 3.0}, 0), ({"tree": {"w": np.array([5.0, 6.0])}}, 0),
    ({"fun": Partial(scaled, np.array([2.0, 3.0]))}, 0),
    ({"fun": jnp.cos}, 1), ({"times": 3}, 1), ({"tree": {"v": np.ones(2)}}, 1), ({"tree": {"w": np.ones(3)}}, 1)])
def test_arrays_and_numbers_compile_nothing_and_the_rest_does(change, programs, compiled):
    first = {"fun": SIN, "tree": {"w": np.array([1.0, 2.0])}, "number": 2.0, "times": 2}

    def fresh(*args, **static):  # not compiled yet
        return power(*args, **static)

    def run(asked):
        fun = asked["fun"]
        if asked["tree"].get("w", np.ones(2)).shape == (3,):
            fun = Partial(scaled, np.ones(3))
        return _program.run(fresh, fun, asked["tree"], asked["number"], times=asked["times"])

    np.testing.assert_allclose(run(first)["w"], [4.0, 8.0])
    assert compiled(run, first | change) == programs
    asked = first | change
    jax.tree.map(np.testing.assert_allclose, run(asked),
                 power(jnp.cos if asked["fun"] is jnp.cos else lambda w: jnp.resize(asked["fun"].args[0], w.shape) * w,
                       asked["tree"], asked["number"], times=asked["times"]))


def test_split_and_join():
    tree = {"fun": jnp.sin, "none": None, "numbers": (1, 2.0, np.float32(3)), "array": np.ones(2), "name": "x"}
    arrays, rest = _program.split(tree)
    assert len(arrays) == 4
    assert hash(rest) == hash(_program.split(tree | {"array": np.zeros(5)})[1])
    assert rest != _program.split(tree | {"name": "y"})[1]
    assert jax.tree.map(lambda a, b: a is b, _program.join(arrays, rest), tree) == jax.tree.map(lambda _: True, tree)
