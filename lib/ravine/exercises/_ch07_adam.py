"""The exercises of chapter 7 on Adam's family: Adam, AdamW, Lion."""

import jax.numpy as jnp
import numpy as np

from ravine.exercises._exercise import Exercise


def adam(w, m, v, g, t, lr, b1, b2, eps):
    """One step of Adam.

    w, m, v  weights, the running averages of the gradients and of their
             squares (both as they are, not corrected)
    g        the gradient; all four are arrays of one shape
    t        the number of this step: 1 for the first one
    lr       the learning rate η
    b1, b2   the weights β₁ and β₂ of the old averages m and v
    eps      ε, which is added to the root (outside of it)

    The step uses m and v corrected for their start at 0.
    Returns (w, m, v): the new weights, then the new averages, not corrected.
    """
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    m_hat = m / (1 - b1**t)
    v_hat = v / (1 - b2**t)
    return w - lr * m_hat / (jnp.sqrt(v_hat) + eps), m, v


def _average(old, new, beta):
    return beta * old + (1 - beta) * new


def _corrected(average, beta, t):
    return average / (1 - beta**t)


def _divided(m_hat, v_hat, eps):
    return m_hat / (np.sqrt(v_hat) + eps)


def _adam_with(m_new=_average, v_new=lambda v, g, b2: _average(v, g**2, b2), correct_m=_corrected,
               correct_v=_corrected, divide=_divided):
    """Return `adam` with some of its parts replaced."""
    def changed(w, m, v, g, t, lr, b1, b2, eps):
        m, v = m_new(m, g, b1), v_new(v, g, b2)
        return w - lr * divide(correct_m(m, b1, t), correct_v(v, b2, t), eps), m, v
    return changed


def _eps_on_weights(w, m, v, g, t, lr, b1, b2, eps):
    w, m, v = _adam_with(divide=lambda m, v, eps: m / np.sqrt(v))(w, m, v, g, t, lr, b1, b2, eps)
    return w + eps, m, v


def _uncorrected(average, beta, t):
    return average


def _stores_corrected(w, m, v, g, t, lr, b1, b2, eps):
    w, m, v = adam(w, m, v, g, t, lr, b1, b2, eps)
    return w, _corrected(m, b1, t), _corrected(v, b2, t)


def _old_averages(w, m, v, g, t, lr, b1, b2, eps):
    step = _divided(_corrected(m, b1, t), _corrected(v, b2, t), eps)
    return w - lr * step, *adam(w, m, v, g, t, lr, b1, b2, eps)[1:]


