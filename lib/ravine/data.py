"""Data sets that need no download, as NumPy arrays: the same numbers on every machine, for one seed.

A data set is a pair (x, y) of float32 inputs, one example a row, and int32 labels; `LinearProblem` draws from a known
distribution instead.
"""

import contextlib
import dataclasses
import importlib.resources
import json
from typing import Any, NamedTuple

import numpy as np

from ravine import _check


class Split(NamedTuple):
    """The parts of a data set, each a tuple of arrays.

    Attributes:
        train: for fitting.
        validation: for choosing.
        test: for the last look.
    """

    train: Any
    validation: Any
    test: Any


def digits():
    """Return the 1797 handwritten digits of scikit-learn.

    Returns:
        x of shape (1797, 64), the 8 × 8 grey levels in [0, 1], and y of shape (1797,), the digits.

    Source: Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI; shipped with scikit-learn.
    """
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y.astype(np.int32)


def mnist1d(samples=5000, seed=42):
    """Return MNIST-1D: digits as noisy, shifted, sheared curves of 40 points, made on the spot.

    Args:
        samples: how many, a multiple of 10, since all classes are equally large.
        seed: of the generator; 42 and 5000 samples are the defaults of the package `mnist1d`.

    Returns:
        x of shape (samples, 40), standardised over all entries, and y of shape (samples,), in random order.

    Raises:
        ValueError: `samples` is no positive multiple of 10, or `seed` is negative.
        TypeError: one of the two is no whole number.

    Source: Greydanus and Kobak (2020).
    """
    samples, seed = _check.count("samples", samples, at_least=10), _check.count("seed", seed, at_least=0)
    if samples % 10:
        raise ValueError(f"samples = {samples}: must be a multiple of 10, the number of classes")
    from mnist1d.data import get_dataset_args, make_dataset

    args = get_dataset_args()
    args.num_samples, args.seed = samples, seed
    with _own_random_state():
        made = make_dataset(args)
    x, y = (np.concatenate([made[name], made[f"{name}_test"]]) for name in "xy")
    return x.astype(np.float32), y.astype(np.int32)


@contextlib.contextmanager
def _own_random_state():
    # mnist1d seeds NumPy's global generator, and Python's; the caller's go on as if nothing had been.
    import random

    numpys, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(numpys)  # noqa: NPY002
        random.setstate(pythons)


def circles(samples=200, noise=0.1, seed=0):
    """Return two rings around 0: class 0 of radius 1, class 1 of radius ½.

    Args:
        samples: how many points; the first class has one more where the number is odd.
        noise: standard deviation of the normal noise on each coordinate, at least 0.
        seed: of the generator.

    Returns:
        x of shape (samples, 2) and y of shape (samples,), in random order.

    Raises:
        ValueError: `samples` is below 2, or `noise` or `seed` is negative.
        TypeError: an argument is not of its kind.
    """
    def place(random, y):
        angle = 2 * np.pi * random.random(y.size)
        return _polar(1 - 0.5 * y, angle)

    return _toy(place, samples, noise, seed, classes=2)


def moons(samples=200, noise=0.1, seed=0):
    """Return two half circles of radius 1 that reach into each other; arguments and errors as of `circles`."""
    def place(random, y):
        angle = np.pi * random.random(y.size)
        upper = _polar(1.0, angle)
        return np.where(y[:, None] == 0, upper, [1.0, 0.5] - upper)

    return _toy(place, samples, noise, seed, classes=2)


def xor(samples=200, noise=0.1, seed=0):
    """Return the square [−1, 1]², in class 1 where the signs of the coordinates differ (before the noise).

    Arguments and errors as of `circles`.
    """
    def place(random, y):
        point = random.uniform(-1, 1, (y.size, 2))
        point[:, 1] = np.where(y == 1, -1, 1) * np.sign(point[:, 0]) * abs(point[:, 1])
        return point

    return _toy(place, samples, noise, seed, classes=2)


