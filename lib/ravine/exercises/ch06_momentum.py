"""The exercises of chapter 6, momentum."""

import jax.numpy as jnp
import numpy as np

from ravine.exercises._exercise import Exercise


def ewma(x, beta):
    """Exponentially weighted average of a sequence, with bias correction.

    x     the values x_1 ... x_T, an array of shape (T,)
    beta  the weight β of the old average; a new value weighs 1 - β,
          and the average starts at V_0 = 0

    Returns the corrected averages of times t = 1 ... T, shape (T,).
    """
    average, corrected = 0.0, []
    for t, value in enumerate(x, start=1):
        average = beta * average + (1 - beta) * value
        corrected.append(average / (1 - beta**t))
    return jnp.stack(corrected)


def _averages(x, old, new, divisor=lambda t: 1.0, start=0.0):
    """Averages that weigh `old` and `new` as told, begin at `start`, and are divided by `divisor(t)`."""
    average, averages = start, []
    for t, value in enumerate(x, start=1):
        average = old * average + new * value
        averages.append(average / divisor(t))
    return jnp.stack(averages)


def _corrected_in_place(x, beta):
    average, corrected = 0.0, []
    for t, value in enumerate(x, start=1):
        average = (beta * average + (1 - beta) * value) / (1 - beta**t)
        corrected.append(average)
    return jnp.stack(corrected)


def _one_behind(x, beta):
    average, corrected = jnp.zeros_like(x[0]), []
    for t, value in enumerate(x, start=1):
        corrected.append(average / (1 - beta**t))
        average = beta * average + (1 - beta) * value
    return jnp.stack(corrected)


_ewma = Exercise(
    reference=ewma,
    returns="averages",
    probes=[
        (np.array([3.0, -1.0, 4.0, 1.0, -5.0]), 0.9),
        (np.array([0.2, 0.7, 0.1, -0.8, 0.5]), 0.6),
        (np.array([2e-6, -7e-6, 1e-6, 8e-6, 2e-6]), 0.99),
        (np.array([4e8, 1e8, -3e8, 2e8, 6e8]), 0.3),
    ],
    concept="Keep one number, the average so far. Each new value moves it a little: the old average weighs β, the new "
            "value 1 − β. It starts at 0, so the first averages are too small. Divide what you hand out by the weight "
            "that the values have had so far; what you keep stays as it is.",
    formula="V₀ = 0,   V_t = β V_{t−1} + (1 − β) x_t,   corrected: V_t / (1 − βᵗ),   t = 1, 2, …, T",
    blank="1 - beta**t",
    mistakes={
        "beta_swapped": (
            lambda x, beta: _averages(x, 1 - beta, beta, lambda t: 1 - beta**t),
            "β and 1 − β are swapped in the average. β weighs the old average, 1 − β the new value."),
        "beta_swapped_throughout": (
            lambda x, beta: ewma(x, 1 - beta),
            "β and 1 − β are swapped everywhere. β weighs the old average, 1 − β the new value."),
        "no_correction": (
            lambda x, beta: _averages(x, beta, 1 - beta),
            "the averages are not corrected. They start at 0 and are too small at first: divide by 1 − βᵗ."),
        "t_from_zero": (
            lambda x, beta: _averages(x, beta, 1 - beta, lambda t: 1 - beta ** (t - 1)),
            "t begins at 0 in the correction. After the first value t is 1; at t = 0 you divide by 1 − β⁰ = 0."),
        "t_one_late": (
            lambda x, beta: _averages(x, beta, 1 - beta, lambda t: 1 - beta ** (t + 1)),
            "t is one too large in the correction. After the first value t is 1."),
        "power_missing": (
            lambda x, beta: _averages(x, beta, 1 - beta, lambda t: 1 - beta),
            "the correction is the same at all times. Divide by 1 − βᵗ, which goes to 1, and not by 1 − β."),
        "multiplied": (
            lambda x, beta: _averages(x, beta, 1 - beta, lambda t: 1 / (1 - beta**t)),
            "the correction multiplies. The first averages are too small: divide by 1 − βᵗ."),
        "new_value_unweighted": (
            lambda x, beta: _averages(x, beta, 1.0, lambda t: 1 - beta**t),
            "the new value has weight 1. It should weigh 1 − β, so that the weights add up to one."),
        "corrected_in_place": (
            _corrected_in_place,
            "the corrected average is fed back. Keep V_t as it is for the next step; correct only what you return."),
        "starts_at_first_value": (
            lambda x, beta: _averages(x, beta, 1 - beta, lambda t: 1 - beta**t, start=x[0]),
            "the average starts at x[0]. The correction is made for an average that starts at 0."),
        "first_value_for_correction": (
            lambda x, beta: _averages(x, beta, 1 - beta, start=x[0]),
            "the average starts at x[0] and is not corrected. That is another remedy, and it gives the first value far "
            "more weight than the others: start at 0 and divide by 1 − βᵗ."),
        "one_behind": (
            _one_behind,
            "each average lacks the newest value. Update first, then store: V̂_t includes x_t."),
        "last_only": (
            lambda x, beta: ewma(x, beta)[-1],
            "only the last average comes back. Return all of them, for t = 1 … T."),
    },
)