_adam = Exercise(
    reference=adam,
    returns="w, m, v",
    probes=[
        (np.array([1.0, -2.0, 0.5]), np.array([0.4, -0.3, 1.1]), np.array([0.5, 0.2, 0.9]), np.array([2.0, -1.0, 3.0]),
         3, 0.5, 0.8, 0.9, 0.4),
        (np.array([0.2, 1.5, -0.7]), np.array([-0.6, 0.9, 0.2]), np.array([0.9, 2.2, 0.1]), np.array([0.3, -0.4, 0.7]),
         5, 1.5, 0.7, 0.95, 0.8),
        (np.array([3e-6, -1e-6, 4e-6]), np.array([1e-6, -4e-6, 2e-6]), np.array([2e-12, 9e-12, 4e-12]),
         np.array([-2e-6, 1e-6, 3e-6]), 4, 2e-6, 0.6, 0.8, 2e-6),
        (np.array([2e7, 5e7, -3e7]), np.array([-4e6, 1e6, 2e6]), np.array([4e12, 1e12, 7e12]),
         np.array([3e6, -8e6, 5e6]), 8, 4e7, 0.9, 0.98, 2e6),
    ],
    concept="Two running averages: m of the gradients says where to go, v of their squares how large they usually are. "
            "Both start at 0 and are too small at first, so divide each by the weight that its values have had so "
            "far. Correct only what the step uses; keep m and v as they are.",
    formula="m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²,\nm̂ = m / (1 − β₁ᵗ),   v̂ = v / (1 − β₂ᵗ),\n"
            "w ← w − η m̂ / (√v̂ + ε)",
    blank="jnp.sqrt(v_hat) + eps",
    mistakes={
        "eps_inside": (
            _adam_with(divide=lambda m, v, eps: m / np.sqrt(v + eps)),
            "eps is inside the square root. Adam divides by √v̂ + ε."),
        "eps_before_correction": (
            lambda w, m, v, g, t, lr, b1, b2, eps: adam(w, m, v, g, t, lr, b1, b2, eps / (1 - b2**t) ** 0.5),
            "eps is added before v is corrected. That is the paper's shorter form, with a corrected rate; here ε is "
            "added to √v̂."),
        "no_eps": (
            _adam_with(divide=lambda m, v, eps: m / np.sqrt(v)),
            "eps is missing. Adam divides by √v̂ + ε."),
        "no_parentheses": (
            _eps_on_weights,
            "eps is added to the weights. Division comes before addition, so the sum below needs parentheses: "
            "m̂ / (√v̂ + ε)."),
        "no_correction": (
            _adam_with(correct_m=_uncorrected, correct_v=_uncorrected),
            "m and v are not corrected. They start at 0 and are too small at first: divide by 1 − β₁ᵗ and 1 − β₂ᵗ."),
        "m_not_corrected": (
            _adam_with(correct_m=_uncorrected),
            "m is not corrected. It starts at 0 as v does: divide it by 1 − β₁ᵗ."),
        "v_not_corrected": (
            _adam_with(correct_v=_uncorrected),
            "v is not corrected. It starts at 0 as m does: divide it by 1 − β₂ᵗ."),
        "t_minus_one": (
            lambda w, m, v, g, t, *rest: adam(w, m, v, g, t - 1, *rest),
            "t is one too small in the corrections. t is the number of this step, 1 for the first: no t − 1."),
        "t_plus_one": (
            lambda w, m, v, g, t, *rest: adam(w, m, v, g, t + 1, *rest),
            "t is one too large in the corrections. t already counts this step, 1 for the first: no t + 1."),
        "power_missing": (
            lambda w, m, v, g, t, *rest: adam(w, m, v, g, 1, *rest),
            "the corrections are the same at all times. Divide by 1 − β₁ᵗ and 1 − β₂ᵗ, which go to 1."),
        "power_of_difference": (
            _adam_with(correct_m=lambda m, beta, t: m / (1 - beta)**t, correct_v=lambda v, beta, t: v / (1 - beta)**t),
            "the corrections divide by (1 − β)ᵗ. The power belongs to β alone: divide by 1 − βᵗ."),
        "multiplied": (
            _adam_with(correct_m=lambda m, beta, t: m * (1 - beta**t), correct_v=lambda v, beta, t: v * (1 - beta**t)),
            "the corrections multiply. m and v are too small at first: divide by 1 − βᵗ."),
        "stores_corrected": (
            _stores_corrected,
            "the corrected averages come back. Keep m and v as they are for the next step; correct only what the step "
            "uses."),
        "betas_swapped": (
            lambda w, m, v, g, t, lr, b1, b2, eps: adam(w, m, v, g, t, lr, b2, b1, eps),
            "β₁ and β₂ are swapped. β₁ belongs to m, β₂ to v."),
        "weights_swapped": (
            _adam_with(m_new=lambda m, g, b1: _average(g, m, b1), v_new=lambda v, g, b2: _average(g**2, v, b2)),
            "β and 1 − β are swapped in the averages. β weighs the old average, 1 − β the new value."),
        "no_root": (
            _adam_with(divide=lambda m, v, eps: m / (v + eps)),
            "the square root is missing. Adam divides by √v̂ + ε."),
        "no_square": (
            _adam_with(v_new=_average),
            "v averages the gradients. It should average their squares, g²."),
        "square_of_m": (
            lambda w, m, v, g, t, lr, b1, b2, eps: _adam_with(
                v_new=lambda v, g, b2: _average(v, _average(m, g, b1) ** 2, b2))(w, m, v, g, t, lr, b1, b2, eps),
            "v averages the squares of m. It should average the squares of the gradients themselves, g²."),
        "v_never_falls": (
            _adam_with(v_new=lambda v, g, b2: np.maximum(v, _average(v, g**2, b2))),
            "v never falls. That is AMSGrad's idea; in Adam it is the running average, whether it rises or falls."),
        "gradient_in_step": (
            lambda w, m, v, g, t, lr, b1, b2, eps: _adam_with(
                correct_m=lambda *_: g)(w, m, v, g, t, lr, b1, b2, eps),
            "the step goes along the gradient. RMSProp does so; Adam goes along m̂."),
        "old_averages": (
            _old_averages,
            "the step uses the old m and v. Update them first: the newest gradient counts already."),
        "ascent": (
            _adam_with(divide=lambda m, v, eps: -_divided(m, v, eps)),
            "the weights climb. Subtract the step: w ← w − η m̂ / (√v̂ + ε)."),
        "averages_not_updated": (
            lambda w, m, v, *rest: (adam(w, m, v, *rest)[0], m, v),
            "the old averages come back. Return the new m and v: the next step needs them."),
        "swapped_return": (
            lambda *inputs: tuple(adam(*inputs)[i] for i in (0, 2, 1)),
            "v comes back before m. Return (w, m, v), in this order."),
        "weights_only": (
            lambda *inputs: adam(*inputs)[0],
            "only the weights come back. Return (w, m, v): the next step needs the averages."),
    },
)


