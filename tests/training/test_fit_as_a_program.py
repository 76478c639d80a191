"""`fit`: where it stops, what compiles again, how it runs inside other programs, what it refuses."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import tqdm.auto

import ravine as rv

equal = functools.partial(jax.tree.map, np.testing.assert_array_equal)
close = functools.partial(jax.tree.map, functools.partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-14))

X = np.random.default_rng(1).normal(size=(12, 3))
DATA = (X, X @ [1.0, -2.0, 0.5] + 0.1)
BAD_LOSS, BAD_GRADIENT = 100, 200  # the numbers of steps, as the model state counts them


def loss(params, count, batch, key):
    x, y = batch
    bad_loss = jnp.where(count == BAD_LOSS, jnp.inf, 0.0)
    bad_gradient = jnp.sqrt(jnp.where(count == BAD_GRADIENT, params[0] - params[0], 1.0)) - 1
    return jnp.mean((x @ params - y) ** 2) + bad_loss + bad_gradient, (count + 1, {"count": count, "w": params})


def look(params, count):
    return params, count


GOOD = {"loss": loss, "params": np.zeros(3), "optimizer": rv.sgd(0.1), "data": DATA, "batch_size": 4, "epochs": 3,
        "key": jax.random.key(0), "model_state": np.array(0), "evaluate": look, "shuffle": False}


def fit(**change):
    return rv.fit(**(GOOD | change))


def descent(steps):
    """Return the points of gradient descent on the batches in turn, in NumPy."""
    points = [np.zeros(3)]
    for i in range(steps):
        x, y = (array[4 * (i % 3):4 * (i % 3) + 4] for array in DATA)
        points.append(points[-1] - 0.1 * 2 / 4 * x.T @ (x @ points[-1] - y))
    return np.array(points)


@pytest.mark.parametrize("kind", [BAD_LOSS, BAD_GRADIENT], ids=["loss", "gradient"])
@pytest.mark.parametrize("step", [0, 1, 4, 5, 8])
def test_it_stops_where_loss_or_gradient_is_not_finite(kind, step):
    start = kind - step
    run, points = fit(model_state=np.array(start)), descent(step)
    assert run.stopped_at == step
    assert run.model_state == start + step
    close((run.params, run.metrics["w"][:step + 1]), (points[-1], points))
    np.testing.assert_array_equal(run.metrics["count"], [*range(start, start + step + 1), *[0] * (8 - step)])
    assert np.isnan(run.metrics["w"][step + 1:]).all()
    # The loss that stopped it is shown, and NaN after it.
    assert run.losses.shape == (9,)
    assert np.isfinite(run.losses[:step]).all()
    assert run.losses[step] == math.inf if kind == BAD_LOSS else np.isfinite(run.losses[step])
    assert np.isnan(run.losses[step + 1:]).all()
    # An epoch that was not finished has no evaluation.
    done = 1 + step // 3
    close(run.evaluations[0][:done], points[::3])
    assert np.isnan(run.evaluations[0][done:]).all()
    assert run.evaluations[1].tolist() == [*range(start, start + step + 1, 3), *[0] * (4 - done)]


def test_a_diverging_run_is_data():
    run = fit(optimizer=rv.sgd(1e60), evaluate=None)
    assert 0 < run.stopped_at < 9
    assert np.isfinite(run.losses[:run.stopped_at]).all()
    assert not np.isfinite(run.losses[run.stopped_at:]).any()


def test_inside_another_program_it_is_the_same():
    starts = np.array([0, BAD_LOSS - 4, BAD_GRADIENT - 8])
    alone = [fit(model_state=start, shuffle=True) for start in starts]
    inside = jax.jit(jax.vmap(lambda start: fit(model_state=start, shuffle=True)))(starts)
    assert inside.stopped_at.tolist() == [9, 4, 8]
    for i, run in enumerate(alone):
        close(run, jax.tree.map(lambda rows, i=i: rows[i], inside))


def test_inside_a_program_that_depends_on_nothing():
    close(jax.jit(fit)(), fit())


def test_other_values_compile_nothing(compiled):
    fit(shuffle=True)
    x, y = DATA
    for change in ({"optimizer": rv.sgd(0.2)}, {"params": np.ones(3)}, {"data": (x + 1, list(y) @ np.eye(12))},
                   {"key": jax.random.key(1)}, {"model_state": np.array(7)}, {"epochs": 5}, {"evaluate": None}):
        assert compiled(fit, shuffle=True, **change) == 0, change


@pytest.mark.parametrize("optimizer", [rv.momentum(0.1), optax.adam(0.1), optax.sgd(optax.linear_schedule(0.1, 0, 5))],
                         ids=["momentum", "optax.adam", "optax.sgd"])
def test_the_second_epoch_compiles_nothing(optimizer, compiled):
    fit(optimizer=optimizer, epochs=1)
    assert compiled(fit, optimizer=optimizer) == 0


def test_the_count_sees_a_compilation(compiled):
    fit()
    assert compiled(fit, batch_size=6) >= 1


class Bar(tqdm.auto.tqdm):
    """A progress bar at which the keyboard says stop after two epochs."""

    disabled: tuple = ()

    def __init__(self, **options):
        Bar.disabled += (options["disable"],)
        super().__init__(**options | {"disable": True})

    def update(self):
        self.epochs = getattr(self, "epochs", 0) + 1
        if self.epochs == 2:
            raise KeyboardInterrupt


def test_interrupted_it_returns_what_is_there(monkeypatch):
    whole = fit()
    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    run = fit()
    assert run.stopped_at == 6
    equal((run.losses, run.metrics), jax.tree.map(lambda rows: rows[:6], (whole.losses, whole.metrics)))
    equal(run.evaluations, jax.tree.map(lambda rows: rows[:3], whole.evaluations))
    close(run.params, descent(6)[-1])


def test_interrupted_before_anything_is_there():
    def interrupted(params, batch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(loss=interrupted, model_state=None, evaluate=None)


def test_the_progress_bar_shows_unless_the_book_is_built(monkeypatch):
    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    monkeypatch.setattr(Bar, "disabled", ())
    monkeypatch.delenv("RAVINE_BOOK", raising=False)
    for change in ({}, {"progress": False}, {"progress": True}):
        fit(epochs=1, **change)
    monkeypatch.setenv("RAVINE_BOOK", "1")
    for change in ({}, {"progress": False}, {"progress": True}):
        fit(epochs=1, **change)
    assert Bar.disabled == (False, True, False, True, True, False)


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"loss": 3.0}, TypeError, r"^loss = 3\.0: must be a function"),
    ({"loss": lambda params: 0.0}, TypeError, r"^loss = .* has 1 arguments without a default: must be loss\(params, b"),
    ({"loss": lambda params, batch, key: 0.0}, TypeError, "^loss = .* has 3 arguments without a default"),
    ({"loss": lambda p, m, b, k: 0.0}, ValueError, r"^loss must return \(scalar, \(model_state, metrics\)\), but retu"),
    ({"loss": lambda p, m, b, k: (0.0, m)}, ValueError, r"^loss must return \(scalar, \(model_state, metrics\)\)"),
    ({"loss": lambda p, m, b, k: (p, (m, None))}, ValueError, r"^loss must return a scalar loss.*\(3,\)"),
    ({"loss": lambda p, m, b, k: (p[0], (None, m))}, ValueError, "^model_state and the returned model_state are trees"),
    ({"loss": lambda p, m, b, k: (p[0], (p, m))}, ValueError, r"^model_state has shape \(\), the returned model_sta"),
    ({"loss": lambda p, m, b, k: (p[0], (m + 0.5, m))}, TypeError, "^model_state has a dtype int64, .* as float64"),
    ({"loss": lambda p, m, b, k: (p[0], (m, b[1])), "batch_size": 5}, ValueError, r"^\(loss, metrics\)\[1\] has shape"),
    ({"loss": lambda params, batch: 0.0}, ValueError, r"^model_state: a loss\(params, batch\) has none"),
    ({"loss": lambda params, batch: params, "model_state": None, "evaluate": None}, ValueError, "^loss must return a"),
    ({"loss": lambda p, m, b, k: (jnp.argmax(p), (m, None))}, ValueError, "^loss must return a scalar loss, one float"),
    ({"params": np.arange(3)}, TypeError, "^params has dtype int64"),
    ({"params": "start"}, TypeError, "^params = 'start'"),
    ({"optimizer": rv.sgd}, TypeError, "^optimizer = <function sgd"),
    ({"data": ()}, ValueError, r"^data has arrays of \[\] rows"),
    ({"data": (X, DATA[1][:5])}, ValueError, r"^data has arrays of \[5, 12\] rows: must be .* all with equally many"),
    ({"data": (X[:0], DATA[1][:0])}, ValueError, r"^data has arrays of \[0\] rows"),
    ({"data": (X, 3.0)}, ValueError, r"^data\[1\] = 3\.0: must be an array, with a first axis"),
    ({"data": {"x": X, "y": "labels"}}, TypeError, r"^data\['y'\] = 'labels': must be an array of numbers"),
    ({"batch_size": 13}, ValueError, "^batch_size = 13: must be at most 12, the number of examples"),
    ({"batch_size": 0}, ValueError, "^batch_size = 0: must be at least 1"),
    ({"batch_size": 4.0}, TypeError, r"^batch_size = 4\.0: must be a whole number"),
    ({"epochs": 0}, ValueError, "^epochs = 0: must be at least 1"),
    ({"epochs": 1.5}, TypeError, r"^epochs = 1\.5: must be a whole number"),
    ({"key": 0}, TypeError, "^key = 0: must be one random key"),
    ({"key": jax.random.split(jax.random.key(0))}, TypeError, "^key = .*: must be one random key"),
    ({"model_state": "batch norm"}, TypeError, "^model_state = 'batch norm': must be an array"),
    ({"evaluate": DATA}, TypeError, r"^evaluate = \(.*: must be a function"),
    ({"shuffle": 1}, TypeError, "^shuffle = 1: must be True or False"),
    ({"progress": "yes"}, TypeError, "^progress = 'yes': must be True or False")])
def test_bad_input(change, error, message):
    with pytest.raises(error, match=f"(?s){message}"):
        fit(**change)
