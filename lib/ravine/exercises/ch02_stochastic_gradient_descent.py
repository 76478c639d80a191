"""The exercises of chapter 2, stochastic gradient descent."""

import jax
import jax.numpy as jnp
import numpy as np

from ravine.exercises._compare import Unfit, describe
from ravine.exercises._exercise import Exercise, Key
from ravine.exercises._random import generator, use_of_keys


def minibatches(key, n, b):
    """The mini-batches of one epoch: n examples in random order, b at a time.

    key  a random key, for a function of jax.random
    n    how many examples there are; they are numbered 0 ... n - 1
    b    the size of a batch

    Each example comes exactly once in an epoch: where b does not divide n,
    the last batch is smaller. The same key gives the same batches.
    Returns the batches, a list of arrays of the examples' numbers.
    """
    order = jax.random.permutation(key, n)
    return [order[start:start + b] for start in range(0, n, b)]


def _cut(order, b):
    return [order[start:start + b] for start in range(0, len(order), b)]


def _batch(value):
    """Return a batch as an array of whole numbers, or None if it is none."""
    try:
        batch = np.asarray(value)
    except ValueError:  # lists of several lengths
        return None
    whole = batch.dtype.kind in "iu" or (batch.dtype.kind == "f" and batch.size == 0)
    return batch.astype(int) if whole and batch.ndim == 1 else None


def _why_unfit(output):
    """Return what keeps an output from being a list of batches, or None."""
    if not (isinstance(output, tuple) or np.ndim(output) > 1) or len(output) == 0:
        return f"batches is {describe(output)}, and should be a list of arrays of whole numbers"
    return next((f"batches[{i}] is {describe(value)}, and should be an array of whole numbers"
                 for i, value in enumerate(output) if _batch(value) is None), None)


def _use(order, n):
    """Say how often the examples come in an epoch."""
    if not all(0 <= number < n for number in order):
        return f"numbers outside 0 … {n - 1}"
    times = np.bincount(np.array(order, int), minlength=n)
    uses = {"some more than once": times.max() > 1, "some never": times.min() < 1}
    return ", ".join(use for use, found in uses.items() if found) or "each once"


def _mixing(epochs):
    """Say whether the examples are in another order than at first; once may be by chance, in all epochs is not."""
    if all(np.all(np.diff(np.concatenate(batches)) == 1) for batches in epochs):
        return "as they come"
    if all(np.all(np.diff(np.sort(batch)) == 1) for batches in epochs for batch in batches):
        return "neighbours in one batch"
    return "mixed"


def _epochs(inputs, outputs):
    """Find out what makes batches those of an epoch: their sizes, what they hold, and what becomes of the key."""
    if unfit := [_why_unfit(output) for output in outputs if _why_unfit(output)]:
        return [Unfit(unfit[0])] * len(outputs)
    epochs = [[_batch(value) for value in output] for output in outputs]
    orders = [tuple(np.concatenate(batches).tolist()) for batches in epochs]
    keys = use_of_keys(*orders[:3])
    return [tuple(np.asarray(fact) for fact in (" + ".join(str(len(batch)) for batch in batches), _use(order, n),
                                                _mixing(epochs), keys))
            for (_, n, _), batches, order in zip(inputs, epochs, orders, strict=True)]


