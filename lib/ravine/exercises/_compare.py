"""Answers against expected values: as plain NumPy arrays, in units of a tolerance.

Everything used here is bound when the module is imported. A student's cell that patches `np.allclose`, or an object
whose ``__eq__`` says yes to everything, changes no verdict.
"""

from dataclasses import dataclass

from numpy import (
    abs,
    argmax,
    array_equal,
    asarray,
    finfo,
    float32,
    float64,
    full,
    inf,
    isfinite,
    isnan,
    ndarray,
    sqrt,
    stack,
    unravel_index,
    where,
    zeros,
)


class Mismatch(Exception):
    """An answer that has another structure or shape than what is expected; says so in words."""


@dataclass(frozen=True)
class Opaque:
    """Stands for a returned object that holds no numbers."""

    type_name: str


@dataclass(frozen=True)
class Unfit:
    """Stands for an output in which the facts of an exercise cannot be measured; says why, in words."""

    words: str


@dataclass(frozen=True)
class Within:
    """A measured number that is subject to chance, and how far two right answers can be apart in it by chance."""

    value: ndarray
    bound: float


@dataclass(frozen=True)
class Leaf:
    """One array of an answer beside the expected one.

    Attributes:
        name: what it is called.
        yours: the answer's.
        expected: the expected one.
        off: their distance entry by entry, in tolerances.
        bound: for a number that is subject to chance, how far it may be off; else None.
    """

    name: str
    yours: ndarray
    expected: ndarray
    off: ndarray
    bound: float | None = None

    @property
    def worst(self):
        """The index of the entry that is furthest off."""
        return tuple(int(i) for i in unravel_index(argmax(self.off), self.off.shape))

    @property
    def entry(self):
        """That entry's name, as in ``w[1]``."""
        return self.name + (f"[{', '.join(map(str, self.worst))}]" if self.worst else "")


def plain(value):
    """Return `value` as nested tuples and dicts of NumPy arrays; None stays None, anything else becomes `Opaque`."""
    if value is None:
        return None
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple(plain(entry) for entry in value)
    try:
        array = asarray(value)
    except Exception:  # an object that only looks like an array, or a tracer that got out of its function
        return Opaque(type(value).__name__)
    return Opaque(type(value).__name__) if array.dtype.kind == "O" else array


def compare(answer, expected, names):
    """Return a `Leaf` for each array of `expected`, and none if both are `Unfit` for the same reason.

    Args:
        answer: what was returned, made `plain`.
        expected: what should have been.
        names: what the returned values are called, one name each.

    Raises:
        Mismatch: they cannot be compared entry by entry.
    """
    if isinstance(answer, Unfit) or isinstance(expected, Unfit):
        if answer == expected:
            return []
        raise Mismatch(answer.words if isinstance(answer, Unfit) else expected.words)
    if not isinstance(expected, tuple) or len(names) != len(expected):  # a mistake may have another structure
        return _leaves(answer, expected, names[0])
    wanted = f"({', '.join(names)})"
    if not isinstance(answer, tuple):
        raise Mismatch(f"it returns {describe(answer)}, where {wanted} is asked for")
    if len(answer) != len(names):
        raise Mismatch(f"it returns {len(answer)} values, where {wanted} is asked for")
    return [leaf for triple in zip(answer, expected, names, strict=True) for leaf in _leaves(*triple)]


def margin(answer, expected, names):
    """Return how far `answer` is from `expected`, in tolerances: at most 1 is right; inf if nothing fits."""
    try:
        return max((float(leaf.off.max(initial=0.0)) for leaf in compare(answer, expected, names)), default=0.0)
    except Mismatch:
        return inf


def agree(answers, expected, names):
    """Return whether all of `answers` are the `expected` ones, probe by probe."""
    return all(margin(yours, theirs, names) <= 1 for yours, theirs in zip(answers, expected, strict=True))


def finite(array):
    """Return whether no entry is infinite or NaN (texts never are)."""
    return array.dtype.kind == "U" or bool(isfinite(array.astype(float64)).all())


def describe(value):
    """Return in a few words what a `plain` value is."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"a dict with the keys {', '.join(map(repr, value))}"
    if isinstance(value, tuple):
        return f"{len(value)} values"
    if isinstance(value, Opaque):
        return f"an object of type {value.type_name}"
    if _kind(value) == "c":
        return "complex numbers"
    if _kind(value) == "U":
        return "a text" if value.ndim else f"the text {str(value)!r}"
    return f"an array of shape {value.shape}" if value.ndim else "one number"


def _leaves(answer, expected, name):
    if isinstance(expected, (dict, tuple)):
        pairs = expected.items() if isinstance(expected, dict) else enumerate(expected)
        if type(answer) is not type(expected) or _keys(answer) != _keys(expected):
            raise Mismatch(f"{name} is {describe(answer)}, and should be {describe(expected)}")
        return [leaf for key, entry in pairs for leaf in _leaves(answer[key], entry, f"{name}[{key!r}]")]
    if isinstance(expected, Within):
        off = abs(asarray(answer.value - expected.value, float64)) / expected.bound
        return [Leaf(name, asarray(answer.value), asarray(expected.value), where(isnan(off), inf, off), expected.bound)]
    if isinstance(answer, tuple) and answer:
        answer = _stacked(answer)
    if not isinstance(answer, ndarray) or _kind(answer) != _kind(expected) or answer.shape != expected.shape:
        raise Mismatch(f"{name} is {describe(answer)}, and should be {describe(expected)}")
    return [Leaf(name, answer, expected, _off(answer, expected))]


def _keys(branch):
    return set(branch) if isinstance(branch, dict) else len(branch)


def _kind(array):
    """Tell texts and complex numbers from real ones (booleans, integers and the short floats among them)."""
    return array.dtype.kind if array.dtype.kind in "Uc" else "real"


def _stacked(values):
    """Return a list of equal arrays as one array: a right answer may come as a list."""
    values = tuple(_stacked(value) if isinstance(value, tuple) and value else value for value in values)
    same = all(isinstance(value, ndarray) and value.shape == values[0].shape and _kind(value) == _kind(values[0])
               for value in values)
    return stack(values) if same else values


def _off(answer, expected):
    if expected.dtype.kind == "U":
        return full((), 0.0 if array_equal(answer, expected) else inf)
    tolerance = _relative_tolerance(answer.dtype, expected.dtype)
    answer, expected = answer.astype(float64), expected.astype(float64)
    finite = isfinite(expected)
    scale = abs(where(finite, expected, 0.0)).max(initial=0.0) or 1.0
    off = where(isnan(answer) & isnan(expected) | (answer == expected), zeros(expected.shape), inf)
    both = finite & isfinite(answer)
    off[both] = abs(answer[both] - expected[both]) / (tolerance * scale)
    return off


def _relative_tolerance(*dtypes):
    """Half of the digits, of the shorter of the two types; relative to the largest entry. At most that of float32."""
    digits = [finfo(dtype).eps for dtype in dtypes if dtype in (float32, float64)]
    return sqrt(max(digits, default=finfo(float64).eps))
