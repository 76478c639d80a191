"""Rules that divide each gradient by its usual size, so that every parameter gets a rate of its own."""

import jax
import jax.numpy as jnp

from ravine import _check
from ravine.optimizers._lift import lift
from ravine.optimizers._momentum import unbiased

_DECAY = "[0, 1)"
_EPS = "[0, inf)"


@jax.custom_jvp
def root(x):
    """Return √x with derivative 0 at 0: the true one is infinite and would make gradients NaN."""
    return jnp.sqrt(x)


@root.defjvp
def _slope_of_root(at, along):
    (x,), (dx,) = at, along
    y = root(x)
    return y, ratio(dx, 2 * y)


def ratio(step, scale, least=0.0):
    """Return step / scale, and 0 where scale is 0: a parameter that never saw a gradient stays where it is.

    A scale of which it is known that it is not 0, since a positive number `least` is part of it, needs no such guard.
    """
    if isinstance(least, float) and least >= jnp.finfo(scale.dtype).tiny:  # what is smaller may be rounded to 0
        return step / scale
    none = scale == 0
    return jnp.where(none, 0, step / jnp.where(none, 1, scale))


def adagrad(learning_rate, eps=1e-8, initial_accumulator=0.0):
    r"""Divide each gradient by the root of the sum of all squared gradients so far.

    $$r \leftarrow r + g^2, \qquad w \leftarrow w - \eta\, \frac{g}{\sqrt r + \varepsilon}$$

    The rate of a parameter falls for good with every gradient that it sees, fastest where gradients are large.

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        eps: ε ≥ 0, added to the root. With ε = 0, a parameter whose gradients were all 0 stays where it is.
        initial_accumulator: r before the first step, ≥ 0, in units of squared gradients.

    Returns:
        An `optax.GradientTransformation` with one slot, r.

    Raises:
        ValueError: a number outside its range.
        TypeError: one of them is not a number.

    Source: Duchi, Hazan & Singer (2011). Equal to ``optax.adagrad(η, initial_accumulator_value=…, eps=0)`` where ε = 0;
    with ε > 0 Optax has it inside the root, and it starts its accumulator at 0.1 by default.

    Example:
        Down a slope of 3, the steps shrink like η/√t: only the signs of equal gradients count.

        >>> import ravine as rv
        >>> path = rv.minimize(lambda w: 3 * w, 0.0, rv.adagrad(1.0), steps=4).path
        >>> (path[1:] - path[:-1]).round(3).tolist()
        [-1.0, -0.707, -0.577, -0.5]
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    eps = _check.number("eps", eps, _EPS)
    initial_accumulator = _check.number("initial_accumulator", initial_accumulator, "[0, inf)", scalar=True)
    return lift(_adagrad, learning_rate, slots=(initial_accumulator,), eps=eps)


def _adagrad(g, r, *, learning_rate, eps):
    r = r + g**2
    return -learning_rate * ratio(g, root(r) + eps, eps), r


def adadelta(learning_rate=1.0, decay=0.95, eps=1e-6):
    r"""Steps in the parameter's own units: the root mean square of past steps over that of gradients.

    $$r \leftarrow \rho r + (1-\rho) g^2, \quad
      \Delta = \frac{\sqrt{u + \varepsilon}}{\sqrt{r + \varepsilon}}\, g, \quad
      u \leftarrow \rho u + (1-\rho) \Delta^2, \quad w \leftarrow w - \eta \Delta$$

    It needs no learning rate: η = 1 is Zeiler's rule. What sets its pace at the start is ε, which stands inside the
    roots here.

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        decay: ρ in [0, 1), the weight of the old averages.
        eps: ε ≥ 0, in units of squared gradients and of squared steps; with 0 nothing ever moves.

    Returns:
        An `optax.GradientTransformation` with two slots, r and u.

    Raises:
        ValueError: a number outside its range.
        TypeError: one of them is not a number.

    Source: Zeiler (2012). Equal to ``optax.adadelta(η, rho=ρ, eps=ε)``; with its own default rate, None, that climbs.
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    decay = _check.number("decay", decay, _DECAY)
    return lift(_adadelta, learning_rate, slots=(0.0, 0.0), decay=decay, eps=_check.number("eps", eps, _EPS))


