"""The exercises of chapter 7, adaptive methods: signs and accumulated squares here, Adam's family in its own file."""

import jax.numpy as jnp
import numpy as np

from ravine.exercises import _ch07_adam
from ravine.exercises._exercise import Exercise


def gains(w, k, g, gp, lr):
    """One step of gradient descent with a gain for every weight.

    w, k   weights and their gains, arrays of one shape
    g, gp  the gradient, and the gradient of the step before
    lr     the learning rate η

    Where g and gp have the same sign the gain grows by 0.05; elsewhere, also
    where one of them is 0, it shrinks to 0.95 of itself. It stays within 0.1
    and 10. The step is taken with the new gain.
    Returns (w, k): the new weights, then the new gains.
    """
    k = jnp.where(g * gp > 0, k + 0.05, 0.95 * k)
    k = jnp.clip(k, 0.1, 10)
    return w - lr * k * g, k


def _gains_with(agree=lambda g, gp: g * gp > 0, grow=lambda k: k + 0.05, shrink=lambda k: 0.95 * k,
                limit=lambda k: np.clip(k, 0.1, 10), step=lambda k, g: k * g):
    """Return `gains` with some of its parts replaced."""
    def changed(w, k, g, gp, lr):
        k = limit(np.where(agree(g, gp), grow(k), shrink(k)))
        return w - lr * step(k, g), k
    return changed


_gains = Exercise(
    reference=gains,
    returns="w, k",
    probes=[
        (np.array([1.0, -2.0, 0.5]), np.array([1.4, 2.0, 0.6]), np.array([0.5, -1.0, 2.0]), np.array([0.3, 0.7, 0.0]),
         0.1),
        (np.array([0.2, -0.1, 0.3]), np.array([0.1, 0.102, 0.15]), np.array([1.2, -0.4, 0.7]),
         np.array([-0.5, 1.0, 0.6]), 0.5),
        (np.array([10.2, -5.1, 1.6]), np.array([9.98, 9.97, 9.9]), np.array([2.0, -1.0, 0.3]),
         np.array([1.0, -2.0, -0.7]), 0.5),
        (np.array([3e-6, -1e-6, 4e-6]), np.array([4.0, 0.5, 2.0]), np.array([2e-6, -5e-6, 1e-6]),
         np.array([-3e-6, -2e-6, 4e-6]), 0.3),
        (np.array([2e7, 5e7, -3e7]), np.array([0.7, 3.0, 1.8]), np.array([3e6, -8e6, 5e6]),
         np.array([6e6, 2e6, -1e6]), 2.5),
    ],
    concept="Two gradients in a row with the same sign say: go on, faster. Opposite signs say that the step went over "
            "the bottom. So each weight has a gain of its own, which rises by a little addition and falls by "
            "multiplication: one change of sign undoes much of the growth.",
    formula="k ← k + 0.05 where g gp > 0, else 0.95 k;   0.1 ≤ k ≤ 10;   w ← w − η k g  (with the new k)",
    blank="g * gp > 0",
    mistakes={
        "multiplies_both": (
            _gains_with(grow=lambda k: 1.05 * k),
            "the gains grow by a factor. They grow by addition, k + 0.05, and only shrink by a factor."),
        "adds_both": (
            _gains_with(shrink=lambda k: k - 0.05),
            "the gains shrink by subtraction. They grow by addition, but shrink by a factor: 0.95 k."),
        "swapped": (
            _gains_with(grow=lambda k: 0.95 * k, shrink=lambda k: k + 0.05),
            "growth and decrease are swapped. Where the signs agree the gain grows."),
        "old_gain": (
            lambda w, k, g, gp, lr: (w - lr * k * g, gains(w, k, g, gp, lr)[1]),
            "the weights move with the old gain. Update k first, then take the step."),
        "no_limits": (
            _gains_with(limit=lambda k: k),
            "the gains leave their limits. Keep them within 0.1 and 10; others are in use too, but not here."),
        "no_lower_limit": (
            _gains_with(limit=lambda k: np.minimum(k, 10)),
            "the gains have no lower limit. Keep them at 0.1 or above: a gain near 0 takes long to recover."),
        "no_upper_limit": (
            _gains_with(limit=lambda k: np.maximum(k, 0.1)),
            "the gains have no upper limit. Keep them at 10 or below."),
        "zero_agrees": (
            _gains_with(agree=lambda g, gp: g * gp >= 0),
            "a product of 0 counts as agreement. The gain grows only where g gp > 0."),
        "one_gain_for_all": (
            _gains_with(agree=lambda g, gp: np.vdot(g, gp) > 0),
            "one sum decides for all weights. Compare entry by entry: each weight has a gain of its own."),
        "shrinks_to_nothing": (
            _gains_with(shrink=lambda k: 0.05 * k),
            "the gains shrink to 0.05 of themselves. They lose a share of 0.05: 0.95 k is left."),
        "gain_unused": (
            _gains_with(step=lambda k, g: g),
            "the step is taken without the gain. Multiply: w ← w − η k g."),
        "sign_of_gradient": (
            _gains_with(step=lambda k, g: k * np.sign(g)),
            "only the sign of the gradient is used. That is Rprop's step; here it is η k g."),
        "last_gradient": (
            lambda w, k, g, gp, lr: (w - lr * gains(w, k, g, gp, lr)[1] * gp, gains(w, k, g, gp, lr)[1]),
            "the weights move along the old gradient. gp is only there to compare signs: w ← w − η k g."),
        "ascent": (
            _gains_with(step=lambda k, g: -k * g),
            "the weights climb. Subtract the step: w ← w − η k g."),
        "gain_not_updated": (
            lambda w, k, g, gp, lr: (gains(w, k, g, gp, lr)[0], k),
            "the old gain comes back. Return the new one: the next step needs it."),
        "swapped_return": (
            lambda *inputs: gains(*inputs)[::-1],
            "k comes back before w. Return the new weights first, then the new gains."),
        "weights_only": (
            lambda *inputs: gains(*inputs)[0],
            "only the weights come back. Return (w, k): the next step needs the gains."),
    },
)


