"""The live figure `risk`: a curve through a few points, and how wrong it is there and everywhere else."""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
from numpy.polynomial import legendre

from ravine import notebook, plotting
from ravine._compat import enable_x64
from ravine.figures import _figure
from ravine.figures._emit import emit

NOISE = 0.3
HIGHEST = 15  # degree
FEWEST, MOST = HIGHEST + 1, 256  # points; never fewer than weights
DECAYS = (1e-6, 10.0)
COUNTS = (16, 18, 20, 22, 25, 28, 32, 36, 40, 50, 64, 80, 100, 128, 160, 200, 256)  # at which the risks are drawn
SEEDS = 20
NODES = 141  # points of a curve
RISKS = (1e-3, 1e3)  # on the axis of risks


# ---------------------------------------------------------------- what the page computes with


def _truth(x):
    return jnp.sin(4 * x)


def _features(x):
    r"""Return $\sqrt{2k+1}\,P_k(x)$ for the Legendre polynomials of degree k = 0 … HIGHEST: shape (n, HIGHEST + 1).

    For uniform x in [−1, 1] their mean squares are 1, and the means of their products 0.
    """
    def climb(last_two, k):
        before, last = last_two
        following = ((2 * k + 1) * x * last - k * before) / (k + 1)
        return (last, following), last

    degrees = jnp.arange(HIGHEST + 1.0)
    polynomials = jax.lax.scan(climb, (jnp.zeros_like(x), jnp.ones_like(x)), degrees)[1]
    return polynomials.T * jnp.sqrt(2 * degrees + 1)


def _draw(key):
    """Return MOST examples from p_data: x, y and the features of x."""
    inputs, noise = jax.random.split(key)
    x = jax.random.uniform(inputs, (MOST,), minval=-1.0, maxval=1.0)
    return x, _truth(x) + NOISE * jax.random.normal(noise, (MOST,)), _features(x)


def _moments(features, y, samples):
    """Return ΦᵀΦ/n and Φᵀy/n of the first `samples` examples."""
    shares = (jnp.arange(MOST) < samples) / samples
    return features.T @ (shares[:, None] * features), features.T @ (shares * y)


def _fit(gram, moment, degree, weight_decay):
    r"""Return the weights, none beyond the degree, that minimize J(w) + λ‖w‖².

    $$(\Phi^\top \Phi/n + \lambda I)\,w = \Phi^\top y/n$$
    """
    used = jnp.arange(HIGHEST + 1) <= degree
    matrix = jnp.where(used & used[:, None], gram, 0.0) + jnp.diag(jnp.where(used, weight_decay, 1.0))
    return jax.scipy.linalg.solve(matrix, jnp.where(used, moment, 0.0), assume_a="pos")


def _empirical_risk(w, features, y, samples):
    return jnp.where(jnp.arange(MOST) < samples, (_predict(features, w) - y) ** 2, 0.0).sum() / samples


@functools.cache
def _projection():
    """Return the weights c of the best prediction, and the mean square of what of the truth is beyond all features."""
    x, shares = legendre.leggauss(100)  # exact for polynomials of degree 199
    with enable_x64():
        features, truth = np.asarray(_features(x)), np.asarray(_truth(x))
    best = features.T @ (shares / 2 * truth)
    return best, float(shares / 2 @ (truth - features @ best) ** 2)


def _true_risk(w, best, rest):
    r"""Return the mean over p_data, an integral, in closed form, given what `_projection` returns.

    $$J^\ast(w) = E\,(\varphi(x)^\top w - y)^2 = \lVert w - c\rVert^2 + E\,(f(x) - \varphi(x)^\top c)^2 + \sigma^2$$
    """
    return ((w - best) ** 2).sum() + rest + NOISE**2


def _nodes():
    """Return the x of a curve's points, the truth there, and the features."""
    x = jnp.linspace(-1.0, 1.0, NODES)
    return x, _truth(x), _features(x)


def _predict(features, w):
    return features @ w


