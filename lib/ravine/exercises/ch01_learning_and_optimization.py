"""The exercise of chapter 1, learning and optimization."""

import jax.numpy as jnp
import numpy as np

from ravine.exercises._exercise import Exercise


def risk(w, X, y):
    """Empirical risk of a linear model: half of the mean squared error.

    w  the weights, shape (d,)
    X  the inputs, an example a row, shape (n, d)
    y  the targets, shape (n,)

    Returns the risk of the predictions X @ w, one number.
    """
    errors = X @ w - y
    return 0.5 * jnp.mean(errors**2)


def _errors(w, X, y):
    return X @ w - y


_risk = Exercise(
    reference=risk,
    returns="risk",
    probes=[
        (np.array([0.5, -1.0, 2.0]),
         np.array([[1.0, 2.0, -1.0], [0.5, 1.0, 3.0], [-2.0, 1.0, 1.0], [3.0, -1.0, 0.5], [1.0, 1.0, 1.0]]),
         np.array([2.0, -1.0, 0.5, 3.0, -4.0])),
        (np.array([3e-6, 1e-6, -2e-6]),
         np.array([[1.0, -2.0, 0.3], [2.0, 1.0, 0.7], [-1.0, 3.0, 2.0], [0.4, -1.0, 1.5], [2.0, 2.0, -1.0]]),
         np.array([7e-6, -3e-6, 2e-6, 4e-6, -5e-6])),
        (np.array([1.5, 0.4, -0.7]),
         np.array([[0.1, 0.3, -0.2], [0.2, 0.1, 0.4], [-0.3, 0.5, 0.1], [0.7, -0.1, 0.2], [0.1, 0.2, 0.6]]),
         np.array([0.9, 0.3, 0.8, -0.2, 0.6])),
        (np.array([2e6, -4e6, 1e6]),
         np.array([[1.0, 0.5, -1.0], [-1.0, 2.0, 0.3], [2.0, 1.0, 1.0], [0.2, -0.8, 3.0], [1.0, -1.0, 2.0]]),
         np.array([-3e6, 8e6, 1e6, 5e6, -2e6])),
    ],
    concept="Predict every target, see by how much each prediction is off, square, and average over the examples. The "
            "half is there so that no factor 2 is left in the gradient.",
    formula="J(w) = 1/(2n) Σᵢ (xᵢᵀw − yᵢ)²,   i = 1, …, n",
    blank="errors**2",
    mistakes={
        "summed": (
            lambda w, X, y: 0.5 * jnp.sum(_errors(w, X, y)**2),
            "the squares are summed. Take their mean, else the risk grows with the number of examples."),
        "no_half": (
            lambda w, X, y: jnp.mean(_errors(w, X, y)**2),
            "the half is missing. This is the mean squared error; the risk here is half of it."),
        "sum_of_squares": (
            lambda w, X, y: jnp.sum(_errors(w, X, y)**2),
            "this is the sum of squares. Divide it by 2n: the half, and the mean over the examples."),
        "broadcast": (
            lambda w, X, y: 0.5 * jnp.mean(((X @ w)[:, None] - y)**2),
            "every prediction is compared with every target. A column of shape (n, 1) minus a row of shape (n,) is an "
            "n × n matrix, without a warning: keep both of shape (n,)."),
        "broadcast_and_summed": (
            lambda w, X, y: 0.5 * jnp.sum(((X @ w)[:, None] - y)**2) / len(y),
            "every prediction is compared with every target, n² errors in all. A column of shape (n, 1) minus a row of "
            "shape (n,) is an n × n matrix, without a warning: keep both of shape (n,)."),
        "half_squared": (
            lambda w, X, y: jnp.mean((0.5 * _errors(w, X, y))**2),
            "the half is squared too. Halve the mean, after squaring the errors."),
        "squared_after": (
            lambda w, X, y: 0.5 * jnp.mean(_errors(w, X, y))**2,
            "the errors are averaged before they are squared. Then positive and negative ones cancel: square each "
            "first."),
        "not_squared": (
            lambda w, X, y: 0.5 * jnp.mean(_errors(w, X, y)),
            "the errors are not squared. Positive and negative ones cancel: square each before the mean."),
        "absolute": (
            lambda w, X, y: 0.5 * jnp.mean(abs(_errors(w, X, y))),
            "the sizes of the errors are averaged. That is the absolute error: square the errors."),
        "root": (
            lambda w, X, y: jnp.sqrt(jnp.mean(_errors(w, X, y)**2)),
            "this is the root of the mean square. No root is asked for: half of the mean square itself."),
        "root_of_half": (
            lambda w, X, y: jnp.sqrt(0.5 * jnp.mean(_errors(w, X, y)**2)),
            "a root is taken at the end. The risk is half of the mean square itself."),
        "norm": (
            lambda w, X, y: 0.5 * jnp.linalg.norm(_errors(w, X, y)),
            "this is half of the length of the error vector, ‖Xw − y‖. Square it, and divide by n."),
        "multiplied_by_n": (
            lambda w, X, y: 1 / 2 * len(y) * jnp.sum(_errors(w, X, y)**2),
            "the sum is multiplied by n. 1 / 2 * n is n/2: write 1 / (2 * n), with parentheses."),
        "by_weights": (
            lambda w, X, y: 0.5 * jnp.sum(_errors(w, X, y)**2) / len(w),
            "the sum is divided by d, the number of weights. Divide by n, the number of examples: X has a row for "
            "each."),
        "averaged_twice": (
            lambda w, X, y: 0.5 * jnp.mean(_errors(w, X, y)**2) / len(y),
            "the mean is divided by n once more. jnp.mean has divided by n already."),
        "one_fewer": (
            lambda w, X, y: 0.5 * jnp.sum(_errors(w, X, y)**2) / (len(y) - 1),
            "the sum is divided by n − 1. The risk is a plain mean: divide by n."),
        "targets_added": (
            lambda w, X, y: 0.5 * jnp.mean((X @ w + y)**2),
            "the targets are added. The error of a prediction is xᵀw − y."),
        "penalised": (
            lambda w, X, y: 0.5 * jnp.mean(_errors(w, X, y)**2) + 0.5 * jnp.sum(w**2),
            "½‖w‖² is added. The empirical risk alone is asked for, without a penalty on the weights."),
        "not_averaged": (
            lambda w, X, y: 0.5 * _errors(w, X, y)**2,
            "a number for each example comes back. Take the mean over them."),
    },
)


EXERCISES = (_risk,)
