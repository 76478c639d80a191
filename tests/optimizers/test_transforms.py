"""Rules under jit, vmap, scan and grad, and in Optax's combinators."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.test_util import check_grads

import ravine as rv

from .cases import LOOKING, RULES, WITH_DECAY, WITH_RATE, each, slots

CLOSE = {"rtol": 1e-13, "atol": 1e-15}
BOWL = rv.landscapes.quadratic(8.0, rotation=0.5)
START = np.array([-2.0, 1.0])


def walk(optimizer, start, steps=3, fun=BOWL):
    """Return the points of a run, by hand and step by step."""
    optimizer = optax.with_extra_args_support(optimizer)
    points, state = [start], optimizer.init(start)
    for _ in range(steps):
        value, grad = jax.value_and_grad(fun)(points[-1])
        updates, state = optimizer.update(grad, state, points[-1], value=value, grad=grad, value_fn=fun)
        points.append(optax.apply_updates(points[-1], updates))
    return jnp.stack(points)


@each(RULES)
def test_jit_and_scan_change_nothing(rule):
    eager = walk(rule(0.1), jnp.asarray(START))
    jitted = jax.jit(walk)(rule(0.1), jnp.asarray(START))
    scanned = rv.minimize(BOWL, START, rule(0.1), steps=3).path
    np.testing.assert_allclose(jitted, eager, **CLOSE)
    np.testing.assert_allclose(scanned, eager, **CLOSE)


@each(WITH_RATE)
def test_vmap_over_rates_is_a_loop_over_rates(rule):
    def run(optimizer):
        return rv.minimize(BOWL, START, optimizer, steps=3).path

    rates = jnp.array([0.0, 0.01, 0.1, 0.2])
    mapped = jax.vmap(lambda rate: run(rule(rate)))(rates)
    np.testing.assert_allclose(mapped, [run(rule(float(rate))) for rate in rates], **CLOSE)
    # The optimizer is a tree itself: it can be made first and mapped afterwards.
    np.testing.assert_allclose(jax.vmap(run)(jax.vmap(rule)(rates)), mapped, **CLOSE)


@each(WITH_DECAY)
def test_vmap_over_decays_is_a_loop_over_decays(rule):
    def run(decay):
        return rv.minimize(BOWL, START, rule(0.1, decay=decay), steps=3).path

    decays = jnp.array([0.1, 0.5, 0.99])  # at 0 the centred RMSProp divides by what rounding leaves of g² - g²
    np.testing.assert_allclose(jax.vmap(run)(decays), [run(decay) for decay in decays], **CLOSE)


@each(RULES)
def test_gradients_through_the_steps(rule):
    def last(rate, start, numbers):
        return rv.minimize(rv.landscapes.rosenbrock, start, rule(1e-3 * rate, **numbers), steps=4).losses[-1]

    numbers = {"decay": jnp.array(0.8)} if rule in WITH_DECAY.values() else {}
    check_grads(last, (jnp.array(0.3), jnp.asarray(START), numbers), order=1, modes=["rev"], rtol=1e-6, eps=1e-6)


@each(RULES)
def test_in_a_chain(rule):
    # The first gradient is shorter than 100 and longer than 1: one clip does nothing, the other scales the first step.
    free = walk(rule(0.1), jnp.asarray(START), 1)
    unclipped = walk(optax.chain(optax.clip_by_global_norm(100.0), rule(0.1)), jnp.asarray(START), 1)
    halved = walk(optax.chain(rule(0.1), optax.scale(0.5)), jnp.asarray(START), 1)
    np.testing.assert_allclose(unclipped, free, **CLOSE)
    np.testing.assert_allclose(halved[1] - START, (free[1] - START) / 2, **CLOSE)


@each({name: rule for name, rule in RULES.items() if name not in LOOKING})  # which clip nothing of theirs
def test_behind_a_clip(rule):
    norm = jnp.linalg.norm(jax.grad(BOWL)(START))
    clipped = walk(optax.chain(optax.clip_by_global_norm(1.0), rule(0.1)), jnp.asarray(START), 1)
    shorter = walk(rule(0.1), jnp.asarray(START), 1, lambda w: BOWL(w) / norm)
    np.testing.assert_allclose(clipped, shorter, **CLOSE)


@each(WITH_DECAY)
def test_with_injected_hyperparameters(rule):
    injected = optax.inject_hyperparams(rule)(learning_rate=0.1, decay=0.5)
    np.testing.assert_allclose(walk(injected, jnp.asarray(START)), walk(rule(0.1, decay=0.5), jnp.asarray(START)),
                               **CLOSE)


@each({name: rule for name, rule in WITH_RATE.items() if name not in ("muon", "schedule_free")})  # of two counts
def test_state_goes_through_optax_tree_tools(rule):
    optimizer = rule(optax.constant_schedule(0.1))
    state = optimizer.init({"w": START})
    assert optax.tree_utils.tree_get(state, "count") == 0
    moved = optax.tree_utils.tree_map_params(optimizer, lambda slot: slot + 1, state)
    for slot, before in zip(slots(moved), slots(state), strict=True):
        np.testing.assert_array_equal(slot["w"], before["w"] + 1)
    assert moved.count == 0
