"""Rules of recent years: a gradient from uphill, an orthogonal step, an average in place of a schedule."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import Partial

from ravine import _check
from ravine.optimizers._adaptive import adam, ratio
from ravine.optimizers._clip import direction
from ravine.optimizers._lift import RuleState, fitted, lift, plain, static_unless_tree

_DECAY = "[0, 1)"


def sam(optimizer, rho=0.05):
    r"""Sharpness-aware minimization: step from where you are, by the gradient at the worst point near by.

    $$\hat w = w + \rho\, \frac{g}{\lVert g \rVert}, \qquad w \leftarrow \text{a step of the optimizer from } w
      \text{ by } \nabla L(\hat w)$$

    To first order, ŵ is where the loss is largest within ρ of w; the norm is that of the whole tree. A step costs two
    gradients. Where g = 0, ŵ = w.

    Args:
        optimizer: the rule that takes the step, one of Ravine's or any `optax.GradientTransformation`.
        rho: ρ ≥ 0, how far uphill, in units of w; with 0 it is the optimizer alone.

    Returns:
        An `optax.GradientTransformationExtraArgs` with the optimizer's own state. Its ``update`` needs ``value_fn``,
        the loss as a function of the parameters; `ravine.minimize` passes it.

    Raises:
        ValueError: ρ is negative.
        TypeError: `optimizer` is no rule, ρ is not a number, or update is called without ``params`` or ``value_fn``.

    Source: Foret et al. (2021). Equal to ``optax.contrib.sam(optimizer, adversary, opaque_mode=True)``, the adversary
    ``optax.chain(optax.contrib.normalize(), optax.sgd(ρ))``, except where g = 0, where that is NaN. By default Optax
    counts the way uphill as an update of its own, so that every second iterate is a ŵ; and its ``update`` wants
    ``grad_fn`` in place of ``value_fn``.

    Example:
        From 1, the gradient of w² is taken at 1.5.

        >>> import ravine as rv
        >>> rv.minimize(lambda w: w**2, 1.0, rv.sam(rv.sgd(0.1), rho=0.5), steps=1).path.tolist()
        [1.0, 0.7]
    """
    _check.optimizer("optimizer", optimizer)
    rho = _check.number("rho", rho, "[0, inf)", scalar=True)
    return optax.GradientTransformationExtraArgs(optimizer.init, Partial(_sam, optimizer, rho))


def _sam(optimizer, rho, grads, state, params=None, *, value_fn=None, **extra):
    grads = _check.float_tree("grads", grads)
    if params is None or value_fn is None:
        raise TypeError("sam: update needs params and value_fn=, to take the gradient at w + rho g/|g|")
    params = _check.float_tree("params", params)
    _check.same_tree("grads", grads, "params", params)
    uphill = jax.tree.map(lambda w, u: w + fitted("rho", rho, w) * u.astype(w.dtype), params, direction(grads))
    optimizer = optax.with_extra_args_support(optimizer)
    return optimizer.update(jax.grad(value_fn)(uphill), state, params, value_fn=value_fn, **extra)


def muon(learning_rate, decay=0.95, nesterov=True, weight_decay=0.0, otherwise=None):
    r"""For matrices: momentum, made orthogonal before every step, so that all its directions are equally long.

    $$V \leftarrow \mu V + G, \qquad
      W \leftarrow W - \eta \left(\sqrt{\max(1, n/m)}\; \mathrm{orth}(G + \mu V) + \lambda W\right)$$

    orth replaces the singular values of an m × n matrix, m inputs and n outputs, by numbers near 1: five rounds of
    X ← aX + (bA + cA²) X, A = XXᵀ, from X = M/‖M‖. The coefficients (3.4445, −4.7750, 2.0315) are chosen to lift small
    singular values fast; the result lies between 0.68 and 1.21 for those above ‖M‖/500. Without
    Nesterov the momentum V takes the place of G + μV.

    Args:
        learning_rate: η, a number ≥ 0, an array, or a schedule ``step -> η``.
        decay: μ in [0, 1), the share of V that survives a step.
        nesterov: whether the step looks ahead.
        weight_decay: λ ≥ 0, for the matrices.
        otherwise: the rule for arrays of other than two axes, such as biases; None: ``adam(learning_rate)``.

    Returns:
        An `optax.GradientTransformation`; its state is a pair, of the matrices and of the rest. Its ``update`` needs
        ``params``.

    Raises:
        ValueError: a number outside its range.
        TypeError: one of them is not a number, `otherwise` is no rule, or update is called without ``params``.

    Source: Jordan et al. (2024). Equal to ``optax.contrib.muon(η, nesterov=False)`` for the matrices. With Nesterov,
    Optax corrects V and G as NAdam does before it adds them, which changes the first 1/(1 − μ) steps; it adds 1e-8 to
    ‖M‖; and biases get NAdam.

    Example:
        Of a gradient with singular values 10 and 0.1, both directions take a step of about η.

        >>> import jax.numpy as jnp, ravine as rv
        >>> scale = jnp.diag(jnp.array([10.0, 0.1]))
        >>> run = rv.minimize(lambda w: jnp.sum(scale * w), jnp.zeros((2, 2)), rv.muon(0.1), steps=1)
        >>> jnp.diag(run.params).round(2).tolist()
        [-0.07, -0.07]
    """
    learning_rate = _check.rate("learning_rate", learning_rate)
    matrices = lift(_muon, learning_rate, slots=(0.0,), params=True, decay=_check.number("decay", decay, _DECAY),
                    nesterov=_check.flag("nesterov", nesterov),
                    weight_decay=_check.number("weight_decay", weight_decay, "[0, inf)"))
    otherwise = adam(learning_rate) if otherwise is None else otherwise
    _check.optimizer("otherwise", otherwise)
    return optax.GradientTransformation(Partial(_muon_init, matrices, otherwise),
                                        Partial(_muon_update, matrices, otherwise))


class MuonState(NamedTuple):
    """What Muon remembers: the momentum of the matrices, and the state of the rule for the rest."""

    matrices: RuleState
    others: Any


def _muon(g, v, *, w, learning_rate, decay, nesterov, weight_decay):
    v = decay * v + g
    fan_in, fan_out = g.shape
    scale = max(1, fan_out / max(1, fan_in)) ** 0.5
    step = scale * orthogonalised(g + decay * v if nesterov else v)
    return -learning_rate * (step + weight_decay * w), v


def orthogonalised(matrix):
    """Return U S Vᵀ for a matrix U Σ Vᵀ, with S near 1 instead of Σ, by five rounds of Newton and Schulz."""
    a, b, c = 3.4445, -4.7750, 2.0315
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonalised(matrix.T).T  # the same, with the smaller of XXᵀ and XᵀX
    x = direction(matrix).astype(matrix.dtype)
    for _ in range(5):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def _muon_init(matrices, otherwise, params):
    params = _check.float_tree("params", params)
    return MuonState(matrices.init(_keep(params, matrix=True)), otherwise.init(_keep(params, matrix=False)))


def _muon_update(matrices, otherwise, grads, state, params=None):
    grads = _check.float_tree("grads", grads)
    steps, states = [], []
    for rule, own, matrix in ((matrices, state.matrices, True), (otherwise, state.others, False)):
        step, own = rule.update(_keep(grads, matrix), own, None if params is None else _keep(params, matrix))
        steps.append(step)
        states.append(own)
    return joined(*steps), MuonState(*states)


def _keep(tree, matrix):
    return jax.tree.map(lambda leaf: leaf if (jnp.ndim(leaf) == 2) == matrix else optax.MaskedNode(), tree)


def joined(matrices, others):
    """Put together two trees, each with a gap where the other has an array."""
    def gap(leaf):
        return isinstance(leaf, optax.MaskedNode)

    return jax.tree.map(lambda a, b: b if gap(a) else a, matrices, others, is_leaf=gap)


def schedule_free(optimizer, learning_rate=1.0, b1=0.9):
    r"""An average of the iterates in place of a decaying rate, and the gradient between the two.

    $$z \leftarrow z + \Delta(\nabla L(y)), \quad x \leftarrow (1-c)\,x + c z, \quad
      y \leftarrow (1-\beta) z + \beta x, \qquad c = \frac{\eta_t^2}{\sum_{i \le t} \eta_i^2}$$

    Δ is the optimizer's own step, without momentum of its own. At a constant rate c = 1/t, and x is the mean of all z.
    The parameters handed back are the y; the network to use is x, by `eval_params`.

    Args:
        optimizer: the rule that moves z, such as ``sgd(η)`` or ``adam(η, b1=0)``, with a rate that may warm up but need
            not decay.
        learning_rate: the optimizer's η, which weighs the z: a number ≥ 0, or its schedule ``step -> η``. All constants
            weigh alike.
        b1: β in (0, 1], how near to the average the gradient is taken.

    Returns:
        An `optax.GradientTransformationExtraArgs`; its state holds z, Ση² and the optimizer's state. Its ``update``
        needs ``params``.

    Raises:
        ValueError: a number outside its range.
        TypeError: `optimizer` is no rule, a number is none, or update is called without ``params``.

    Source: Defazio et al. (2024). Equal to ``optax.contrib.schedule_free(optimizer, η, β)`` for a constant η. A
    schedule Optax reads one step ahead of the optimizer, and it weighs by the largest rate so far.
    """
    _check.optimizer("optimizer", optimizer)
    learning_rate = _check.rate("learning_rate", learning_rate)
    schedule = static_unless_tree(learning_rate) if callable(learning_rate) else None
    b1 = _check.number("b1", b1, "(0, 1]", scalar=True)
    return optax.GradientTransformationExtraArgs(Partial(_schedule_free_init, optimizer, b1),
                                                 Partial(_schedule_free, optimizer, schedule))


class ScheduleFreeState(NamedTuple):
    """What `schedule_free` remembers.

    Attributes:
        count: the steps taken so far.
        total: the sum of the weights η² of these steps.
        b1: β, which `eval_params` needs.
        z: the optimizer's own iterate, a tree like the parameters.
        inner: the optimizer's state.
    """

    count: jax.Array  # type: ignore[assignment]  # Optax's name for it, which hides tuple.count
    total: jax.Array
    b1: jax.Array
    z: Any
    inner: Any


def _schedule_free_init(optimizer, b1, params):
    params = _check.float_tree("params", params)
    return ScheduleFreeState(jnp.zeros([], jnp.int32), jnp.zeros([]), jnp.asarray(b1, float), params,
                             optimizer.init(params))


def _schedule_free(optimizer, schedule, grads, state, params=None, **extra):
    grads = _check.float_tree("grads", grads)
    _check.same_tree("grads", grads, "state", state.z)
    if params is None:
        raise TypeError("params = None: schedule_free averages the parameters, so its update needs them")
    params = _check.float_tree("params", params)
    steps, inner = optax.with_extra_args_support(optimizer).update(grads, state.inner, params, **extra)
    weight = 1.0 if schedule is None else jnp.asarray(plain(schedule)(state.count), float) ** 2
    total = state.total + weight

    def move(y, z, step):
        # (1 − β)Δ + β(x⁺ − x), where x⁺ − x = c(z + Δ − x) and β(z − x) = z − y: neither x nor a difference of it.
        b1, c = state.b1.astype(y.dtype), ratio(weight, total).astype(y.dtype)
        return (1 - b1) * step + c * (z - y + b1 * step)

    updates = jax.tree.map(move, params, state.z, steps)
    z = jax.tree.map(jnp.add, state.z, steps)
    return updates, ScheduleFreeState(state.count + 1, total, state.b1, z, inner)


def eval_params(state, params):
    r"""Return the parameters to evaluate the model at: for `schedule_free` the average x, not the y of the training.

    $$x = \frac{y - (1-\beta) z}{\beta} = y + \left(\tfrac1\beta - 1\right) (y - z)$$

    Args:
        state: the state of the rule, such as ``run.state``; it may be part of a chain. That of any other rule leaves
            `params` as they are.
        params: y, the parameters as training has left them.

    Returns:
        A tree like `params`.

    Raises:
        TypeError: `params` holds other than real floating-point arrays.
        ValueError: `params` is not a tree like the ones that the state belongs to.

    Example:
        At a constant rate, x is the mean of the z: here of −1, −2 and −3.

        >>> import jax.numpy as jnp, optax, ravine as rv
        >>> rule = rv.schedule_free(rv.sgd(1.0))
        >>> w = jnp.zeros(())
        >>> state = rule.init(w)
        >>> for _ in range(3):
        ...     updates, state = rule.update(jnp.ones(()), state, w)
        ...     w = optax.apply_updates(w, updates)
        >>> float(w.round(3)), float(rv.eval_params(state, w).round(3))
        (-2.1, -2.0)
    """
    params = _check.float_tree("params", params)
    parts = jax.tree.leaves(state, is_leaf=lambda part: isinstance(part, ScheduleFreeState))
    found = [part for part in parts if isinstance(part, ScheduleFreeState)]
    if not found:
        return params
    z, b1 = found[0].z, found[0].b1
    _check.same_tree("params", params, "state", z)
    return jax.tree.map(lambda y, z: y + (1 / b1 - 1).astype(y.dtype) * (y - z), params, z)