def rprop(w, g, gp, step):
    """One step of Rprop, in the form that is called iRprop⁻.

    w, g  weights and gradient, arrays of one shape
    gp    the gradient that the step before handed on
    step  the step sizes, an array of that shape

    Where g and gp have the same sign, the step size grows by a factor of 1.2.
    Where their signs differ, it is halved, and g is replaced by 0: that weight
    waits. Where one of them is 0, the step size stays. It is kept within 1e-6
    and 50. Each weight moves by its new step size, against the sign of g.
    Returns (w, gp, step): the new weights, the gradient to hand on (with its
    zeros), and the new step sizes.
    """
    agree = jnp.sign(g) * jnp.sign(gp)
    step = step * jnp.where(agree > 0, 1.2, jnp.where(agree < 0, 0.5, 1.0))
    step = jnp.clip(step, 1e-6, 50)
    g = jnp.where(agree < 0, 0.0, g)
    return w - step * jnp.sign(g), g, step


def _rprop_with(same=lambda step: 1.2 * step, differ=lambda step: 0.5 * step, zero=lambda step: step,
                limit=lambda step: np.clip(step, 1e-6, 50), zeroes=lambda agree: agree < 0, waits=True,
                hands_on=lambda g, gp, zeroed: zeroed, move=lambda step, g: step * np.sign(g)):
    """Return `rprop` with some of its parts replaced."""
    def changed(w, g, gp, step):
        agree = np.sign(g) * np.sign(gp)
        step = limit(np.where(agree > 0, same(step), np.where(agree < 0, differ(step), zero(step))))
        zeroed = np.where(zeroes(agree), 0.0, g)
        return w - move(step, zeroed if waits else g), hands_on(g, gp, zeroed), step
    return changed