def _adadelta(g, r, u, *, learning_rate, decay, eps):
    r = decay * r + (1 - decay) * g**2
    step = ratio(root(u + eps), root(r + eps), eps) * g
    u = decay * u + (1 - decay) * step**2
    return -learning_rate * step, r, u


def rmsprop(learning_rate, decay=0.9, eps=1e-8, momentum=None, nesterov=False, centered=False):
    r"""Divide each gradient by the root of a moving average of its square.

    $$r \leftarrow \alpha r + (1-\alpha) g^2, \qquad w \leftarrow w - \eta\, \frac{g}{\sqrt r + \varepsilon}$$

    Large gradients are tamed and small ones boosted, and unlike in `adagrad` old ones are forgotten. Centred, r is
    replaced by r − m², with m a moving average of g: the variance. With momentum μ the steps s above are added up,
    v ← μv + s, and w moves by v, or by s + μv (Nesterov).

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        decay: α in [0, 1), the weight of the old averages.
        eps: ε ≥ 0, added to the root. With ε = 0, a parameter whose gradients were all 0 stays where it is.
        momentum: μ in [0, 1), or None for none.
        nesterov: whether the momentum is Nesterov's.
        centered: whether the average of the gradients is taken off.

    Returns:
        An `optax.GradientTransformation`; its slots are v (with momentum), r, and m (centred).

    Raises:
        ValueError: a number outside its range, or `nesterov` without `momentum`.
        TypeError: one of them is not a number.

    Source: Tieleman & Hinton (2012); centred, Graves (2013). Equal to ``optax.rmsprop(…, eps_in_sqrt=False)``, momentum
    after the rate; PyTorch has it before. Where rounding makes r − m² negative it counts as 0; Optax gives NaN.
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    constants = {"decay": _check.number("decay", decay, _DECAY), "eps": _check.number("eps", eps, _EPS)}
    formula, slots = (_centered_rmsprop, (0.0, 0.0)) if _check.flag("centered", centered) else (_rmsprop, (0.0,))
    nesterov = _check.flag("nesterov", nesterov)
    if momentum is None:
        if nesterov:
            raise ValueError("nesterov = True: needs momentum, the share of the old step that is kept")
        return lift(formula, learning_rate, slots=slots, **constants)
    momentum = _check.number("momentum", momentum, _DECAY)
    return lift(_with_momentum, learning_rate, slots=(0.0, *slots), inner=formula, momentum=momentum,
                nesterov=nesterov, **constants)


def _rmsprop(g, r, *, learning_rate, decay, eps):
    r = decay * r + (1 - decay) * g**2
    return -learning_rate * ratio(g, root(r) + eps, eps), r


def _centered_rmsprop(g, r, m, *, learning_rate, decay, eps):
    r = decay * r + (1 - decay) * g**2
    m = decay * m + (1 - decay) * g
    return -learning_rate * ratio(g, root(jnp.maximum(r - m**2, 0)) + eps, eps), r, m


def _with_momentum(g, v, *slots, inner, momentum, nesterov, **numbers):
    step, *slots = inner(g, *slots, **numbers)
    v = momentum * v + step
    return (step + momentum * v if nesterov else v), v, *slots


def adam(learning_rate, b1=0.9, b2=0.999, eps=1e-8, debias=True):
    r"""A moving average of the gradients over the root of one of their squares, both unbiased.

    $$m \leftarrow \beta_1 m + (1-\beta_1) g, \quad v \leftarrow \beta_2 v + (1-\beta_2) g^2, \quad
      w \leftarrow w - \eta\, \frac{\hat m}{\sqrt{\hat v} + \varepsilon}, \quad
      \hat m = \frac{m}{1-\beta_1^t}, \ \hat v = \frac{v}{1-\beta_2^t}$$

    Without the correction (`debias` False, as one of the notes prints it) v is too small for the first 1/(1 − β₂)
    steps, more so than m, and those steps are too large.

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        b1: β₁ in [0, 1), the weight of the old average of gradients.
        b2: β₂ in [0, 1), the weight of the old average of their squares.
        eps: ε ≥ 0, added to the root. With ε = 0, a parameter whose gradients were all 0 stays where it is.
        debias: whether m and v are corrected for having begun at 0.

    Returns:
        An `optax.GradientTransformation` with two slots, m and v.

    Raises:
        ValueError: a number outside its range.
        TypeError: one of them is not a number.

    Source: Kingma & Ba (2015). Equal to ``optax.adam(η, b1, b2, eps)``.

    Example:
        The first step is η long whatever the size of the gradient; without the correction it is 0.1/√0.001 times that.

        >>> import ravine as rv
        >>> for debias in (True, False):
        ...     rule = rv.adam(0.01, debias=debias)
        ...     print([round(float(rv.minimize(lambda w: s * w, 0.0, rule, steps=1).params), 4) for s in (1, 1000)])
        [-0.01, -0.01]
        [-0.0316, -0.0316]
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    if _check.flag("debias", debias):
        return lift(_adam, learning_rate, slots=(0.0, 0.0), counts=True, **_moments(b1, b2, eps))
    return lift(_biased_adam, learning_rate, slots=(0.0, 0.0), **_moments(b1, b2, eps))


