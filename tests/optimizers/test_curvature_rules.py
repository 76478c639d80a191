"""What the rules that look at curvature promise in a run: how fast, always down, away from saddles, on any tree.

One objective holds all surfaces, so that each rule is compiled once for most of this file.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ravine as rv
from ravine.optimizers import StepStatus

SEARCHING = {
    "newton": functools.partial(rv.newton, line_search=True),
    "saddle_free_newton": functools.partial(rv.saddle_free_newton, line_search=True),
    "nonlinear_cg": rv.nonlinear_cg, "bfgs": rv.bfgs, "lbfgs": rv.lbfgs, "hessian_free": rv.hessian_free,
}
PLAIN = {"newton, plain": rv.newton, "saddle_free_newton, plain": rv.saddle_free_newton}
RULES = SEARCHING | PLAIN
# Steps from (−1.2, 1) until the loss of Rosenbrock's valley is at most 1e-8.
ENOUGH = {"newton": 25, "saddle_free_newton": 25, "bfgs": 40, "lbfgs": 45, "nonlinear_cg": 40, "hessian_free": 30}
LANDS = rv.landscapes
SURFACES = (LANDS.rosenbrock, LANDS.himmelblau, LANDS.monkey_saddle, LANDS.saddle, LANDS.quadratic(50.0), LANDS.beale)


def each(rules):
    return pytest.mark.parametrize("name", list(rules))


def terrain(w, which):
    return jax.lax.switch(which, SURFACES, w)


def run(name, surface, start, steps=45):
    return rv.minimize(terrain, np.array(start), RULES[name](), steps, args=(SURFACES.index(surface),))


@each(SEARCHING)
def test_rosenbrock_in_so_many_steps(name):
    found = run(name, LANDS.rosenbrock, [-1.2, 1.0])
    assert min(found.losses[: ENOUGH[name] + 1]) <= 1e-8
    np.testing.assert_allclose(found.path[ENOUGH[name]], 1.0, rtol=1e-7)


@each(SEARCHING)
@pytest.mark.parametrize(("surface", "start"), [
    (LANDS.rosenbrock, [-1.2, 1.0]), (LANDS.rosenbrock, [0.5, -2.0]), (LANDS.himmelblau, [0.0, -0.5]),
    (LANDS.himmelblau, [-0.2, -0.9]), (LANDS.beale, [-2.0, 1.5]), (LANDS.quadratic(50.0), [-2.0, 1.0])],
    ids=lambda value: getattr(value, "name", None))
def test_the_loss_never_rises(name, surface, start):
    losses = run(name, surface, start).losses
    assert np.all(np.isfinite(losses))
    rounding = 10 * np.finfo(float).eps * losses[:-1]
    assert np.all(np.diff(losses) <= rounding)
    assert losses[-1] < losses[0]


@each(SEARCHING)
@pytest.mark.parametrize("angle", [0.1, 1.5, 3.0, 5.0])
def test_an_indefinite_start_leaves_downhill(name, angle):
    # The Hessian of the monkey saddle has eigenvalues ±6r wherever one stands. There is no minimum: only down.
    start = 0.1 * np.array([np.cos(angle), np.sin(angle)])
    losses = run(name, LANDS.monkey_saddle, start).losses
    assert losses[1] < losses[0]
    assert np.nanmin(losses) < -1
    assert not np.any(np.isnan(losses))


def test_newton_is_drawn_to_a_saddle_and_the_others_are_not():
    start = [1.0, 0.3]
    np.testing.assert_allclose(run("newton, plain", LANDS.saddle, start).params, 0.0, atol=1e-15)
    for name in {**SEARCHING, "saddle_free_newton, plain": None}:
        assert run(name, LANDS.saddle, start).losses[3] < 0


@each(RULES)
@pytest.mark.parametrize(("surface", "point"), [
    (LANDS.monkey_saddle, [0.0, 0.0]), (LANDS.saddle, [0.0, 0.0]), (LANDS.rosenbrock, [1.0, 1.0])],
    ids=["monkey saddle", "saddle", "minimum"])
def test_where_the_gradient_is_zero_it_stays(name, surface, point):
    found = run(name, surface, point)
    np.testing.assert_array_equal(found.params, point)
    assert np.all(found.losses == found.losses[0])


@each(SEARCHING)
def test_the_losses_are_those_of_the_points(name):
    found = run(name, LANDS.himmelblau, [0.0, -0.5])
    np.testing.assert_allclose(found.losses, jax.vmap(LANDS.himmelblau)(found.path), rtol=1e-9, atol=1e-25)


@each(SEARCHING)
def test_a_second_call_compiles_nothing(name, compiled):
    run(name, LANDS.rosenbrock, [-1.2, 1.0])
    assert compiled(run, name, LANDS.beale, [0.3, 0.4]) == 0


@pytest.mark.parametrize("rule", [rv.newton, rv.saddle_free_newton])
def test_another_rate_or_damping_compiles_nothing(rule, compiled):
    bowl = rv.landscapes.quadratic(50.0)
    rv.minimize(bowl, np.ones(2), rule(), 2)
    assert compiled(rv.minimize, bowl, np.ones(2), rule(0.5, 0.1), 2) == 0
    assert compiled(rv.minimize, bowl, np.ones(2), rule(np.float32(0.5), 0.1), 2) == 0
    np.testing.assert_allclose(rv.minimize(bowl, np.ones(2), rule(0.25), 2).params, 0.75**2)


def loss(params):
    w = jnp.concatenate([params["a"].ravel(), params["b"][None]])
    return jnp.sum(jnp.cosh(w - 1)) + (w[0] * w[1]) ** 2


@each({**SEARCHING, "newton, plain": None})
def test_a_tree_in_float32(name):
    # Steps are compared while they are long: later the two types differ by what float32 can tell of the loss.
    tree = {"a": np.array([[0.5, -0.25]]), "b": np.array(0.75)}
    single = jax.tree.map(lambda w: jnp.asarray(w, jnp.float32), tree)
    with jax.numpy_dtype_promotion("strict"):
        found, exact = (rv.minimize(loss, start, RULES[name](), steps=2) for start in (single, tree))
    for leaf in jax.tree.leaves((found.params, found.losses, found.path)):
        assert leaf.dtype == jnp.float32
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3), found.params,
                 exact.params)


def test_vmap_over_starts_is_a_loop_over_starts():
    starts = np.array([[-1.2, 1.0], [0.0, 0.0], [2.0, 2.0]])
    mapped = jax.vmap(lambda start: rv.minimize(rv.landscapes.rosenbrock, start, rv.bfgs(), 12).path)(starts)
    looped = [rv.minimize(rv.landscapes.rosenbrock, start, rv.bfgs(), 12).path for start in starts]
    np.testing.assert_allclose(mapped, looped, rtol=1e-6)


def test_conjugate_gradient_ends_after_as_many_steps_as_eigenvalues():
    for eigenvalues in ([1.0, 100.0], [1.0, 7.0, 100.0], [1.0, 2.0, 10.0, 40.0, 100.0]):
        diagonal = jnp.asarray(np.resize(eigenvalues, 12))
        start = np.random.default_rng(0).normal(size=12)
        found = rv.krylov.conjugate_gradient(lambda v, d=diagonal: d * v, diagonal * start, tol=0.0, max_steps=12)
        steps = len(eigenvalues)
        assert found.residual_norms[steps] <= 1e-8 * found.residual_norms[0]
        ran = rv.minimize(lambda w, d: 0.5 * jnp.sum(d * w**2), start, rv.nonlinear_cg(), 5, args=(diagonal,))
        assert np.linalg.norm(ran.path[steps]) <= 1e-8 * np.linalg.norm(start)


# ---------------------------------------------------------------- what the state and the loop around it say


def stepped(rule, fun, w):
    value, grad = jax.value_and_grad(fun)(w)
    return rule.update(grad, rule.init(w), w, value=value, grad=grad, value_fn=fun)


def test_a_singular_hessian_is_said_and_gives_no_step():
    for rule in (rv.newton(), rv.saddle_free_newton()):
        updates, state = stepped(rule, jnp.sum, jnp.ones(2))
        np.testing.assert_array_equal(updates, 0.0)
        assert state.status == StepStatus.NOT_FINITE


def test_an_indefinite_hessian_is_said():
    for name in ("newton", "saddle_free_newton", "hessian_free", "newton, plain"):
        for surface, indefinite in ((LANDS.saddle, True), (LANDS.quadratic(50.0), False)):
            _, state = stepped(RULES[name](), surface, jnp.array([1.0, 0.3]))
            assert state.indefinite == indefinite, (name, surface.name)


def test_a_pair_of_negative_curvature_is_left_out():
    w, rule = jnp.array([1.0, 1.0]), rv.bfgs()
    state = rule.init(w)._replace(age=jnp.int32(3), params=w + 1, grads=-2 * (w + 1), memory=2 * jnp.eye(2))
    value, grad = jax.value_and_grad(concave)(w)
    _, state = rule.update(grad, state, w, value=value, grad=grad, value_fn=concave)
    assert state.indefinite
    np.testing.assert_array_equal(state.memory, 2 * jnp.eye(2))


def concave(w):
    return -jnp.sum(w**2)


def test_behind_another_transformation_the_losses_are_still_those_of_the_points():
    halved = optax.chain(rv.bfgs(), optax.scale(0.5))
    found = rv.minimize(rv.landscapes.rosenbrock, np.array([-1.2, 1.0]), halved, 4)
    np.testing.assert_allclose(found.losses, jax.vmap(rv.landscapes.rosenbrock)(found.path), rtol=1e-12)


def model(w, x, y):
    return jnp.tanh(x @ w)


def squares(out, x, y):
    return jnp.sum((out - y) ** 2)


def linear(w, x, y):
    return x @ w


X = np.random.default_rng(0).normal(size=(20, 3))
DATA = X, np.tanh(X @ [0.5, -1.0, 0.3])


def test_gauss_newton_on_linear_least_squares_is_newton():
    fun, start = rv.split(linear, squares), np.ones(3)
    one, other = (rv.minimize(fun, start, rule, 3, args=DATA).path
                  for rule in (rv.gauss_newton(damping=0.5), rv.newton(damping=0.5)))
    np.testing.assert_allclose(one, other, rtol=1e-12)
    landed = rv.minimize(fun, start, rv.gauss_newton(damping=0.0), 3, args=DATA).path
    np.testing.assert_allclose(landed[1], np.linalg.lstsq(*DATA)[0], rtol=1e-12)


def test_a_split_objective_is_like_any_other(compiled):
    fun, start = rv.split(model, squares), np.zeros(3)
    for rule in (rv.gauss_newton(), rv.hessian_free()):
        np.testing.assert_allclose(rv.minimize(fun, start, rule, 12, args=DATA).params, [0.5, -1.0, 0.3], rtol=1e-7)
        again = rv.split(model, squares)
        assert compiled(rv.minimize, again, start + 0.1, rule, 12, args=DATA) == 0
    assert compiled(rv.minimize, fun, start, rv.gauss_newton(damping=0.1), 12, args=DATA) == 0
    plain = rv.minimize(lambda w, x, y: squares(model(w, x, y), x, y), start, optax.lbfgs(), 5, args=DATA)
    np.testing.assert_allclose(rv.minimize(fun, start, optax.lbfgs(), 5, args=DATA).params, plain.params, rtol=1e-9)
    assert fun(start, *DATA) == plain.losses[0]


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("rule", [rv.newton, rv.saddle_free_newton, rv.gauss_newton, rv.hessian_free])
@pytest.mark.parametrize(("damping", "error"), [
    (-0.1, ValueError), (np.nan, ValueError), (np.inf, ValueError), (np.ones(2), ValueError), ("0.1", TypeError),
    (None, TypeError), (True, TypeError)], ids=str)
def test_damping(rule, damping, error):
    with pytest.raises(error, match=r"^damping "):
        rule(damping=damping)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: rv.newton(-1.0), ValueError, r"^learning_rate = -1\.0"),
    (lambda: rv.newton(lambda step: 0.1), TypeError, "^learning_rate = "),
    (lambda: rv.saddle_free_newton(np.ones(2)), ValueError, "^learning_rate has shape"),
    (lambda: rv.newton(line_search=1), TypeError, "^line_search = 1: must be True or False"),
    (lambda: rv.saddle_free_newton(line_search="yes"), TypeError, "^line_search = 'yes'"),
    (lambda: rv.gauss_newton(line_search=None), TypeError, "^line_search = None"),
    (lambda: rv.lbfgs(0), ValueError, "^memory_size = 0: must be at least 1"),
    (lambda: rv.lbfgs(2.5), TypeError, r"^memory_size = 2\.5: must be a whole number"),
    (lambda: rv.hessian_free(cg_steps=0), ValueError, "^cg_steps = 0: must be at least 1"),
    (lambda: rv.hessian_free(cg_steps=None), TypeError, "^cg_steps = None"),
    (lambda: rv.nonlinear_cg("newton"), ValueError, "^beta = 'newton': must be one of 'fletcher_reeves'"),
    (lambda: rv.nonlinear_cg(0.5), ValueError, r"^beta = 0\.5: must be one of"),
    (lambda: rv.split(model, 3.0), TypeError, r"^loss = 3\.0: must be a function"),
    (lambda: rv.split(None, squares), TypeError, "^predict = None: must be a function"),
    (lambda: rv.minimize(rv.landscapes.saddle, np.ones(2), rv.gauss_newton(), 1), TypeError,
     r"^gauss_newton: needs a loss in two parts, such as ravine\.split"),
    (lambda: rv.bfgs().init(jnp.arange(2)), TypeError, "^params has dtype int"),
    (lambda: rv.bfgs().init({}), ValueError, "^params = {}: must hold at least one number"),
    (lambda: rv.bfgs().update(jnp.ones(2), rv.bfgs().init(jnp.ones(2)), jnp.ones(2)), TypeError,
     "^bfgs: update needs params, value=, grad= and value_fn="),
    (lambda: rv.bfgs().update(jnp.ones(2), rv.bfgs().init(jnp.ones(2)), jnp.ones(3), value=0.0, grad=jnp.ones(3),
                              value_fn=jnp.sum), ValueError, r"^grads has shape \(2,\), params has shape \(3,\)"),
    (lambda: rv.bfgs().update(jnp.ones(3), rv.bfgs().init(jnp.ones(2)), jnp.ones(3), value=0.0, grad=jnp.ones(3),
                              value_fn=jnp.sum), ValueError, "^params has 3 entries, state has 2"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
