"""The live figure `playground`: a small network that learns in the page, with whatever rule and start one chooses."""

import functools
import inspect
import itertools
import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree

from ravine import data, initializers, networks, notebook, optimizers, plotting
from ravine._compat import enable_x64
from ravine.figures import _figure, _rules
from ravine.figures._emit import emit

EXAMPLES = 96  # to learn from, and as many to test
DATA = {"circles": (data.circles, {}), "moons": (data.moons, {"noise": 0.2}), "xor": (data.xor, {}),
        "spirals": (data.spirals, {"classes": 2, "turns": 0.9, "noise": 0.03})}
WINDOW = 2.5  # the data are standardised
HIDDEN = {"-".join(map(str, widths)): widths
          for widths in [(3,), (8,), (16,), (4, 4), (8, 8), (16, 16), (8, 8, 8)]}
ACTIVATIONS = {"tanh": jnp.tanh, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "gelu": jax.nn.gelu,
               "linear": lambda x: x}
BATCHES = {"all": EXAMPLES, "32": 32, "8": 8, "1": 1}
CHUNK = 8  # examples that are worked on at a time
GRID = 50  # points along each side of the picture

# Every initializer that the library exports. One that takes a number is given the figure's `scale`.
INITIALIZERS = [name for name, make in vars(initializers).items()
                if inspect.isfunction(make) and make.__module__ == initializers.__name__ and not name.startswith("_")]


def initializer(name, scale):
    """Return an initializer of the library by its name, and the name of what `scale` is to it (None if nothing)."""
    make = getattr(initializers, name)
    arguments = list(inspect.signature(make).parameters)
    if arguments[:1] == ["key"]:
        return make, None
    return make(*[scale] * len(arguments)), *(arguments or [None])


def network(hidden, activation, weight_init=initializers.zeros):
    """Return the network of the figure: two inputs, one output, the log-odds of class 1."""
    return networks.mlp((2, *HIDDEN[hidden], 1), activation, weight_init)


def losses(logits, y):
    """Return the cross-entropy of each example."""
    return optax.sigmoid_binary_cross_entropy(logits[:, 0], y)


def examples(name):
    """Return x of shape (2 · EXAMPLES, 2) and y: first those to learn from, then those to test; float64.

    Both halves hold as many points of either class. x is standardised, and rounded to thousandths for the page's sake.
    """
    make, options = DATA[name]
    x, y = make(2 * EXAMPLES, **options)
    order = data.balanced_order(y)
    x, y = x[order].astype(float), y[order]
    return np.round((x - x.mean(0)) / x.std(0), 3), y.astype(int)


# ---------------------------------------------------------------- what the page computes with


@jax.custom_jvp
def activate(which, x):
    """Return the activation of x that is number `which` of `ACTIVATIONS`."""
    return jax.lax.switch(which, list(ACTIVATIONS.values()), x)


@activate.defjvp
def _(primals, tangents):
    which, x = primals
    slopes = [jnp.vectorize(jax.grad(activation)) for activation in ACTIVATIONS.values()]
    return activate(which, x), jax.lax.switch(which, slopes, x) * tangents[1]


SIZE = max(sum((fan_in + 1) * fan_out for fan_in, fan_out in itertools.pairwise((2, *widths, 1)))
           for widths in HIDDEN.values())
"""The parameters of all networks are vectors of this length, so that one text of a rule serves all; the rest are 0."""

RULES = _rules.Offered(SIZE, hessian=False)


def _unravel(hidden, w):
    start, unravel = ravel_pytree(network(hidden, jnp.tanh).init(jax.random.key(0)))
    return unravel(w[:start.size])


def _ravel(params):
    w = ravel_pytree(params)[0]
    return jnp.pad(w, (0, SIZE - w.size))


def _begin(hidden):
    """Return the start of a network from a key, which stands for whatever draws its kernels, one after the other."""
    def begin(key):
        return _ravel(network(hidden, jnp.tanh, jax.random.normal).init(key))

    return begin


def kernel(name, fan_in, fan_out):
    """Return draw(key, scale), which draws the kernel of a layer."""
    def draw(key, scale):
        return initializer(name, scale)[0](key, (fan_in, fan_out), np.float64)

    return draw


def _learn(hidden):
    """Return the mean loss and its gradient over the examples ``order[first:last]``."""
    def learn(w, which, x, y, order, first, last):
        params = _unravel(hidden, w)

        def part(params, begin):
            places = begin + jnp.arange(CHUNK)
            rows = order[places].astype(int)
            logits = network(hidden, lambda z: activate(which, z)).apply(params, x[rows])
            return jnp.sum(jnp.where(places < last, losses(logits, y[rows]), 0))

        def add(n, sums):
            value, grads = jax.value_and_grad(part)(params, first + CHUNK * n)
            return sums[0] + value, jax.tree.map(jnp.add, sums[1], grads)

        chunks = (last - first + CHUNK - 1) // CHUNK
        total, grads = jax.lax.fori_loop(0, chunks, add, (0.0, jax.tree.map(jnp.zeros_like, params)))
        return total / (last - first), _ravel(grads) / (last - first)

    return learn