class Risk(_figure.Figure):
    """The widget of `risk`: its arguments are its traits."""

    module = "risk"
    caption = ("A polynomial fitted to a few noisy points of a curve. Its empirical risk J is the mean square error on "
               "these points, its true risk J* that on all points there could be: both against the degree, the number "
               "of points and the weight decay.")

    degree = _figure.Count(12, at_most=HIGHEST, at_least=0)
    samples = _figure.Count(20, at_most=MOST, at_least=FEWEST)
    weight_decay = _figure.Number(1e-5, f"[{DECAYS[0]}, {DECAYS[1]}]")
    seed = _figure.Count(1, at_most=SEEDS)

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`."""
        w, gram = np.zeros(HIGHEST + 1), np.eye(HIGHEST + 1)
        y, features = np.zeros(MOST), np.zeros((MOST, HIGHEST + 1))
        best, rest = _projection()
        sources = [emit("draw", _draw, jax.random.key(0)), emit("moments", _moments, features, y, 1),
                   emit("fit", _fit, gram, w, 0, 1.0), emit("empiricalRisk", _empirical_risk, w, features, y, 1),
                   emit("trueRisk", lambda w: _true_risk(w, best, rest), w), emit("nodes", _nodes),
                   emit("predict", _predict, np.zeros((NODES, HIGHEST + 1)), w)]
        facts = {"highest": HIGHEST, "fewest": FEWEST, "most": MOST, "decays": DECAYS, "counts": COUNTS,
                 "noise": NOISE, "risks": RISKS, "seeds": SEEDS}
        return _figure.namespace(sources, "draw, moments, fit, empiricalRisk, trueRisk, nodes, predict, " + ", ".join(
            f"{name}: {json.dumps(fact)}" for name, fact in facts.items()))

    def draw(self, seed=None):
        """Return x, y and the features of MOST examples, of which the figure shows the first: float64."""
        with enable_x64():
            return tuple(np.asarray(part) for part in _drawn(jax.random.key(seed or self.seed)))

    def study(self, y, features, **settings):
        """Return the weights of fits, their empirical and their true risk, shapes (n, HIGHEST + 1), (n,) and (n,).

        Args:
            y: of all examples, as `draw` returns it.
            features: of all examples.
            **settings: `degree`, `samples` and `weight_decay`, numbers or vectors of length n; those of the figure
                where they are not given.
        """
        own = {name: getattr(self, name) for name in ("samples", "degree", "weight_decay")}
        settings = np.broadcast_arrays(*map(np.atleast_1d, (own | settings).values()))
        with enable_x64():
            return tuple(np.asarray(part) for part in _studies(features, y, *settings, *_projection()))

    def still(self):
        """Return the text of an `<svg>` with the curve, and the risks against degree, points and weight decay."""
        return notebook.svg(_picture(self), self.caption)


def risk(degree=12, samples=20, weight_decay=1e-5, seed=1):
    r"""Return the live figure of risk: drag the degree, and see the empirical risk fall while the true one rises.

    $$y = \sin 4x + \varepsilon, \quad x \sim U(-1, 1), \quad \varepsilon \sim N(0, 0.3^2), \qquad
      \min_w\; J(w) + \lambda \lVert w\rVert^2, \quad J(w) = \tfrac1n \textstyle\sum_i (\hat y_w(x_i) - y_i)^2$$

    Since p_data is known, the true risk J* is an integral, and no estimate from test data. The weights w are those of
    Legendre polynomials with mean square 1. The arguments are attributes of the figure that is returned, and follow
    what the reader does with it.

    Args:
        degree: of the polynomial, 0 to 15.
        samples: n, the number of points, 16 to 256.
        weight_decay: λ in [1e-6, 10].
        seed: of the points, 1 to 20.

    Raises:
        TypeError: an argument is no number, or no whole one.
        ValueError: an argument is outside its range.
    """
    return Risk(degree=degree, samples=samples, weight_decay=weight_decay, seed=seed)


# ---------------------------------------------------------------- the same in Python


_drawn = jax.jit(_draw)


@jax.jit
def _studies(features, y, samples, degree, weight_decay, best, rest):
    def study(samples, degree, weight_decay):
        w = _fit(*_moments(features, y, samples), degree, weight_decay)
        return w, _empirical_risk(w, features, y, samples), _true_risk(w, best, rest)

    return jax.vmap(study)(samples, degree, weight_decay)


# ---------------------------------------------------------------- the still picture


def _picture(figure):
    plotting.set_style()
    picture, ((curve, degrees), (counts, decays)) = plotting.plt.subplots(2, 2, figsize=(7.6, 6))
    x, *data = figure.draw()
    counts.set_xscale("log", base=2)
    decays.set_xscale("log")
    sections = {"degree": (degrees, "degree", np.arange(HIGHEST + 1)),
                "samples": (counts, "number of points n", np.array(COUNTS)),
                "weight_decay": (decays, "weight decay λ", np.geomspace(*DECAYS, 15))}
    ends = np.cumsum([len(values) for _, _, values in sections.values()])
    settings = {name: np.full(ends[-1] + 1, getattr(figure, name)) for name in sections}
    for (name, (_, _, values)), end in zip(sections.items(), ends, strict=True):
        settings[name][end - len(values):end] = values
    weights, empirical, true = figure.study(*data, **settings)  # all in one program; the last is the figure's own

    with enable_x64():
        places, truth, features = (np.asarray(part) for part in _nodes())
    curve.plot(places, truth, "--", color=plotting.GREY, label="the truth")
    curve.plot(places, features @ weights[-1], color=plotting.BLUE, label="the fit")
    curve.plot(x[:figure.samples], data[0][:figure.samples], "o", color=plotting.INK, markersize=4)
    curve.set(title=f"Degree {figure.degree}, {figure.samples} points", xlabel="x", ylabel="y", ylim=(-2.2, 2.2))
    curve.legend(fontsize=8)
    for (name, (ax, label, values)), end in zip(sections.items(), ends, strict=True):
        part = slice(end - len(values), end)
        ax.plot(values, true[part], color=plotting.ORANGE, label="true risk J*")
        ax.plot(values, empirical[part], color=plotting.BLUE, label="empirical risk J")
        ax.axhline(NOISE**2, color=plotting.GREY, linestyle="--", linewidth=1, label="σ², the least possible")
        ax.axvline(getattr(figure, name), color=plotting.INK, linewidth=0.8, alpha=0.4)
        ax.set(title=f"The risks against the {label}", xlabel=label, yscale="log", ylim=RISKS)
        ax.minorticks_off()
    degrees.set_xticks(range(0, HIGHEST + 1, 3))
    degrees.legend(fontsize=8)
    return picture
