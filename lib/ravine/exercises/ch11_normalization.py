"""The exercises of chapter 11, normalization."""

import jax.numpy as jnp
import numpy as np

from ravine.exercises._exercise import Exercise


def bn_train(x, gamma, beta, eps):
    """Batch normalization of one layer, in training.

    x            the batch, shape (n, d): n examples of d features
    gamma, beta  the scale γ and the shift β of each feature, shape (d,)
    eps          ε, which is added to the variance (inside of the root)

    Mean and variance are those of each feature over the batch; the variance
    is divided by n, not n - 1.
    Returns y, the normalized batch, shape (n, d).
    """
    mean = jnp.mean(x, axis=0)
    variance = jnp.mean((x - mean) ** 2, axis=0)
    return gamma * (x - mean) / jnp.sqrt(variance + eps) + beta


def _bn_train_with(axis=0, ddof=0, centre=lambda x, mean: x - mean, root=lambda variance, eps: np.sqrt(variance + eps),
                   rescale=lambda z, gamma, beta: gamma * z + beta):
    """Return `bn_train` with some of its parts replaced."""
    def changed(x, gamma, beta, eps):
        mean, variance = np.mean(x, axis, keepdims=True), np.var(x, axis, ddof=ddof, keepdims=True)
        return rescale(centre(x, mean) / root(variance, eps), gamma, beta)
    return changed


def _mean_divided(x, gamma, beta, eps):
    return gamma * (x - np.mean(x, axis=0) / np.sqrt(np.var(x, axis=0) + eps)) + beta


def _mean_size(x, gamma, beta, eps):
    deviations = x - np.mean(x, axis=0)
    return gamma * deviations / np.sqrt(np.mean(abs(deviations), axis=0) + eps) + beta


_BATCHES = [np.array([[1.0, -2.0, 0.5], [3.0, 0.4, -1.5], [-0.6, 1.2, 2.0], [0.2, 2.5, -0.8]]),
            np.array([[0.3, 1.1, -0.4], [-0.9, 0.6, 1.3], [1.7, -0.5, 0.2], [0.8, 2.1, -1.2]]),
            np.array([[3e-6, -1e-6, 4e-6], [-2e-6, 6e-6, 1e-6], [5e-6, 2e-6, -3e-6], [1e-6, -4e-6, 2e-6]]),
            np.array([[2e6, 5e6, -3e6], [-1e6, 4e6, 6e6], [3e6, -2e6, 1e6], [7e6, 1e6, -5e6]])]

