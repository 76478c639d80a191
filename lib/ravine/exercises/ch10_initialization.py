"""The exercises of chapter 10, initialization."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from ravine.exercises._compare import Unfit, Within, describe
from ravine.exercises._exercise import Exercise, Key
from ravine.exercises._random import use_of_keys


def he_init(key, fi, fo):
    """He's starting weights, for a layer x @ W that is followed by a ReLU.

    key  a random key, for a function of jax.random
    fi   fan_in, how many inputs the layer has
    fo   fan_out, how many units it has

    The weights are independent and normal (not cut off), with mean 0 and
    variance 2 / fan_in. The same key gives the same weights.
    Returns W, shape (fi, fo).
    """
    return jnp.sqrt(2 / fi) * jax.random.normal(key, (fi, fo))


def xavier(key, fi, fo):
    """Xavier Glorot's starting weights, for a layer x @ W with tanh: uniform.

    key  a random key, for a function of jax.random
    fi   fan_in, how many inputs the layer has
    fo   fan_out, how many units it has

    The weights are independent and uniform between -b and b, where b is such
    that their variance is 2 / (fan_in + fan_out). The same key gives the same
    weights.
    Returns W, shape (fi, fo).
    """
    limit = jnp.sqrt(6 / (fi + fo))
    return jax.random.uniform(key, (fi, fo), minval=-limit, maxval=limit)


_DEVIATIONS = 5  # of a measured number: by chance it is further off in one draw of two million
_CUT = 2  # standard deviations, in initializers that cut the normal distribution off


def _inside(z):
    """Return how likely a normal number is within z standard deviations."""
    return math.erf(z / math.sqrt(2))


_CUT_DEVIATION = math.sqrt(1 - 2 * _CUT * math.exp(-_CUT**2 / 2) / math.sqrt(2 * math.pi) / _inside(_CUT))
_DISTANCES = 0.5, 1, 2  # from the mean, in standard deviations
_SHARES = {  # of the numbers within these distances
    "normal": [_inside(z) for z in _DISTANCES],
    "normal, cut off": [_inside(z * _CUT_DEVIATION) / _inside(_CUT) for z in _DISTANCES],
    "uniform": [min(z / math.sqrt(3), 1.0) for z in _DISTANCES],
}


def _weights(output, shape):
    """Return the weights as an array, or an `Unfit` if they are none that can be measured."""
    try:
        W = np.asarray(output)
    except ValueError:  # lists of several lengths
        W = np.zeros(0)
    if W.shape != shape or W.dtype.kind in "cU":
        return Unfit(f"W is {describe(output)}, and should be an array of shape {shape}")
    W = W.astype(float)
    if not np.isfinite(W).all():
        return Unfit("W holds numbers that are not finite")
    if (W[:, :1] == W).all():
        same = "entries of W are the same number" if W.min() == W.max() else "columns of W are the same"
        return Unfit(f"all {same}, and so are all units")
    return W


def _draws(inputs, outputs):
    """Measure what makes starting weights: mean, standard deviation, the distribution, and what becomes of the key.

    They are facts of all draws together: the more numbers, the less of chance is in them.
    """
    draws = [_weights(output, (fi, fo)) for (_, fi, fo), output in zip(inputs, outputs, strict=True)]
    if unfit := [W for W in draws if isinstance(W, Unfit)]:
        return unfit[:1] * len(draws)
    one, other, again = draws
    keys = use_of_keys(one, other, again)
    independent = [one] if keys == "one draw for all" else [one, other]
    return [(*_moments(np.concatenate(independent, axis=None)), np.asarray(keys))] * len(draws)


def _moments(w):
    """Return mean, standard deviation σ and distribution; the first two as far as two draws agree in them.

    The mean of n numbers has the variance σ²/n, and their standard deviation about σ² (κ − 1) / 4n, where κ is the
    kurtosis; the difference of two draws has twice these. A share of n numbers is known up to 1/(2√n); that it is
    counted from the mean of the same n, in their σ, adds less than as much again.
    """
    n, mean = w.size, w.mean()
    squares = (w - mean) ** 2
    variance, kurtosis = squares.mean(), (squares**2).mean() / squares.mean() ** 2
    shares = [np.count_nonzero(squares <= z**2 * variance) / n for z in _DISTANCES]
    chance = _DEVIATIONS / math.sqrt(n)
    distribution = next((name for name, known in _SHARES.items() if np.allclose(shares, known, rtol=0, atol=chance)),
                        "another")
    deviation = math.sqrt(variance)
    return (Within(mean, math.sqrt(2) * chance * deviation),
            Within(deviation, math.sqrt((kurtosis - 1) / 2) * chance * deviation), np.asarray(distribution))


@functools.lru_cache(maxsize=8)  # the mistakes scale the same few draws, and to draw is what takes the time
def _numbers(distribution, seed, shape):
    random = np.random.default_rng(seed)
    if distribution == "normal":
        return random.standard_normal(shape, np.float32)
    return 2 * random.random(shape, np.float32) - 1


def _normal(key, fi, fo):
    return _numbers("normal", tuple(jax.random.key_data(key).tolist()), (fi, fo))


def _uniform(key, fi, fo):
    """Return uniform numbers between −1 and 1."""
    return _numbers("uniform", tuple(jax.random.key_data(key).tolist()), (fi, fo))


def _cut_normal(key, fi, fo):
    """Return normal numbers between −2 and 2."""
    numbers = _normal(key, 2 * fi, fo).ravel()
    return numbers[abs(numbers) <= _CUT][:fi * fo].reshape(fi, fo)


# So many weights that all standard deviations below are far apart; fans that differ, but less than 2 / fan_in and
# 2 / (fan_in + fan_out) would be alike. The first key comes again.
_PROBES = [(Key(0), 930, 340), (Key(1), 930, 340), (Key(0), 930, 340)]
_FACTS = "mean of W, standard deviation of W, distribution, draws of the keys"

_FIXED_KEY = "the weights are the same for all keys. Two layers would begin alike: use the key that is given."
_KEY_NOT_USED = ("the same key gives other weights in each call. Draw from the key, with jax.random, so that a run can "
                 "be repeated.")
_TRANSPOSED = "the matrix is the other way round. The layer is x @ W, so W has the shape (fi, fo)."
_CONSTANT = ("all weights are the same number. Then all units are the same, have the same gradients, and stay the "
             "same: draw independent numbers.")
_SAME_UNITS = ("all units have the same weights. They would stay the same, one unit many times: draw all fi × fo "
               "weights.")

_he_init = Exercise(
    reference=he_init,
    returns="W",
    probes=_PROBES,
    facts=_FACTS,
    measure=_draws,
    concept="A unit adds up fan_in products, and the ReLU after it drops half of what comes. For the signal to keep "
            "its size from layer to layer, the weights' variance makes up for both. Standard normal numbers times σ "
            "have the variance σ².",
    formula="W_ij ~ N(0, σ²),   σ = √(2 / fan_in)",
    blank="2 / fi",
    mistakes={
        "variance_as_std": (
            lambda key, fi, fo: 2 / fi * _normal(key, fi, fo),
            "the variance is taken for the standard deviation. Normal numbers times σ have the variance σ²: multiply "
            "by √(2 / fan_in)."),
        "fan_out": (
            lambda key, fi, fo: math.sqrt(2 / fo) * _normal(key, fi, fo),
            "it is fan_out that is divided by. A unit adds up fan_in products: the variance is 2 / fan_in."),
        "one_over_fan_in": (
            lambda key, fi, fo: math.sqrt(1 / fi) * _normal(key, fi, fo),
            "the variance is 1 / fan_in. That is for a linear layer; the ReLU drops half of the signal, so take "
            "2 / fan_in."),
        "xavier_variance": (
            lambda key, fi, fo: math.sqrt(2 / (fi + fo)) * _normal(key, fi, fo),
            "this is Xavier's variance, 2 / (fan_in + fan_out). He's is 2 / fan_in."),
        "two_outside": (
            lambda key, fi, fo: 2 / math.sqrt(fi) * _normal(key, fi, fo),
            "the 2 is outside of the root. The standard deviation is √(2 / fan_in)."),
        "root_of_two_only": (
            lambda key, fi, fo: math.sqrt(2) / fi * _normal(key, fi, fo),
            "the root is of the 2 alone. The standard deviation is √(2 / fan_in)."),
        "inverted": (
            lambda key, fi, fo: math.sqrt(fi / 2) * _normal(key, fi, fo),
            "the fraction is upside down. More inputs need smaller weights: √(2 / fan_in)."),
        "not_scaled": (
            lambda key, fi, fo: _normal(key, fi, fo),
            "the weights are standard normal numbers. The signal would grow in each layer: multiply by √(2 / fan_in)."),
        "uniform": (
            lambda key, fi, fo: math.sqrt(6 / fi) * _uniform(key, fi, fo),
            "the weights are uniform. Their variance is right, but normal ones are asked for: jax.random.normal."),
        "uniform_std_as_limit": (
            lambda key, fi, fo: math.sqrt(2 / fi) * _uniform(key, fi, fo),
            "the weights are uniform between ±√(2 / fan_in). Normal ones with that standard deviation are asked for: "
            "jax.random.normal."),
        "uniform_from_zero": (
            lambda key, fi, fo: math.sqrt(2 / fi) * (_uniform(key, fi, fo) + 1) / 2,
            "the weights are uniform, and none is negative. Take jax.random.normal, which has mean 0 and variance 1."),
        "cut_off": (
            lambda key, fi, fo: math.sqrt(2 / fi) * _cut_normal(key, fi, fo) / _CUT_DEVIATION,
            "the normal distribution is cut off, as that of jax.nn.initializers.he_normal is. Its variance is right, "
            "but here all of the normal is asked for: jax.random.normal."),
        "cut_off_and_less": (
            lambda key, fi, fo: math.sqrt(2 / fi) * _cut_normal(key, fi, fo),
            "the normal distribution is cut off, so that its variance is no longer right. All of the normal is asked "
            "for: jax.random.normal."),
        "fixed_key": (lambda key, fi, fo: math.sqrt(2 / fi) * _normal(jax.random.key(42), fi, fo), _FIXED_KEY),
        "key_not_used": (
            lambda key, fi, fo: math.sqrt(2 / fi) * np.random.default_rng().standard_normal((fi, fo), np.float32),
            _KEY_NOT_USED),
        "transposed": (lambda key, fi, fo: math.sqrt(2 / fi) * _normal(key, fo, fi), _TRANSPOSED),
        "constant": (lambda key, fi, fo: np.full((fi, fo), math.sqrt(2 / fi)), _CONSTANT),
        "same_units": (lambda key, fi, fo: math.sqrt(2 / fi) * np.repeat(_normal(key, fi, 1), fo, axis=1), _SAME_UNITS),
    },
)


_xavier = Exercise(
    reference=xavier,
    returns="W",
    probes=_PROBES,
    facts=_FACTS,
    measure=_draws,
    concept="On the way forward a layer's sums have fan_in terms, on the way back fan_out. One variance cannot suit "
            "both, so take the one for their mean. Uniform numbers between −b and b have the variance b²/3.",
    formula="W_ij ~ U[−b, b],   b²/3 = 2 / (fan_in + fan_out),   b = √(6 / (fan_in + fan_out))",
    blank="6 / (fi + fo)",
    mistakes={
        "std_as_limit": (
            lambda key, fi, fo: math.sqrt(2 / (fi + fo)) * _uniform(key, fi, fo),
            "the standard deviation is taken for the limit. Between −b and b the variance is b²/3, so b is "
            "√(6 / (fan_in + fan_out))."),
        "limit_as_std": (
            lambda key, fi, fo: math.sqrt(6 / (fi + fo)) * _normal(key, fi, fo),
            "the limit is taken for the standard deviation of normal numbers. It is where the uniform ones end: "
            "jax.random.uniform, from −b to b."),
        "no_root": (
            lambda key, fi, fo: 6 / (fi + fo) * _uniform(key, fi, fo),
            "the square root is missing. b² is 6 / (fan_in + fan_out)."),
        "root_of_six_only": (
            lambda key, fi, fo: math.sqrt(6) / (fi + fo) * _uniform(key, fi, fo),
            "the root is of the 6 alone. b is √(6 / (fan_in + fan_out))."),
        "no_parentheses": (
            lambda key, fi, fo: math.sqrt(6 / fi + fo) * _uniform(key, fi, fo),
            "fan_out is added after the division. The sum below needs parentheses: √(6 / (fan_in + fan_out))."),
        "fan_in": (
            lambda key, fi, fo: math.sqrt(6 / fi) * _uniform(key, fi, fo),
            "it is fan_in alone that is divided by. That is He's limit; Xavier's divides 6 by fan_in + fan_out."),
        "fan_out": (
            lambda key, fi, fo: math.sqrt(6 / fo) * _uniform(key, fi, fo),
            "it is fan_out alone that is divided by. Divide 6 by fan_in + fan_out."),
        "linear": (
            lambda key, fi, fo: math.sqrt(3 / fi) * _uniform(key, fi, fo),
            "the variance is 1 / fan_in. That looks at the way forward only; for the way back as well it is "
            "2 / (fan_in + fan_out)."),
        "sum_for_mean": (
            lambda key, fi, fo: math.sqrt(3 / (fi + fo)) * _uniform(key, fi, fo),
            "the variance is 1 / (fan_in + fan_out). It is one over the mean of the two: 2 / (fan_in + fan_out)."),
        "inverted": (
            lambda key, fi, fo: math.sqrt((fi + fo) / 6) * _uniform(key, fi, fo),
            "the fraction is upside down. More inputs need smaller weights: b = √(6 / (fan_in + fan_out))."),
        "not_scaled": (
            lambda key, fi, fo: _uniform(key, fi, fo),
            "the weights lie between −1 and 1, whatever the fans. Their limit is √(6 / (fan_in + fan_out))."),
        "from_zero": (
            lambda key, fi, fo: math.sqrt(6 / (fi + fo)) * (_uniform(key, fi, fo) + 1) / 2,
            "no weight is negative. jax.random.uniform begins at 0 unless it is told otherwise: minval=-b, maxval=b."),
        "normal": (
            lambda key, fi, fo: math.sqrt(2 / (fi + fo)) * _normal(key, fi, fo),
            "the weights are normal. Their variance is right, but uniform ones are asked for: jax.random.uniform."),
        "fixed_key": (lambda key, fi, fo: math.sqrt(6 / (fi + fo)) * _uniform(jax.random.key(42), fi, fo), _FIXED_KEY),
        "key_not_used": (
            lambda key, fi, fo: math.sqrt(6 / (fi + fo)) * np.random.default_rng().uniform(-1, 1, (fi, fo)),
            _KEY_NOT_USED),
        "transposed": (lambda key, fi, fo: math.sqrt(6 / (fi + fo)) * _uniform(key, fo, fi), _TRANSPOSED),
        "constant": (lambda key, fi, fo: np.full((fi, fo), math.sqrt(6 / (fi + fo))), _CONSTANT),
        "same_units": (
            lambda key, fi, fo: math.sqrt(6 / (fi + fo)) * np.repeat(_uniform(key, fi, 1), fo, axis=1), _SAME_UNITS),
    },
)


def distinct_units(W, b):
    """How many different units a layer x @ W + b has.

    W  the weights, shape (fi, fo): those of unit j are the column W[:, j]
    b  the biases, shape (fo,): that of unit j is b[j]

    Two units are the same if all of their numbers are exactly equal.
    Returns the count, a whole number from 1 to fo.
    """
    units = np.vstack([W, b]).T
    return len(np.unique(units, axis=0))


def _units(W, b):
    return np.vstack([W, b]).T


def _different(rows):
    return len(np.unique(rows, axis=0))


_distinct_units = Exercise(
    reference=distinct_units,
    returns="count",
    probes=[
        # one unit twice, another three times apart from each other, and one of zeros
        (np.array([[1.0, -2.0, 1.0, 0.0, -2.0, -2.0], [0.5, 1.0, 0.5, 0.0, 1.0, 1.0],
                   [-1.0, 3.0, -1.0, 0.0, 3.0, 3.0]]),
         np.array([0.2, -0.4, 0.2, 0.0, -0.4, -0.4])),
        # alike but for the bias, but for the sign, but for the order, but for a factor
        (np.array([[1.0, 1.0, -1.0, 2.0, 2.0, 2.0], [2.0, 2.0, -2.0, 1.0, 4.0, 4.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]),
         np.array([0.5, -0.5, -0.5, 0.5, 1.0, 1.0])),
        (np.array([[2e-9, 3e-9, 2e-9, 5e-9, 3e-9, -2e-9], [4e-9, 1e-9, 4e-9, 0.0, 1e-9, -4e-9],
                   [1e-9, -1e-9, 1e-9, 2e-9, -1e-9, -1e-9]]),
         np.array([3e-9, 0.0, 3e-9, -1e-9, 2e-9, -3e-9])),
        # one of another kind has the same sum
        (np.array([[4e6, 4e6, 4e6, 4e6, 4e6, 6e6], [4e6, 4e6, 4e6, 4e6, 4e6, 2e6], [4e6, 4e6, 4e6, 4e6, 4e6, 4e6]]),
         np.array([1e6, 1e6, 7e6, 7e6, 1e6, 1e6])),
    ],
    concept="All that a unit has are its weights, a column of W, and its bias. Units with the same numbers compute the "
            "same and get the same gradient, so they stay the same. Put the bias with the weights, and count how many "
            "different ones there are.",
    formula="#{ (W_1j, …, W_dj, b_j) : j = 1 … fan_out }",
    blank="[W, b]",
    mistakes={
        "ignores_bias": (
            lambda W, b: _different(W.T),
            "the biases are ignored. Units with the same weights and other biases are different: compare b too."),
        "bias_only": (
            lambda W, b: _different(b),
            "only the biases are compared. A unit has weights as well, a column of W."),
        "counts_entries": (
            lambda W, b: np.unique(W).size,
            "it is the different numbers in W that are counted. A unit is a whole column, with its bias."),
        "counts_all_entries": (
            lambda W, b: np.unique(_units(W, b)).size,
            "it is the different numbers in W and b that are counted. A unit is a whole column, with its bias."),
        "nonzero_rows": (
            lambda W, b: np.count_nonzero(W.any(axis=1)),
            "the rows with something in them are counted. A unit is a column, and one of zeros is a unit too."),
        "nonzero_columns": (
            lambda W, b: np.count_nonzero(W.any(axis=0)),
            "the columns with something in them are counted. Count how many different ones there are."),
        "columns": (
            lambda W, b: W.shape[1],
            "all columns are counted. Those that are the same, with the same bias, count once."),
        "rows": (
            lambda W, b: _different(W),
            "the rows of W are compared. Row i is what input i has to do with all units; unit j is column j."),
        "rank": (
            lambda W, b: int(np.linalg.matrix_rank(_units(W, b))),
            "this is the rank. Units whose numbers are multiples or sums of others' are different units nevertheless."),
        "rank_of_weights": (
            lambda W, b: int(np.linalg.matrix_rank(W)),
            "this is the rank of W. Units whose weights are multiples or sums of others' are different nevertheless."),
        "sums": (
            lambda W, b: _different(W.sum(axis=0) + b),
            "it is the sums of the units' numbers that are compared. Compare them number by number."),
        "order_ignored": (
            lambda W, b: _different(np.sort(_units(W, b), axis=1)),
            "the order of a unit's numbers is ignored. Each belongs to an input of its own, and the bias to none."),
        "sign_ignored": (
            lambda W, b: _different(abs(_units(W, b))),
            "the signs are ignored. A unit with all signs changed is another one."),
        "nearly_equal": (
            lambda W, b: _different(np.round(_units(W, b), 6)),
            "units that are nearly equal are taken for the same. Small weights are weights too: compare exactly."),
        "skips_zeros": (
            lambda W, b: sum(bool(unit.any()) for unit in np.unique(_units(W, b), axis=0)),
            "a unit of zeros is left out. It is a unit too."),
        "neighbours": (
            lambda W, b: 1 + np.count_nonzero(np.diff(_units(W, b), axis=0).any(axis=1)),
            "a unit is compared only with the one before it. The same one can come back later: compare all."),
        "copies": (
            lambda W, b: W.shape[1] - _different(_units(W, b)),
            "it is the copies that are counted. Count the units that are different."),
        "only_single": (
            lambda W, b: np.count_nonzero(np.unique(_units(W, b), axis=0, return_counts=True)[1] == 1),
            "units that have a copy are left out. They count too, once."),
        "units_themselves": (
            lambda W, b: np.unique(_units(W, b), axis=0),
            "the different units come back. Return how many there are."),
    },
)


EXERCISES = (_he_init, _xavier, _distinct_units)
