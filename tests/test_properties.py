"""Whatever it is given, the library works or says in a clear error what is wrong: no other crash, over drawn input."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
from hypothesis import given, settings
from hypothesis import strategies as st

import ravine as rv
from ravine import curvature, initializers, krylov, schedules

# No compilation a draw: shapes, types and sizes come from short lists, or run op by op.
drawn = settings(max_examples=150, deadline=None, derandomize=True, database=None)
ODD = st.sampled_from([None, "0.1", True, 1j, [], np.ones(2), jnp.array(-1.0), math.nan, math.inf, -math.inf, object()])
NUMBERS = st.one_of(st.floats(0, 1), st.floats(-1e30, 1e30), st.integers(-3, 5), st.sampled_from([0.0, 1.0, 0.1]))
ANYTHING = st.one_of(NUMBERS, NUMBERS, ODD)
COUNTS = st.one_of(st.integers(-1, 6), st.integers(-1, 6), ODD)
SHAPES = st.sampled_from([(), (0,), (3,), (2, 3), (1, 2, 2)])
DTYPES = st.sampled_from(["bfloat16", "float32", "float64", "float32", "int32", "bool", "complex64"])


def said(call):
    """Return what a call returns, or None where it raises an error that names an argument and what is allowed."""
    try:
        return call()
    except (TypeError, ValueError) as error:
        words = str(error)
        assert any(word in words for word in ("must", "needs", "has no", "has none", "different structure")), words
        return None


def sam(learning_rate, rho=0.05):
    return rv.sam(rv.sgd(learning_rate), rho)


def schedule_free(learning_rate, b1=0.9):
    return rv.schedule_free(rv.adam(learning_rate, b1=0.0), learning_rate, b1)


RULES = {
    rv.sgd: ("learning_rate",),
    rv.momentum: ("learning_rate", "decay"),
    rv.accumulated_momentum: ("learning_rate", "decay"),
    rv.averaged_momentum: ("learning_rate", "decay", "debias"),
    rv.heavy_ball: ("learning_rate", "decay"),
    rv.nesterov: ("learning_rate", "decay"),
    rv.nesterov_lookahead: ("learning_rate", "decay"),
    rv.local_gains: ("learning_rate", "delta", "bounds"),
    rv.rprop: ("initial_step", "factors", "bounds"),
    rv.adagrad: ("learning_rate", "eps", "initial_accumulator"),
    rv.adadelta: ("learning_rate", "decay", "eps"),
    rv.rmsprop: ("learning_rate", "decay", "eps", "momentum", "nesterov", "centered"),
    rv.adam: ("learning_rate", "b1", "b2", "eps", "debias"),
    rv.adamw: ("learning_rate", "b1", "b2", "eps", "debias", "weight_decay"),
    rv.lion: ("learning_rate", "b1", "b2", "weight_decay"),
    rv.clip_by_norm: ("max_norm",),
    rv.clip_by_value: ("limit",),
    sam: ("learning_rate", "rho"),
    rv.muon: ("learning_rate", "decay", "nesterov", "weight_decay"),
    schedule_free: ("learning_rate", "b1"),
}
FLAGS = {"debias", "nesterov", "centered"}
PAIRS = {"bounds", "factors"}


@st.composite
def arguments(draw, names):
    """Draw some of the arguments of a rule, most of them of their kind."""
    chosen = {}
    for name in names:
        if name in FLAGS:
            chosen[name] = draw(st.one_of(st.booleans(), ODD))
        elif name in PAIRS:
            chosen[name] = draw(st.one_of(st.tuples(NUMBERS, NUMBERS), ODD))
        elif name == names[0] or draw(st.booleans()):
            chosen[name] = draw(st.one_of(st.floats(0, 0.9), ANYTHING))
    return chosen


@drawn
@given(st.data(), st.sampled_from(list(RULES)), SHAPES, DTYPES)
def test_first_order_rules(data, rule, shape, dtype):
    numbers = data.draw(arguments(RULES[rule]))
    params = {"w": jnp.ones(shape, dtype)}
    optimizer = said(lambda: rule(**numbers))
    state = optimizer and said(lambda: optimizer.init(params))
    if state is None:
        return
    answer = said(lambda: optax.with_extra_args_support(optimizer).update(
        params, state, params, value_fn=lambda w: jnp.sum(w["w"].astype(float))))
    if answer is not None:
        assert jnp.issubdtype(dtype, jnp.floating)
        assert answer[0]["w"].shape == shape
        assert answer[0]["w"].dtype == dtype


SCHEDULES = {
    schedules.step_decay: (ANYTHING, st.one_of(st.lists(COUNTS, max_size=3), ODD), ANYTHING),
    schedules.cosine_with_warmup: (ANYTHING, COUNTS, COUNTS, ANYTHING),
    schedules.exponential_decay: (ANYTHING, COUNTS, ANYTHING),
    schedules.inverse_time_decay: (ANYTHING, COUNTS, ANYTHING),
    schedules.one_cycle: (ANYTHING, COUNTS),
}


@drawn
@given(st.data(), st.sampled_from(list(SCHEDULES)), st.integers(0, 20))
def test_schedules(data, make, step):
    values = [data.draw(kind) for kind in SCHEDULES[make]]
    schedule = said(lambda: make(*values))
    if schedule is not None:
        assert jnp.shape(schedule(step)) == ()
        assert schedule(step).dtype == float


INITIALIZERS = {
    initializers.constant: True, initializers.normal: True, initializers.orthogonal: True,
    initializers.xavier_uniform: True, initializers.xavier_normal: True, initializers.fan_in_normal: False,
    initializers.kaiming_normal: False, initializers.kaiming_uniform: False,
    initializers.sigmoid_xavier_uniform: False,
}


@drawn
@given(st.sampled_from(list(INITIALIZERS)), ANYTHING, st.one_of(SHAPES, ODD, st.just((2, 2.0))), DTYPES)
def test_initializers(make, value, shape, dtype):
    initializer = said(lambda: make(value) if INITIALIZERS[make] else make())
    weights = initializer and said(lambda: initializer(jax.random.key(0), shape, dtype))
    if weights is not None:
        assert weights.shape == tuple(shape)
        assert weights.dtype == dtype


def times(v):
    return jax.tree.map(lambda entries: 3 * entries, v)


def cubic(w):
    return jnp.sum(w**3)


VECTORS = st.sampled_from([np.ones(3), np.zeros(3), np.ones(3, np.float32), np.ones(2), np.ones((3, 1)), np.ones(0),
                           np.arange(3), np.array([1.0, math.nan, math.inf]), {}, None, "v", {"w": np.ones(3)}])
POINTS = st.sampled_from([np.ones(3), np.zeros(3), np.ones(3, np.float32), 2.0, np.ones(0), np.arange(3), None, "w", [],
                          np.full(3, math.nan)])
KEYS = st.sampled_from([jax.random.key(0), jax.random.key(0), None, 0, jax.random.split(jax.random.key(0))])
FUNCTIONS = st.sampled_from([cubic, cubic, cubic, jnp.sin, 3.0, None])
SMALL = st.sampled_from([2, 3, 2, 3, 0, -1, 2.0, True, None, "2"])


@settings(drawn, max_examples=60)
@given(st.sampled_from([times, times, times, jnp.sum, None]), VECTORS, VECTORS, ANYTHING, SMALL)
def test_krylov(matvec, b, x0, tol, steps):
    solved = said(lambda: krylov.conjugate_gradient(matvec, b, x0, tol=tol, max_steps=steps))
    if solved is not None:
        assert jax.tree.map(jnp.shape, solved.x) == jax.tree.map(jnp.shape, b)
    basis = said(lambda: krylov.lanczos(matvec, b, steps))
    if basis is not None:
        assert 0 <= basis.rank <= steps


CURVATURE = {
    "hessian": {}, "eigenvalues": {}, "condition_number": {}, "hvp": {"v": POINTS},
    "classify_critical_point": {"tol": ANYTHING}, "step_diagnostics": {"learning_rate": ANYTHING},
    "sharpness": {"steps": SMALL}, "spectral_density": {"key": KEYS, "probes": SMALL, "steps": SMALL},
    "hessian_trace": {"key": KEYS, "probes": SMALL}, "hessian_diagonal": {"key": KEYS, "probes": SMALL},
}


@settings(drawn, max_examples=100)
@given(st.data(), st.sampled_from(list(CURVATURE)), FUNCTIONS, POINTS)
def test_curvature(data, name, fun, params):
    options = {option: data.draw(kind) for option, kind in CURVATURE[name].items()}
    found = said(lambda: getattr(curvature, name)(fun, params, **options))
    if found is not None and name in ("hessian", "eigenvalues"):
        assert found.shape == (np.size(params),) * found.ndim