_bn_train = Exercise(
    reference=bn_train,
    returns="y",
    probes=[
        (_BATCHES[0], np.array([1.5, 0.7, 2.0]), np.array([0.3, -0.5, 1.0]), 0.4),
        (_BATCHES[1], np.array([0.6, 1.8, 1.2]), np.array([-0.8, 0.2, 0.4]), 0.9),
        (_BATCHES[2], np.array([2.0, 1.4, 0.5]), np.array([0.6, 0.9, -0.3]), 3e-12),
        (_BATCHES[3], np.array([0.8, 1.3, 1.7]), np.array([-0.4, 0.5, 0.7]), 2e12),
    ],
    concept="Give each feature mean 0 and variance 1 over the batch. Then let the network undo that where it wants to: "
            "a scale and a shift for each feature, which are learned.",
    formula="μ = mean over the batch,   v = mean of (x − μ)² over the batch,   y = γ (x − μ) / √(v + ε) + β",
    blank="(x - mean) ** 2, axis=0",
    mistakes={
        "layer_axis": (
            _bn_train_with(axis=1),
            "mean and variance are taken over the features of each example. That is layer normalization; here they "
            "are taken over the batch, axis 0."),
        "all_entries": (
            _bn_train_with(axis=None),
            "one mean and one variance serve all features. Each feature has its own, over the batch: axis 0."),
        "divided_by_variance": (
            _bn_train_with(root=lambda variance, eps: variance + eps),
            "the square root is missing. Divide by √(v + ε), which has the unit of x."),
        "ddof": (
            _bn_train_with(ddof=1),
            "the variance is divided by n − 1. In training it is divided by n."),
        "eps_outside": (
            _bn_train_with(root=lambda variance, eps: np.sqrt(variance) + eps),
            "eps is outside of the square root. Here it is added to the variance: √(v + ε)."),
        "no_eps": (
            _bn_train_with(root=lambda variance, eps: np.sqrt(variance)),
            "eps is missing. Divide by √(v + ε): a feature that is the same in the whole batch has v = 0."),
        "mean_size": (
            _mean_size,
            "the sizes of the deviations are averaged. Average their squares: v is the variance."),
        "no_parentheses": (
            _mean_divided,
            "only the mean is divided by the root. Division comes before subtraction, so the difference needs "
            "parentheses: (x − μ) / √(v + ε)."),
        "not_centred": (
            _bn_train_with(centre=lambda x, mean: x),
            "the mean is not subtracted. The normalized feature should have mean 0: (x − μ) / √(v + ε)."),
        "not_rescaled": (
            _bn_train_with(rescale=lambda z, gamma, beta: z),
            "scale and shift are missing. Return γ times the normalized batch, plus β."),
        "no_scale": (
            _bn_train_with(rescale=lambda z, gamma, beta: z + beta),
            "the scale is missing. Multiply the normalized batch by γ before adding β."),
        "no_shift": (
            _bn_train_with(rescale=lambda z, gamma, beta: gamma * z),
            "the shift is missing. Add β at the end."),
        "shift_scaled": (
            _bn_train_with(rescale=lambda z, gamma, beta: gamma * (z + beta)),
            "the scale multiplies the shift too. Scale first, then shift: γ z + β."),
        "scale_and_shift_swapped": (
            _bn_train_with(rescale=lambda z, gamma, beta: beta * z + gamma),
            "γ and β are swapped. γ scales, β shifts."),
    },
)


def bn_running(x, rm, rv, momentum, eps):
    """Batch normalization's running statistics, and evaluation with them.

    x         a batch, shape (n, d): n examples of d features
    rm, rv    the running mean and the running variance, shape (d,)
    momentum  the weight of the old statistics; the batch's weigh 1 - momentum
              (in PyTorch it is the other way round)
    eps       ε, which is added to the variance (inside of the root)

    First the batch enters the running statistics (its variance is divided by
    n). Then it is normalized by the new ones, as in evaluation, without scale
    and shift.
    Returns (y, rm, rv): the normalized batch, then the new statistics.
    """
    rm = momentum * rm + (1 - momentum) * jnp.mean(x, axis=0)
    rv = momentum * rv + (1 - momentum) * jnp.var(x, axis=0)
    return (x - rm) / jnp.sqrt(rv + eps), rm, rv


def _average(old, new, momentum):
    return momentum * old + (1 - momentum) * new


def _bn_running_with(mean_new=_average, variance_new=_average, axis=0, ddof=0,
                     root=lambda variance, eps: np.sqrt(variance + eps)):
    """Return `bn_running` with some of its parts replaced."""
    def changed(x, rm, rv, momentum, eps):
        rm = mean_new(rm, np.mean(x, axis), momentum)
        rv = variance_new(rv, np.var(x, axis, ddof=ddof), momentum)
        return (x - rm) / root(rv, eps), rm, rv
    return changed


def _normalized_by_batch(x, rm, rv, momentum, eps):
    return (x - np.mean(x, axis=0)) / np.sqrt(np.var(x, axis=0) + eps), *bn_running(x, rm, rv, momentum, eps)[1:]


def _stale(x, rm, rv, momentum, eps):
    return (x - rm) / np.sqrt(rv + eps), *bn_running(x, rm, rv, momentum, eps)[1:]


def _running_mean_divided(x, rm, rv, momentum, eps):
    _, rm, rv = bn_running(x, rm, rv, momentum, eps)
    return x - rm / np.sqrt(rv + eps), rm, rv


def _about_running_mean(x, rm, rv, momentum, eps):
    rm = _average(rm, np.mean(x, axis=0), momentum)
    rv = _average(rv, np.mean((x - rm) ** 2, axis=0), momentum)
    return (x - rm) / np.sqrt(rv + eps), rm, rv