def _predict(hidden):
    """Return the probability of class 1 at each point."""
    def predict(w, which, points):
        logits = network(hidden, lambda z: activate(which, z)).apply(_unravel(hidden, w), points)
        return jax.nn.sigmoid(logits[:, 0])

    return predict


class Playground(_figure.Figure):
    """The widget of `playground`: its arguments are its traits."""

    module = "playground"
    caption = ("A small network learns to tell two kinds of points apart. The shades show what it takes each place "
               "for, the curves its loss on the points that it learns from and on others.")

    data = _figure.Choice("circles", DATA)
    hidden = _figure.Choice("8-8", HIDDEN)
    activation = _figure.Choice("tanh", ACTIVATIONS)
    initializer = _figure.Choice("xavier_normal", INITIALIZERS)
    scale = _figure.Number(1.0, "[0.01, 10]")
    rule = _figure.Choice("adam", RULES)
    learning_rate = _figure.Number(0.03, "[0.0001, 10]")
    batch = _figure.Choice("all", BATCHES)
    seed = _figure.Count(1, at_most=50)
    steps = _figure.Count(0, at_most=20000, at_least=0)

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`."""
        sources, w, x, y = list(RULES.values()), np.zeros(SIZE), np.zeros((EXAMPLES, 2)), np.zeros(EXAMPLES)
        key, points = jax.random.key(0), np.zeros((GRID**2 + 2 * EXAMPLES, 2))

        def add(name, fun, *arguments):
            sources.append(emit(name, fun, *arguments, unroll=1))
            return name

        entries, shapes = {}, {hidden: list(itertools.pairwise((2, *HIDDEN[hidden], 1))) for hidden in HIDDEN}
        for hidden in HIDDEN:
            name = f"network_{hidden.replace('-', '_')}"
            entries[hidden] = as_object({
                "learn": add(f"{name}_learn", _learn(hidden), w, 0, x, y, y, 0, 0),
                "predict": add(f"{name}_predict", _predict(hidden), w, 0, points),
                "begin": add(f"{name}_begin", _begin(hidden), key),
                "kernels": json.dumps(["×".join(map(str, shape)) for shape in shapes[hidden]], ensure_ascii=False),
            })
        starts = {name: as_object({
            "scale": json.dumps(initializer(name, 1.0)[1]),
            **{f"{a}×{b}": add(f"{name}_{a}_{b}", kernel(name, a, b), key, 1.0)
               for a, b in sorted(set().union(*shapes.values()))},
        }) for name in INITIALIZERS}
        facts = {
            "leftOut": RULES.left_out(), "activations": {name: n for n, name in enumerate(ACTIVATIONS)},
            "batches": BATCHES, "window": WINDOW, "side": GRID, "examples": EXAMPLES,
            "data": {name: [part.ravel().tolist() for part in examples(name)] for name in DATA},
        }
        members = {"rules": as_object({name: name for name in RULES}), "networks": as_object(entries),
                   "initializers": as_object(starts), **{name: json.dumps(fact) for name, fact in facts.items()}}
        return _figure.namespace(sources, as_object(members)[1:-1])

    def train(self, steps, start=None, rows=None):
        """Return the points of a training in Python: float64 of shape (steps + 1, parameters).

        Args:
            steps: how many.
            start: the first point; by default drawn by the initializer, as the page does from numbers of its own.
            rows: the examples of each step, an array of shape (steps, batch); shuffled by default.
        """
        if rows is None:
            shuffle, batch = np.random.default_rng(self.seed).permutation, BATCHES[self.batch]
            rows = np.concatenate([shuffle(EXAMPLES) for _ in range(steps * batch // EXAMPLES + 1)])
            rows = rows[:steps * batch].reshape(steps, batch)
        rate = _rules.offered()[self.rule]
        with enable_x64():
            if start is None:
                start = _start(self.hidden, self.initializer, self.scale, self.seed)
            rule = getattr(optimizers, self.rule)(**{rate: self.learning_rate} if rate else {})
            return np.asarray(_path(self.hidden, self.activation, rule, start, *examples(self.data), rows))

    def still(self):
        """Return the text of an `<svg>`: the plane and the curves of a training like the one that the page offers."""
        return notebook.svg(_draw(self), f"{self.caption} {self.steps or 300} steps of {self.rule}.")


def playground(data="circles", hidden="8-8", activation="tanh", initializer="xavier_normal", rule="adam",
               learning_rate=0.03, batch="all", seed=1, scale=1.0, steps=0):
    """Return the live figure of a small network that learns: press Play, change one thing, and compare.

    Start all weights at zero, and nothing is learned; give two rules the same task; take too large a rate. The network
    has two inputs and one output, the log-odds of class 1, and the loss is the cross-entropy. 96 points are learned
    from, and as many are kept to test. The arguments are attributes of the figure that is returned, and follow what the
    reader does with it.

    Args:
        data: "circles", "moons", "xor" or "spirals", of `ravine.data`, standardised.
        hidden: the widths of the hidden layers: "3", "8", "16", "4-4", "8-8", "16-16" or "8-8-8".
        activation: "tanh", "relu", "sigmoid", "gelu" or "linear".
        initializer: the name of one of `ravine.initializers`, for the kernels; biases start at 0.
        rule: the name of a rule of Ravine that needs no more than a rate and gradients, and sees no shapes.
        learning_rate: η in [0.0001, 10], the rule's rate (the initial step of `rprop`).
        batch: how many examples a step sees: "all", "32", "8" or "1".
        seed: of the start and of the order of the examples, 1 to 50.
        scale: in [0.01, 10], for initializers that take a number: the standard deviation, the gain or the value.
        steps: how many the figure has taken when it opens, 0 to 20000.

    Raises:
        TypeError: a number is none, or no whole one for `seed` and `steps`.
        ValueError: an argument is none of the words, or outside its range.
    """
    return Playground(data=data, hidden=hidden, activation=activation, initializer=initializer, rule=rule,
                      learning_rate=learning_rate, batch=batch, seed=seed, scale=scale, steps=steps)


# ---------------------------------------------------------------- training in Python


@functools.partial(jax.jit, static_argnums=(0, 1))
def _start(hidden, name, scale, seed):
    return ravel_pytree(network(hidden, jnp.tanh, initializer(name, scale)[0]).init(jax.random.key(seed)))[0]


@functools.partial(jax.jit, static_argnums=(0, 1))
def _path(hidden, activation, rule, start, x, y, rows):
    rule = optax.with_extra_args_support(rule)

    def step(point, batch):
        params, state = point

        def loss(params):
            return _loss(hidden, activation, params, x[batch], y[batch])

        value, grad = jax.value_and_grad(loss)(params)
        updates, state = rule.update(grad, state, params, value=value, grad=grad, value_fn=loss)
        params = optax.apply_updates(params, updates)
        return (params, state), ravel_pytree(params)[0]

    params = _unravel(hidden, start)
    return jnp.vstack([start, jax.lax.scan(step, (params, rule.init(params)), rows)[1]])


def _loss(hidden, activation, params, x, y):
    return losses(network(hidden, ACTIVATIONS[activation]).apply(params, x), y).mean()


# ---------------------------------------------------------------- the still picture


@functools.partial(jax.jit, static_argnums=(0, 1))
def _results(hidden, activation, path, x, y, places):
    """Return the probability of class 1 at the end of a path, and the losses along it: (points, training and test)."""
    def along(w):
        return jax.vmap(lambda x, y: _loss(hidden, activation, _unravel(hidden, w), x, y))(x, y)

    logits = network(hidden, ACTIVATIONS[activation]).apply(_unravel(hidden, path[-1]), places)
    return jax.nn.sigmoid(logits[:, 0]), jax.lax.map(along, path)


def _draw(figure):
    plotting.set_style()
    picture, (plane, curves) = plotting.plt.subplots(1, 2, figsize=(7.6, 3.7))
    path = figure.train(figure.steps or 300)
    x, y = examples(figure.data)
    x, y = x.reshape(2, EXAMPLES, 2), y.reshape(2, EXAMPLES)  # to learn from, and to test

    nodes = np.linspace(-WINDOW, WINDOW, GRID)
    places = np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 2)
    with enable_x64():
        probability, loss = map(np.asarray, _results(figure.hidden, figure.activation, path, x, y, places))
    probability = probability.reshape(GRID, GRID)
    colours = plotting.plt.matplotlib.colors.LinearSegmentedColormap.from_list(
        "classes", [(*_rgb(plotting.BLUE), 0.55), (*_rgb(plotting.BLUE), 0), (*_rgb(plotting.ORANGE), 0),
                    (*_rgb(plotting.ORANGE), 0.55)])
    plane.contourf(nodes, nodes, probability, [0, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1], cmap=colours)
    plane.contour(nodes, nodes, probability, [0.5], colors=plotting.INK, linewidths=1.5)
    for label, colour, marker in ((0, plotting.BLUE, "o"), (1, plotting.ORANGE, "^")):
        for half, face in ((1, "none"), (0, colour)):
            plane.scatter(*x[half][y[half] == label].T, s=16, marker=marker, facecolors=face, edgecolors=colour,
                          linewidths=0.9)
    plane.set(title="What it takes each place for", xlabel="$x_1$", ylabel="$x_2$", aspect="equal",
              xlim=(-WINDOW, WINDOW), ylim=(-WINDOW, WINDOW))
    for name, colour, values in zip(("train", "test"), (plotting.INK, plotting.PINK), loss.T, strict=True):
        curves.semilogy(values, color=colour, label=name)
    curves.set(title="The loss as it learns", xlabel="step", ylabel="loss")
    curves.legend()
    return picture


def _rgb(colour):
    return plotting.plt.matplotlib.colors.to_rgb(colour)


def as_object(members):
    """Return the text of an object in JavaScript from the texts of its members."""
    return f"{{ {', '.join(f'{json.dumps(name, ensure_ascii=False)}: {text}' for name, text in members.items())} }}"