def adamw(w, m, v, g, t, lr, b1, b2, eps, wd):
    """One step of AdamW, which is Adam with decoupled weight decay.

    w, m, v  weights, the running averages of the gradients and of their
             squares (both as they are, not corrected)
    g        the gradient; all four are arrays of one shape
    t        the number of this step: 1 for the first one
    lr       the learning rate η, which scales the decay too
    b1, b2   the weights β₁ and β₂ of the old averages m and v
    eps      ε, which is added to the root (outside of it)
    wd       the weight decay λ

    Each weight takes Adam's step, and loses besides a share ηλ of its old
    value. The averages never see the decay.
    Returns (w, m, v): the new weights, then the new averages, not corrected.
    """
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    m_hat = m / (1 - b1**t)
    v_hat = v / (1 - b2**t)
    return w - lr * (m_hat / (jnp.sqrt(v_hat) + eps) + wd * w), m, v


def _adamw_with(step=adam, decay=lambda w, new, lr, wd: lr * wd * w):
    """Return `adamw` with another step than Adam's, or another decay."""
    def changed(w, m, v, g, t, lr, b1, b2, eps, wd):
        new, m, v = step(w, m, v, g, t, lr, b1, b2, eps)
        return new - decay(w, new, lr, wd), m, v
    return changed


def _decay_divided(w, m, v, g, t, lr, b1, b2, eps, wd):
    return _adam_with(divide=lambda m, v, eps: _divided(m + wd * w, v, eps))(w, m, v, g, t, lr, b1, b2, eps)


def _adams(name):
    """Return a mistake of `adam` as one of `adamw`."""
    step, message = _adam.mistakes[name]
    return _adamw_with(step), message


