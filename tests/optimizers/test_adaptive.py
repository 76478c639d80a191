"""What the tables of rules do not ask of the adaptive ones: gradients of 0, NaN, other constants, traced constants."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ravine as rv
from ravine._compat import enable_x64
from ravine.optimizers._adaptive import ratio, root

START = np.array([-2.0, 1.0])
DIVIDING = {  # by something that is 0 where every gradient was
    "adagrad": functools.partial(rv.adagrad, 0.1), "adadelta": functools.partial(rv.adadelta, 0.1),
    "rmsprop": functools.partial(rv.rmsprop, 0.1), "adam": functools.partial(rv.adam, 0.1),
    "rmsprop, centred": functools.partial(rv.rmsprop, 0.1, centered=True, momentum=0.5),
    "adam, biased": functools.partial(rv.adam, 0.1, debias=False), "adamw": functools.partial(rv.adamw, 0.1)}
dividing = pytest.mark.parametrize("rule", DIVIDING.values(), ids=DIVIDING)
EVERY = {**DIVIDING, "local_gains": functools.partial(rv.local_gains, 0.1), "rprop": rv.rprop,
         "lion": functools.partial(rv.lion, 0.1)}


def answers(rule, gradients, params=None):
    """Return the updates with which a rule answers the rows of an array."""
    params = jnp.zeros_like(gradients[0]) if params is None else params

    def step(state, g):
        update, state = rule.update(g, state, params)
        return state, update

    return jax.lax.scan(step, rule.init(params), gradients)[1]


@dividing
@pytest.mark.parametrize("eps", [0.0, 1e-8])
def test_a_parameter_without_gradients_stays_where_it_is(rule, eps):
    seen = answers(rule(eps=eps), jnp.ones((5, 2)) * jnp.array([0.0, 1.0]))
    np.testing.assert_array_equal(seen[:, 0], 0.0)
    assert np.isfinite(seen).all()


@dividing
def test_the_derivative_at_a_gradient_of_0_is_finite(rule):
    slopes = jax.jacobian(lambda g: answers(rule(eps=1e-8), jnp.stack([g, g])))(jnp.zeros(2))
    assert np.isfinite(slopes).all()
    assert np.isfinite(jax.jacobian(lambda g: answers(rule(eps=0.0), jnp.stack([g, g])))(jnp.zeros(2))).all()


@pytest.mark.parametrize("name", EVERY)
def test_a_nan_stays_visible(name):
    seen = answers(EVERY[name](), jnp.array([[1.0, 1.0], [math.nan, 1.0], [1.0, 1.0]]))
    assert jnp.isnan(seen[1, 0])
    assert jnp.isfinite(seen[:, 1]).all()
    if name in DIVIDING:  # its averages have seen it
        assert jnp.isnan(seen[2, 0])


def test_roots_and_ratios():
    x = jnp.array([4.0, 0.0, math.nan, math.inf])
    np.testing.assert_array_equal(root(x), [2.0, 0.0, math.nan, math.inf])
    np.testing.assert_array_equal(jax.vmap(jax.grad(root))(x[:2]), [0.25, 0.0])
    np.testing.assert_array_equal(jax.vmap(jax.grad(jax.grad(root)))(x[:2]), [-1 / 32, 0.0])
    scales = jnp.array([2.0, 0.0, math.nan])
    for least in (0.0, 1e-310, jnp.array(1e-8)):  # none of them says that no scale is 0
        np.testing.assert_array_equal(ratio(3.0, scales, least), [1.5, 0.0, math.nan])
    half = jnp.float16(0)
    assert ratio(half, half + 1e-8, 1e-8) == 0


def test_centred_on_a_constant_gradient_in_single_precision():
    # r − m² tends to 0 and rounding makes some negative: Optax gives NaN there. The step can be at most η |g| / ε.
    constants = np.append(np.geomspace(1e-3, 1e4, 99), 1.0).astype(np.float32)
    seen = answers(rv.rmsprop(0.1, centered=True), jnp.tile(constants, (2000, 1)))
    assert np.isfinite(seen).all()
    assert np.all(abs(seen) <= 0.1 * constants / 1e-8 * (1 + 1e-6))


@pytest.mark.parametrize("g", [1e-12, 1e-3, 1.0, 1e12])
def test_the_first_steps_in_closed_form(g):
    first = {name: answers(rule(eps=0.0), jnp.full((1, 1), g)).item()
             for name, rule in DIVIDING.items() if name not in ("adadelta", "rmsprop, centred")}
    # AdaGrad, and Adam with its correction: g / |g|. Without: (1 − β₁) g / √((1 − β₂) g²).
    expected = {"adagrad": 1.0, "adam": 1.0, "adamw": 1.0, "rmsprop": 1 / math.sqrt(0.1),
                "adam, biased": 0.1 / math.sqrt(1e-3)}
    assert first == pytest.approx({name: -0.1 * step for name, step in expected.items()}, rel=1e-13)


def test_weight_decay_without_the_correction():
    gradients, w = jnp.array([[1.0, -2.0], [0.5, 3.0]]), jnp.array([3.0, -4.0])
    free = answers(rv.adam(0.1, debias=False), gradients, w)
    np.testing.assert_allclose(answers(rv.adamw(0.1, debias=False, weight_decay=0.5), gradients, w),
                               free - 0.1 * 0.5 * w, rtol=1e-14)


def test_the_rprop_of_optax_is_one_step_behind():
    gradients = jnp.asarray(np.random.default_rng(0).normal(size=(20, 3)))
    ours, theirs = answers(rv.rprop(0.1), gradients), answers(optax.rprop(0.1), gradients)
    agree = (gradients[1:] * ours[:-1] <= 0)  # the gradients at a change of sign are dropped by both, but not alike
    np.testing.assert_array_equal(theirs[1:][agree], ours[:-1][agree])


def run(rule):
    return rv.minimize(rv.landscapes.rosenbrock, START, rule, steps=5).path


CONSTANTS = [
    (functools.partial(rv.adam, 0.01), "b1", 0.0, 0.9), (functools.partial(rv.adam, 0.01), "b2", 0.0, 0.999),
    (functools.partial(rv.adam, 0.01), "eps", 0.0, 1.0), (functools.partial(rv.adamw, 0.01), "weight_decay", 0.0, 0.5),
    (functools.partial(rv.lion, 0.01), "b1", 0.0, 0.9), (functools.partial(rv.rmsprop, 0.01), "momentum", 0.0, 0.9),
    (functools.partial(rv.adagrad, 0.01), "initial_accumulator", 0.0, 1.0),
    (functools.partial(rv.local_gains, 1e-3), "delta", 0.0, 0.3), (rv.rprop, "initial_step", 0.01, 0.1)]


@pytest.mark.parametrize(("rule", "name", "one", "other"), CONSTANTS, ids=[row[1] for row in CONSTANTS])
def test_constants_as_arrays_and_under_vmap(rule, name, one, other, compiled):
    mapped = jax.vmap(lambda value: run(rule(**{name: value})))(jnp.array([one, other]))
    np.testing.assert_allclose(mapped, [run(rule(**{name: value})) for value in (one, other)], rtol=1e-12)
    run(rule(**{name: jnp.array(one)}))
    assert compiled(run, rule(**{name: jnp.array(other)})) == 0


def test_pairs_may_be_traced_and_a_first_step_size_compiles_nothing(compiled):
    limits = jnp.array([0.05, 50.0])
    mapped = jax.vmap(lambda high: run(rv.rprop(bounds=(1e-6, high), factors=(0.5, 1.0 + high / 1000))))(limits)
    expected = [run(rv.rprop(bounds=(1e-6, float(high)), factors=(0.5, 1.0 + float(high) / 1000))) for high in limits]
    np.testing.assert_allclose(mapped, expected, rtol=1e-12)
    run(rv.rprop(0.1))
    assert compiled(run, rv.rprop(0.2)) == 0


def test_in_single_precision_throughout():
    with enable_x64(False):
        for rule in EVERY.values():
            seen = answers(rule(), jnp.ones((3, 2)) * jnp.array([0.0, 1e-3]))
            assert seen.dtype == jnp.float32
            assert np.isfinite(seen).all()
            np.testing.assert_array_equal(seen[:, 0], 0.0)


@pytest.mark.parametrize(("make", "name", "error"), [
    (lambda: rv.adam(0.1, b1=1.0), "b1", ValueError), (lambda: rv.adam(0.1, b2=-0.1), "b2", ValueError),
    (lambda: rv.adam(0.1, eps=-1e-8), "eps", ValueError), (lambda: rv.adam(0.1, 0.9, 0.999, "0"), "eps", TypeError),
    (lambda: rv.adam(0.1, debias=1), "debias", TypeError), (lambda: rv.adamw(0.1, debias=0.5), "debias", TypeError),
    (lambda: rv.adamw(0.1, weight_decay=-0.1), "weight_decay", ValueError),
    (lambda: rv.lion(0.1, b2=None), "b2", TypeError), (lambda: rv.lion(0.1, weight_decay=math.inf), "weight_decay",
                                                       ValueError),
    (lambda: rv.adagrad(0.1, eps=math.nan), "eps", ValueError),
    (lambda: rv.adagrad(0.1, initial_accumulator=-1.0), "initial_accumulator", ValueError),
    (lambda: rv.adadelta(eps=-1.0), "eps", ValueError), (lambda: rv.rmsprop(0.1, momentum=1.0), "momentum", ValueError),
    (lambda: rv.rmsprop(0.1, nesterov=True), "nesterov", ValueError),
    (lambda: rv.rmsprop(0.1, centered=None), "centered", TypeError),
    (lambda: rv.local_gains(0.1, delta=1.0), "delta", ValueError),
    (lambda: rv.local_gains(0.1, bounds=(10.0, 0.1)), "bounds", ValueError),
    (lambda: rv.local_gains(0.1, bounds=0.1), "bounds", TypeError), (lambda: rv.rprop(0.0), "initial_step", ValueError),
    (lambda: rv.rprop(lambda step: 0.1), "initial_step", TypeError),
    (lambda: rv.rprop(factors=(1.2, 1.5)), r"factors\[0\]", ValueError),
    (lambda: rv.rprop(factors=(0.5, 0.9)), r"factors\[1\]", ValueError),
    (lambda: rv.rprop(bounds=(0.0, 1.0)), r"bounds\[0\]", ValueError)])
def test_bad_input(make, name, error):
    with pytest.raises(error, match=rf"^{name} .*(must |needs )"):
        make()


@pytest.mark.parametrize("rule", [rv.adamw(0.1), rv.lion(0.1)])
def test_rules_that_need_the_parameters(rule):
    with pytest.raises(TypeError, match=r"^params = None: this rule uses the parameters"):
        rule.update(jnp.ones(2), rule.init(jnp.ones(2)))
