"""The exercise of chapter 9, choosing an optimizer."""

import jax.numpy as jnp
import numpy as np

from ravine.exercises._exercise import Exercise


def fair_comparison(validation, test, budget):
    """Compare optimizers: the test loss of each at the rate that suits it.

    validation, test  final losses, arrays of shape (methods, rates, seeds)
    budget            how many rates count for every method: its first ones
                      (some methods were given more tries than others)

    For each method, the rate is chosen whose validation loss, averaged over
    the seeds, is lowest.
    Returns (mean, error), both of shape (methods,): the mean over the seeds
    of the test loss at that rate, and its standard error, from the standard
    deviation with n - 1.
    """
    best = jnp.argmin(jnp.mean(validation[:, :budget], axis=2), axis=1)
    losses = test[jnp.arange(len(test)), best]
    return jnp.mean(losses, axis=1), jnp.std(losses, axis=1, ddof=1) / losses.shape[1] ** 0.5


def _fair_comparison_with(score=lambda validation, test: np.mean(validation, axis=2), choose=np.argmin,
                          within=lambda losses, budget: losses[:, :budget], mean=np.mean, ddof=1,
                          root=lambda n: n**0.5):
    """Return `fair_comparison` with some of its parts replaced."""
    def changed(validation, test, budget):
        best = choose(within(score(validation, test), budget), axis=1)
        losses = test[np.arange(len(test)), best]
        return mean(losses, axis=1), np.std(losses, axis=1, ddof=ddof) / root(losses.shape[1])
    return changed


def _one_rate_for_all(validation, test, budget):
    losses = test[:, np.argmin(np.mean(validation[:, :budget], axis=(0, 2)))]
    return np.mean(losses, axis=1), np.std(losses, axis=1, ddof=1) / losses.shape[1] ** 0.5


def _rate_for_each_seed(validation, test, budget):
    best = np.argmin(validation[:, :budget], axis=1, keepdims=True)
    losses = np.take_along_axis(test, best, axis=1)[:, 0]
    return np.mean(losses, axis=1), np.std(losses, axis=1, ddof=1) / losses.shape[1] ** 0.5


# The mean, the median, the lowest, the highest and the first of the seeds choose different rates.
_VALIDATION = np.array([
    [[0.45, 1.2, 1.0], [0.5, 0.6, 0.7], [0.6, 0.4, 1.1], [0.3, 0.2, 0.4]],
    [[0.5, 0.6, 1.5], [0.9, 0.7, 0.8], [1.0, 0.2, 0.7], [0.8, 1.0, 0.7]]])
_TEST = np.array([
    [[1.1, 0.9, 0.7], [0.8, 1.3, 0.9], [0.5, 0.7, 0.6], [0.4, 0.6, 0.5]],
    [[0.3, 0.6, 0.5], [0.9, 1.4, 1.0], [0.7, 1.1, 0.6], [1.3, 0.8, 0.9]]])

_fair_comparison = Exercise(
    reference=fair_comparison,
    returns="mean, error",
    probes=[
        (_VALIDATION, _TEST, 3),
        (_VALIDATION[:, ::-1], _TEST[:, ::-1], 2),
        (2e-6 * _VALIDATION[::-1], 3e-6 * _TEST[::-1], 3),
        (4e6 * _VALIDATION, 2e6 * _TEST, 3),
    ],
    concept="Whatever is used to choose looks better than it is. So choose each method's rate by validation, with the "
            "same number of tries for every method, and look at the test loss only once, at the chosen rate. Several "
            "seeds say how much of a difference is luck.",
    formula="for each method: r = argmin over the first `budget` rates of the mean validation loss;   "
            "mean of the test losses at r,   error = std (n − 1) / √seeds",
    blank="jnp.mean(validation[:, :budget], axis=2)",
    mistakes={
        "picks_on_test": (
            _fair_comparison_with(score=lambda validation, test: np.mean(test, axis=2)),
            "the rate is chosen by the test loss. Then the test loss is no test any more: choose by validation."),
        "reports_validation": (
            lambda validation, test, budget: fair_comparison(validation, validation, budget),
            "the validation loss comes back. It chose the rate, and so looks better than it is: report the test loss."),
        "one_seed": (
            _fair_comparison_with(score=lambda validation, test: validation[:, :, 0]),
            "the rate is chosen by the first seed alone. Average the validation loss over the seeds first."),
        "luckiest_seed": (
            _fair_comparison_with(score=lambda validation, test: np.min(validation, axis=2)),
            "the rate is chosen by its luckiest seed. Average the validation loss over the seeds first."),
        "median_seed": (
            _fair_comparison_with(score=lambda validation, test: np.median(validation, axis=2)),
            "the rate is chosen by the median of the seeds. Average the validation loss over them."),
        "unluckiest_seed": (
            _fair_comparison_with(score=lambda validation, test: np.max(validation, axis=2)),
            "the rate is chosen by its unluckiest seed. Average the validation loss over the seeds."),
        "best_test_seed": (
            _fair_comparison_with(mean=np.min),
            "the best seed is reported. Report the mean over the seeds."),
        "unequal_budget": (
            _fair_comparison_with(within=lambda losses, budget: losses),
            "all rates count. More tries find lower losses by luck: only the first `budget` count, for every method."),
        "one_rate_for_all": (
            _one_rate_for_all,
            "one rate is chosen for all methods. Each has a scale of its own: choose for each method separately."),
        "rate_for_each_seed": (
            _rate_for_each_seed,
            "a rate is chosen for each seed. Nobody can choose so before the seed is known: average the validation "
            "loss over the seeds, then choose one rate."),
        "highest_loss": (
            _fair_comparison_with(choose=np.argmax),
            "the rate with the highest loss is chosen. Take the lowest: argmin."),
        "deviation": (
            _fair_comparison_with(root=lambda n: 1),
            "the spread of the seeds comes back as the error. The mean of n of them is surer: divide by √n."),
        "divided_by_n": (
            _fair_comparison_with(root=lambda n: n),
            "the spread is divided by n. The error of a mean falls with √n."),
        "ddof": (
            _fair_comparison_with(ddof=0),
            "the standard deviation is that with n. With few seeds that is too small: divide by n − 1 (ddof=1)."),
        "swapped_return": (
            lambda *inputs: fair_comparison(*inputs)[::-1],
            "the error comes back before the mean. Return (mean, error)."),
        "mean_only": (
            lambda *inputs: fair_comparison(*inputs)[0],
            "only the mean comes back. Return (mean, error): without the error nobody knows what is luck."),
    },
)


EXERCISES = (_fair_comparison,)