_rprop = Exercise(
    reference=rprop,
    returns="w, gp, step",
    probes=[
        (np.array([1.0, -2.0, 0.5]), np.array([2.0, -1.5, 3.0]), np.array([0.4, 0.9, 0.0]), np.array([0.3, 0.8, 0.5])),
        (np.array([0.2, 1.5, -0.7]), np.array([-1.2, 0.4, 0.7]), np.array([3.0, 0.2, -0.5]),
         np.array([0.6, 0.25, 0.9])),
        (np.array([30.0, -70.0, 20.0]), np.array([4.0, -0.2, 7.0]), np.array([1.0, -3.0, -2.0]),
         np.array([45.0, 48.0, 20.0])),
        (np.array([3e-6, -1e-6, 4e-6]), np.array([-2e-6, 5e-6, 6e-6]), np.array([4e-6, 3e-6, -1e-6]),
         np.array([1.5e-6, 3e-6, 1.2e-6])),
        (np.array([20.0, 5.0, -30.0]), np.array([3e6, -8e6, 5e6]), np.array([2e6, -1e6, -4e6]),
         np.array([10.0, 3.0, 6.0])),
    ],
    concept="How steep it is says little about how far to go, so only the sign of the gradient counts. Each weight has "
            "a step size of its own: longer while the sign stays, half as long when it has changed. After a change the "
            "weight stands still for one step, and its gradient is forgotten, so that the next step neither grows nor "
            "shrinks.",
    formula="g gp > 0:  Δ ← min(1.2 Δ, 50);   g gp < 0:  Δ ← max(0.5 Δ, 1e-6), g ← 0;   then w ← w − Δ sign(g)",
    blank="agree < 0, 0.0, g",
    mistakes={
        "factors_swapped": (
            _rprop_with(same=lambda step: 0.5 * step, differ=lambda step: 1.2 * step),
            "the factors are swapped. The step grows by 1.2 where the signs agree, and is halved where they differ."),
        "no_limits": (
            _rprop_with(limit=lambda step: step),
            "the step sizes are not limited. Keep them within 1e-6 and 50."),
        "no_lower_limit": (
            _rprop_with(limit=lambda step: np.minimum(step, 50)),
            "the step sizes have no lower limit. Keep them at 1e-6 or above."),
        "no_upper_limit": (
            _rprop_with(limit=lambda step: np.maximum(step, 1e-6)),
            "the step sizes have no upper limit. Keep them at 50 or below."),
        "no_zeroing": (
            _rprop_with(waits=False, hands_on=lambda g, gp, zeroed: g),
            "the gradient is kept where its sign has changed. Replace it by 0 there: the weight waits for one step."),
        "does_not_wait": (
            _rprop_with(waits=False),
            "the weights move where the sign has changed. There g counts as 0 in this step already."),
        "hands_on_gradient": (
            _rprop_with(hands_on=lambda g, gp, zeroed: g),
            "the gradient is handed on with all its entries. Where its sign has changed hand on 0, or the next step "
            "size changes again."),
        "hands_on_old_gradient": (
            _rprop_with(hands_on=lambda g, gp, zeroed: gp),
            "the old gradient is handed on. The next step compares with this one's: return g, with its zeros."),
        "hands_on_sign": (
            _rprop_with(hands_on=lambda g, gp, zeroed: np.sign(zeroed)),
            "only the sign of the gradient is handed on. It would do for the next step, but the gradient itself is "
            "asked for."),
        "magnitude": (
            _rprop_with(move=lambda step, g: step * g),
            "the step is multiplied by the gradient. Only its sign counts: w ← w − Δ sign(g)."),
        "old_step": (
            lambda w, g, gp, step: (w - step * np.sign(rprop(w, g, gp, step)[1]), *rprop(w, g, gp, step)[1:]),
            "the weights move by the old step size. Update it first, then move."),
        "zero_waits": (
            _rprop_with(zeroes=lambda agree: agree <= 0),
            "the weights wait where a gradient is 0. They wait only where the sign has changed: after a wait gp is 0, "
            "and they would stand still for good."),
        "zero_shrinks": (
            _rprop_with(zero=lambda step: 0.5 * step),
            "the step size is halved where a gradient is 0. It stays there: nothing is known of the sign."),
        "zero_grows": (
            _rprop_with(zero=lambda step: 1.2 * step),
            "the step size grows where a gradient is 0. It stays there: nothing is known of the sign."),
        "like_gains": (
            _rprop_with(same=lambda step: step + 0.05, differ=lambda step: 0.95 * step),
            "the step sizes change as gains do. Rprop multiplies both ways, by 1.2 and by 0.5."),
        "backtracks": (
            lambda w, g, gp, step: (rprop(w, g, gp, step)[0] + np.where(g * gp < 0, step * np.sign(gp), 0.0),
                                    *rprop(w, g, gp, step)[1:]),
            "the weights go back where the sign has changed. That is the older form, Rprop⁺; here they wait."),
        "ascent": (
            _rprop_with(move=lambda step, g: -step * np.sign(g)),
            "the weights climb. Move against the sign of the gradient: w ← w − Δ sign(g)."),
        "step_not_updated": (
            lambda w, g, gp, step: (*rprop(w, g, gp, step)[:2], step),
            "the old step sizes come back. Return the new ones: the next step needs them."),
        "swapped_return": (
            lambda w, g, gp, step: tuple(rprop(w, g, gp, step)[i] for i in (0, 2, 1)),
            "the step sizes come back before the gradient. Return (w, gp, step), in this order."),
        "weights_only": (
            lambda *inputs: rprop(*inputs)[0],
            "only the weights come back. Return (w, gp, step): the next step needs all three."),
    },
)