def spirals(samples=300, noise=0.02, seed=0, classes=3, turns=0.75):
    """Return as many arms of a spiral as classes, within the unit disc.

    Args:
        samples: how many points, at least one a class.
        noise: standard deviation of the normal noise on each coordinate, at least 0.
        seed: of the generator.
        classes: the number of arms, at least 2.
        turns: how many times each arm goes round, a positive number.

    Returns:
        x of shape (samples, 2) and y of shape (samples,), in random order.

    Raises:
        ValueError: an argument is below its least.
        TypeError: an argument is not of its kind.
    """
    classes = _check.count("classes", classes, at_least=2)
    turns = _check.number("turns", turns, "(0, inf)", scalar=True)

    def place(random, y):
        radius = random.uniform(0.05, 1.0, y.size)
        return _polar(radius, 2 * np.pi * (turns * radius + y / classes))

    return _toy(place, samples, noise, seed, classes)


def _polar(radius, angle):
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)


def _toy(place, samples, noise, seed, classes):
    samples = _check.count("samples", samples, at_least=classes)
    noise = _check.number("noise", noise, "[0, inf)", scalar=True)
    random = _generator(seed)
    y = random.permutation(np.arange(samples) % classes)
    x = place(random, y) + noise * random.normal(size=(samples, 2))
    return x.astype(np.float32), y.astype(np.int32)


def _generator(seed):
    return np.random.default_rng(_check.count("seed", seed, at_least=0))


@dataclasses.dataclass(frozen=True)
class LinearProblem:
    r"""Linear regression where p_data is known, so that the true risk is a formula and not an estimate.

    $$x \sim N(0, \Sigma), \qquad y = x^\top w^\ast + b^\ast + \varepsilon, \qquad \varepsilon \sim N(0, \sigma^2)$$

    Make one with `linear_problem`.

    Attributes:
        weights: w*, shape (d,).
        bias: b*, a number.
        scales: the standard deviations of x, shape (d,); Σ is the diagonal matrix of their squares.
        noise: σ.
    """

    weights: np.ndarray
    bias: float
    scales: np.ndarray
    noise: float

    def sample(self, samples, seed=0):
        """Return `samples` draws: x of shape (samples, d) and y of shape (samples,), both float32."""
        samples, random = _check.count("samples", samples), _generator(seed)
        x = self.scales * random.normal(size=(samples, self.weights.size))
        y = x @ self.weights + self.bias + self.noise * random.normal(size=samples)
        return x.astype(np.float32), y.astype(np.float32)

    def risk(self, weights, bias=0.0):
        r"""Return the true risk of the prediction xᵀw + b, in closed form, a JAX scalar that can be differentiated.

        $$J^\ast(w, b) = E\,(x^\top w + b - y)^2 = (w - w^\ast)^\top \Sigma\,(w - w^\ast) + (b - b^\ast)^2 + \sigma^2$$
        """
        weights = _check.float_tree("weights", weights)
        _check.same_tree("weights", weights, "the problem's", self.weights)
        error = self.scales.astype(weights.dtype) * (weights - self.weights.astype(weights.dtype))
        return (error**2).sum() + (bias - self.bias) ** 2 + self.noise**2


def linear_problem(dimension=5, noise=0.5, condition_number=1.0, seed=0):
    """Return a `LinearProblem` with random weights of standard normal entries.

    Args:
        dimension: d, at least 1.
        noise: σ ≥ 0. No prediction has a risk below σ².
        condition_number: of Σ, at least 1: the variances of x run geometrically from 1 to this.
        seed: of the weights.

    Raises:
        ValueError: an argument is below its least.
        TypeError: an argument is not of its kind.

    Example:
        >>> import ravine as rv
        >>> problem = rv.data.linear_problem(dimension=3, noise=0.5)
        >>> float(problem.risk(problem.weights, problem.bias))
        0.25
    """
    dimension = _check.count("dimension", dimension)
    noise = _check.number("noise", noise, "[0, inf)", scalar=True)
    condition_number = _check.number("condition_number", condition_number, "[1, inf)", scalar=True)
    random = _generator(seed)
    scales = np.sqrt(np.geomspace(1.0, condition_number, dimension))
    return LinearProblem(random.normal(size=dimension), float(random.normal()), scales, noise)


