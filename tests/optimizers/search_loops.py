"""What the search along a direction promises, uphill, in failure, at rest and at the edge of a domain."""

import jax
import jax.numpy as jnp
import numpy as np

from ravine.optimizers import _descent


def bowl(w):
    return jnp.sum(w**2)


def domain(w):
    return jnp.sum(w - jnp.log(w))


@jax.custom_jvp
def backwards(w):
    """Return a function whose gradient is wrong in sign, so that no search along it can succeed."""
    return jnp.sum(w**2)


@backwards.defjvp
def _backwards_jvp(primals, tangents):
    return backwards(*primals), -2 * primals[0] @ tangents[0]


STATUS = _descent.StepStatus
START = np.array([1.0, 2.0])
LOSSES = (bowl, domain, backwards, lambda w: jnp.nan * bowl(w), lambda w: 3 + bowl(w), lambda w: jnp.inf + bowl(w))
# What a method answers, as a multiple of the gradient; the number of the loss; where; what must become of the step.
PROMISES = {
    "downhill": (-0.5, 0, START, STATUS.STEPPED),
    "too short": (-0.01, 0, START, STATUS.STEPPED),
    "too long": (-3.0, 0, START, STATUS.STEPPED),
    "uphill": (1.0, 0, START, STATUS.STEEPEST),
    "no direction": (np.nan, 0, START, STATUS.STEEPEST),
    "an infinite direction": (-np.inf, 0, START, STATUS.STEEPEST),
    "out of the domain": (-20.0, 1, 2 * START, STATUS.STEPPED),
    "at rest": (-1.0, 0, 0 * START, STATUS.STATIONARY),
    "at rest but for rounding": (-1.0, 4, 1e-17 * START, STATUS.STATIONARY),
    "no lower loss": (-1.0, 2, START, STATUS.SEARCH_FAILED),
    "no loss": (-1.0, 3, START, STATUS.NOT_FINITE),
    "an infinite loss": (-1.0, 5, START, STATUS.NOT_FINITE),
}


def _multiple(at, factor):
    return _descent.Direction(factor * at.g, factor)


def broken_promises():
    """Return the names of the promises that are not kept."""
    factors, which, starts, expected = map(jnp.array, zip(*PROMISES.values(), strict=True))
    rule = _descent.descend("trial", _multiple, lambda w: 0.0, search=0.9)

    @jax.jit
    @jax.vmap
    def trial(factor, which, w, before):
        def loss(w):
            return jax.lax.switch(which, LOSSES, w)

        value, grad = jax.value_and_grad(loss)(w)
        state = rule.init(w)._replace(memory=factor, status=before)
        updates, state = rule.update(grad, state, w, value=value, grad=grad, value_fn=loss)
        reached, slope = jax.value_and_grad(loss)(w + updates)
        lower = reached < value + 1e-4 * grad @ updates
        flatter = abs(slope @ updates) <= 0.9 * abs(grad @ updates)
        handed_on = jnp.allclose(state.value, reached, equal_nan=True) & jnp.allclose(state.grad, slope, equal_nan=True)
        return state, jnp.where(state.status >= STATUS.STATIONARY, jnp.all(updates == 0), lower & flatter), handed_on

    broken = []
    for before in (STATUS.STEPPED, STATUS.SEARCH_FAILED):
        if before == STATUS.SEARCH_FAILED:  # then −g is tried, whatever the method says
            expected = jnp.where(expected == STATUS.STEPPED, STATUS.STEEPEST, expected)
        state, kept, handed_on = trial(factors, which, starts, jnp.full(len(which), before, jnp.int32))
        age = jnp.where(expected == STATUS.SEARCH_FAILED, 0, 1)
        kept &= handed_on & (state.status == expected) & (state.age == age)
        broken += [name for name, good in zip(PROMISES, kept, strict=True) if not good]
    return broken
