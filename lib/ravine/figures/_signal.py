"""The live figure `signal`: random numbers pass through the layers of a network, and gradients come back."""

import functools
import inspect
import json

import jax
import jax.numpy as jnp
import numpy as np

from ravine import initializers, networks, notebook, plotting
from ravine._compat import enable_x64
from ravine.figures import _figure
from ravine.figures._emit import emit
from ravine.figures._playground import ACTIVATIONS, INITIALIZERS, activate, as_object, initializer, kernel

WIDTHS = {str(width): width for width in (8, 16, 32, 64)}
DEEPEST = 30
VALUES = 768  # in a layer: units × examples
ARGUMENT = 0.1  # of initializers that cannot do without one
SCALES = (0.2, 3.0)
SPAN = 3.0  # the histograms run from −SPAN to SPAN
BINS = 40
SIZES = (1e-4, 1e4)  # on the axis of sizes

# Where to take the mean of a function of a standard normal number. No node is 0, at which the slope of a ReLU jumps.
_NODES = np.linspace(-9, 9, 226)
_SHARES = np.exp(-(_NODES**2) / 2) / np.exp(-(_NODES**2) / 2).sum()


def call(name):
    """Return what an initializer is given, and how that call reads: ``(0.1, "normal(0.1)")``."""
    if initializer(name, 1.0)[1] is None:
        return 1.0, name
    (parameter,) = inspect.signature(getattr(initializers, name)).parameters.values()
    value = ARGUMENT if parameter.default is parameter.empty else parameter.default
    return value, f"{name}({value:g})"


# ---------------------------------------------------------------- what the page computes with


def _affine(h, weights, scale):
    width = weights.shape[0]
    return networks.mlp((width, width)).apply([{"kernel": scale * weights, "bias": jnp.zeros(width)}], h)


def _forward(h, weights, scale, which):
    """Return what a layer makes of h, before its activation and after it."""
    z = _affine(h, weights, scale)
    return z, activate(which, z)


def _backward(gradient, z, weights, scale, which):
    """Return the gradient of what came into a layer from that of what it made of it."""
    (gradient,) = jax.vjp(lambda z: activate(which, z), z)[1](gradient)
    return jax.vjp(lambda h: _affine(h, weights, scale), jnp.zeros_like(z))[1](gradient)[0]


def _expect(which, square, growth):
    r"""Return, for wide layers, the mean square after a layer and the factor by which that of the gradient grows.

    $$E[\varphi(\sqrt{cq}\,u)^2] \quad\text{and}\quad c\,E[\varphi'(\sqrt{cq}\,u)^2], \qquad u \sim N(0, 1)$$

    Here q is the mean square before the layer, and c = fan_in · E[w²] · scale²: sums of many independent terms of mean
    0 are normal, with variance cq. For a ReLU both are halves: cq/2 and c/2.
    """
    z = jnp.sqrt(growth * square) * _NODES
    value, slope = jax.jvp(lambda z: activate(which, z), (z,), (jnp.ones_like(z),))
    return _SHARES @ value**2, growth * (_SHARES @ slope**2)