def velocity_step(w, v, g, lr, mu):
    """One step of momentum. The velocity includes the rate, and is subtracted.

    w, v, g  weights, velocity and gradient, arrays of one shape
    lr, mu   the learning rate η, and μ, the share of the old velocity kept

    Returns (w, v): the new weights, then the new velocity.
    """
    v = mu * v + lr * g
    return w - v, v


def _step(w, v):
    """Walk by the velocity."""
    return w - v, v


_velocity_step = Exercise(
    reference=velocity_step,
    returns="w, v",
    probes=[
        (np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.1, -0.4]), np.array([2.0, -1.0, 3.0]), 0.1, 0.9),
        (np.array([0.2, 1.5, -0.7]), np.array([-1.0, 0.6, 0.8]), np.array([1.2, -0.4, 0.7]), 0.4, 0.7),
        (np.array([3e-6, -1e-6, 4e-6]), np.array([2e-6, 5e-6, 1e-6]), np.array([-4e-5, 6e-5, 1e-5]), 0.03, 0.6),
        (np.array([2e7, 5e7, -3e7]), np.array([-4e7, 1e7, 2e7]), np.array([3e6, -8e6, 5e6]), 2.5, 0.8),
    ],
    concept="The velocity is what remains of the last step, and the new gradient step on top of it. "
            "First make the new velocity, then walk by it.",
    formula="v ← μ v + η g,   w ← w − v  (with the new v)",
    blank="lr * g",
    mistakes={
        "averaged": (
            lambda w, v, g, lr, mu: _step(w, mu * v + (1 - mu) * lr * g),
            "the gradient is weighed by 1 − μ. That is the averaging form; here the gradient step ηg enters whole."),
        "averaged_rate_outside": (
            lambda w, v, g, lr, mu: (w - lr * (mu * v + (1 - mu) * g), mu * v + (1 - mu) * g),
            "this averages gradients and multiplies by the rate at the end. Here the velocity includes the rate: "
            "v ← μv + ηg, w ← w − v."),
        "old_velocity": (
            lambda w, v, g, lr, mu: (w - v, mu * v + lr * g),
            "the weights move by the old velocity. Update v first, then subtract the new one."),
        "ascent": (
            lambda w, v, g, lr, mu: (w + (mu * v + lr * g), mu * v + lr * g),
            "the weights climb. The velocity points along the gradient: subtract it."),
        "other_sign": (
            lambda w, v, g, lr, mu: (w + (mu * v - lr * g), mu * v - lr * g),
            "the velocity has the other sign. Some books add a velocity μv − ηg; here μv + ηg is subtracted."),
        "gradient_subtracted": (
            lambda w, v, g, lr, mu: _step(w, mu * v - lr * g),
            "the gradient is subtracted twice, once in v and once with v. That climbs: add ηg to the velocity."),
        "decay_twice": (
            lambda w, v, g, lr, mu: (w - mu * (mu * v + lr * g), mu * v + lr * g),
            "the weights move by μ times the new velocity. μ is in the velocity already: w ← w − v."),
        "rate_twice": (
            lambda w, v, g, lr, mu: (w - lr * (mu * v + lr * g), mu * v + lr * g),
            "the rate is applied twice. It is in the velocity already: w ← w − v."),
        "rate_outside": (
            lambda w, v, g, lr, mu: (w - lr * (mu * v + g), mu * v + g),
            "the rate is outside the velocity. That is the accumulated form, as in Optax and PyTorch; here v includes "
            "the rate: v ← μv + ηg, w ← w − v."),
        "no_rate": (
            lambda w, v, g, lr, mu: _step(w, mu * v + g),
            "the learning rate is missing. The gradient enters the velocity as ηg."),
        "rate_on_both": (
            lambda w, v, g, lr, mu: (w - lr * (mu * v + g), lr * (mu * v + g)),
            "the rate multiplies the old velocity too. It belongs to the gradient alone: v ← μv + ηg."),
        "decay_on_both": (
            lambda w, v, g, lr, mu: (w - mu * (v + lr * g), mu * (v + lr * g)),
            "μ multiplies the gradient too. Only the old velocity decays: v ← μv + ηg."),
        "constants_swapped": (
            lambda w, v, g, lr, mu: _step(w, lr * v + mu * g),
            "η and μ are swapped. μ keeps the old velocity, η scales the gradient."),
        "no_memory": (
            lambda w, v, g, lr, mu: _step(w, lr * g),
            "the old velocity is forgotten. This is gradient descent without momentum: add μv."),
        "no_decay": (
            lambda w, v, g, lr, mu: _step(w, v + lr * g),
            "the old velocity is kept whole. It decays by μ in each step: v ← μv + ηg."),
        "nesterov": (
            lambda w, v, g, lr, mu: (w - (mu * (mu * v + lr * g) + lr * g), mu * v + lr * g),
            "this is Nesterov's momentum. Here the step is the new velocity itself."),
        "weights_not_updated": (
            lambda w, v, g, lr, mu: (w, mu * v + lr * g),
            "the weights come back as they were. Return w − v with the new v."),
        "velocity_not_updated": (
            lambda w, v, g, lr, mu: (w - (mu * v + lr * g), v),
            "the old velocity comes back. Return the new one: the next step needs it."),
        "swapped_return": (
            lambda w, v, g, lr, mu: velocity_step(w, v, g, lr, mu)[::-1],
            "v comes back before w. Return the new weights first, then the new velocity."),
        "weights_only": (
            lambda w, v, g, lr, mu: velocity_step(w, v, g, lr, mu)[0],
            "only the weights come back. Return (w, v): the next step needs the velocity."),
        "velocity_only": (
            lambda w, v, g, lr, mu: velocity_step(w, v, g, lr, mu)[1],
            "only the velocity comes back. Return (w, v): the new weights, then the new velocity."),
    },
)