_adamw = Exercise(
    reference=adamw,
    returns="w, m, v",
    probes=[(*adams, wd) for adams, wd in zip(_adam.probes, (0.6, 0.3, 2e5, 1e-8), strict=True)],
    concept="Adam first, as before. Then let every weight shrink by a share of its own value, the same share for all. "
            "As a penalty in the gradient the decay would be divided by √v̂ with the rest, and weights with large "
            "gradients would hardly decay.",
    formula="m, v, m̂, v̂ as in Adam, from g alone;   w ← w − η ( m̂ / (√v̂ + ε) + λ w )",
    blank="wd * w",
    mistakes={
        "coupled": (
            lambda w, m, v, g, t, lr, b1, b2, eps, wd: adam(w, m, v, g + wd * w, t, lr, b1, b2, eps),
            "the decay is added to the gradient. That is an L2 penalty, which Adam divides by √v̂; here λw stays out of "
            "m and v."),
        "decay_divided": (
            _decay_divided,
            "the decay is divided by √v̂ + ε. Only m̂ is: add λw after the division."),
        "decay_without_rate": (
            _adamw_with(decay=lambda w, new, lr, wd: wd * w),
            "the decay is not multiplied by the rate. The share that a weight loses is ηλ."),
        "decays_new_weights": (
            _adamw_with(decay=lambda w, new, lr, wd: lr * wd * new),
            "the new weights decay. The share ηλ is taken of the old weights: step and decay both start from w."),
        "decay_grows": (
            _adamw_with(decay=lambda w, new, lr, wd: -lr * wd * w),
            "the decay has the wrong sign. Weights should shrink: subtract ηλw."),
        "decays_sign": (
            _adamw_with(decay=lambda w, new, lr, wd: lr * wd * np.sign(w)),
            "the decay takes the same off every weight. That belongs to an L1 penalty; here each loses a share: λw."),
        "no_decay": (
            _adamw_with(decay=lambda w, new, lr, wd: 0.0),
            "the decay is missing. This is Adam: subtract ηλw besides."),
        "step_without_rate": (
            lambda w, m, v, g, t, lr, b1, b2, eps, wd: _adamw_with(
                lambda *inputs: adam(w, m, v, g, t, 1.0, b1, b2, eps))(w, m, v, g, t, lr, b1, b2, eps, wd),
            "the rate multiplies the decay alone. It scales both: η ( m̂ / (√v̂ + ε) + λw )."),
        **{name: _adams(name) for name in (
            "eps_inside", "no_eps", "no_parentheses", "no_correction", "t_minus_one", "t_plus_one",
            "power_of_difference", "stores_corrected", "betas_swapped", "no_root", "ascent",
            "averages_not_updated")},
        "weights_only": (
            lambda *inputs: adamw(*inputs)[0],
            "only the weights come back. Return (w, m, v): the next step needs the averages."),
    },
)


def lion(w, m, g, lr, b1, b2, wd):
    """One step of Lion, with weight decay.

    w, m, g  weights, the running average of the gradients, and the gradient,
             arrays of one shape
    lr       the learning rate η, which scales the decay too
    b1       β₁: in the step, the old m weighs β₁ and the gradient 1 - β₁
    b2       β₂: in the new m, the old one weighs β₂ and the gradient 1 - β₂
    wd       the weight decay λ, which is decoupled

    Both use the old m. The weights move by η against the sign, and lose
    besides a share ηλ of their old value.
    Returns (w, m): the new weights, then the new average.
    """
    direction = jnp.sign(b1 * m + (1 - b1) * g)
    m = b2 * m + (1 - b2) * g
    return w - lr * (direction + wd * w), m


def _lion_with(direction=lambda m, g, b1, b2: np.sign(_average(m, g, b1)), decay=lambda w, lr, wd: lr * wd * w,
               m_new=lambda m, g, b1, b2: _average(m, g, b2)):
    """Return `lion` with some of its parts replaced."""
    def changed(w, m, g, lr, b1, b2, wd):
        return w - lr * direction(m, g, b1, b2) - decay(w, lr, wd), m_new(m, g, b1, b2)
    return changed