_bn_running = Exercise(
    reference=bn_running,
    returns="y, rm, rv",
    probes=[
        (_BATCHES[0], np.array([0.4, -0.9, 1.2]), np.array([2.0, 0.7, 1.3]), 0.8, 0.4),
        (_BATCHES[1], np.array([-0.6, 0.3, 0.8]), np.array([0.5, 1.9, 0.8]), 0.6, 0.9),
        (_BATCHES[2], np.array([2e-6, 1e-6, -3e-6]), np.array([4e-12, 9e-12, 2e-12]), 0.9, 3e-12),
        (_BATCHES[3], np.array([-2e6, 3e6, 1e6]), np.array([5e12, 2e12, 8e12]), 0.7, 2e12),
    ],
    concept="In use an answer should not depend on which other examples are in the batch, and there may be only one. "
            "So keep running averages of mean and variance while training, and normalize by those.",
    formula="m ← ρ m + (1 − ρ) μ,   s ← ρ s + (1 − ρ) v   (ρ = momentum; μ, v of the batch),   y = (x − m) / √(s + ε)",
    blank="jnp.var(x, axis=0)",
    mistakes={
        "momentum_swapped": (
            lambda x, rm, rv, momentum, eps: bn_running(x, rm, rv, 1 - momentum, eps),
            "the weights of old and new are swapped. Here momentum weighs the old statistics; PyTorch has it the other "
            "way round."),
        "averages_deviations": (
            _bn_running_with(variance_new=lambda old, new, rho: _average(np.sqrt(old), np.sqrt(new), rho) ** 2),
            "standard deviations are averaged. Average the variances; take the root only to normalize."),
        "batch_statistics": (
            _normalized_by_batch,
            "the batch is normalized by its own statistics. That is for training; in evaluation use the running ones."),
        "stale": (
            _stale,
            "the batch is normalized by the old statistics. Let it enter them first, then use the new ones."),
        "statistics_not_updated": (
            lambda x, rm, rv, momentum, eps: (bn_running(x, rm, rv, momentum, eps)[0], rm, rv),
            "the old statistics come back. Return the new ones."),
        "mean_not_averaged": (
            _bn_running_with(mean_new=lambda old, new, rho: new),
            "the running mean is the batch's own. Average: momentum times the old one, plus the rest of the new."),
        "variance_not_averaged": (
            _bn_running_with(variance_new=lambda old, new, rho: new),
            "the running variance is the batch's own. Average: momentum times the old one, plus the rest of the new."),
        "about_running_mean": (
            _about_running_mean,
            "the batch's variance is taken about the running mean. It is about the batch's own mean."),
        "ddof": (
            _bn_running_with(ddof=1),
            "the batch's variance is divided by n − 1. PyTorch does so for the running one; here it is divided by n."),
        "eps_outside": (
            _bn_running_with(root=lambda variance, eps: np.sqrt(variance) + eps),
            "eps is outside of the square root. Here it is added to the variance: √(s + ε)."),
        "no_eps": (
            _bn_running_with(root=lambda variance, eps: np.sqrt(variance)),
            "eps is missing. Divide by √(s + ε)."),
        "divided_by_variance": (
            _bn_running_with(root=lambda variance, eps: variance + eps),
            "the square root is missing. Divide by √(s + ε), which has the unit of x."),
        "no_parentheses": (
            _running_mean_divided,
            "only the mean is divided by the root. Division comes before subtraction, so the difference needs "
            "parentheses: (x − m) / √(s + ε)."),
        "all_entries": (
            _bn_running_with(axis=None),
            "one mean and one variance of all entries enter. Each feature has its own, over the batch: axis 0."),
        "swapped_return": (
            lambda *inputs: tuple(bn_running(*inputs)[i] for i in (0, 2, 1)),
            "the variance comes back before the mean. Return (y, rm, rv), in this order."),
        "output_only": (
            lambda *inputs: bn_running(*inputs)[0],
            "only the normalized batch comes back. Return (y, rm, rv): the next batch needs the statistics."),
    },
)


EXERCISES = (_bn_train, _bn_running)
