r"""Starting weights: functions ``(key, shape, dtype) -> array``, as in `jax.nn.initializers`.

A weight matrix has the shape (fan_in, fan_out), so that a layer is x W; PyTorch's are the other way round. With more
than two axes, as in a convolution, the last two are the channels in and out, and the ones before are the receptive
field: fan_in and fan_out are both multiplied by its size. A gain g scales the variance by g².
"""

import functools

import jax
import jax.numpy as jnp

from ravine import _check


def zeros(key, shape, dtype=float):
    """Return zeros: right for biases; weights that all begin alike stay alike."""
    return constant(0.0)(key, shape, dtype)


def constant(value):
    """Return an initializer that fills an array with one value.

    Args:
        value: a number.

    Raises:
        TypeError: it is not a number.
        ValueError: it is not finite.
    """
    return functools.partial(_constant, _check.number("value", value, scalar=True))


def _constant(value, key, shape, dtype=float):
    return jnp.full(_shape(shape), value, _dtype(dtype))


def normal(stddev):
    r"""Return an initializer of independent normal numbers with mean 0, $W_{ij} \sim N(0, \sigma^2)$.

    Args:
        stddev: σ ≥ 0, whatever the size of the layer.

    Raises:
        TypeError: it is not a number.
        ValueError: it is negative or not finite.

    Equal, for the same key, to ``jax.nn.initializers.normal(σ)``.

    Example:
        >>> import jax, ravine as rv
        >>> rv.initializers.normal(0.01)(jax.random.key(0), (784, 100)).shape
        (784, 100)
    """
    return functools.partial(_normal, _check.number("stddev", stddev, "[0, inf)", scalar=True))


def _normal(stddev, key, shape, dtype=float):
    return jax.nn.initializers.normal(stddev)(_check.key("key", key), _shape(shape), _dtype(dtype))


def fan_in_normal():
    r"""Return an initializer with $W_{ij} \sim N(0, 1/d)$, d = fan_in: a linear layer keeps the variance of its input.

    Equal, for the same key, to ``variance_scaling(1, "fan_in", "normal")`` of `jax.nn.initializers`.

    Source: LeCun et al. (1998).
    """
    return functools.partial(_scaled, "fan_in", "normal", 1.0)


def kaiming_normal():
    r"""Return an initializer with $W_{ij} \sim N(0, 2/d)$, d = fan_in, for layers followed by a ReLU.

    A ReLU passes half of the second moment on; the 2 makes up for it.

    Equal, for the same key, to ``variance_scaling(2, "fan_in", "normal")`` of `jax.nn.initializers`. Its ``he_normal``
    is another: a normal cut off at ±2σ, and stretched so that the variance is the same.

    Source: He et al. (2015).

    Example:
        >>> import jax, ravine as rv
        >>> w = rv.initializers.kaiming_normal()(jax.random.key(0), (200, 1000))
        >>> round(float(w.var() * 200), 1)
        2.0
    """
    return functools.partial(_scaled, "fan_in", "normal", 2.0)


def kaiming_uniform():
    r"""Return an initializer with $W_{ij} \sim U[-\sqrt{6/d}, \sqrt{6/d}]$, d = fan_in: the variance is 2/d.

    Equal, for the same key, to ``he_uniform()`` of `jax.nn.initializers`. PyTorch's layers start with another one.

    Source: He et al. (2015).
    """
    return functools.partial(_scaled, "fan_in", "uniform", 2.0)


def xavier_uniform(gain=1.0):
    r"""Return an initializer with $W_{ij} \sim U[-b, b]$, $b = g \sqrt{6 / (\text{fan\_in} + \text{fan\_out})}$.

    The variance is 2g²/(fan_in + fan_out): between what keeps the variance of activations and what keeps that of
    gradients.

    Args:
        gain: g > 0, for tanh 1 at small inputs.

    Raises:
        TypeError: the gain is not a number.
        ValueError: it is not positive.

    Equal, for the same key and gain 1, to ``glorot_uniform()`` of `jax.nn.initializers`.

    Source: Glorot & Bengio (2010).
    """
    return functools.partial(_scaled, "fan_avg", "uniform", _gain(gain) ** 2)


def xavier_normal(gain=1.0):
    r"""Return an initializer with $W_{ij} \sim N(0, 2 g^2 / (\text{fan\_in} + \text{fan\_out}))$.

    Args:
        gain: g > 0.

    Raises:
        TypeError: the gain is not a number.
        ValueError: it is not positive.

    Equal, for the same key and gain 1, to ``variance_scaling(1, "fan_avg", "normal")`` of `jax.nn.initializers`, whose
    ``glorot_normal`` is cut off at ±2σ.

    Source: Glorot & Bengio (2010).
    """
    return functools.partial(_scaled, "fan_avg", "normal", _gain(gain) ** 2)


def sigmoid_xavier_uniform():
    r"""Return `xavier_uniform` with gain 4, for layers followed by the logistic sigmoid.

    $$W_{ij} \sim U\!\left[-4\sqrt{\tfrac{6}{\text{fan\_in} + \text{fan\_out}}},\;
      4\sqrt{\tfrac{6}{\text{fan\_in} + \text{fan\_out}}}\right]$$

    The slope of the sigmoid at 0 is a quarter of that of tanh.

    Source: Glorot & Bengio (2010), as the deep-learning tutorials give it.
    """
    return xavier_uniform(4.0)


def _scaled(mode, distribution, scale, key, shape, dtype=float):
    scaling = jax.nn.initializers.variance_scaling(scale, mode, distribution)
    return scaling(_check.key("key", key), _shape(shape, axes=2), _dtype(dtype))


def orthogonal(gain=1.0):
    r"""Return an initializer of a random orthogonal matrix times a gain: $W^\top W = g^2 I$, or $W W^\top$ if wide.

    A layer then keeps the length of every vector (a wide one, of those that it does not drop), not only the mean
    square. More than two axes are taken as a matrix of fan_in rows and fan_out columns.

    Args:
        gain: g > 0.

    Raises:
        TypeError: the gain is not a number.
        ValueError: it is not positive.

    Equal, for the same key, to ``jax.nn.initializers.orthogonal(g)``.

    Source: Saxe, McClelland & Ganguli (2014).
    """
    return functools.partial(_orthogonal, _gain(gain))


def _orthogonal(gain, key, shape, dtype=float):
    precise = jnp.promote_types(_dtype(dtype), jnp.float32)  # there is no QR decomposition in half precision
    draw = jax.nn.initializers.orthogonal(gain)
    return draw(_check.key("key", key), _shape(shape, axes=2), precise).astype(dtype)


def _gain(gain):
    return _check.number("gain", gain, "(0, 1e150)", scalar=True)  # so that its square is a number


def _shape(shape, axes=0):
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"shape = {shape!r}: must be a tuple of sizes, such as (fan_in, fan_out)")
    if len(shape) < axes:
        raise ValueError(f"shape = {tuple(shape)}: must have at least {axes} axes, fan_in and fan_out the last")
    return tuple(_check.count(f"shape[{i}]", size) for i, size in enumerate(shape))


def _dtype(dtype):
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(f"dtype = {dtype!r}: must be a floating-point type")
    return dtype
