"""The live figure `gradient_noise`: how gradients of small batches scatter about that of all the data."""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ravine import notebook, optimizers, plotting
from ravine._compat import enable_x64
from ravine.figures import _figure
from ravine.figures._emit import emit, emit_objective, emit_rule
from ravine.figures._playground import as_object

EXAMPLES = 256
SIZES = {str(2**k): 2**k for k in range(9)}  # of a batch
DRAWS = 256  # batches in the cloud
STEPS = 200
RATES = (0.01, 0.5)
ORDERS = ("random", "sorted")
WINDOW = ((-2.0, 2.5), (-2.5, 3.0))


def _data():
    random = np.random.default_rng(1)
    x = np.sort(random.uniform(-0.6, 1.4, EXAMPLES))
    return np.round(x, 3), np.round(0.25 + 0.5 * x + random.normal(size=EXAMPLES), 3)


X, Y = _data()
MINIMUM = np.linalg.lstsq(np.stack([np.ones(EXAMPLES), X], 1), Y)[0]


# ---------------------------------------------------------------- what the page computes with


def _loss(w, x, y):
    return 0.5 * jnp.mean((w[0] + w[1] * x - y) ** 2)


def _each(w):
    """Return the gradients of all examples, shape (EXAMPLES, 2)."""
    return jax.vmap(jax.grad(_loss), (None, 0, 0))(w, X, Y)


def _sigma(w):
    r"""Return σ, the root mean square distance of one example's gradient from the mean of all."""
    gradients = _each(w)
    return jnp.sqrt(((gradients - gradients.mean(0)) ** 2).sum(1).mean())


@functools.cache
def _affine():
    """Return the mean of G and that of G ⊗ G over the examples, where G(w − w*, 1) is an example's gradient at w."""
    with enable_x64(), jax.ensure_compile_time_eval():
        slopes = jax.vmap(jax.hessian(_loss), (None, 0, 0))(MINIMUM, X, Y)
        G = np.concatenate([slopes, _each(MINIMUM)[:, :, None]], 2)
    return G.mean(0), np.einsum("nai,nbj->abij", G, G).reshape(4, 9) / EXAMPLES


def _expect(moments, learning_rate, size):
    r"""Return what a step of SGD makes of the moments E[zzᵀ] of z = (w − w*, 1), and the loss then to be expected.

    $$w' = w - \eta g_B: \qquad E[w' \mid w] = w - \eta g(w), \quad
      \operatorname{Cov}[w' \mid w] = \frac{\eta^2}{n_b} \operatorname{Cov}_i[g_i(w)]$$

    Exact for batches that are drawn at random, with replacement. The loss is counted from that of the minimum w*.
    """
    mean, square = _affine()
    step = jnp.eye(3) - learning_rate * jnp.pad(mean, ((0, 1), (0, 0)))
    covariance = (square @ moments.ravel()).reshape(2, 2) - mean @ moments @ mean.T
    moments = step @ moments @ step.T + learning_rate**2 / size * jnp.pad(covariance, (0, 1))
    return moments, 0.5 * (mean[:, :2] * moments[:2, :2]).sum()


