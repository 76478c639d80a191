"""The references of chapter 7 against the library's own rules, step by step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ravine as rv
from ravine.exercises._exercise import find

RATE, RHO, EPS, DECAY = 0.03, 0.8, 0.2, 0.3
BETAS = (0.7, 0.9)
# name: the library's rule; what it remembers at the start, in the order of the exercise; and the exercise's step,
# from weights, what is remembered, gradient and number of the step, to new weights and what is then remembered.
RULES = {
    "gains": (rv.local_gains(RATE), lambda step, w, k, gp, g, t: (*step(w, k, g, gp, RATE), g)),
    "rprop": (rv.rprop(RATE), lambda step, w, size, gp, g, t: tuple(step(w, g, gp, size)[i] for i in (0, 2, 1))),
    "adagrad": (rv.adagrad(RATE, EPS), lambda step, w, s, g, t: step(w, s, g, RATE, EPS)),
    "rmsprop": (rv.rmsprop(RATE, RHO, EPS), lambda step, w, s, g, t: step(w, s, g, RATE, RHO, EPS)),
    "adadelta": (rv.adadelta(1.0, RHO, EPS), lambda step, w, s, u, g, t: step(w, s, u, g, RHO, EPS)),
    "adam": (rv.adam(RATE, *BETAS, EPS), lambda step, w, m, v, g, t: step(w, m, v, g, t, RATE, *BETAS, EPS)),
    "adamw": (rv.adamw(RATE, *BETAS, EPS, weight_decay=DECAY),
              lambda step, w, m, v, g, t: step(w, m, v, g, t, RATE, *BETAS, EPS, DECAY)),
    "lion": (rv.lion(RATE, *BETAS, DECAY), lambda step, w, m, g, t: step(w, m, g, RATE, *BETAS, DECAY)),
}


@pytest.mark.parametrize("name", RULES)
def test_the_reference_is_the_rule_of_the_library(name):
    rule, step = RULES[name]
    w = jnp.array([-1.0, 1.2])
    state = rule.init(w)
    remembered = state.slots
    for t in range(1, 7):
        g = jnp.array([2.0, -9.0]) * jnp.cos(t * w)  # signs that change, and stay
        updates, state = rule.update(g, state, w)
        w_ours, *remembered = step(find(name).reference, w, *remembered, g, t)
        w = w + updates
        np.testing.assert_allclose(jax.tree.leaves((w_ours, remembered)), jax.tree.leaves((w, state.slots)), rtol=1e-12)