_minibatches = Exercise(
    reference=minibatches,
    returns="batches",
    probes=[(Key(0), 10, 4), (Key(1), 10, 4), (Key(0), 10, 4), (Key(2), 10, 5)],  # for `use_of_keys`, the first again
    facts="sizes of the batches, use of the examples, order of the examples, order for a key",
    measure=_epochs,
    concept="Shuffle once, then cut. A random order of the numbers 0 … n − 1, cut into pieces of b, holds each example "
            "once; what is left over at the end is a smaller batch.",
    formula="a random permutation π of 0 … n − 1;   batches π[0:b], π[b:2b], …, to the end",
    blank="start:start + b",
    mistakes={
        "with_replacement": (
            lambda key, n, b: _cut(generator(key).integers(n, size=n), b),
            "examples are drawn with replacement. In an epoch each comes once: shuffle all of them, then cut."),
        "no_shuffle": (
            lambda key, n, b: _cut(np.arange(n), b),
            "the examples are not shuffled. Sorted data would make batches of one class: permute the numbers first."),
        "neighbours": (
            lambda key, n, b: [_cut(np.arange(n), b)[i] for i in generator(key).permutation(-(-n // b))],
            "neighbours stay in one batch. Shuffle all examples before you cut, not the batches after: else sorted "
            "data makes batches of one class."),
        "fixed_key": (
            lambda key, n, b: _cut(generator(jax.random.key(42)).permutation(n), b),
            "the order is the same for all keys. Every epoch would see the same batches: use the key that is given."),
        "drawn_alone": (
            lambda key, n, b: [generator(k).permutation(n)[:b] for k in jax.random.split(key, -(-n // b))],
            "each batch is drawn for itself, from all examples. Then some come in two batches and some in none: "
            "shuffle all of them once, then cut."),
        "within_batches": (
            lambda key, n, b: [generator(key).permutation(batch) for batch in _cut(np.arange(n), b)],
            "the examples are shuffled within their batches only. Shuffle all of them before you cut: else sorted data "
            "makes batches of one class."),
        "key_not_used": (
            lambda key, n, b: _cut(np.random.default_rng().permutation(n), b),
            "the same key gives another order in each call. Draw from the key, with jax.random, so that a run can be "
            "repeated."),
        "drops_data": (
            lambda key, n, b: _cut(generator(key).permutation(n)[:n - n % b], b),
            "the examples that are left over are dropped. Keep them, as a last batch that is smaller."),
        "filled_up": (
            lambda key, n, b: _cut(np.resize(generator(key).permutation(n), -(-n // b) * b), b),
            "the last batch is filled up with examples that came before. Each comes once: leave it smaller."),
        "one_batch_of_the_rest": (
            lambda key, n, b: np.split(generator(key).permutation(n), range(b, n - b + 1, b)),
            "the examples left over are put into the last whole batch. They make a batch of their own, a smaller one."),
        "even": (
            lambda key, n, b: np.array_split(generator(key).permutation(n), -(-n // b)),
            "the batches are made about equal. Each has b examples; only the last may have fewer."),
        "b_batches": (
            lambda key, n, b: np.array_split(generator(key).permutation(n), b),
            "b is taken for the number of batches. It is the size of each."),
        "empty_batch": (
            lambda key, n, b: np.split(generator(key).permutation(n), range(b, n + 1, b)),
            "an empty batch comes last where b divides n. Its mean gradient would be 0/0: stop before it."),
        "from_one": (
            lambda key, n, b: _cut(generator(key).permutation(n) + 1, b),
            "the examples are numbered from 1. The first is number 0, the last n − 1."),
        "not_cut": (
            lambda key, n, b: generator(key).permutation(n),
            "the order comes back in one piece. Cut it into a list of batches of b."),
        "first_only": (
            lambda key, n, b: generator(key).permutation(n)[:b],
            "one batch comes back. Return a list of all batches of the epoch."),
    },
)


def sgd_epoch(w, X, y, idx, lr):
    """One epoch of stochastic gradient descent on a linear model.

    w    the weights, shape (d,)
    X    the inputs, an example a row, shape (n, d)
    y    the targets, shape (n,)
    idx  the mini-batches, a batch a row, shape (m, b): the numbers of its
         examples. The batches come in this order, a step each.
    lr   the learning rate η

    The loss of a batch is half of the mean squared error of X @ w.
    Returns the weights after the last step, shape (d,).
    """
    for batch in idx:
        errors = X[batch] @ w - y[batch]
        w = w - lr * X[batch].T @ errors / len(batch)
    return w


def _gradient(w, X, y):
    """Half of the mean squared error, differentiated."""
    return X.T @ (X @ w - y) / len(y)


def _steps(w, X, y, idx, lr, gradient):
    for batch in idx:
        w = w - lr * gradient(w, X[batch], y[batch])
    return w


_sgd_epoch = Exercise(
    reference=sgd_epoch,
    returns="w",
    probes=[
        (np.array([0.5, -1.0]),
         np.array([[1.0, 2.0], [0.5, -1.0], [-2.0, 1.0], [3.0, 0.5], [1.0, 1.0], [-1.0, 2.0], [0.7, 0.2]]),
         np.array([2.0, -1.0, 0.5, 3.0, -4.0, 1.0, 2.0]), np.array([[4, 1, 6], [2, 0, 5]]), 0.1),
        (np.array([-0.3, 0.8]),
         np.array([[0.3, 1.0], [1.5, -0.4], [0.2, 0.9], [-1.0, 0.6], [2.0, 0.1], [0.4, -0.7], [1.1, 0.5]]),
         np.array([-1.0, 0.6, 2.0, 0.4, -0.2, 1.3, 0.5]), np.array([[2, 6], [3, 5], [4, 1]]), 0.4),
        (np.array([3e-6, -2e-6]),
         np.array([[1.0, 0.4], [-0.5, 1.0], [2.0, 1.0], [0.3, -0.5], [1.0, -1.0], [0.6, 2.0], [-0.7, 0.2]]),
         np.array([4e-6, 1e-6, -2e-6, 5e-6, 3e-6, -6e-6, 2e-6]), np.array([[3, 0, 1], [5, 4, 6]]), 0.2),
        (np.array([2e6, 5e6]),
         np.array([[0.2, 1.0], [1.5, 1.0], [2.0, -1.0], [1.3, 0.5], [1.0, 0.9], [0.6, -2.0], [0.7, 1.2]]),
         np.array([-4e6, 3e6, 2e6, 7e6, -3e6, 6e6, 1e6]), np.array([[6, 3, 2], [4, 1, 0]]), 0.3),
    ],
    concept="Take the batches one after another. Each time, look only at the batch's rows of X and y, find the mean "
            "gradient there, at the weights as they are by now, and make a step.",
    formula="for each batch B:   g = 1/b Σ_{i∈B} (xᵢᵀw − yᵢ) xᵢ,   w ← w − η g",
    blank="X[batch].T @ errors",
    mistakes={
        "summed": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx, lr, lambda w, X, y: X.T @ (X @ w - y)),
            "the gradient is summed over the batch. Divide by the batch's size b: the loss is a mean."),
        "doubled": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx, lr, lambda w, X, y: 2 * _gradient(w, X, y)),
            "the gradient is twice too large. The loss is half of the mean square, so no 2 is left in its gradient."),
        "halved": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx, lr, lambda w, X, y: _gradient(w, X, y) / 2),
            "the gradient is half of what it should be. The ½ of the loss cancels with the 2 of the square."),
        "divided_by_n": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx, lr,
                                            lambda w, batch, targets: batch.T @ (batch @ w - targets) / len(y)),
            "the sum over the batch is divided by n. Divide by b, the size of the batch."),
        "rate_shared": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx, lr / len(idx), _gradient),
            "the rate is divided by the number of batches. Each batch's step has the whole rate η."),
        "full_batch": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx, lr, lambda w, *_: _gradient(w, X, y)),
            "each step uses all of the data. Take the rows of the batch: X[batch] and y[batch]."),
        "one_full_step": (
            lambda w, X, y, idx, lr: w - lr * _gradient(w, X, y),
            "one step is made, with all of the data. That is gradient descent: make a step for each batch."),
        "stale": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx, lr, lambda _, X, y, start=w: _gradient(start, X, y)),
            "all gradients are taken at the first weights. Each step begins where the last one ended."),
        "forgets_steps": (
            lambda w, X, y, idx, lr: w - lr * _gradient(w, X[idx[-1]], y[idx[-1]]),
            "only the last batch's step is kept. Carry w from one batch to the next: w = w − ηg."),
        "first_step_only": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx[:1], lr, _gradient),
            "it stops after the first batch. Return after the loop, not within it."),
        "ascent": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx, -lr, _gradient),
            "the weights climb. The gradient is of X @ w − y, and is subtracted."),
        "no_rate": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx, 1.0, _gradient),
            "the learning rate is missing. A step is −η times the gradient."),
        "batches_ignored": (
            lambda w, X, y, idx, lr: _steps(w, X, y, np.arange(idx.size).reshape(idx.shape), lr, _gradient),
            "the examples are taken as they lie. The numbers in idx say which rows make a batch: X[batch]."),
        "backwards": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx[::-1], lr, _gradient),
            "the batches come in reverse. Begin with the first row of idx."),
        "columns": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx.T, lr, _gradient),
            "the columns of idx are taken for the batches. Each row of idx is a batch."),
        "online": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx.reshape(-1, 1), lr, _gradient),
            "a step is made for each example. Average over the batch first, then make one step."),
        "targets_unpicked": (
            lambda w, X, y, idx, lr: _steps(w, X, y, idx, lr,
                                            lambda w, batch, _: _gradient(w, batch, y[:len(batch)])),
            "the targets do not belong to the examples. Take the batch's rows of both: X[batch] and y[batch]."),
        "path": (
            lambda w, X, y, idx, lr: jnp.stack([_steps(w, X, y, idx[:i + 1], lr, _gradient) for i in range(len(idx))]),
            "the weights after every step come back. Return the last ones only."),
    },
)