def adagrad(w, s, g, lr, eps):
    """One step of AdaGrad.

    w, s, g  weights, the sum of the squared gradients so far, and the
             gradient, arrays of one shape
    lr, eps  the learning rate η, and ε, which is added to the root
             (outside of it)

    Returns (w, s): the new weights, then the new sum.
    """
    s = s + g**2
    return w - lr * g / (jnp.sqrt(s) + eps), s


def _scaled(accumulate, divide=lambda g, s, eps: g / (np.sqrt(s) + eps)):
    """Return AdaGrad's or RMSProp's step: `accumulate` squares (RMSProp's with ρ), `divide` the gradient by them."""
    def changed(w, s, g, lr, *rho_eps):
        *rho, eps = rho_eps
        s = accumulate(s, g, *rho)
        return w - lr * divide(g, s, eps), s
    return changed


def _mistaken_divisions(accumulate):
    """Return the mistakes that AdaGrad and RMSProp share: those of the step, which divides by √s + ε."""
    right = _scaled(accumulate)

    def eps_on_weights(w, s, g, lr, *rho_eps):
        w, s = _scaled(accumulate, lambda g, s, eps: g / np.sqrt(s))(w, s, g, lr, *rho_eps)
        return w + rho_eps[-1], s

    return {
        "eps_inside": (
            _scaled(accumulate, lambda g, s, eps: g / np.sqrt(s + eps)),
            "eps is inside the square root. Here it stands outside: divide by √s + ε."),
        "no_eps": (
            _scaled(accumulate, lambda g, s, eps: g / np.sqrt(s)),
            "eps is missing. Divide by √s + ε: while s is 0, or tiny, ε limits the step."),
        "no_parentheses": (
            eps_on_weights,
            "eps is added to the weights. Division comes before addition, so the sum below needs parentheses: "
            "g / (√s + ε)."),
        "no_root": (
            _scaled(accumulate, lambda g, s, eps: g / (s + eps)),
            "the square root is missing. Divide by √s + ε, which has the unit of a gradient."),
        "multiplied": (
            _scaled(accumulate, lambda g, s, eps: g * (np.sqrt(s) + eps)),
            "the gradient is multiplied by √s + ε. Divide: large gradients are to be tamed."),
        "not_divided": (
            _scaled(accumulate, lambda g, s, eps: g),
            "the gradient is not divided. This is plain gradient descent: divide by √s + ε."),
        "ascent": (
            _scaled(accumulate, lambda g, s, eps: -g / (np.sqrt(s) + eps)),
            "the weights climb. Subtract the step: w ← w − η g / (√s + ε)."),
        "old_sum": (
            lambda w, s, g, lr, *rho_eps: (_scaled(lambda s, *_: s)(w, s, g, lr, *rho_eps)[0],
                                           right(w, s, g, lr, *rho_eps)[1]),
            "the step divides by the old s. Update s first: the newest gradient counts already."),
        "sum_not_updated": (
            lambda w, s, *rest: (right(w, s, *rest)[0], s),
            "the old s comes back. Return the new one: the next step needs it."),
        "root_kept": (
            lambda *inputs: (right(*inputs)[0], np.sqrt(right(*inputs)[1])),
            "the root of s comes back. Keep s itself; take the root only for the step."),
        "swapped_return": (
            lambda *inputs: right(*inputs)[::-1],
            "s comes back before w. Return the new weights first, then s."),
        "weights_only": (
            lambda *inputs: right(*inputs)[0],
            "only the weights come back. Return (w, s): the next step needs s."),
    }


def _total(s, g):
    return s + g**2