class Signal(_figure.Figure):
    """The widget of `signal`: its arguments are its traits."""

    module = "signal"
    caption = ("Random inputs pass through the layers of a network as its initializer left it, and random gradients "
               "come back: their size at every layer, measured and by theory, and their histograms.")

    initializer = _figure.Choice("kaiming_normal", INITIALIZERS)
    activation = _figure.Choice("relu", ACTIVATIONS)
    scale = _figure.Number(1.0, f"[{SCALES[0]}, {SCALES[1]}]")
    depth = _figure.Count(DEEPEST, at_most=DEEPEST)
    width = _figure.Choice("64", WIDTHS)
    # With 64 units a seed ends between a tenth and twice of what it began with. This one is as theory says, for very
    # wide layers; the task sends the reader to the others.
    seed = _figure.Count(15, at_most=20)

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`."""
        sources, key = [emit("expect", _expect, 0, 1.0, 1.0)], jax.random.key(0)

        def add(name, fun, *arguments):
            sources.append(emit(name, fun, *arguments, unroll=1))
            return name

        def draw(name, width):
            kernel_of = kernel(name, width, width)
            return lambda key: kernel_of(key, call(name)[0])

        layers, starts = {}, {name: {"call": json.dumps(call(name)[1])} for name in INITIALIZERS}
        for text, width in WIDTHS.items():
            h, weights = np.zeros((VALUES // width, width)), np.zeros((width, width))
            layers[text] = as_object({
                "forward": add(f"forward_{text}", _forward, h, weights, 1.0, 0),
                "backward": add(f"backward_{text}", _backward, h, h, weights, 1.0, 0),
            })
            for name in INITIALIZERS:
                starts[name][text] = add(f"{name}_{text}", draw(name, width), key)
        facts = {"activations": {name: n for n, name in enumerate(ACTIVATIONS)}, "deepest": DEEPEST, "values": VALUES,
                 "span": SPAN, "bins": BINS, "scales": SCALES, "sizes": SIZES}
        return _figure.namespace(sources, as_object({
            "expect": "expect", "layers": as_object(layers),
            "initializers": as_object({name: as_object(each) for name, each in starts.items()}),
            **{name: json.dumps(fact) for name, fact in facts.items()}})[1:-1])

    def draw(self):
        """Return the weights, the inputs and the gradients at the other end: float64, drawn with the seed.

        Their shapes are (depth, width, width) and twice (examples, width).
        """
        with enable_x64():
            return tuple(np.asarray(part) for part in
                         _draws(self.initializer, self.depth, WIDTHS[self.width], self.seed))

    def run(self, weights=None, inputs=None, gradient=None):
        """Return the activations and the gradients at every layer, each of shape (depth + 1, examples, width).

        Args:
            weights: those of all layers; drawn by default, as the inputs and the gradient at the other end.
            inputs: what enters the first layer.
            gradient: of what the last one makes.
        """
        drawn = self.draw() if weights is None else (weights, inputs, gradient)
        with enable_x64():
            return tuple(np.asarray(part) for part in _pass(self.activation, self.scale, *drawn))

    def theory(self, weights):
        """Return the root mean squares of activations and gradients that wide layers would have: shape (2, depth + 1).

        Args:
            weights: of all layers; only their mean square counts.
        """
        growth = weights.shape[-1] * np.mean(weights**2) * self.scale**2
        squares, factors = [1.0], []
        with enable_x64():
            for _ in range(self.depth):
                square, factor = _wide(list(ACTIVATIONS).index(self.activation), squares[-1], growth)
                squares.append(float(square))
                factors.append(float(factor))
        return np.sqrt([squares, np.cumprod([1.0, *factors[::-1]])[::-1]])

    def still(self):
        """Return the text of an `<svg>` with the sizes by layer, and the histograms."""
        return notebook.svg(_draw(self), self.caption)


def signal(initializer="kaiming_normal", activation="relu", scale=1.0, depth=DEEPEST, width=64, seed=15):
    r"""Return the live figure of a signal's way through the layers: drag the scale, and see it grow or die.

    $$h_0 \sim N(0, 1), \qquad h_l = \varphi(s\, h_{l-1} W_l), \qquad \partial f / \partial h_n \sim N(0, 1)$$

    Multiply all weights by 1.1, and after thirty layers of ReLU the signal is 17 times as large. Take tanh, and weights
    of variance 1/d: it decays like $1/\sqrt{2l}$. The arguments are attributes of the figure that is returned, and
    follow what the reader does with it.

    Args:
        initializer: the name of one of `ravine.initializers`, for all W; one that cannot do without a number gets 0.1.
        activation: φ: "tanh", "relu", "sigmoid", "gelu" or "linear".
        scale: s in [0.2, 3].
        depth: n, the number of layers, 1 to 30.
        width: the units of every layer: 8, 16, 32 or 64. There are 768 / width examples.
        seed: of weights, inputs and gradients, 1 to 20.

    Raises:
        TypeError: a number is none, or no whole one for `depth` and `seed`.
        ValueError: an argument is none of the words, or outside its range.
    """
    return Signal(initializer=initializer, activation=activation, scale=scale, depth=depth, width=str(width), seed=seed)


# ---------------------------------------------------------------- the same in Python


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _draws(name, depth, width, seed):
    kernels, inputs, gradient = jax.random.split(jax.random.key(seed), 3)
    weights = jax.lax.map(lambda key: kernel(name, width, width)(key, call(name)[0]), jax.random.split(kernels, depth))
    return weights, *(jax.random.normal(key, (VALUES // width, width)) for key in (inputs, gradient))


@functools.partial(jax.jit, static_argnums=0)
def _pass(activation, scale, weights, inputs, gradient):
    """Return all activations, and the gradients with respect to them, by `jax.vjp` of the layers that follow."""
    def layers(nudges):  # one added to what comes out of each layer, so that it has the gradient wanted there
        def layer(h, weights_and_nudge):
            weights, nudge = weights_and_nudge
            h = ACTIVATIONS[activation](scale * h @ weights) + nudge
            return h, h

        first = inputs + nudges[0]
        last, later = jax.lax.scan(layer, first, (weights, nudges[1:]))
        return last, jnp.concatenate([first[None], later])

    _, pull, activations = jax.vjp(layers, jnp.zeros((len(weights) + 1, *inputs.shape)), has_aux=True)
    return activations, pull(gradient)[0]


_wide = jax.jit(_expect)


# ---------------------------------------------------------------- the still picture


def _draw(figure):
    plotting.set_style()
    picture, axes = plotting.plt.subplots(2, 2, figsize=(7.6, 6))
    drawn = figure.draw()
    theory = figure.theory(drawn[0])
    layers = np.unique(np.linspace(0, figure.depth, min(figure.depth, 10) + 1).round().astype(int))
    parts = zip(("activations", "gradients"), (plotting.BLUE, plotting.ORANGE), figure.run(*drawn), theory,
                axes.T, strict=True)
    for name, colour, values, by_theory, (sizes, histograms) in parts:
        sizes.semilogy(np.sqrt((values**2).mean((1, 2))), color=colour, label="measured")
        sizes.semilogy(by_theory, "--", color=plotting.GREY, label="theory, for wide layers")
        sizes.set(title=f"The size of the {name}", xlabel="layer", ylabel="root mean square", ylim=SIZES)
        sizes.legend(fontsize=8)
        for place, layer in enumerate(layers):
            counts, edges = np.histogram(values[layer], BINS, (-SPAN, SPAN))
            density = np.minimum(counts / values[layer].size / (edges[1] - edges[0]) / 0.3, 2.4)
            histograms.fill_between((edges[1:] + edges[:-1]) / 2, place, place + density, color=colour, alpha=0.35,
                                    linewidth=0.8, zorder=-place)
        histograms.set(title=f"The {name}, layer by layer", xlabel="value", ylabel="layer")
        histograms.set_yticks(range(len(layers)), layers)
    return picture
