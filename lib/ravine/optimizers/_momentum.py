"""Gradient descent and the forms of momentum: one idea, five bookkeepings, and Nesterov's correction of it."""

import jax
import optax
from jax.tree_util import Partial

from ravine import _check
from ravine.optimizers._lift import lift

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

    Source: Cauchy (1847); Robbins & Monro (1951). Equal to ``optax.sgd(η)``.
    """
    return lift(_sgd, _check.rate("learning_rate", learning_rate))


def _sgd(g, *, rate):
    return (-rate * g,)


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

    Source: Polyak (1964); Sutskever et al. (2013). Equal to ``optax.sgd(η, momentum=γ)`` for a constant η; with a
    schedule to ``optax.chain(optax.scale_by_learning_rate(η), optax.trace(γ))``.
    """
    return lift(_momentum, _check.rate("learning_rate", learning_rate), slots=(0.0,),
                decay=_check.number("decay", decay, _DECAY))


def _momentum(g, v, *, rate, decay):
    v = decay * v + rate * g
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

    Source: Sutskever et al. (2013). Equal to ``optax.sgd(η, momentum=ρ)``, schedules included.
    """
    return lift(_accumulated_momentum, _check.rate("learning_rate", learning_rate), slots=(0.0,),
                decay=_check.number("decay", decay, _DECAY))


def _accumulated_momentum(g, v, *, rate, decay):
    v = decay * v + g
    return -rate * v, v


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

    Source: the lecture. Equal to ``optax.sgd(η(1−β), momentum=β)``; unbiased, to
    ``optax.chain(optax.ema(β), optax.scale(-η))``.
    """
    return lift(_unbiased_momentum if debias else _averaged_momentum, _check.rate("learning_rate", learning_rate),
                slots=(0.0,), counts=bool(debias), decay=_check.number("decay", decay, _DECAY))


def _averaged_momentum(g, u, *, rate, decay):
    u = decay * u + (1 - decay) * g
    return -rate * u, u


def _unbiased_momentum(g, u, *, rate, decay, t):
    u = decay * u + (1 - decay) * g
    unbiased = u / (1 - decay**t).astype(u.dtype)
    return -rate * unbiased, u


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

    Source: Polyak (1964). Equal to `momentum`, schedules included.
    """
    return lift(_heavy_ball, _check.rate("learning_rate", learning_rate), slots=(0.0,),
                decay=_check.number("decay", decay, _DECAY))


def _heavy_ball(g, displacement, *, rate, decay):
    displacement = decay * displacement - rate * g
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

    Source: Nesterov (1983); Bengio et al. (2013). Equal to ``optax.sgd(η, momentum=γ, nesterov=True)``.
    """
    return lift(_nesterov, _check.rate("learning_rate", learning_rate), slots=(0.0,),
                decay=_check.number("decay", decay, _DECAY))


def _nesterov(g, v, *, rate, decay):
    v = decay * v + g
    return -rate * (g + decay * v), v


def nesterov_lookahead(learning_rate, decay=0.9):
    r"""Nesterov's momentum as it is told: first jump, then look at the gradient, then correct.

    $$v \leftarrow \gamma v + \eta\,\nabla L(w - \gamma v), \qquad w \leftarrow w - v$$

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        decay: γ in [0, 1), the share of the velocity that survives a step.

    Returns:
        An `optax.GradientTransformationExtraArgs` with one slot, v. Its ``update`` ignores the gradient at w and needs
        ``value_fn``, the loss as a function of the parameters; `ravine.minimize` passes it.

    Raises:
        ValueError: a negative learning rate, or a decay outside [0, 1).
        TypeError: update is called without ``params`` or ``value_fn``.

    Source: Sutskever et al. (2013). For a constant η, w − γv runs through the iterates of `nesterov`.
    """
    velocity = momentum(learning_rate, decay)
    decay = velocity.update.args[1]["decay"]
    return optax.GradientTransformationExtraArgs(velocity.init, Partial(_look_ahead, velocity.update, decay))


def _look_ahead(velocity_update, decay, grads, state, params=None, *, value_fn=None, **_):
    if params is None or value_fn is None:
        raise TypeError("nesterov_lookahead: update needs params and value_fn=, to take the gradient at w - decay v")
    (v,) = state.slots
    decay = getattr(decay, "value", decay)
    ahead = jax.tree.map(lambda w, v: w - decay * v, params, v)
    return velocity_update(jax.grad(value_fn)(ahead), state)
