"""Gradient descent and the forms of momentum: one idea, five bookkeepings, and Nesterov's correction of it."""

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import Partial

from ravine import _check
from ravine.optimizers._lift import fitted, lift, static_unless_array

_DECAY = "[0, 1)"


def sgd(learning_rate):
    r"""Gradient descent, stochastic when its gradients are.

    $$w \leftarrow w - \eta g$$

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.

    Returns:
        An `optax.GradientTransformation`; it remembers nothing.

    Raises:
        ValueError: a negative learning rate.
        TypeError: it is neither a number nor a schedule.

    Source: Cauchy (1847); Robbins & Monro (1951). Equal to ``optax.sgd(η)``.
    """
    return lift(_sgd, _check.rate("learning_rate", learning_rate))


def _sgd(g, *, learning_rate):
    return (-learning_rate * g,)


def momentum(learning_rate, decay=0.9):
    r"""Momentum as a velocity, with the rate inside it.

    $$v \leftarrow \gamma v + \eta g, \qquad w \leftarrow w - v$$

    The velocity is in units of w: a step that was taken stays taken when the rate changes.

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        decay: γ in [0, 1), the share of the velocity that survives a step.

    Returns:
        An `optax.GradientTransformation` with one slot, v.

    Raises:
        ValueError: a negative learning rate, or a decay outside [0, 1).
        TypeError: either is not a number.

    Source: Polyak (1964); Sutskever et al. (2013). Equal to ``optax.sgd(η, momentum=γ)`` for a constant η; with a
    schedule to ``optax.chain(optax.scale_by_learning_rate(η), optax.trace(γ))``.

    Example:
        Down a slope of 1, the steps grow from η towards η/(1 − γ).

        >>> import ravine as rv
        >>> rv.minimize(lambda w: w, 0.0, rv.momentum(1.0, decay=0.5), steps=3).path.tolist()
        [0.0, -1.0, -2.5, -4.25]
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    decay = _check.number("decay", decay, _DECAY)
    return lift(_momentum, learning_rate, slots=(0.0,), decay=decay)


def _momentum(g, v, *, learning_rate, decay):
    v = decay * v + learning_rate * g
    return -v, v


def accumulated_momentum(learning_rate, decay=0.9):
    r"""Momentum as an accumulated gradient, with the rate outside: the form of Optax and PyTorch.

    $$v \leftarrow \rho v + g, \qquad w \leftarrow w - \eta v$$

    Here v is in units of the gradient. For a constant η it takes the steps of `momentum`; when η drops, the old
    gradients in v are rescaled as well.

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        decay: ρ in [0, 1), the share of v that survives a step.

    Returns:
        An `optax.GradientTransformation` with one slot, v.

    Raises:
        ValueError: a negative learning rate, or a decay outside [0, 1).
        TypeError: either is not a number.

    Source: PyTorch's and Optax's SGD. Equal to ``optax.sgd(η, momentum=ρ)``, schedules included.
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    decay = _check.number("decay", decay, _DECAY)
    return lift(_accumulated_momentum, learning_rate, slots=(0.0,), decay=decay)


def _accumulated_momentum(g, v, *, learning_rate, decay):
    v = decay * v + g
    return -learning_rate * v, v


def averaged_momentum(learning_rate, decay=0.9, debias=False):
    r"""Momentum as an exponentially weighted average of the gradients.

    $$u \leftarrow \beta u + (1-\beta) g, \qquad w \leftarrow w - \eta u
      \quad\text{or, unbiased,}\quad w \leftarrow w - \eta \frac{u}{1-\beta^t}$$

    The average is as large as a gradient, so η keeps its size when β changes. It starts at 0, and its first values
    are too small; dividing by 1 − βᵗ (t = 1 in the first step) mends that.

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        decay: β in [0, 1), the weight of the old average.
        debias: whether to divide by 1 − βᵗ.

    Returns:
        An `optax.GradientTransformation` with one slot, u.

    Raises:
        ValueError: a negative learning rate, or a decay outside [0, 1).
        TypeError: either is not a number.

    Source: the lecture; the division is that of Adam, Kingma & Ba (2015). Equal to ``optax.sgd(η(1−β), momentum=β)``;
    unbiased, to ``optax.chain(optax.ema(β), optax.scale(-η))``.

    Example:
        Down a slope of 1, the unbiased average is 1 from the first step.

        >>> import ravine as rv
        >>> rv.minimize(lambda w: w, 0.0, rv.averaged_momentum(1.0, decay=0.5), steps=3).path.tolist()
        [0.0, -0.5, -1.25, -2.125]
        >>> rv.minimize(lambda w: w, 0.0, rv.averaged_momentum(1.0, decay=0.5, debias=True), steps=3).path.tolist()
        [0.0, -1.0, -2.0, -3.0]
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    decay = _check.number("decay", decay, _DECAY)
    if _check.flag("debias", debias):
        return lift(_unbiased_momentum, learning_rate, slots=(0.0,), counts=True, decay=decay)
    return lift(_averaged_momentum, learning_rate, slots=(0.0,), decay=decay)


def _averaged_momentum(g, u, *, learning_rate, decay):
    u = decay * u + (1 - decay) * g
    return -learning_rate * u, u


def _unbiased_momentum(g, u, *, learning_rate, decay, t):
    u = decay * u + (1 - decay) * g
    return -learning_rate * unbiased(u, decay, t), u


def unbiased(average, decay, t):
    """Return average / (1 − βᵗ), where t steps have filled an average that began at 0."""
    # The power has the default float's digits: next to 1, those of a bfloat16 gradient would not do.
    weight = 1 - jnp.asarray(decay, float) ** t.astype(float)
    return average / weight.astype(average.dtype)


def heavy_ball(learning_rate, decay=0.9):
    r"""Momentum in one line: the last displacement, again, but shorter.

    $$w^{+} = w - \eta g + \beta\,(w - w^{-})$$

    It remembers the last update w − w⁻ rather than a velocity, and takes the steps of `momentum`.

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        decay: β in [0, 1), the share of the last displacement that is repeated.

    Returns:
        An `optax.GradientTransformation` with one slot, the last update.

    Raises:
        ValueError: a negative learning rate, or a decay outside [0, 1).
        TypeError: either is not a number.

    Source: Polyak (1964). Equal to `momentum`, schedules included.
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    decay = _check.number("decay", decay, _DECAY)
    return lift(_heavy_ball, learning_rate, slots=(0.0,), decay=decay)


