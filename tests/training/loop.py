"""A problem on which every duty of `fit` shows, the fit of it that anybody would write by hand, and what accepts a fit.

The loss depends on the model state and on the key; the state writes down the rows of each batch, the metrics its key.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

import ravine as rv

EXAMPLES, BATCH, EPOCHS = 17, 5, 3
STEPS = -(-EXAMPLES // BATCH)
START = {"w": np.array([0.5, -1.0]), "b": np.array(0.2)}


def problem(seed=0):
    """Return data and the model state to begin with."""
    random = np.random.default_rng(seed)
    data = {"x": random.normal(size=(EXAMPLES, 2)), "rest": (random.normal(size=EXAMPLES), np.arange(EXAMPLES))}
    state = {"mean": np.zeros(2), "rows": np.full(EPOCHS * EXAMPLES, -1), "seen": np.array(0)}
    return data, state


def loss(params, state, batch, key):
    x, (y, rows) = batch["x"], batch["rest"]
    state = {"mean": 0.7 * state["mean"] + 0.3 * x.mean(0), "seen": state["seen"] + len(rows),
             "rows": jax.lax.dynamic_update_slice(state["rows"], rows, (state["seen"],))}
    y = y + jax.random.uniform(key, y.shape, minval=-0.5)
    error = (x - state["mean"]) @ params["w"] + params["b"] - y
    return jnp.mean(error**2), (state, {"key": jax.random.key_data(key), "error": jnp.mean(abs(error))})


def look(params, state):
    return {"w": params["w"], "seen": state["seen"]}


def fit(optimizer, data=None, key=0, **change):
    default, state = problem()
    asked = {"batch_size": BATCH, "epochs": EPOCHS, "model_state": state, "evaluate": look} | change
    return rv.fit(loss, START, optimizer, data or default, key=jax.random.key(key), **asked)


@functools.partial(jax.jit, static_argnums=0)
def step(optimizer, params, state, model_state, batch, key):
    def objective(params):
        return loss(params, model_state, batch, key)[0]

    value, (new, metrics) = loss(params, model_state, batch, key)
    grad = jax.grad(objective)(params)
    update = optax.with_extra_args_support(optimizer).update
    updates, state = update(grad, state, params, value=value, grad=grad, value_fn=objective)
    return optax.apply_updates(params, updates), state, new, value, metrics


def by_hand(optimizer, orders, keys, *, forget_state=False, forget_model=False, late=False):
    """Return a `Fit` that goes through `orders`, one an epoch, and `keys`, one a step; the rest are slips."""
    data, model_state = problem()
    params, start = jax.tree.map(jnp.asarray, START), model_state
    state, keys = optimizer.init(params), iter(keys)
    records, evaluations = [], [look(params, model_state)]
    for order in orders:
        if forget_state:
            state = optimizer.init(params)
        if forget_model:
            model_state = model_state | {"mean": start["mean"]}
        for first in range(0, len(order), BATCH):
            batch = jax.tree.map(lambda array, rows=order[first:first + BATCH]: array[rows], data)
            key, old = jax.random.wrap_key_data(jnp.asarray(next(keys))), model_state
            params, state, model_state, value, metrics = step(optimizer, params, state, model_state, batch, key)
            records.append((loss(params, old, batch, key)[0] if late else value, metrics))
        evaluations.append(look(params, model_state))
    (losses, metrics), evaluations = (jax.tree.map(lambda *rows: np.stack(rows), *rows)
                                      for rows in (records, evaluations))
    return rv.Fit(params, losses, metrics, evaluations, np.array(len(losses)), model_state, state)


def accept(run, optimizer):
    """Raise AssertionError unless `run` shuffles anew, sees all, draws new keys, and is what a loop by hand does."""
    orders = run.model_state["rows"].reshape(EPOCHS, EXAMPLES)
    np.testing.assert_array_equal(np.sort(orders), np.broadcast_to(np.arange(EXAMPLES), orders.shape))
    assert len({tuple(order) for order in [*orders.tolist(), range(EXAMPLES)]}) == EPOCHS + 1
    keys = run.metrics["key"]
    assert len({tuple(key) for key in keys.tolist()}) == EPOCHS * STEPS
    twin = by_hand(optimizer, np.asarray(orders), np.asarray(keys))
    assert jax.tree.structure(run) == jax.tree.structure(twin)
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-11, atol=1e-13), run, twin)
