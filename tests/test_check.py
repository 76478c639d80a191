"""The checks that every public function makes of its arguments."""

import fractions
import math

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from ravine import _check


@pytest.mark.parametrize(("allowed", "inside", "outside"), [
    ("[0, 1)", [0, 0.0, -0.0, 0.5, 1 - 2**-53], [-5e-324, 1, 1.0, math.inf, -math.inf, math.nan]),
    ("(0, 1]", [5e-324, 1], [0, 1 + 2**-52, math.nan]),
    ("[0, inf)", [0, 1e308], [math.inf, -1e-308, math.nan]),
    ("(-inf, inf)", [-1e308, 0], [math.inf, -math.inf, math.nan]),
    ("[-inf, inf]", [math.inf, -math.inf], [math.nan])])
def test_intervals(allowed, inside, outside):
    for value in inside:
        assert _check.number("x", value, allowed) == value
        np.testing.assert_array_equal(_check.number("x", np.array([value]), allowed), [value])
    for value in outside:
        with pytest.raises(ValueError, match=r"^x = .*: must be in ") as error:
            _check.number("x", value, allowed)
        assert str(error.value).endswith(allowed)
        with pytest.raises(ValueError, match=r"^x holds .*: every entry must be in "):
            _check.number("x", jnp.array([0.5, value], float), allowed)


@pytest.mark.parametrize("value", [np.float32(0.5), np.float16(0.5), fractions.Fraction(1, 2), np.int8(1), 1])
def test_scalars_come_back_as_python_floats(value):
    assert type(_check.number("x", value)) is float


@pytest.mark.parametrize("dtype", [float, np.float32, ml_dtypes.bfloat16, np.int32, np.uint8])
def test_arrays_come_back_as_jax_arrays_of_their_type(dtype):
    value = _check.number("x", np.ones((2, 2), dtype))
    assert isinstance(value, jax.Array)
    assert value.dtype == dtype
    assert not _check.number("x", jnp.asarray(0.5)).weak_type


@pytest.mark.parametrize("value", ["1", b"1", None, True, np.True_, 1j, np.complex64(1), [1.0], (1.0,), {}, object(),
                                   np.array(["1"]), np.array([None]), np.array([True]), jnp.array(1j), abs])
def test_what_is_no_number(value):
    with pytest.raises(TypeError, match=r"^x = .*: must be a real number in"):
        _check.number("x", value)


def test_a_scalar_has_no_axes():
    assert _check.number("x", jnp.array(0.5), scalar=True) == 0.5
    for value in (np.ones(1), jnp.ones((2, 3))):
        with pytest.raises(ValueError, match=r"^x has shape \(.*: must be a single number"):
            _check.number("x", value, scalar=True)


def test_traced_numbers_pass_and_other_traced_values_do_not():
    assert jax.jit(lambda x: _check.number("x", x, "[0, 1)"))(-1.0) == -1.0
    for value in (True, 1j):
        with pytest.raises(TypeError, match=r"^x = "):
            jax.jit(lambda x: _check.number("x", x))(value)


def test_pairs():
    assert _check.pair("bounds", [1, np.float32(2)], "(0, inf)") == (1.0, 2.0)
    assert _check.pair("factors", (0.5, 1.2), "(0, 1)", "(1, inf)") == (0.5, 1.2)
    assert jax.jit(lambda low: _check.pair("bounds", (low, 1.0), "(0, inf)")[0])(2.0) == 2.0
    for value, error, words in (((2, 1), ValueError, r"bounds = .* must not be above"), (3, TypeError, "bounds = 3"),
                                ((1, 2, 3), TypeError, "bounds = "), ((0, 1), ValueError, r"bounds\[0\] = 0.0"),
                                ((1, "2"), TypeError, r"bounds\[1\] = '2'")):
        with pytest.raises(error, match=f"^{words}"):
            _check.pair("bounds", value, "(0, inf)")
    with pytest.raises(ValueError, match=r"^factors\[1\] = 0.9: must be in \(1, inf\)"):
        _check.pair("factors", (0.5, 0.9), "(0, 1)", "(1, inf)")


def test_rates():
    assert _check.rate("learning_rate", abs) is abs
    assert _check.rate("learning_rate", 0) == 0.0
    with pytest.raises(ValueError, match=r"^learning_rate = -1.0: must be in \[0, inf\)"):
        _check.rate("learning_rate", -1)


def test_counts():
    assert _check.count("steps", np.int64(3)) == 3
    assert _check.count("steps", 0, at_least=0) == 0
    for value in (0, -1):
        with pytest.raises(ValueError, match=f"^steps = {value}: must be at least 1"):
            _check.count("steps", value)
    for value in (1.0, True, np.True_, "3", None, jnp.array(3)):
        with pytest.raises(TypeError, match=r"^steps = .*: must be a whole number, at least 1"):
            _check.count("steps", value)


def test_flags():
    assert _check.flag("debias", np.True_) is True
    for value in (1, 0.0, None, "no"):
        with pytest.raises(TypeError, match=r"^debias = .*: must be True or False"):
            _check.flag("debias", value)


def test_float_trees():
    tree = _check.float_tree("params", {"a": [1.0, np.ones(2, np.float32)], "b": None})
    assert tree["a"][0].dtype == float
    assert tree["a"][1].dtype == np.float32
    assert not tree["a"][0].weak_type
    for value, where in ((1, "params"), ({"a": [np.ones(2, int)]}, r"params\['a'\]\[0\]"), ([1j], r"params\[0\]"),
                         (["w"], r"params\[0\]"), ((1.0, True), r"params\[1\]"), ([object()], r"params\[0\]")):
        with pytest.raises(TypeError, match=f"^{where} .*must be"):
            _check.float_tree("params", value)


def test_trees_of_one_form():
    tree = {"a": np.ones(2), "b": [np.ones((2, 1))]}
    _check.same_tree("grads", tree, "params", jax.tree.map(jnp.zeros_like, tree))
    with pytest.raises(ValueError, match=r"^grads and params are trees of different structure: "):
        _check.same_tree("grads", tree, "params", {"a": np.ones(2)})
    with pytest.raises(ValueError, match=r"^grads\['b'\]\[0\] has shape \(2, 1\), params\['b'\]\[0\] has shape \(2,\)"):
        _check.same_tree("grads", tree, "params", {"a": np.ones(2), "b": [np.ones(2)]})
