"""Every schedule beside its reference: Optax's, or a closed form."""

import jax
import numpy as np
import optax

from ravine import schedules

STEPS = np.arange(45)
# What makes the schedule, and its reference.
PAIRS = {
    "step_decay": (lambda: schedules.step_decay(0.3, [3, 10, 11], factor=0.2),
                   optax.piecewise_constant_schedule(0.3, {3: 0.2, 10: 0.2, 11: 0.2})),
    "step_decay, none": (lambda: schedules.step_decay(0.3, []), optax.constant_schedule(0.3)),
    "cosine_with_warmup": (lambda: schedules.cosine_with_warmup(0.3, 5, 30, end_value=0.01),
                           optax.warmup_cosine_decay_schedule(0.0, 0.3, 5, 30, 0.01)),
    "cosine_with_warmup, none": (lambda: schedules.cosine_with_warmup(0.3, 0, 30),
                                 optax.cosine_decay_schedule(0.3, 30)),
    "exponential_decay": (lambda: schedules.exponential_decay(0.3, 7, 0.5), optax.exponential_decay(0.3, 7, 0.5)),
    "exponential growth": (lambda: schedules.exponential_decay(1e-6, 3, 2.0), optax.exponential_decay(1e-6, 3, 2.0)),
    "inverse_time_decay": (lambda: schedules.inverse_time_decay(0.3, 4, 0.7), lambda t: 0.3 / (1 + 0.7 * t / 4)),
    "one_cycle": (lambda: schedules.one_cycle(0.3, 37), optax.cosine_onecycle_schedule(37, 0.3)),
    "one_cycle, short": (lambda: schedules.one_cycle(0.3, 4), optax.cosine_onecycle_schedule(4, 0.3)),
}


def error(ours, theirs):
    """Compare two schedules over STEPS. Right: at most 1.

    A few roundings each. Optax has (1 + cos) / 2, whose last digits are lost where the wave ends: an ε of the peak.
    """
    expected = jax.jit(jax.vmap(theirs))(STEPS)
    return np.max(abs(ours(STEPS) - expected) / (1e-14 * abs(expected) + 1e-16))