_adagrad = Exercise(
    reference=adagrad,
    returns="w, s",
    probes=[
        (np.array([1.0, -2.0, 0.5]), np.array([4.0, 0.3, 2.5]), np.array([2.0, -1.0, 3.0]), 0.7, 0.4),
        (np.array([0.2, 1.5, -0.7]), np.array([0.9, 2.2, 0.1]), np.array([0.3, -0.4, 0.7]), 1.5, 0.8),
        (np.array([3e-6, -1e-6, 4e-6]), np.array([2e-12, 9e-12, 4e-12]), np.array([-2e-6, 1e-6, 3e-6]), 2e-6, 1e-6),
        (np.array([2e7, 5e7, -3e7]), np.array([4e13, 1e13, 7e13]), np.array([3e6, -8e6, 5e6]), 4e7, 2e6),
    ],
    concept="Weights that have seen large gradients should take smaller steps, each weight on its own account. So add "
            "up the squares of all its gradients, this one included, and divide by the root of the sum.",
    formula="s ← s + g²,   w ← w − η g / (√s + ε)",
    blank="jnp.sqrt(s) + eps",
    mistakes={
        "no_accumulation": (
            _scaled(lambda s, g: g**2),
            "the old sum is forgotten. AdaGrad adds up: s ← s + g²."),
        "no_square": (
            _scaled(lambda s, g: s + g),
            "the gradients are summed without squares. Add g²: gradients of both signs must count."),
        "absolute_values": (
            _scaled(lambda s, g: s + np.abs(g)),
            "the sizes of gradients are summed. Add their squares: s ← s + g²."),
        "average": (
            _scaled(lambda s, g: (s + g**2) / 2),
            "the squares are averaged. AdaGrad adds them up and forgets nothing; RMSProp averages."),
        "one_sum_for_all": (
            _scaled(lambda s, g: s + np.sum(g**2)),
            "the squares of all entries are added together. Each weight has a sum of its own: s ← s + g²."),
        "rate_in_sum": (
            lambda w, s, g, lr, eps: _scaled(lambda s, g: s + (lr * g) ** 2)(w, s, g, lr, eps),
            "the rate is in the sum. Add the squares of the gradients themselves: s ← s + g²."),
        "eps_in_sum": (
            lambda w, s, g, lr, eps: _scaled(lambda s, g: s + g**2 + eps)(w, s, g, lr, 0.0),
            "eps is added to the sum. There it would pile up: add ε to √s, in the step."),
        **_mistaken_divisions(_total),
    },
)


def rmsprop(w, s, g, lr, rho, eps):
    """One step of RMSProp.

    w, s, g  weights, the running average of the squared gradients, and the
             gradient, arrays of one shape
    lr       the learning rate η
    rho      the weight ρ of the old average; the new square weighs 1 - ρ
    eps      ε, which is added to the root (outside of it)

    Returns (w, s): the new weights, then the new average.
    """
    s = rho * s + (1 - rho) * g**2
    return w - lr * g / (jnp.sqrt(s) + eps), s


def _average(s, g, rho):
    return rho * s + (1 - rho) * g**2


