"""What is compared in the table of optimizers: the rules, the tasks, and one trial of a rule on a task."""

import functools
import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import ravine as rv
from ravine._compat import enable_x64

SEEDS = 10
BATCH_SIZE = 32


class Task(NamedTuple):
    """A data set, the network that learns it, and how its examples are divided.

    Attributes:
        data: ``data() -> (x, y)``, one example a row.
        network: the network; its last axis of outputs are the logits of y.
        train: examples for fitting, a multiple of the batch size.
        held_out: examples for choosing, and as many others for the last look.
        epochs: how many times a run goes through the examples for fitting.
    """

    data: Callable
    network: Any
    train: int
    held_out: int
    epochs: int

    @property
    def steps(self):
        """How many steps a run takes."""
        return self.train // BATCH_SIZE * self.epochs


def language(sequences=2048, length=8, vocabulary=8, seed=0):
    """Return sentences of an invented language, in which a word depends on the two before it.

    Some words are common and most are rare, as 1 / rank (Zipf), as in real languages.

    Returns:
        x of shape (sequences, length), words, and y of the same shape, the word after each.
    """
    random = np.random.default_rng(seed)
    taste = 2 * random.normal(size=(vocabulary,) * 3) - np.log(np.arange(1, vocabulary + 1))
    chances = np.cumsum(np.exp(taste) / np.exp(taste).sum(-1, keepdims=True), -1)
    words = random.integers(vocabulary, size=(sequences, length + 3))
    for t in range(2, length + 3):
        drawn = random.random((sequences, 1)) > chances[words[:, t - 2], words[:, t - 1]]
        words[:, t] = np.minimum(drawn.sum(-1), vocabulary - 1)
    words = words[:, 2:].astype(np.int32)  # the first two were drawn otherwise
    return words[:, :-1], words[:, 1:]


TASKS = {
    "digits": Task(rv.data.digits, rv.networks.mlp((64, 32, 10)), 1152, 320, epochs=20),
    "mnist1d": Task(functools.partial(rv.data.mnist1d, 3000), rv.networks.mlp((40, 64, 64, 10)), 1792, 600, epochs=20),
    "transformer": Task(language, rv.networks.transformer(vocabulary=8, length=8, width=16, heads=2, layers=1),
                        1024, 512, epochs=10),
}