class OptimizerTable(NamedTuple):
    """The results of the comparison of optimizers.

    Attributes:
        made: when, on which processor and with which versions they were made.
        settings: ``seeds``, ``batch_size``, and for each task ``steps`` and ``answers``, of a part that is held out.
        trials: ``trials[task][rule]``, a dict: the ``rates`` tried, of shape (rates,), and ``validation_loss``,
            ``validation_error``, ``test_loss`` and ``test_error`` (the share of wrong answers) at the end of training,
            of shape (rates, seeds), NaN where a run diverged.
    """

    made: dict
    settings: dict
    trials: dict


def optimizer_table():
    """Return the table that ``make benchmark-optimizers`` has written: rules, rates and seeds on three tasks.

    Losses and rates have four digits.

    Example:
        >>> import ravine as rv
        >>> adam = rv.data.optimizer_table().trials["digits"]["adam"]
        >>> adam["rates"].shape, adam["test_loss"].shape
        ((9,), (9, 10))
    """
    path = importlib.resources.files("ravine") / "tables" / "optimizers.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    trials: dict = {}
    for row in table["rows"]:
        found = {name: np.array(row[name], float) for name in ("rates", "validation_loss", "test_loss")}
        for part in ("validation", "test"):
            found[f"{part}_error"] = np.array(row[f"{part}_wrong"], float) / table["settings"]["answers"][row["task"]]
        trials.setdefault(row["task"], {})[row["rule"]] = found
    return OptimizerTable(table["made"], table["settings"], trials)


def split(*arrays, fractions=(0.6, 0.2, 0.2), seed=0):
    """Return a random `Split` into training, validation and test parts.

    Args:
        *arrays: x, y, … of equally many rows.
        fractions: the shares of the three; the test part takes what rounding leaves.
        seed: of the order.

    Raises:
        ValueError: no array, rows that differ in number, or fractions that are not three, negative, or do not add up
            to 1.
        TypeError: `seed` is no whole number.

    Example:
        >>> import ravine as rv
        >>> parts = rv.data.split(*rv.data.digits())
        >>> [len(y) for x, y in parts]
        [1078, 360, 359]
    """
    rows = _rows(arrays)
    if len(fractions) != 3 or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
        raise ValueError(f"fractions = {fractions}: must be three shares, none negative, that add up to 1")
    ends = np.round(np.cumsum(fractions)[:2] * rows).astype(int)
    parts = np.split(_generator(seed).permutation(rows), ends)
    return Split(*(tuple(np.asarray(array)[part] for array in arrays) for part in parts))


def sorted_order(y):
    """Return the order that sorts the labels: class after class, each in its old order. x[order] and y[order]."""
    return np.argsort(_labels(y), kind="stable")


def balanced_order(y, seed=0):
    """Return an order in which the classes take turns, each in random order, so that every batch has its share.

    Where the classes are equally large, every run of as many examples as classes, counted from the first, holds each
    class once. Larger classes are left over for the end.

    Raises:
        ValueError: `y` is no vector of labels.
        TypeError: `seed` is no whole number.
    """
    y, random = _labels(y), _generator(seed)
    turn = np.empty(y.size, int)
    for label in np.unique(y):
        places = np.flatnonzero(y == label)
        turn[places] = random.permutation(places.size)
    return np.lexsort((random.random(y.size), turn))


def _rows(arrays):
    rows = {len(array) for array in arrays}
    if len(rows) != 1:
        raise ValueError(f"arrays have {sorted(rows)} rows: must be one array or more, all with equally many")
    return rows.pop()


def _labels(y):
    y = np.asarray(y)
    if y.ndim != 1:
        raise ValueError(f"y has shape {y.shape}: must be a vector of labels")
    return y