_lion = Exercise(
    reference=lion,
    returns="w, m",
    probes=[
        (np.array([1.0, -2.0, 0.5]), np.array([1.0, -2.4, 0.8]), np.array([-2.0, 2.0, 3.0]), 0.5, 0.5, 0.8, 0.6),
        (np.array([0.2, 1.5, -0.7]), np.array([-2.4, 0.6, 0.3]), np.array([1.0, -0.5, -1.5]), 0.8, 0.5, 0.8, 0.9),
        (np.array([3e-6, -1e-6, 4e-6]), np.array([2e-6, 3e-6, -1e-6]), np.array([-1.5e-6, 1e-6, 4e-6]), 2e-6, 0.7, 0.9,
         2e5),
        (np.array([2e7, 5e7, -3e7]), np.array([-4e6, 1e6, 2e6]), np.array([3e6, -8e6, -7e6]), 1e7, 0.6, 0.95, 2e-8),
    ],
    concept="Lion keeps one average and walks along its sign: every weight by the same length. It mixes m and the "
            "gradient twice with different weights, once for the step, where the gradient counts more, and once for "
            "what it remembers, where the past counts more.",
    formula="w ← w − η ( sign(β₁ m + (1 − β₁) g) + λ w ),   then m ← β₂ m + (1 − β₂) g",
    blank="b1 * m + (1 - b1) * g",
    mistakes={
        "b1_twice": (
            _lion_with(m_new=lambda m, g, b1, b2: _average(m, g, b1)),
            "β₁ is used for the new m too. β₁ belongs to the step, β₂ to the new m."),
        "b2_twice": (
            _lion_with(direction=lambda m, g, b1, b2: np.sign(_average(m, g, b2))),
            "the step is the sign of the new m. It mixes the old m and the gradient with β₁."),
        "m_first": (
            _lion_with(direction=lambda m, g, b1, b2: np.sign(_average(_average(m, g, b2), g, b1))),
            "m is updated before the step. The step mixes the old m with the gradient."),
        "betas_swapped": (
            lambda w, m, g, lr, b1, b2, wd: lion(w, m, g, lr, b2, b1, wd),
            "β₁ and β₂ are swapped. β₁ belongs to the step, β₂ to the new m."),
        "weights_swapped": (
            lambda w, m, g, lr, b1, b2, wd: lion(w, m, g, lr, 1 - b1, 1 - b2, wd),
            "β and 1 − β are swapped. β weighs the old m, 1 − β the gradient."),
        "no_sign": (
            _lion_with(direction=lambda m, g, b1, b2: _average(m, g, b1)),
            "the sign is missing. Every weight moves by η, whatever the size of its gradient."),
        "sign_of_gradient": (
            _lion_with(direction=lambda m, g, b1, b2: np.sign(g)),
            "the step is the sign of the gradient alone. Take the sign of β₁m + (1 − β₁)g."),
        "signs_mixed": (
            _lion_with(direction=lambda m, g, b1, b2: _average(np.sign(m), np.sign(g), b1)),
            "signs are mixed. Mix m and g first, then take the sign."),
        "keeps_sign": (
            _lion_with(m_new=lambda m, g, b1, b2: np.sign(_average(m, g, b1))),
            "the step's sign comes back as m. The new m is β₂m + (1 − β₂)g."),
        "decay_inside": (
            lambda w, m, g, lr, b1, b2, wd: (w - lr * np.sign(_average(m, g, b1) + wd * w), _average(m, g, b2)),
            "the decay is inside the sign. It is decoupled: add λw after the sign."),
        "coupled": (
            lambda w, m, g, lr, b1, b2, wd: lion(w, m, g + wd * w, lr, b1, b2, 0.0),
            "the decay is added to the gradient. It is decoupled: λw stays out of m and of the sign."),
        "decay_without_rate": (
            _lion_with(decay=lambda w, lr, wd: wd * w),
            "the decay is not multiplied by the rate. The share that a weight loses is ηλ."),
        "decay_grows": (
            _lion_with(decay=lambda w, lr, wd: -lr * wd * w),
            "the decay has the wrong sign. Weights should shrink: subtract ηλw."),
        "no_decay": (
            _lion_with(decay=lambda w, lr, wd: 0.0),
            "the decay is missing. Subtract ηλw besides."),
        "ascent": (
            _lion_with(direction=lambda m, g, b1, b2: -np.sign(_average(m, g, b1))),
            "the weights climb. Subtract the step: w ← w − η sign(…)."),
        "average_not_updated": (
            lambda w, m, *rest: (lion(w, m, *rest)[0], m),
            "the old m comes back. Return the new one: the next step needs it."),
        "swapped_return": (
            lambda *inputs: lion(*inputs)[::-1],
            "m comes back before w. Return the new weights first, then m."),
        "weights_only": (
            lambda *inputs: lion(*inputs)[0],
            "only the weights come back. Return (w, m): the next step needs the average."),
    },
)


EXERCISES = (_adam, _adamw, _lion)
