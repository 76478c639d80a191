"""Rules that look at the sign of the gradient: whether it stays, or nothing else at all."""

import jax.numpy as jnp

from ravine import _check
from ravine.optimizers._adaptive import with_weight_decay
from ravine.optimizers._lift import lift

_DECAY = "[0, 1)"


def local_gains(learning_rate, delta=0.05, bounds=(0.1, 10.0)):
    r"""Gradient descent with a gain for every parameter: a little more while its gradient keeps its sign, else less.

    $$k \leftarrow \begin{cases} k + \delta & g\,g^- > 0 \\ k\,(1-\delta) & g\,g^- \le 0 \end{cases}, \qquad
      w \leftarrow w - \eta\, k\, g$$

    Gains grow by addition and fall by multiplication, so one change of sign undoes several steps of growth. They start
    at 1; before the first step the last gradient g⁻ is 0.

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        delta: δ in [0, 1), what is added, and the share that is taken off.
        bounds: (low, high), the limits of every gain, 0 < low ≤ high.

    Returns:
        An `optax.GradientTransformation` with two slots, the gain and the last gradient.

    Raises:
        ValueError: a negative learning rate, a δ outside [0, 1), or bounds that are not positive and in order.
        TypeError: one of them is not a number.

    Source: Jacobs (1988), in the form of the lecture's last note.
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    delta = _check.number("delta", delta, _DECAY)
    low, high = _check.pair("bounds", bounds, "(0, inf)")
    return lift(_local_gains, learning_rate, slots=(1.0, 0.0), delta=delta, low=low, high=high)


def _local_gains(g, gain, last, *, learning_rate, delta, low, high):
    agreement = jnp.sign(g) * jnp.sign(last)  # g * last would be 0 for tiny gradients
    gain = jnp.clip(jnp.where(agreement > 0, gain + delta, gain * (1 - delta)), low, high)
    return -learning_rate * gain * g, gain, g


def rprop(initial_step=0.1, factors=(0.5, 1.2), bounds=(1e-6, 50.0)):
    r"""Resilient propagation: only the sign of the gradient counts, and every parameter learns its own step size.

    $$s \leftarrow \begin{cases} \min(\eta_+ s, s_{\max}) & g\,g^- > 0 \\ \max(\eta_- s, s_{\min}), \ g \leftarrow 0
      & g\,g^- < 0 \end{cases}, \qquad w \leftarrow w - s\,\mathrm{sign}(g)$$

    This is iRprop⁻: after a change of sign the parameter waits for one step.

    Args:
        initial_step: the first step size, > 0, in units of w.
        factors: (η₋, η₊) with 0 < η₋ < 1 < η₊, by which a step shrinks and grows.
        bounds: (s_min, s_max), the limits of every step, 0 < s_min ≤ s_max.

    Returns:
        An `optax.GradientTransformation` with two slots, the step size and the last gradient.

    Raises:
        ValueError: a number outside its range.
        TypeError: one of them is not a number.

    Example:
        Towards a minimum at 0.25: the steps grow, cross it, wait, and are halved.

        >>> import ravine as rv
        >>> path = rv.minimize(lambda w: (w - 0.25) ** 2, 0.0, rv.rprop(0.1), steps=5).path
        >>> path.round(3).tolist()
        [0.0, 0.1, 0.22, 0.364, 0.364, 0.292]

    Source: Riedmiller & Braun (1993); Igel & Hüsken (2003). Equal to ``torch.optim.Rprop``. Optax 0.2.8's ``rprop``
    emits the update of the step before.
    """
    # As an array it is an argument of compiled programs, as the learning rate of other rules is.
    initial_step = jnp.asarray(_check.number("initial_step", initial_step, "(0, inf)", scalar=True), float)
    shrink, grow = _check.pair("factors", factors, "(0, 1)", "(1, inf)")
    low, high = _check.pair("bounds", bounds, "(0, inf)")
    initial_step = jnp.clip(initial_step, low, high)
    return lift(_rprop, slots=(initial_step, 0.0), shrink=shrink, grow=grow, low=low, high=high)


def _rprop(g, step, last, *, shrink, grow, low, high):
    agreement = g * jnp.sign(last)  # g * last would be 0 for tiny gradients
    changed = jnp.clip(step * jnp.where(agreement > 0, grow, shrink), low, high)
    step = jnp.where(agreement == 0, step, changed)
    g = jnp.where(agreement < 0, 0, g)
    return -step * jnp.sign(g), step, g


def lion(learning_rate, b1=0.9, b2=0.99, weight_decay=0.0):
    r"""The sign of a momentum: every parameter moves by η, whatever the size of its gradient.

    $$w \leftarrow w - \eta\,(\mathrm{sign}(\beta_1 m + (1-\beta_1) g) + \lambda w), \qquad
      m \leftarrow \beta_2 m + (1-\beta_2) g$$

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        b1: β₁ in [0, 1), the weight of m in the step.
        b2: β₂ in [0, 1), the weight of the old m in the new one.
        weight_decay: λ ≥ 0.

    Returns:
        An `optax.GradientTransformation` with one slot, m; its ``update`` needs ``params``.

    Raises:
        ValueError: a number outside its range.
        TypeError: one of them is not a number, or update is called without ``params``.

    Source: Chen et al. (2023). Equal to ``optax.lion`` at the same ``weight_decay``, whose default is 0.001.
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    return lift(with_weight_decay, learning_rate, slots=(0.0,), params=True, inner=_lion,
                b1=_check.number("b1", b1, _DECAY), b2=_check.number("b2", b2, _DECAY),
                weight_decay=_check.number("weight_decay", weight_decay, "[0, inf)"))


def _lion(g, m, *, learning_rate, b1, b2):
    step = jnp.sign(b1 * m + (1 - b1) * g)
    m = b2 * m + (1 - b2) * g
    return -learning_rate * step, m