_rmsprop = Exercise(
    reference=rmsprop,
    returns="w, s",
    probes=[
        (np.array([1.0, -2.0, 0.5]), np.array([4.0, 0.3, 2.5]), np.array([2.0, -1.0, 3.0]), 0.7, 0.8, 0.4),
        (np.array([0.2, 1.5, -0.7]), np.array([0.9, 2.2, 0.1]), np.array([0.3, -0.4, 0.7]), 1.5, 0.6, 0.8),
        (np.array([3e-6, -1e-6, 4e-6]), np.array([2e-12, 9e-12, 4e-12]), np.array([-2e-6, 1e-6, 3e-6]), 2e-6, 0.9,
         1e-6),
        (np.array([2e7, 5e7, -3e7]), np.array([4e13, 1e13, 7e13]), np.array([3e6, -8e6, 5e6]), 4e7, 0.7, 2e6),
    ],
    concept="AdaGrad's sum only grows, so its steps die away. Forget: keep a running average of the squared gradients "
            "instead, in which the old average weighs ρ. Then divide as before.",
    formula="s ← ρ s + (1 − ρ) g²,   w ← w − η g / (√s + ε)",
    blank="(1 - rho) * g**2",
    mistakes={
        "rho_swapped": (
            _scaled(lambda s, g, rho: _average(s, g, 1 - rho)),
            "ρ and 1 − ρ are swapped. ρ weighs the old average, 1 − ρ the new square."),
        "adagrad_sum": (
            _scaled(lambda s, g, rho: s + g**2),
            "the squares are summed. That is AdaGrad; RMSProp averages: s ← ρs + (1 − ρ)g²."),
        "new_square_unweighted": (
            _scaled(lambda s, g, rho: rho * s + g**2),
            "the new square has weight 1. It should weigh 1 − ρ, so that the weights add up to one."),
        "no_decay": (
            _scaled(lambda s, g, rho: s + (1 - rho) * g**2),
            "the old average is kept whole. It decays by ρ in each step: s ← ρs + (1 − ρ)g²."),
        "no_accumulation": (
            _scaled(lambda s, g, rho: g**2),
            "the old average is forgotten. Average: s ← ρs + (1 − ρ)g²."),
        "no_square": (
            _scaled(lambda s, g, rho: rho * s + (1 - rho) * g),
            "the gradients are averaged without squares. Average g²: gradients of both signs must count."),
        "square_outside": (
            _scaled(lambda s, g, rho: rho * s + ((1 - rho) * g) ** 2),
            "the weight 1 − ρ is squared with the gradient. It multiplies g²: (1 − ρ)g²."),
        "one_average_for_all": (
            _scaled(lambda s, g, rho: rho * s + (1 - rho) * np.mean(g**2)),
            "one mean square serves all weights. Each weight has an average of its own."),
        **_mistaken_divisions(_average),
    },
)


def adadelta(w, s, u, g, rho, eps):
    """One step of AdaDelta, which has no learning rate.

    w    weights
    s    the running average of the squared gradients
    u    the running average of the squared steps
    g    the gradient; all four are arrays of one shape
    rho  the weight ρ of both old averages; the new square weighs 1 - ρ
    eps  ε, which is added to s and to u inside of their roots

    Returns (w, s, u): the new weights, then the new averages.
    """
    s = rho * s + (1 - rho) * g**2
    step = jnp.sqrt(u + eps) / jnp.sqrt(s + eps) * g
    u = rho * u + (1 - rho) * step**2
    return w - step, s, u


def _adadelta_with(squares=_average, step=lambda g, s, u, eps: np.sqrt(u + eps) / np.sqrt(s + eps) * g,
                   steps=_average):
    """Return `adadelta` with some of its parts replaced."""
    def changed(w, s, u, g, rho, eps):
        s = squares(s, g, rho)
        moved = step(g, s, u, eps)
        return w - moved, s, steps(u, moved, rho)
    return changed


def _old_squares(w, s, u, g, rho, eps):
    """AdaDelta whose step divides by the average as it was."""
    new, _, u = _adadelta_with(squares=lambda s, *_: s)(w, s, u, g, rho, eps)
    return new, _average(s, g, rho), u


def _steps_first(w, s, u, g, rho, eps):
    """AdaDelta that takes its step once more after the average of steps is updated."""
    _, s, u = adadelta(w, s, u, g, rho, eps)
    return w - np.sqrt(u + eps) / np.sqrt(s + eps) * g, s, u


