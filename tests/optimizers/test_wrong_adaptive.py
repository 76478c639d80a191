"""The comparisons have teeth, for the rules that divide by a size or look at a sign: each slip is refused."""

import pytest

from ravine.optimizers import _adaptive, _sign
from slips import put_in_place, rows

from .compare import refused

ASCENT = {"ascent": ("-learning_rate", "learning_rate")}
EPS_INSIDE = {"ε inside the root": ("root(r) + eps", "root(r + eps)")}
SLIPS = (
    (_sign._local_gains, "local_gains", {
        "the sign alone, not its change": ("jnp.sign(g) * jnp.sign(last)", "jnp.sign(g)"),
        "a product that underflows": ("jnp.sign(g) * jnp.sign(last)", "g * last"),
        "the signs' change for their agreement": ("agreement > 0", "agreement < 0"),
        "growth at 0": ("agreement > 0", "agreement >= 0"),
        "growth by multiplication": ("gain + delta", "gain * (1 + delta)"),
        "fall by subtraction": ("gain * (1 - delta)", "gain - delta"),
        "no lower limit": ("delta)), low, high)", "delta)), None, high)"),
        "no upper limit": ("delta)), low, high)", "delta)), low, None)"),
        "the sign of g": ("gain * g, gain", "gain * jnp.sign(g), gain"),
        "the last gradient forgotten": ("gain, g\n", "gain, last\n"),
        "no gain": ("-learning_rate * gain * g", "-learning_rate * g"),
        **ASCENT}),
    (_sign._rprop, "rprop", {
        "the factors swapped": ("grow, shrink)", "shrink, grow)"),
        "shrinks at 0": ("jnp.where(agreement == 0, step, changed)", "changed"),
        "no zeroing": ("jnp.where(agreement < 0, 0, g)", "g"),
        "zeroing of the step but not of the slot": ("step, g\n", "step, last_g\n", "    g = ", "    last_g, g = g, "),
        "back over the minimum": ("agreement < 0, 0, g", "agreement < 0, -g, g"),
        "no lower limit": ("shrink), low, high)", "shrink), None, high)"),
        "no upper limit": ("shrink), low, high)", "shrink), low, None)"),
        "the gradient for its sign": ("-step * jnp.sign(g)", "-step * g"),
        "the last gradient forgotten": ("step, g\n", "step, last\n"),
        "ascent": ("-step", "step")}),
    (_sign._lion, "lion", {
        "β₂ in the step": ("jnp.sign(b1 * m + (1 - b1) * g)", "jnp.sign(b2 * m + (1 - b2) * g)"),
        "β₁ in the slot": ("m = b2 * m + (1 - b2) * g", "m = b1 * m + (1 - b1) * g"),
        "the weights swapped": ("b1 * m + (1 - b1) * g", "(1 - b1) * m + b1 * g"),
        "no interpolation": ("b1 * m + (1 - b1) * g", "m"),
        "no sign": ("jnp.sign(b1", "(b1"),
        **ASCENT}),
    (_adaptive._adagrad, "adagrad", {
        "an average for the sum": ("r + g**2", "0.9 * r + 0.1 * g**2"),
        "no memory": ("r + g**2", "g**2"),
        "no squares": ("g**2", "jnp.abs(g)"),
        "no root": ("root(r)", "r"),
        "no ε": (" + eps", ""),
        "the old slot": ("    r = r + g**2\n", "", "eps), r\n", "eps), r + g**2\n"),
        **EPS_INSIDE, **ASCENT}),
    (_adaptive._adagrad, "adagrad, ε = 0", {
        "the old slot": ("    r = r + g**2\n", "", "eps), r\n", "eps), r + g**2\n"),
        "the rate inside": ("r + g**2", "r + (learning_rate * g)**2")}),
    (_adaptive._adadelta, "adadelta", {
        "ε outside the upper root": ("root(u + eps)", "root(u) + eps"),
        "ε outside the lower root": ("root(r + eps)", "root(r) + eps"),
        "upside down": ("root(u + eps), root(r + eps)", "root(r + eps), root(u + eps)"),
        "gradients in u": ("(1 - decay) * step**2", "(1 - decay) * g**2"),
        "the rate in u": ("(1 - decay) * step**2", "(1 - decay) * (learning_rate * step)**2"),
        "the weights of r swapped": ("decay * r + (1 - decay) * g**2", "(1 - decay) * r + decay * g**2"),
        "the weights of u swapped": ("decay * u + (1 - decay) * step**2", "(1 - decay) * u + decay * step**2"),
        "no 1 − ρ": ("(1 - decay) * step**2", "step**2"),
        "AdaGrad's sum": ("decay * r + (1 - decay) * g**2", "r + g**2"),
        **ASCENT}),
    (_adaptive._rmsprop, "rmsprop", {
        "the weights swapped": ("decay * r + (1 - decay) * g**2", "(1 - decay) * r + decay * g**2"),
        "no 1 − α": ("(1 - decay) * g**2", "g**2"),
        "AdaGrad's sum": ("decay * r + (1 - decay) * g**2", "r + g**2"),
        "no root": ("root(r)", "r"),
        "no ε": (" + eps", ""),
        "the old slot": ("ratio(g, root(r)", "ratio(g, root(old)", "    r = ", "    old, r = r, "),
        **EPS_INSIDE, **ASCENT}),
    (_adaptive._centered_rmsprop, "rmsprop, centred", {
        "not centred": (" - m**2", ""),
        "m for m²": (" - m**2", " - m"),
        "m² added": (" - m**2", " + m**2"),
        "ε inside the root": ("m**2, 0)) + eps", "m**2, 0) + eps)"),
        "the weights of m swapped": ("decay * m + (1 - decay) * g\n", "(1 - decay) * m + decay * g\n"),
        "the centred gradient": ("ratio(g, ", "ratio(g - m, ")}),
    (_adaptive._with_momentum, "rmsprop", {
        "an average of the steps": ("momentum * v + step", "momentum * v + (1 - momentum) * step"),
        "the step decayed as well": ("momentum * v + step", "momentum * (v + step)"),
        "the old v": ("momentum * v if nesterov else v), v,", "momentum * v if nesterov else old), v,",
                      "    v = ", "    old, v = v, "),
        "momentum before the rate": ("(g, *slots, **numbers)", "(g, *slots, **{**numbers, 'learning_rate': 1.0})",
                                     "else v), v,", "else numbers['learning_rate'] * v), v,")}),
    (_adaptive._with_momentum, "rmsprop, Nesterov", {
        "plain momentum": ("step + momentum * v if", "v if"),
        "no step in it": ("step + momentum * v if", "momentum * v if"),
        "one step too far": ("step + momentum * v if", "v + momentum * v if")}),
    (_adaptive._adam, "adam", {
        "ε inside the root": ("t)) + eps", "t) + eps)"),
        "ε before the correction": ("root(unbiased(v, b2, t)) + eps", "root(unbiased((root(v) + eps)**2, b2, t))"),
        "m not corrected": ("unbiased(m, b1, t)", "m"),
        "v not corrected": ("unbiased(v, b2, t)", "v"),
        "t of m one too high": ("unbiased(m, b1, t)", "unbiased(m, b1, t + 1)"),
        "t of v one too high": ("unbiased(v, b2, t)", "unbiased(v, b2, t + 1)"),
        "m corrected with β₂": ("unbiased(m, b1, t)", "unbiased(m, b2, t)"),
        "v corrected with β₁": ("unbiased(v, b2, t)", "unbiased(v, b1, t)"),
        "m averaged with β₂": ("b1 * m + (1 - b1) * g", "b2 * m + (1 - b2) * g"),
        "v averaged with β₁": ("b2 * v + (1 - b2) * g**2", "b1 * v + (1 - b1) * g**2"),
        "the weights of m swapped": ("b1 * m + (1 - b1) * g", "(1 - b1) * m + b1 * g"),
        "no 1 − β₂": ("(1 - b2) * g**2", "g**2"),
        "squares of m": ("(1 - b2) * g**2", "(1 - b2) * m**2"),
        "no root": ("root(unbiased(v, b2, t))", "unbiased(v, b2, t)"),
        "g for m": ("ratio(unbiased(m, b1, t)", "ratio(g"),
        "the old m": ("unbiased(m, b1, t)", "unbiased(old, b1, t)", "    m = ", "    old, m = m, "),
        "the old v": ("unbiased(v, b2, t)", "unbiased(old, b2, t)", "    v = ", "    old, v = v, "),
        "a corrected slot": ("eps), m, v", "eps), unbiased(m, b1, t), v"),
        "AMSGrad's largest v": ("v = b2 * v + (1 - b2) * g**2", "v = jnp.maximum(v, b2 * v + (1 - b2) * g**2)"),
        "NAdam's look ahead": ("ratio(unbiased(m, b1, t)", "ratio(unbiased(b1 * m + (1 - b1) * g, b1, t)"),
        **ASCENT}),
    (_adaptive._biased_adam, "adam, biased", {
        "ε inside the root": ("root(v) + eps", "root(v + eps)"),
        "the old v": ("root(v)", "root(old)", "    v = ", "    old, v = v, "),
        "no 1 − β₁": ("(1 - b1) * g\n", "g\n"),
        **ASCENT}),
    (_adaptive.with_weight_decay, "adamw", {
        "coupled decay": ("inner(g,", "inner(g + weight_decay * w,", " - learning_rate * weight_decay * w", ""),
        "decay without the rate": ("learning_rate * weight_decay * w", "weight_decay * w"),
        "growth for decay": ("- learning_rate", "+ learning_rate"),
        "no decay": (" - learning_rate * weight_decay * w", "")}),
)


@pytest.mark.parametrize(("function", "name", "changes"), rows(SLIPS))
def test_refused(function, name, changes, monkeypatch):
    put_in_place(function, changes, monkeypatch)
    assert refused(name)
