"""The few networks that the chapters train: each a pair of pure functions, `init` and `apply`, over a tree of arrays.

Dense kernels have the shape (fan_in, fan_out), and an initializer is any function ``(key, shape, dtype) -> array``.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from ravine import _check

_he_normal = jax.nn.initializers.he_normal()
_orthogonal = jax.nn.initializers.orthogonal()
_small_normal = jax.nn.initializers.normal(0.02)


class Network(NamedTuple):
    """A network.

    Attributes:
        init: ``init(key, dtype=float) -> params``; with batch normalization ``-> (params, state)``.
        apply: ``apply(params, x) -> outputs``; with batch normalization
            ``apply(params, state, x, train) -> (outputs, state)``.
    """

    init: Callable
    apply: Callable


def mlp(sizes, activation=jax.nn.relu, weight_init=_he_normal, bias_init=jax.nn.initializers.zeros):
    r"""Return a multilayer perceptron, whose last layer is linear.

    $$h_0 = x, \qquad h_l = \varphi(h_{l-1} W_l + b_l), \qquad \text{outputs} = h_{L-1} W_L + b_L$$

    Args:
        sizes: the widths (inputs, hidden, …, outputs), at least two.
        activation: φ, a function of an array.
        weight_init: the initializer of the kernels.
        bias_init: the initializer of the biases.

    Returns:
        A `Network`: ``params`` is a list with a ``{"kernel", "bias"}`` for each layer, and ``apply`` takes x of shape
        (…, inputs) to (…, outputs).

    Raises:
        ValueError: fewer than two sizes, or one below 1; or ``apply`` is given x of another width.
        TypeError: a size is no whole number, or one of the three is no function.

    Example:
        >>> import jax, ravine as rv
        >>> network = rv.networks.mlp((2, 8, 3))
        >>> params = network.init(jax.random.key(0))
        >>> network.apply(params, jax.numpy.ones((5, 2))).shape
        (5, 3)
    """
    sizes = _checked(sizes, activation=activation, weight_init=weight_init, bias_init=bias_init)
    return Network(functools.partial(_init_mlp, sizes, weight_init, bias_init),
                   functools.partial(_apply_mlp, activation))


def _checked(sizes, **functions):
    if not isinstance(sizes, (tuple, list)):
        raise TypeError(f"sizes = {sizes!r}: must be a tuple such as (2, 16, 3)")
    if len(sizes) < 2:
        raise ValueError(f"sizes = {sizes!r}: must be at least two, the inputs and the outputs")
    _callable(**functions)
    return tuple(_check.count(f"sizes[{i}]", size) for i, size in enumerate(sizes))


def _callable(**functions):
    for name, function in functions.items():
        if not callable(function):
            raise TypeError(f"{name} = {function!r}: must be a function")


def _init_mlp(sizes, weight_init, bias_init, key, dtype=float):
    keys = jax.random.split(key, len(sizes) - 1)
    return [_init_dense(*fans, weight_init, bias_init, key, dtype)
            for key, *fans in zip(keys, sizes[:-1], sizes[1:], strict=True)]


def _init_dense(fan_in, fan_out, weight_init, bias_init, key, dtype):
    dtype = jnp.zeros((), dtype).dtype  # `float` is float32 or float64, as JAX is set
    weight_key, bias_key = jax.random.split(key)
    return {"kernel": weight_init(weight_key, (fan_in, fan_out), dtype), "bias": bias_init(bias_key, (fan_out,), dtype)}


def _dense(layer, x):
    if jnp.shape(x)[-1:] != layer["kernel"].shape[:1]:
        raise ValueError(f"x has shape {jnp.shape(x)}: its last axis must have length {layer['kernel'].shape[0]}")
    return x @ layer["kernel"] + layer["bias"]


def _apply_mlp(activation, params, x):
    *hidden, last = params
    for layer in hidden:
        x = activation(_dense(layer, x))
    return _dense(last, x)


def batch_norm(features, decay=0.9, eps=1e-5):
    r"""Return a layer of batch normalization.

    $$y = \gamma\,\frac{x - \mu}{\sqrt{v + \varepsilon}} + \beta, \qquad
      m \leftarrow \rho m + (1 - \rho)\,\mu, \quad s \leftarrow \rho s + (1 - \rho)\,v$$

    In training μ and v are the mean and the variance of each feature over the batch (divided by its size n, not
    n − 1), and the state (m, s) follows them. In evaluation μ = m and v = s, and the state stays.

    Args:
        features: the length of the last axis; all other axes are averaged over.
        decay: ρ in [0, 1).
        eps: ε > 0.

    Returns:
        A `Network` with state: ``init(key) -> ({"scale", "shift"}, {"mean", "variance"})`` (the key is not used) and
        ``apply(params, state, x, train) -> (y, state)``, where ``train`` is a Python bool.

    Raises:
        ValueError: `features` is below 1, or `decay` or `eps` out of its range.
        TypeError: one of the three is not of its kind.

    Source: Ioffe and Szegedy (2015).
    """
    features = _check.count("features", features)
    decay = _check.number("decay", decay, "[0, 1)", scalar=True)
    eps = _check.number("eps", eps, "(0, inf)", scalar=True)
    return Network(functools.partial(_init_batch_norm, features), functools.partial(_apply_batch_norm, decay, eps))


def _init_batch_norm(features, key, dtype=float):
    ones, zeros = jnp.ones(features, dtype), jnp.zeros(features, dtype)
    return {"scale": ones, "shift": zeros}, {"mean": zeros, "variance": ones}


def _apply_batch_norm(decay, eps, params, state, x, train):
    if _check.flag("train", train):
        axes = tuple(range(x.ndim - 1))
        now = {"mean": jnp.mean(x, axes), "variance": jnp.var(x, axes)}
        state = jax.tree.map(lambda old, new: decay * old + (1 - decay) * new, state, now)
    else:
        now = state
    return params["scale"] * (x - now["mean"]) / jnp.sqrt(now["variance"] + eps) + params["shift"], state


def batch_norm_mlp(sizes, activation=jax.nn.relu, weight_init=_he_normal, bias_init=jax.nn.initializers.zeros,
                   decay=0.9, eps=1e-5):
    """Return an `mlp` with a `batch_norm` before each activation; arguments and errors as theirs.

    Returns:
        A `Network` with state: ``params`` is ``{"dense": [...], "norm": [...]}``, ``state`` a list for the hidden
        layers, and ``apply(params, state, x, train) -> (outputs, state)``.
    """
    dense = mlp(sizes, activation, weight_init, bias_init)
    norms = [batch_norm(size, decay, eps) for size in sizes[1:-1]]

    def init(key, dtype=float):
        pairs = [norm.init(key, dtype) for norm in norms]
        return {"dense": dense.init(key, dtype), "norm": [params for params, _ in pairs]}, [state for _, state in pairs]

    def apply(params, state, x, train):
        *hidden, last = params["dense"]
        states = []
        for layer, norm, scale, old in zip(hidden, norms, params["norm"], state, strict=True):
            x, new = norm.apply(scale, old, _dense(layer, x), train)
            x = activation(x)
            states.append(new)
        return _dense(last, x), states

    return Network(init, apply)


def recurrent(inputs, hidden, outputs, activation=jnp.tanh, weight_init=_he_normal, recurrent_init=_orthogonal):
    r"""Return a plain recurrent network, which begins at h₀ = 0.

    $$h_t = \varphi(x_t U + b + h_{t-1} W), \qquad \text{outputs}_t = h_t V + c$$

    Args:
        inputs: the width of x.
        hidden: the width of h.
        outputs: the width of the outputs.
        activation: φ, a function of an array.
        weight_init: the initializer of U and V.
        recurrent_init: the initializer of W; its eigenvalues decide what becomes of gradients over many steps.

    Returns:
        A `Network`: ``params`` is ``{"input": {"kernel", "bias"}, "recurrent", "output": {"kernel", "bias"}}``, and
        ``apply`` takes x of shape (…, time, inputs) to (…, time, outputs).

    Raises:
        ValueError: a width is below 1; or ``apply`` is given x of another width.
        TypeError: a width is no whole number, or one of the three is no function.

    Source: Elman (1990).
    """
    sizes = [_check.count(name, size) for name, size in (("inputs", inputs), ("hidden", hidden), ("outputs", outputs))]
    _callable(activation=activation, weight_init=weight_init, recurrent_init=recurrent_init)
    return Network(functools.partial(_init_recurrent, sizes, weight_init, recurrent_init),
                   functools.partial(_apply_recurrent, activation))


def _init_recurrent(sizes, weight_init, recurrent_init, key, dtype=float):
    inputs, hidden, outputs = sizes
    zeros, keys = jax.nn.initializers.zeros, jax.random.split(key, 3)
    params = {"input": _init_dense(inputs, hidden, weight_init, zeros, keys[0], dtype),
              "output": _init_dense(hidden, outputs, weight_init, zeros, keys[1], dtype)}
    kernel = params["input"]["kernel"]
    return params | {"recurrent": recurrent_init(keys[2], (hidden, hidden), kernel.dtype)}


def _apply_recurrent(activation, params, x):
    driven = _dense(params["input"], x)

    def step(h, driven):
        h = activation(driven + h @ params["recurrent"])
        return h, h

    _, h = jax.lax.scan(step, jnp.zeros_like(driven[..., 0, :]), jnp.moveaxis(driven, -2, 0))
    return _dense(params["output"], jnp.moveaxis(h, 0, -2))


def transformer(vocabulary, length, width=32, heads=2, layers=2, weight_init=_small_normal):
    r"""Return a small transformer that predicts each next token: causal attention, normalized before each block.

    $$h \leftarrow h + \mathrm{attention}(\mathrm{norm}(h)), \qquad h \leftarrow h + \mathrm{mlp}(\mathrm{norm}(h)),
      \qquad \mathrm{attention} = \mathrm{softmax}(QK^\top / \sqrt{d})\,V$$

    Args:
        vocabulary: the number of tokens.
        length: the longest sequence.
        width: the width of h; the MLP of each block is four times as wide, with a GELU.
        heads: the number of attention heads, a divisor of `width`; d = width / heads.
        layers: the number of blocks.
        weight_init: the initializer of all matrices, embeddings of tokens and places included.

    Returns:
        A `Network`: ``apply`` takes tokens, integers of shape (…, time), to logits of shape (…, time, vocabulary).

    Raises:
        ValueError: a size is below 1, or `heads` does not divide `width`; or ``apply`` is given a longer sequence.
        TypeError: a size is no whole number, or ``apply`` is given tokens that are no integers.

    Source: Vaswani et al. (2017); normalisation first as Xiong et al. (2020).
    """
    sizes = {"vocabulary": vocabulary, "length": length, "width": width, "heads": heads, "layers": layers}
    vocabulary, length, width, heads, layers = (_check.count(name, size) for name, size in sizes.items())
    _callable(weight_init=weight_init)
    if width % heads:
        raise ValueError(f"heads = {heads}: must divide width = {width}")
    return Network(functools.partial(_init_transformer, vocabulary, length, width, layers, weight_init),
                   functools.partial(_apply_transformer, heads))


def _init_transformer(vocabulary, length, width, layers, weight_init, key, dtype=float):
    def dense(key, fan_in, fan_out):
        return _init_dense(fan_in, fan_out, weight_init, jax.nn.initializers.zeros, key, dtype)

    def norm():
        return {"scale": jnp.ones(width, dtype), "shift": jnp.zeros(width, dtype)}

    def block(key):
        keys = jax.random.split(key, 4)
        return {"attend": norm(), "mix": dense(keys[0], width, 3 * width), "merge": dense(keys[1], width, width),
                "think": norm(), "up": dense(keys[2], width, 4 * width), "down": dense(keys[3], 4 * width, width)}

    first, second, last, *keys = jax.random.split(key, 3 + layers)
    kind = jnp.zeros((), dtype).dtype
    return {"tokens": weight_init(first, (vocabulary, width), kind),
            "places": weight_init(second, (length, width), kind),
            "blocks": [block(key) for key in keys], "norm": norm(), "output": dense(last, width, vocabulary)}


def _apply_transformer(heads, params, tokens):
    tokens = jnp.asarray(tokens)
    if not jnp.issubdtype(tokens.dtype, jnp.integer):
        raise TypeError(f"tokens has dtype {tokens.dtype}: must be integers")
    length = params["places"].shape[0]
    if tokens.ndim < 1 or tokens.shape[-1] > length:
        raise ValueError(f"tokens has shape {tokens.shape}: its last axis must be there and at most {length} long")
    h = params["tokens"][tokens] + params["places"][:tokens.shape[-1]]
    for block in params["blocks"]:
        h = h + _dense(block["merge"], _attention(heads, _dense(block["mix"], _layer_norm(block["attend"], h))))
        h = h + _dense(block["down"], jax.nn.gelu(_dense(block["up"], _layer_norm(block["think"], h))))
    return _dense(params["output"], _layer_norm(params["norm"], h))


def _layer_norm(params, x):
    centred = x - jnp.mean(x, -1, keepdims=True)
    return params["scale"] * centred / jnp.sqrt(jnp.mean(centred**2, -1, keepdims=True) + 1e-5) + params["shift"]


def _attention(heads, mixed):
    # (…, time, 3 · heads · d): queries, keys and values beside each other, and in each of them the heads
    parts = mixed.reshape(*mixed.shape[:-1], 3, heads, -1)
    query, key, value = (parts[..., i, :, :] for i in range(3))
    scores = jnp.einsum("...qhd,...khd->...hqk", query, key) / math.sqrt(query.shape[-1])
    past = jnp.tri(mixed.shape[-2], dtype=bool)
    weights = jax.nn.softmax(jnp.where(past, scores, -jnp.inf))
    return jnp.einsum("...hqk,...khd->...qhd", weights, value).reshape(*mixed.shape[:-1], -1)