def lookahead_step(w, v, grad, lr, mu):
    """One step of Nesterov's momentum, look-ahead form.

    w, v    weights and velocity, arrays of one shape
    grad    a function: grad(w) is the gradient of the loss at w
    lr, mu  the learning rate η, and μ, the share of the old velocity kept

    The velocity includes the rate, and is subtracted.
    Returns (w, v): the new weights (not the look-ahead point), then the
    new velocity.
    """
    v = mu * v + lr * grad(w - mu * v)
    return w - v, v


def _ravine(w):
    return jnp.array([1.0, 20.0]) * w


def _quartic(w):
    return w**3 - w


_lookahead_step = Exercise(
    reference=lookahead_step,
    returns="w, v",
    probes=[
        (np.array([1.0, -0.5]), np.array([0.3, 0.2]), _ravine, 0.1, 0.9),
        (np.array([1.5, -2.0]), np.array([-0.6, 0.9]), _quartic, 0.4, 0.7),
        (np.array([3e-6, -1e-6]), np.array([2e-6, 5e-6]), _ravine, 0.03, 0.6),
        (np.array([2e7, 5e7]), np.array([-4e7, 1e7]), _ravine, 1.5, 0.8),
    ],
    concept="Momentum will carry the weights on in any case. So jump first, by the velocity that is kept; look at the "
            "gradient there; then, from where you stood, take the whole step.",
    formula="v ← μ v + η ∇L(w − μ v),   w ← w − v  (with the new v)",
    blank="w - mu * v",
    mistakes={
        "gradient_at_w": (
            lambda w, v, grad, lr, mu: _step(w, mu * v + lr * grad(w)),
            "the gradient is taken at w. That is plain momentum; look ahead, to w − μv."),
        "looks_back": (
            lambda w, v, grad, lr, mu: _step(w, mu * v + lr * grad(w + mu * v)),
            "the gradient is taken at w + μv. The velocity is subtracted here, so ahead is w − μv."),
        "whole_velocity": (
            lambda w, v, grad, lr, mu: _step(w, mu * v + lr * grad(w - v)),
            "the gradient is taken at w − v. Only μv is kept of the old velocity, so the jump is w − μv."),
        "rate_in_jump": (
            lambda w, v, grad, lr, mu: _step(w, mu * v + lr * grad(w - lr * mu * v)),
            "the rate shortens the jump. The velocity includes the rate already: look at w − μv."),
        "looks_ahead_by_new": (
            lambda w, v, grad, lr, mu: _step(w, mu * v + lr * grad(w - (mu * v + lr * grad(w)))),
            "the gradient is taken after a whole momentum step. Jump by μv alone, with no gradient in it."),
        "jumps_twice": (
            lambda w, v, grad, lr, mu: _step(w - mu * v, mu * v + lr * grad(w - mu * v)),
            "the step starts at the look-ahead point. The jump is only to look: start the step at w."),
        "returns_lookahead": (
            lambda w, v, grad, lr, mu: (
                w - (1 + mu) * (mu * v + lr * grad(w - mu * v)), mu * v + lr * grad(w - mu * v)),
            "the look-ahead point comes back. Return the weights w − v themselves."),
        "library_form": (
            lambda w, v, grad, lr, mu: (w - (mu * (mu * v + lr * grad(w)) + lr * grad(w)), mu * v + lr * grad(w)),
            "this is the form of the libraries, whose w is the look-ahead point. Here w are the weights, and the "
            "gradient is taken at w − μv."),
        "averaged": (
            lambda w, v, grad, lr, mu: _step(w, mu * v + (1 - mu) * lr * grad(w - mu * v)),
            "the gradient is weighed by 1 − μ. Here the gradient step enters whole."),
        "rate_outside": (
            lambda w, v, grad, lr, mu: (w - lr * (mu * v + grad(w - mu * v)), mu * v + grad(w - mu * v)),
            "the rate is outside the velocity. Here v includes it: v ← μv + η∇L(w − μv), w ← w − v."),
        "rate_twice": (
            lambda w, v, grad, lr, mu: (w - lr * (mu * v + lr * grad(w - mu * v)), mu * v + lr * grad(w - mu * v)),
            "the rate is applied twice. It is in the velocity already: w ← w − v."),
        "no_rate": (
            lambda w, v, grad, lr, mu: _step(w, mu * v + grad(w - mu * v)),
            "the learning rate is missing. The gradient enters the velocity times η."),
        "ascent": (
            lambda w, v, grad, lr, mu: (w + (mu * v + lr * grad(w - mu * v)), mu * v + lr * grad(w - mu * v)),
            "the weights climb. The velocity points along the gradient: subtract it."),
        "other_sign": (
            lambda w, v, grad, lr, mu: (w + (mu * v - lr * grad(w + mu * v)), mu * v - lr * grad(w + mu * v)),
            "the velocity has the other sign. Some books add a velocity; here μv + η∇L(w − μv) is subtracted."),
        "old_velocity": (
            lambda w, v, grad, lr, mu: (w - v, mu * v + lr * grad(w - mu * v)),
            "the weights move by the old velocity. Update v first, then subtract the new one."),
        "no_memory": (
            lambda w, v, grad, lr, mu: _step(w, lr * grad(w - mu * v)),
            "the old velocity is used to look, and then forgotten. The new velocity keeps μv."),
        "weights_not_updated": (
            lambda w, v, grad, lr, mu: (w, mu * v + lr * grad(w - mu * v)),
            "the weights come back as they were. Return w − v with the new v."),
        "velocity_not_updated": (
            lambda w, v, grad, lr, mu: (w - (mu * v + lr * grad(w - mu * v)), v),
            "the old velocity comes back. Return the new one: the next step needs it."),
        "swapped_return": (
            lambda w, v, grad, lr, mu: lookahead_step(w, v, grad, lr, mu)[::-1],
            "v comes back before w. Return the new weights first, then the new velocity."),
        "weights_only": (
            lambda w, v, grad, lr, mu: lookahead_step(w, v, grad, lr, mu)[0],
            "only the weights come back. Return (w, v): the next step needs the velocity."),
    },
)


EXERCISES = (_ewma, _velocity_step, _lookahead_step)