_adadelta = Exercise(
    reference=adadelta,
    returns="w, s, u",
    probes=[
        (np.array([1.0, -2.0, 0.5]), np.array([4.0, 0.3, 2.5]), np.array([0.6, 1.2, 0.2]), np.array([2.0, -1.0, 3.0]),
         0.8, 0.4),
        (np.array([0.2, 1.5, -0.7]), np.array([0.9, 2.2, 0.1]), np.array([3.0, 0.1, 0.7]), np.array([0.3, -0.4, 0.7]),
         0.6, 0.9),
        (np.array([3e-6, -1e-6, 4e-6]), np.array([2e-12, 9e-12, 4e-12]), np.array([7e-12, 1e-12, 3e-12]),
         np.array([-2e-6, 1e-6, 3e-6]), 0.9, 2e-12),
        (np.array([2e7, 5e7, -3e7]), np.array([4e13, 1e13, 7e13]), np.array([5e13, 8e13, 1e13]),
         np.array([3e6, -8e6, 5e6]), 0.7, 3e13),
    ],
    concept="Divide by the root mean square of the gradients, as RMSProp does, and nothing is left of the gradient's "
            "unit. To get back the unit of a weight, multiply by the root mean square of the steps so far. At the "
            "start there are none: ε, in the roots, sets the pace.",
    formula="s ← ρ s + (1 − ρ) g²,   Δ = √(u + ε) / √(s + ε) · g,   u ← ρ u + (1 − ρ) Δ²,   w ← w − Δ",
    blank="(1 - rho) * step**2",
    mistakes={
        "eps_outside": (
            _adadelta_with(step=lambda g, s, u, eps: (np.sqrt(u) + eps) / (np.sqrt(s) + eps) * g),
            "eps is outside of the square roots. AdaDelta adds it inside: √(u + ε) and √(s + ε)."),
        "eps_below_only": (
            _adadelta_with(step=lambda g, s, u, eps: np.sqrt(u) / np.sqrt(s + eps) * g),
            "eps is missing in the numerator. Without it a u of 0 would never let anything move: √(u + ε)."),
        "eps_above_only": (
            _adadelta_with(step=lambda g, s, u, eps: np.sqrt(u + eps) / np.sqrt(s) * g),
            "eps is missing in the denominator. Divide by √(s + ε)."),
        "no_eps": (
            _adadelta_with(step=lambda g, s, u, eps: np.sqrt(u) / np.sqrt(s) * g),
            "eps is missing. Both roots have it inside: √(u + ε) and √(s + ε)."),
        "no_numerator": (
            _adadelta_with(step=lambda g, s, u, eps: g / np.sqrt(s + eps)),
            "the numerator is missing. Multiply by √(u + ε), which stands where other methods have a rate."),
        "inverted": (
            _adadelta_with(step=lambda g, s, u, eps: np.sqrt(s + eps) / np.sqrt(u + eps) * g),
            "numerator and denominator are swapped. Steps stand above, gradients below: √(u + ε) / √(s + ε)."),
        "no_roots": (
            _adadelta_with(step=lambda g, s, u, eps: (u + eps) / (s + eps) * g),
            "the square roots are missing. The step is √(u + ε) / √(s + ε) · g."),
        "new_steps": (
            _steps_first,
            "the step is made with the new u. It uses the old one: u is updated afterwards, with that step."),
        "averages_gradients_twice": (
            lambda w, s, u, g, rho, eps: (*adadelta(w, s, u, g, rho, eps)[:2], _average(u, g, rho)),
            "the second average holds gradients. u averages the squared steps Δ²."),
        "step_not_squared": (
            _adadelta_with(steps=lambda u, step, rho: rho * u + (1 - rho) * np.abs(step)),
            "the steps are averaged without squares. u averages Δ²."),
        "old_squares": (
            _old_squares,
            "the step divides by the old s. Update s first: the newest gradient counts already."),
        "rho_swapped": (
            lambda w, s, u, g, rho, eps: adadelta(w, s, u, g, 1 - rho, eps),
            "ρ and 1 − ρ are swapped. ρ weighs the old averages, 1 − ρ the new squares."),
        "rho_swapped_in_steps": (
            _adadelta_with(steps=lambda u, step, rho: _average(u, step, 1 - rho)),
            "ρ and 1 − ρ are swapped in the average of steps. ρ weighs the old average."),
        "sums": (
            _adadelta_with(squares=lambda s, g, rho: s + g**2),
            "the squared gradients are summed. That is AdaGrad; average them: s ← ρs + (1 − ρ)g²."),
        "ascent": (
            lambda w, s, u, g, rho, eps: adadelta(w, s, u, -g, rho, eps),
            "the weights climb. Subtract the step: w ← w − Δ."),
        "steps_not_updated": (
            _adadelta_with(steps=lambda u, step, rho: u),
            "the old u comes back. Return the new one, with this step in it."),
        "squares_not_updated": (
            lambda w, s, u, *rest: (adadelta(w, s, u, *rest)[0], s, adadelta(w, s, u, *rest)[2]),
            "the old s comes back. Return the new one: the next step needs it."),
        "swapped_return": (
            lambda *inputs: tuple(adadelta(*inputs)[i] for i in (0, 2, 1)),
            "u comes back before s. Return (w, s, u), in this order."),
        "weights_only": (
            lambda *inputs: adadelta(*inputs)[0],
            "only the weights come back. Return (w, s, u): the next step needs the averages."),
    },
)


EXERCISES = (_gains, _rprop, _adagrad, _rmsprop, _adadelta, *_ch07_adam.EXERCISES)