def _heavy_ball(g, displacement, *, learning_rate, decay):
    displacement = decay * displacement - learning_rate * g
    return displacement, displacement


def nesterov(learning_rate, decay=0.9):
    r"""Nesterov's momentum in the form of the libraries: the parameters handed back are the look-ahead point.

    $$v \leftarrow \gamma v + g, \qquad \hat w \leftarrow \hat w - \eta\,(g + \gamma v), \qquad g = \nabla L(\hat w)$$

    The gradient is wanted where the parameters are, so any training loop can use it. The iterates ŵ are the points
    w − γv at which `nesterov_lookahead` takes its gradients.

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        decay: γ in [0, 1), the share of v that survives a step.

    Returns:
        An `optax.GradientTransformation` with one slot, v.

    Raises:
        ValueError: a negative learning rate, or a decay outside [0, 1).
        TypeError: either is not a number.

    Source: Nesterov (1983); Bengio et al. (2013). Equal to ``optax.sgd(η, momentum=γ, nesterov=True)``.

    Example:
        Down a slope of 1, it is one step ahead of `momentum`.

        >>> import ravine as rv
        >>> rv.minimize(lambda w: w, 0.0, rv.nesterov(1.0, decay=0.5), steps=3).path.tolist()
        [0.0, -1.5, -3.25, -5.125]
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    decay = _check.number("decay", decay, _DECAY)
    return lift(_nesterov, learning_rate, slots=(0.0,), decay=decay)


def _nesterov(g, v, *, learning_rate, decay):
    v = decay * v + g
    return -learning_rate * (g + decay * v), v


def nesterov_lookahead(learning_rate, decay=0.9):
    r"""Nesterov's momentum as it is told: first jump, then look at the gradient, then correct.

    $$v \leftarrow \gamma v + \eta\,\nabla L(w - \gamma v), \qquad w \leftarrow w - v$$

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        decay: γ in [0, 1), the share of the velocity that survives a step.

    Returns:
        An `optax.GradientTransformationExtraArgs` with one slot, v. Its ``update`` ignores the gradient at w and needs
        ``value_fn``, the loss as a function of the parameters; `ravine.minimize` passes it. So clipping chained before
        it clips nothing: chain it before `nesterov`, whose gradients are the same.

    Raises:
        ValueError: a negative learning rate, or a decay outside [0, 1).
        TypeError: either is not a number; or update is called without ``params`` or ``value_fn``.

    Source: Sutskever et al. (2013). For a constant η, w − γv runs through the iterates of `nesterov`.
    """
    decay = _check.number("decay", decay, _DECAY)
    velocity = momentum(learning_rate, decay)
    look_ahead = Partial(_look_ahead, velocity.update, static_unless_array(decay))
    return optax.GradientTransformationExtraArgs(velocity.init, look_ahead)


def _look_ahead(velocity_update, decay, grads, state, params=None, *, value_fn=None, **_):
    if params is None or value_fn is None:
        raise TypeError("nesterov_lookahead: update needs params and value_fn=, to take the gradient at w - decay v")
    params = _check.float_tree("params", params)
    _check.same_tree("params", params, "state", state.slots[0])
    ahead = jax.tree.map(lambda w, v: w - fitted("decay", decay, w) * v, params, state.slots[0])
    return velocity_update(jax.grad(value_fn)(ahead), state)