def _decaying(rule, learning_rate, steps):
    return rule(rv.schedules.cosine_with_warmup(learning_rate, steps // 20, steps))


def _constant(rule, learning_rate, steps):
    return rule(learning_rate)


def _schedule_free(learning_rate):
    return rv.schedule_free(rv.adam(learning_rate, b1=0.0))


def _sam(learning_rate):
    return rv.sam(rv.momentum(learning_rate))


class Rule(NamedTuple):
    """A rule with its grid of rates.

    Attributes:
        make: ``make(learning_rate, steps) -> optimizer``.
        middle: the middle of the grid, which goes two powers of ten up and down in nine steps.
    """

    make: Callable
    middle: float

    @property
    def rates(self):
        """The grid, from low to high."""
        return self.middle * 10 ** np.linspace(-2, 2, 9)


RULES = {
    "sgd": Rule(functools.partial(_decaying, rv.sgd), 1.0),
    "momentum": Rule(functools.partial(_decaying, rv.momentum), 0.1),
    "nesterov": Rule(functools.partial(_decaying, rv.nesterov), 0.1),
    "adagrad": Rule(functools.partial(_decaying, rv.adagrad), 0.1),
    "adadelta": Rule(functools.partial(_decaying, rv.adadelta), 10.0),
    "rmsprop": Rule(functools.partial(_decaying, rv.rmsprop), 0.003),
    "adam": Rule(functools.partial(_decaying, rv.adam), 0.01),
    "adamw": Rule(functools.partial(_decaying, rv.adamw), 0.01),
    "lion": Rule(functools.partial(_decaying, rv.lion), 0.001),
    "muon": Rule(functools.partial(_decaying, rv.muon), 0.03),
    "schedule_free": Rule(functools.partial(_constant, _schedule_free), 0.01),
    "sam": Rule(functools.partial(_decaying, _sam), 0.1),
    "momentum, constant rate": Rule(functools.partial(_constant, rv.momentum), 0.1),
    "adam, constant rate": Rule(functools.partial(_constant, rv.adam), 0.01),
}


def _loss(network, params, batch):
    x, y = batch
    chances = jax.nn.log_softmax(network.apply(params, x))
    return -jnp.mean(jnp.take_along_axis(chances, y[..., None], -1))


def _error(network, params, batch):
    x, y = batch
    return jnp.mean(jnp.argmax(network.apply(params, x), -1) != y)


def _trial(network, optimizer, parts, start, order):
    """Train once; return the loss and the error on the validation and the test part, NaN if the run diverged."""
    def loss(params, rows):
        return _loss(network, params, jax.tree.map(lambda array: array[rows], parts.train))

    # What is drawn was drawn before, and all epochs are one: random numbers and sorting are slow to compile.
    run = rv.fit(loss, start, optimizer, order, batch_size=BATCH_SIZE, epochs=1, shuffle=False, key=jax.random.key(0))
    params = rv.eval_params(run.optimizer_state, run.params)
    whole = run.stopped_at == run.losses.size
    return {f"{part}_{name}": jnp.where(whole, measure(network, params, getattr(parts, part)), jnp.nan)
            for part in ("validation", "test") for name, measure in (("loss", _loss), ("error", _error))}


PAIRS = [(task, rule) for task in TASKS for rule in RULES]
"""Which rules run on which tasks, in the order of the table."""


@functools.cache
def draws(task):
    """Return what the seeds of a task draw: parts, starts and orders of the examples, each on a leading axis."""
    data, network, train, held_out, epochs = TASKS[task]
    x, y = (array[:train + 2 * held_out] for array in data())
    fractions = tuple(np.array([train, held_out, held_out]) / len(y))
    parts = [rv.data.split(x, y, fractions=fractions, seed=seed) for seed in range(SEEDS)]
    orders = [[np.random.default_rng([seed, epoch]).permutation(train) for epoch in range(epochs)]
              for seed in range(SEEDS)]
    init = jax.jit(lambda seed: network.init(jax.random.key(seed), jnp.float32))
    parts, starts = (jax.tree.map(lambda *arrays: np.stack(arrays), *trees)
                     for trees in (parts, [init(seed) for seed in range(SEEDS)]))
    return parts, starts, np.array(orders, np.int32).reshape(SEEDS, -1)


class Cells:
    """The trials of a rule on a task, at some learning rates: one compiled program.

    A seed draws the division of the data, the start and the order of the batches: the same for all rules and rates.

    Attributes:
        program: a name for what is computed, which is another for another rule, network or way to train; for the same
            version of JAX it is the same on every machine.
    """

    def __init__(self, task, rule, rates):
        """Prepare the program; `task` and `rule` are names of `TASKS` and `RULES`."""
        with enable_x64(False):
            self._arguments = (jnp.asarray(rates, jnp.float32), *draws(task))
            self._lowered = _cells.lower(TASKS[task].network, RULES[rule].make, *self._arguments)
        self.program = hashlib.sha256(self._lowered.as_text().encode()).hexdigest()[:12]

    @functools.cached_property
    def _compiled(self):
        return self._lowered.compile()

    def run(self, nudge=0.0):
        """Return the results, a dict of arrays of shape (rates, seeds).

        Args:
            nudge: the start is multiplied by 1 + this, to see how far a rounding error would carry.
        """
        rates, parts, starts, orders = self._arguments
        with enable_x64(False):
            starts = jax.tree.map(lambda w: w * (1 + nudge), starts)
            return jax.tree.map(np.asarray, self._compiled(rates, parts, starts, orders))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _cells(network, make, rates, parts, starts, orders):
    steps = orders.shape[1] // BATCH_SIZE
    return jax.lax.map(lambda rate: jax.vmap(functools.partial(_trial, network, make(rate, steps)))(
        parts, starts, orders), rates)