def noise_std(G, nb):
    """How far a mini-batch's gradient is from the true one, as a rule.

    G   the gradients of all examples, an example a row, shape (n, d)
    nb  the size of a batch, drawn at random with replacement

    The examples are all there are: their variance divides by n, not n - 1.
    Returns the standard deviation of the batch's mean gradient, entry by
    entry, shape (d,).
    """
    return jnp.std(G, axis=0) / jnp.sqrt(nb)


_noise_std = Exercise(
    reference=noise_std,
    returns="noise",
    probes=[
        (np.array([[1.0, -2.0, 0.5], [3.0, 1.0, -1.0], [-2.0, 0.4, 2.0], [0.3, 2.0, 1.0]]), 2),
        (np.array([[5.2, 1.1, -0.4], [4.9, 1.3, 0.6], [5.5, 0.8, -0.9], [4.7, 1.4, 0.2]]), 9),
        (np.array([[2e-6, -7e-6, 1e-6], [8e-6, 2e-6, 3e-6], [-4e-6, 1e-6, 5e-6], [3e-6, -2e-6, 9e-6]]), 5),
        (np.array([[4e8, 1e8, -3e8], [2e8, 6e8, 5e8], [-1e8, 7e8, 2e8], [9e8, -3e8, 1e8]]), 3),
    ],
    concept="A batch's gradient is the mean of n_b independent draws. The variance of a mean of n_b is n_b times "
            "smaller than that of one; the standard deviation is its root. Each entry of the gradient for itself.",
    formula="σ_j² = 1/n Σᵢ (G_ij − mean_j)²,   noise_j = σ_j / √n_b",
    blank="jnp.sqrt(nb)",
    mistakes={
        "no_root": (
            lambda G, nb: G.std(axis=0) / nb,
            "σ is divided by n_b. It is the variance that falls with n_b; σ falls with √n_b."),
        "variance": (
            lambda G, nb: G.var(axis=0) / nb,
            "this is the variance of the mean. Take its root: σ/√n_b."),
        "variance_by_root": (
            lambda G, nb: G.var(axis=0) / np.sqrt(nb),
            "the variance is divided by √n_b. Take the standard deviation: σ/√n_b."),
        "over_entries": (
            lambda G, nb: G.std(axis=1) / np.sqrt(nb),
            "the spread is taken over the entries of each gradient. It is the examples that differ: axis=0."),
        "one_number": (
            lambda G, nb: G.std() / np.sqrt(nb),
            "all numbers of G are thrown together. Each entry of the gradient has a spread of its own: axis=0."),
        "ddof": (
            lambda G, nb: G.std(axis=0, ddof=1) / np.sqrt(nb),
            "the variance divides by n − 1. The n examples are all there are, no sample of others: divide by n."),
        "not_divided": (
            lambda G, nb: G.std(axis=0),
            "this is the noise of a single example. The mean of n_b has less: divide by √n_b."),
        "by_all": (
            lambda G, nb: G.std(axis=0) / np.sqrt(len(G)),
            "σ is divided by √n, n being the number of all examples. A batch has n_b of them: divide by √n_b."),
        "multiplied": (
            lambda G, nb: G.std(axis=0) * np.sqrt(nb),
            "the noise grows with the batch. A mean over more examples has less noise: divide by √n_b."),
        "not_centred": (
            lambda G, nb: np.sqrt((G**2).mean(axis=0) / nb),
            "the mean gradient is not taken off. The noise is the spread about the mean."),
        "mean_size": (
            lambda G, nb: abs(G - G.mean(axis=0)).mean(axis=0) / np.sqrt(nb),
            "the sizes of the deviations are averaged. Average their squares, and take the root of that."),
        "without_replacement": (
            lambda G, nb: G.std(axis=0) / np.sqrt(nb) * np.sqrt(abs(len(G) - nb) / (len(G) - 1)),
            "this is the noise of a batch drawn without replacement. Here each example is drawn from all n anew, and "
            "the factor √((n − n_b)/(n − 1)) is 1."),
        "whole_gradient": (
            lambda G, nb: np.sqrt(G.var(axis=0).sum() / nb),
            "the noise of all entries is added up. Return it entry by entry, shape (d,)."),
    },
)


EXERCISES = (_minibatches, _sgd_epoch, _noise_std)
