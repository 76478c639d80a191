"""Distances in tolerances, and the words for what cannot be compared."""

import jax.numpy as jnp
import numpy as np
import pytest

from ravine.exercises._compare import Mismatch, Unfit, Within, agree, compare, describe, margin, plain

NAMES = ("w", "v")


def off(answer, expected, names=("w",)):
    return margin(plain(answer), plain(expected), names)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1.5e-8), (np.float32, 3.5e-4)])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_half_of_the_digits_must_agree_relative_to_the_largest_entry(dtype, tolerance, scale):
    expected = np.array([3.0, -10.0, 0.0]) * scale
    for entry in range(3):
        nudge = 10 * scale * tolerance * (np.arange(3) == entry)
        assert off((expected + 0.9 * nudge).astype(dtype), expected.astype(dtype)) < 1
        assert off((expected + 1.1 * nudge).astype(dtype), expected.astype(dtype)) > 1
        assert off((expected + 20 * nudge).astype(dtype), expected.astype(dtype)) == pytest.approx(20, rel=0.1)


def test_the_shorter_type_of_the_two_decides_but_half_precision_is_too_short():
    expected = np.array([1.0, 2.0])
    assert off(np.float32([1.0, 2.0001]), expected) < 1
    assert off(np.float64([1.0, 2.0001]), np.float32(expected)) < 1
    assert off(np.float64([1.0, 2.0001]), expected) > 1
    assert off(jnp.array([1.0, 2.01], jnp.bfloat16), np.float32(expected)) > 1
    assert off([1, 2], expected) == 0


@pytest.mark.parametrize(("answer", "expected", "right"), [
    (0.0, 0.0, True), (1e-9, 0.0, True), (1e-3, 0.0, False),
    ([np.nan, 1.0], [np.nan, 1.0], True), ([np.inf, 1.0], [np.inf, 1.0], True),
    ([-np.inf, 1.0], [np.inf, 1.0], False), ([np.nan, 1.0], [np.inf, 1.0], False),
    ([np.nan, 1.0], [2.0, 1.0], False), ([2.0, 1.0], [np.nan, 1.0], False), ([2.0, np.inf], [2.0, 1.0], False),
    ([[1.0, 2.0], [3.0, 4.0]], np.array([[1.0, 2.0], [3.0, 4.0]]), True),
    ((jnp.float32(1.0), 2.0), np.array([1.0, 2.0]), True),
    ({"b": [2.0], "a": 1.0}, {"a": 1.0, "b": np.array([2.0])}, True),
    ({"a": 1.0, "b": 3.0}, {"a": 1.0, "b": 2.0}, False),
    ("saddle", "saddle", True), ("saddle", "minimum", False), (True, 1.0, True),
])
def test_what_is_right(answer, expected, right):
    assert agree([plain(answer)], [plain(expected)], ("it",)) is right


@pytest.mark.parametrize(("answer", "words"), [
    (np.ones(3), "it returns an array of shape (3,), where (w, v) is asked for"),
    (None, "it returns nothing, where (w, v) is asked for"),
    ((1.0, 2.0, 3.0), "it returns 3 values, where (w, v) is asked for"),
    ((np.ones(3), np.ones((3, 3))), "v is an array of shape (3, 3), and should be an array of shape (3,)"),
    ((np.ones(3), 1.0), "v is one number, and should be an array of shape (3,)"),
    ((np.ones(3), None), "v is nothing, and should be an array of shape (3,)"),
    ((np.ones(3), 1j * np.ones(3)), "v is complex numbers, and should be an array of shape (3,)"),
    ((np.ones(3), "three"), "v is the text 'three', and should be an array of shape (3,)"),
    ((np.ones(3), [1.0, "two", 3.0]), "v is 3 values, and should be an array of shape (3,)"),
    ((np.ones(3), {"v": 1.0}), "v is a dict with the keys 'v', and should be an array of shape (3,)"),
    ((np.ones(3), object()), "v is an object of type object, and should be an array of shape (3,)"),
])
def test_what_cannot_be_compared_is_said_in_words(answer, words):
    expected = plain((np.ones(3), np.ones(3)))
    with pytest.raises(Mismatch) as mismatch:
        compare(plain(answer), expected, NAMES)
    assert str(mismatch.value) == words
    assert margin(plain(answer), expected, NAMES) == np.inf


def test_trees_must_have_the_same_keys():
    with pytest.raises(Mismatch, match="w is a dict with the keys 'a', and should be a dict with the keys 'a', 'b'"):
        compare(plain({"a": 1.0}), plain({"a": 1.0, "b": 2.0}), ("w",))


def test_the_worst_entry_has_a_name():
    leaves = compare(plain((np.zeros((2, 2)), 3.0)), plain((np.array([[0.0, 1.0], [5.0, 1.0]]), 2.0)), NAMES)
    assert [leaf.entry for leaf in leaves] == ["w[1, 0]", "v"]


def test_a_single_number_is_described_as_one():
    assert describe(plain(3.0)) == "one number"


@pytest.mark.parametrize(("measured", "distance"),
                         [(2.0, 0.0), (2.4, 0.8), (1.2, 1.6), (np.inf, np.inf), (np.nan, np.inf)])
def test_a_number_subject_to_chance_has_a_bound_of_its_own(measured, distance):
    answer, expected = (Within(np.float64(measured), 0.5), np.ones(2)), (Within(np.float64(2.0), 0.5), np.ones(2))
    assert margin(answer, expected, NAMES) == pytest.approx(distance)
    assert [leaf.entry for leaf in compare(answer, expected, NAMES)] == ["w", "v[0]"]


def test_what_cannot_be_measured_says_why_and_equals_only_itself():
    fits, one, other = (np.ones(2), np.ones(2)), Unfit("w is no list"), Unfit("w is empty")
    assert margin(one, one, NAMES) == 0
    for answer, expected in [(one, fits), (fits, one), (one, other)]:
        assert margin(answer, expected, NAMES) == np.inf
        with pytest.raises(Mismatch, match="w is no list"):
            compare(answer, expected, NAMES)