class GradientNoise(_figure.Figure):
    """The widget of `gradient_noise`: its arguments are its traits."""

    module = "gradient_noise"
    caption = ("The gradients of 256 random batches at one point, scattered about the gradient of all the data; how "
               "far they are from it on average, for every batch size; and a run of SGD with such batches, which "
               "comes no nearer to the minimum than their noise allows.")

    batch_size = _figure.Choice("8", SIZES)
    learning_rate = _figure.Number(0.2, f"[{RATES[0]}, {RATES[1]}]")
    point = _figure.Point((-1.25, -1.5), [f"[{low}, {high}]" for low, high in WINDOW])
    order = _figure.Choice("random", ORDERS)
    seed = _figure.Count(1, at_most=20)

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`."""
        w, losses = np.zeros(2), {text: f"loss_{text}" for text in SIZES}
        sources = [emit_rule("descent", optimizers.sgd, 2, ("learning_rate",)), emit("sigma", _sigma, w),
                   emit("expect", _expect, np.eye(3), 1.0, 1.0),
                   *(emit_objective(losses[text], _loss, 2, hessian=False, unroll=2, x=X[:size], y=Y[:size])
                     for text, size in SIZES.items())]
        with enable_x64():
            least = float(_loss(MINIMUM, X, Y))
        facts = {"x": X.tolist(), "y": Y.tolist(), "minimum": MINIMUM.tolist(), "least": least, "draws": DRAWS,
                 "steps": STEPS, "rates": RATES, "window": WINDOW}
        return _figure.namespace(sources, f"descent, sigma, expect, losses: {as_object(losses)}, " + ", ".join(
            f"{name}: {json.dumps(fact)}" for name, fact in facts.items()))

    def draw(self, batches, size=None, stride=1):
        """Return the examples in each of so many batches: whole numbers, shape (batches, size).

        At random any of all examples, again and again; sorted, the stretches of the data that begin at every
        `stride`-th, the first after the last.
        """
        size = size or SIZES[self.batch_size]
        if self.order == "sorted":
            return (stride * np.arange(batches)[:, None] + np.arange(size)) % EXAMPLES
        return np.random.default_rng([self.seed, size, batches]).integers(EXAMPLES, size=(batches, size))

    def gradients(self, rows):
        """Return the gradients of batches at the point: float64, shape (batches, 2)."""
        with enable_x64():
            return np.asarray(_each(np.array(self.point)))[rows].mean(1)

    def run(self, rows):
        """Return the points of SGD that takes these batches: float64, shape (steps + 1, 2)."""
        with enable_x64():
            return np.asarray(_descend(jnp.array(self.point), self.learning_rate, rows))

    def expected(self):
        """Return the loss above the least that random batches would make, on average: shape (STEPS + 1,)."""
        with enable_x64():
            start = jnp.append(np.array(self.point) - MINIMUM, 1.0)
            return np.asarray(_expectations(start, self.learning_rate, SIZES[self.batch_size]))

    def still(self):
        """Return the text of an `<svg>` with the cloud, its size for every batch size, and the run."""
        return notebook.svg(_draw(self), self.caption)


def gradient_noise(batch_size=8, learning_rate=0.2, point=(-1.25, -1.5), order="random", seed=1):
    r"""Return the live figure of gradient noise: drag the batch to four times its size, and see the cloud halve.

    $$E\,\lVert g_B - g\rVert^2 = \frac{\sigma^2}{n_b}, \qquad
      \sigma^2 = \frac1n \sum_i \lVert g_i - g\rVert^2, \qquad g_B = \frac1{n_b} \sum_{i \in B} g_i$$

    A line $w_1 + w_2 x$ is fitted to 256 points, with half the mean square error as its loss. Drag w to the minimum:
    the gradient g goes to 0, and the cloud of the batches' gradients does not. A run of SGD starts at w, and its loss
    stays where the noise holds it. The arguments are attributes of the figure that is returned, and follow what the
    reader does with it.

    Args:
        batch_size: n_b, a power of two from 1 to 256.
        learning_rate: η in [0.01, 0.5].
        point: w, within −2 … 2.5 and −2.5 … 3.
        order: "random", batches drawn with replacement; or "sorted", stretches of the data in the order of their x.
        seed: of the draws, 1 to 20.

    Raises:
        TypeError: a number is none (two for `point`), or no whole one for `seed`.
        ValueError: an argument is outside its range, or none of these words and sizes.
    """
    return GradientNoise(batch_size=str(batch_size), learning_rate=learning_rate, point=point, order=order, seed=seed)


# ---------------------------------------------------------------- the same in Python


@jax.jit
def _descend(w, learning_rate, rows):
    rule = optimizers.sgd(learning_rate)

    def step(point, batch):
        w, state = point
        updates, state = rule.update(jax.grad(_loss)(w, jnp.asarray(X)[batch], jnp.asarray(Y)[batch]), state, w)
        w = optax.apply_updates(w, updates)
        return (w, state), w

    path = jax.lax.scan(step, (w, rule.init(w)), rows)[1]
    return jnp.concatenate([w[None], path])


@jax.jit
def _expectations(start, learning_rate, size):
    moments = jnp.outer(start, start)
    first = 0.5 * (_affine()[0][:, :2] * moments[:2, :2]).sum()
    later = jax.lax.scan(lambda moments, _: _expect(moments, learning_rate, size), moments, None, STEPS)[1]
    return jnp.append(first, later)


# ---------------------------------------------------------------- the still picture


def _draw(figure):
    plotting.set_style()
    picture, ((valley, cloud), (losses, spread)) = plotting.plt.subplots(2, 2, figsize=(7.6, 6))
    path = figure.run(figure.draw(STEPS, stride=SIZES[figure.batch_size]))
    with enable_x64():
        full = np.asarray(_each(np.array(figure.point))).mean(0)
        sigma = float(_sigma(np.array(figure.point)))
        above = np.asarray(jax.vmap(_loss, (0, None, None))(path, X, Y) - _loss(MINIMUM, X, Y))

    xs, ys = (np.linspace(*side, 80) for side in WINDOW)
    residuals = xs[None, :, None] + ys[:, None, None] * X - Y
    valley.contour(xs, ys, (residuals**2).mean(2), 14, colors=plotting.INK, linewidths=0.7, alpha=0.35)
    plotting.path(valley, path, color=plotting.PINK)
    valley.plot(*MINIMUM, "*", color=plotting.INK)
    valley.set(title="A run of SGD", xlabel="$w_1$", ylabel="$w_2$", xlim=WINDOW[0], ylim=WINDOW[1])

    gradients = figure.gradients(figure.draw(DRAWS))
    for sign, colour in ((1, plotting.BLUE), (-1, plotting.ORANGE)):
        cloud.plot(*gradients[sign * (gradients @ full) > 0].T, ".", markersize=3.5, color=colour)
    cloud.annotate("", full, (0, 0), arrowprops={"arrowstyle": "->", "color": plotting.INK})
    cloud.set(title=f"Gradients of batches of {figure.batch_size}", xlabel="along $w_1$", ylabel="along $w_2$",
              xlim=(-5, 5), ylim=(-5, 5))

    sizes = np.array(list(SIZES.values()))
    errors = [figure.gradients(figure.draw(DRAWS, size)) - full for size in sizes]
    spread.plot(sizes, [np.sqrt((error**2).sum(1).mean()) for error in errors], "o", markersize=5,
                color=plotting.BLUE, label="measured")
    spread.plot(sizes, sigma / np.sqrt(sizes), "--", color=plotting.GREY, label="by theory")
    spread.set(title="How far off they are", xlabel="batch size", ylabel="distance from the gradient", ylim=(0.02, 20))
    spread.set_xscale("log", base=2)
    spread.set_yscale("log")
    spread.legend(fontsize=8)

    losses.semilogy(above, color=plotting.PINK, label="this run")
    losses.semilogy(figure.expected(), "--", color=plotting.GREY, label="theory, for random batches")
    losses.set(title="The loss above the least", xlabel="step")
    losses.legend(fontsize=8)
    return picture
