"""The comparisons have teeth, for momentum and the recent rules: each of these wrong versions is refused."""

import pytest

from ravine.optimizers import _frontier, _lift, _momentum
from slips import put_in_place, rows

from .compare import refused

ASCENT = {"ascent": ("-learning_rate", "learning_rate")}
OLD_V = ("    v = ", "    old, v = v, ")
SLIPS = (
    (_momentum._sgd, "sgd", {
        "the rate off by 1e-6": ("learning_rate *", "(1 + 1e-6) * learning_rate *"),
        "the rate off by 1e-14": ("learning_rate *", "(1 + 1e-14) * learning_rate *"),
        **ASCENT}),
    (_lift._update, "sgd", {
        "the next step's rate": ("schedule(state.count)", "schedule(state.count + 1)"),
        "the first step's rate for good": ("optax.safe_increment(state.count)", "state.count")}),
    (_momentum._momentum, "momentum", {
        "the old velocity used": (*OLD_V, "-v, v", "-old, v"),
        "(1 − γ) before g": ("learning_rate * g", "(1 - decay) * learning_rate * g"),
        "γ before g as well": ("decay * v + learning_rate * g", "decay * (v + learning_rate * g)"),
        "rate outside": ("learning_rate * g", "g", "-v, v", "-learning_rate * v, v"),
        "γ off by 1e-5": ("decay * v", "(1 + 1e-5) * decay * v"),
        "γ off by 1e-13": ("decay * v", "(1 + 1e-13) * decay * v"),
        "ascent": ("-v, v", "v, v")}),
    (_momentum._accumulated_momentum, "accumulated_momentum", {
        "the old v used": (*OLD_V, "learning_rate * v", "learning_rate * old"),
        "rate inside": ("+ g", "+ learning_rate * g", "-learning_rate * v", "-v"),
        "1 − ρ before g": ("+ g", "+ (1 - decay) * g"),
        **ASCENT}),
    (_momentum._averaged_momentum, "averaged_momentum", {
        "β and 1 − β swapped": ("decay * u + (1 - decay) * g", "(1 - decay) * u + decay * g"),
        "no 1 − β": ("(1 - decay) * g", "g"),
        **ASCENT}),
    (_momentum._unbiased_momentum, "averaged_momentum, debias", {
        "no debias": ("unbiased(u, decay, t)", "u"),
        "t one too high": ("unbiased(u, decay, t)", "unbiased(u, decay, t + 1)"),
        "the slot debiased": ("t), u", "t), unbiased(u, decay, t)"),
        **ASCENT}),
    (_momentum.unbiased, "averaged_momentum, debias", {
        "βt for βᵗ": ("** t.astype(float)", "* t.astype(float)"),
        "a product for the quotient": ("average / weight", "average * weight")}),
    (_momentum._heavy_ball, "heavy_ball", {
        "β with the wrong sign": ("decay * displacement", "-decay * displacement"),
        "the slot undecayed": ("displacement, displacement\n", "displacement, displacement / decay\n"),
        "the rate on the last update as well": ("decay * displacement", "decay * learning_rate * displacement")}),
    (_momentum._nesterov, "nesterov", {
        "plain momentum": ("(g + decay * v)", "v"),
        "the old v in the correction": (*OLD_V, "(g + decay * v)", "(g + decay * old)"),
        "γ² in the correction": ("(g + decay * v)", "(g + decay**2 * v)"),
        "no g in the correction": ("(g + decay * v)", "decay * v"),
        "γ on g as well": ("(g + decay * v)", "decay * (g + v)"),
        **ASCENT}),
    (_momentum._look_ahead, "nesterov_lookahead", {
        "gradient at w": ('w - fitted("decay", decay, w) * v', "w"),
        "gradient at w − v": ('fitted("decay", decay, w) * v', "v"),
        "gradient behind": ("w - fitted", "w + fitted")}),
    (_frontier._sam, "sam", {
        "downhill": ("w + fitted", "w - fitted"),
        "no ρ": ('fitted("rho", rho, w) * u', "u"),
        "ρ²": ('fitted("rho", rho, w) *', 'fitted("rho", rho, w) ** 2 *'),
        "not normalised": ("direction(grads)", "grads"),
        "the gradient at w": ("jax.grad(value_fn)(uphill)", "grads")}),
    (_frontier._schedule_free, "schedule_free", {
        "the rate for its square": ("float) ** 2", "float)"),
        "the next step's rate": ("(state.count)", "(state.count + 1)"),
        "β and 1 − β swapped": ("(1 - b1) * step", "b1 * step", "y + b1 * step)", "y + (1 - b1) * step)"),
        "1 − c for c": ("+ c * (", "+ (1 - c) * ("),
        "c one step late": ("ratio(weight, total)", "ratio(weight, total + weight)"),
        "the first z counts as well": ("state.total + weight", "state.total + weight + (state.count == 0)"),
        "z from y": ("jnp.add, state.z, steps", "jnp.add, params, steps"),
        "the old z in the average": ("z - y + b1 * step", "z - y"),
        "the way back to y": ("z - y +", "y - z +"),
        "no average": ("(1 - b1) * step + c * (z - y + b1 * step)", "step"),
        "no weights": ("else jnp.asarray(plain(schedule)(state.count), float) ** 2", "else 1.0")}),
)


@pytest.mark.parametrize(("function", "name", "changes"), rows(SLIPS))
def test_refused(function, name, changes, monkeypatch):
    put_in_place(function, changes, monkeypatch)
    assert refused(name)