def _moments(b1, b2, eps):
    return {"b1": _check.number("b1", b1, _DECAY), "b2": _check.number("b2", b2, _DECAY),
            "eps": _check.number("eps", eps, _EPS)}


def _adam(g, m, v, *, learning_rate, b1, b2, eps, t):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    return -learning_rate * ratio(unbiased(m, b1, t), root(unbiased(v, b2, t)) + eps, eps), m, v


def _biased_adam(g, m, v, *, learning_rate, b1, b2, eps):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    return -learning_rate * ratio(m, root(v) + eps, eps), m, v


def adamw(learning_rate, b1=0.9, b2=0.999, eps=1e-8, debias=True, weight_decay=1e-2):
    r"""Adam with decoupled weight decay: the weights shrink by a share of their own, whatever their gradients.

    $$w \leftarrow w - \eta \left(\frac{\hat m}{\sqrt{\hat v} + \varepsilon} + \lambda w\right)$$

    An L2 penalty would put λw into g, and so through the division: weights with large gradients would decay less.

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``; it scales the decay as well.
        b1: β₁ in [0, 1), the weight of the old average of gradients.
        b2: β₂ in [0, 1), the weight of the old average of their squares.
        eps: ε ≥ 0, added to the root.
        debias: whether m and v are corrected for having begun at 0.
        weight_decay: λ ≥ 0.

    Returns:
        An `optax.GradientTransformation` with two slots, m and v; its ``update`` needs ``params``.

    Raises:
        ValueError: a number outside its range.
        TypeError: one of them is not a number, or update is called without ``params``.

    Source: Loshchilov & Hutter (2019). Equal to ``optax.adamw`` at the same ``weight_decay``.
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    debias = _check.flag("debias", debias)
    return lift(with_weight_decay, learning_rate, slots=(0.0, 0.0), counts=debias, params=True,
                inner=_adam if debias else _biased_adam, **_moments(b1, b2, eps),
                weight_decay=_check.number("weight_decay", weight_decay, "[0, inf)"))


def with_weight_decay(g, *slots, w, learning_rate, inner, weight_decay, **numbers):
    """Do what the rule `inner` does, and shrink the weights."""
    step, *slots = inner(g, *slots, learning_rate=learning_rate, **numbers)
    if isinstance(weight_decay, float) and weight_decay == 0:
        return step, *slots
    return step - learning_rate * weight_decay * w, *slots
