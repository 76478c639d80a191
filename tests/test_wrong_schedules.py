"""The comparison of schedules has teeth: each slip, of those that go unseen in a picture as well, is refused."""

import pytest

from ravine import schedules
from schedule_cases import PAIRS, error
from slips import put_in_place, rows

SLIPS = (
    (schedules._step_decay, "step_decay", {
        "a step late": ("step >= boundary", "step > boundary"),
        "a step early": ("step >= boundary", "step + 1 >= boundary")}),
    (schedules.step_decay, "step_decay", {
        "down from the start": ("factor**k for", "factor ** (k + 1) for"),
        "one stair only": ("factor**k for", "factor ** min(k, 1) for"),
        "the last boundary forgotten": ("range(len(boundaries) + 1)", "range(len(boundaries))")}),
    (schedules._cosine_with_warmup, "cosine_with_warmup", {
        "t one too high on the way up": ("_share(step, max", "_share(step + 1, max"),
        "warm-up over the whole": ("max(warmup_steps, 1)", "total_steps"),
        "from the end value up": ("peak_value * _share", "end_value + (peak_value - end_value) * _share"),
        "the end value forgotten": ("peak_value, end_value, _share", "peak_value, 0.0, _share"),
        "the fall from step 0": ("total_steps - warmup_steps", "total_steps"),
        "a step too long": ("_share(total_steps - step", "_share(total_steps + 1 - step"),
        "no warm-up": ("step < warmup_steps", "step < 0")}),
    (schedules._half_wave, "cosine_with_warmup", {
        "2π for π": ("0.5 * jnp.pi", "jnp.pi"),
        "a quarter wave": (" ** 2", ""),
        "cosine for sine": ("jnp.sin(", "jnp.cos("),
        "up again after the end": ("jnp.clip(left, 0, 1)", "left"),
        "the end counted twice": ("(start - end)", "start"),
        "a straight line": ("jnp.sin(0.5 * jnp.pi * jnp.clip(left, 0, 1)) ** 2", "jnp.clip(left, 0, 1)")}),
    (schedules._exponential_decay, "exponential_decay", {
        "γ every step": ("_share(step, transition_steps)", "_share(step, 1)"),
        "t one too high": ("_share(step,", "_share(step + 1,"),
        "in stairs": ("_share(step, transition_steps)", "(step // transition_steps)"),
        "growth": ("jnp.exp(logarithm", "jnp.exp(-logarithm")}),
    (schedules.exponential_decay, "exponential_decay", {
        "γ for its logarithm": ("math.log(decay_rate)", "-decay_rate"),
        "the logarithm to base 10": ("math.log(decay_rate)", "math.log10(decay_rate)")}),
    (schedules._inverse_time_decay, "inverse_time_decay", {
        "the root of t": ("_share(step, transition_steps)", "_share(step, transition_steps) ** 0.5"),
        "t one too high": ("_share(step,", "_share(step + 1,"),
        "k for 1 + k": ("1 + decay_rate", "1 + decay_rate + decay_rate"),
        "no unit of time": ("_share(step, transition_steps)", "_share(step, 1)")}),
    (schedules._one_cycle, "one_cycle", {
        "the top in the middle": ("0.3 * total", "0.5 * total"),
        "the top a step late": ("int(0.3 * total_steps)", "int(0.3 * total_steps) + 1"),
        "from 0": ("peak_value / 25, ", "0.0, "),
        "the start for the end": ("250_000", "25"),
        "10⁴ from the peak": ("250_000", "10_000"),
        "the fall over the whole": ("total_steps - top)", "total_steps)")}),
)


@pytest.mark.parametrize(("function", "name", "changes"), rows(SLIPS))
def test_refused(function, name, changes, monkeypatch):
    make, theirs = PAIRS[name]
    assert error(make(), theirs) <= 1
    put_in_place(function, changes, monkeypatch)
    assert not error(make(), theirs) <= 1
