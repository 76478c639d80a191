"""The live figure `edge`: gradient descent trains where the curvature allows its rate, at the edge of stability."""

import json

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from ravine import curvature, initializers, krylov, networks, notebook, optimizers, plotting
from ravine._compat import enable_x64
from ravine.figures import _figure
from ravine.figures._emit import emit, emit_objective, emit_rule
from ravine.training import minimize

X = np.linspace(-1, 1, 20)
NODES = np.linspace(-1, 1, 101)  # where the network's curve is drawn
TARGETS = {f"T{degree}": np.cos(degree * np.arccos(X)) for degree in (3, 4, 5)}  # Chebyshev polynomials
NETWORK = networks.mlp((1, 12, 12, 1), jnp.tanh, initializers.fan_in_normal())
PARAMS = jax.tree.map(lambda leaf: np.zeros(leaf.shape), jax.eval_shape(NETWORK.init, jax.random.key(0)))
SIZE = sum(leaf.size for leaf in jax.tree.leaves(PARAMS))
LANCZOS_STEPS = 6  # a round; the page's rounds begin where the last one ended
RATES = (0.08, 0.8)


class Edge(_figure.Figure):
    """The widget of `edge`: its arguments are its traits."""

    module = "edge"
    caption = ("Gradient descent on a small network. The sharpness, the largest eigenvalue of the Hessian, climbs to "
               "2/η, above which gradient descent on a quadratic diverges, and stays there, while the loss goes on "
               "falling, not at every step.")

    learning_rate = _figure.Number(0.2, "[0.08, 0.8]")
    target = _figure.Choice("T3", TARGETS)
    seed = _figure.Count(3, at_most=20)
    steps = _figure.Count(500, at_most=10000, at_least=0)

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`."""
        w, y = np.zeros(SIZE), np.zeros(X.size)
        sources = [emit_objective("loss", _loss, PARAMS, hessian=False, y=y),
                   emit_rule("descent", optimizers.sgd, SIZE, ("learning_rate",)),
                   emit("begin", _begin, jax.random.key(0)), emit("lanczos", _lanczos, w, y, w),
                   emit("curve", lambda w: _predict(_unravel(w), NODES), w)]
        facts = {"x": X, "nodes": NODES, **TARGETS}
        facts = {name: [float(f"{number:.15g}") for number in numbers] for name, numbers in facts.items()}
        targets = json.dumps({name: facts[name] for name in TARGETS})
        return _figure.namespace(
            sources, f"loss, descent, begin, lanczos, curve, x: {facts['x']}, nodes: {facts['nodes']}, "
                     f"targets: {targets}, size: {SIZE}, rates: {list(RATES)}")

    def run(self, steps, start=None):
        """Return the `ravine.training.Run` of these settings; `start`, a vector, is by default the library's own."""
        with enable_x64():
            params = NETWORK.init(jax.random.key(self.seed)) if start is None else _unravel(start)
            return minimize(_loss, params, optimizers.sgd(self.learning_rate), steps, args=(TARGETS[self.target],))

    def points(self, run):
        """Return the points of a run as vectors, shape (steps + 1, parameters)."""
        return np.concatenate([np.reshape(leaf, (run.losses.size, -1)) for leaf in jax.tree.leaves(run.path)], 1)

    def sharpness(self, points):
        """Return the sharpness at points: vectors, shape (n, parameters)."""
        with enable_x64():
            return np.asarray(_sharpness(jnp.asarray(points), TARGETS[self.target]))

    def still(self):
        """Return the text of an `<svg>`: the sharpness, the loss and the curve of a run like the one in the page."""
        return notebook.svg(_draw(self), f"{self.caption} η = {self.learning_rate:g}.")


def edge(learning_rate=0.2, target="T3", seed=3, steps=500):
    r"""Return the live figure of the edge of stability: drag 2/η while it trains, and see the sharpness follow.

    $$\text{sharpness} = \lambda_{\max}\big(\nabla^2 L(w)\big), \qquad
      L(w) = \tfrac12 \operatorname{mean}_i \big(\hat y_w(x_i) - T_n(x_i)\big)^2$$

    The network, 1-12-12-1 with tanh, learns a Chebyshev polynomial at 20 points by gradient descent on all of them. On
    a quadratic, gradient descent diverges when λ_max > 2/η; here the sharpness climbs to that line by itself, and
    what happens there keeps it from growing on. The arguments are attributes of the figure that is returned, and
    follow what the reader does with it; a figure that opens with them takes all its steps at this rate.

    Args:
        learning_rate: η in [0.08, 0.8].
        target: "T3", "T4" or "T5", the Chebyshev polynomial.
        seed: of the starting weights, 1 to 20.
        steps: how many the figure has taken when it opens, 0 to 10000.

    Raises:
        TypeError: a number is none, or no whole one for `seed` and `steps`.
        ValueError: an argument is outside its range, or none of these words.

    Source: Cohen, Kaur, Li, Kolter and Talwalkar, Gradient descent on neural networks typically occurs at the edge of
    stability, 2021.
    """
    return Edge(learning_rate=learning_rate, target=target, seed=seed, steps=steps)


def _predict(params, x):
    return NETWORK.apply(params, x[:, None])[:, 0]


def _loss(params, y):
    return 0.5 * jnp.mean((_predict(params, X) - y) ** 2)


def _unravel(w):
    return ravel_pytree(PARAMS)[1](w)


def _begin(key):
    return ravel_pytree(NETWORK.init(key))[0]


def _lanczos(w, y, start):
    """Return the Hessian's largest Ritz value after a few steps from `start`, its vector, and their residual's norm."""
    product = jax.linearize(jax.grad(lambda w: _loss(_unravel(w), y)), w)[1]
    # Wrapped, since what `linearize` returns has no hash in jax 0.7.
    basis = krylov.lanczos(lambda v: product(v), start, LANCZOS_STEPS)
    values, vectors = jnp.linalg.eigh(krylov.tridiagonal(basis.alpha, basis.beta))
    top = vectors[:, -1]
    return values[-1], top @ basis.vectors, jnp.linalg.norm(basis.residual) * abs(top[-1])


@jax.jit
def _sharpness(points, y):
    return jax.lax.map(lambda w: curvature.sharpness(_loss, _unravel(w), args=(y,)), points)


# ---------------------------------------------------------------- the still picture


def _draw(figure):
    plotting.set_style()
    picture, axes = plotting.plt.subplot_mosaic([["sharpness", "sharpness"], ["loss", "curve"]], figsize=(7.6, 5.2))
    run = figure.run(figure.steps)
    points = figure.points(run)
    every = max(1, figure.steps // 40)
    limit = 2 / figure.learning_rate
    steps = np.arange(figure.steps + 1)

    axes["sharpness"].axhline(limit, color=plotting.ORANGE, linestyle="--", label=f"2/η = {limit:g}")
    axes["sharpness"].plot(steps[::every], figure.sharpness(points[::every]), color=plotting.BLUE, label="sharpness")
    axes["sharpness"].set(title="The sharpness and 2/η", xlabel="step", ylim=(0, None))
    axes["sharpness"].legend()
    axes["loss"].semilogy(steps, run.losses, color=plotting.BLUE)
    axes["loss"].set(title="The loss", xlabel="step")
    with enable_x64():
        curve = np.asarray(_predict(_unravel(points[-1]), NODES))
    axes["curve"].plot(X, TARGETS[figure.target], "o", color=plotting.INK, markersize=4)
    axes["curve"].plot(NODES, curve, color=plotting.BLUE)
    axes["curve"].set(title=f"The network and {figure.target}", xlabel="x")
    return picture
