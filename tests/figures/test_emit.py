"""JAX against its JavaScript, in the browser's own engine and in float64."""

import functools
import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from emit_cases import CASES, A, B, X

import ravine as rv
from ravine._compat import enable_x64
from ravine.figures import _emit, _primitives
from ravine.figures._emit import emit, emit_objective, emit_rule
from ravine.figures._javascript import kind

# Floats cross as JSON strings: their shortest decimals are the same in both languages, and JSON has no NaN.
_PLAIN = """
const plain = (x) => typeof x === "boolean" ? x : typeof x === "number" ? (Object.is(x, -0) ? "-0" : String(x))
  : Array.from(x, plain);
function path(rule, w, steps, hyper, objective) {
  const points = [w];
  for (let t = 0, state = rule.init(w, hyper); t < steps; t++) {
    [w, state] = rule.step(w, state, hyper, objective);
    points.push(w);
  }
  return points;
}"""


def encode(leaf):
    """Return a number, a boolean or an array as an expression in JavaScript."""
    if np.ndim(leaf):
        return f"Float64Array.of({', '.join(encode(float(x)) for x in np.ravel(leaf))})"
    if isinstance(leaf, (bool, np.bool_)):
        return json.dumps(bool(leaf))
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(float(leaf)), repr(float(leaf)))


def decode(value):
    if isinstance(value, list):
        return [decode(entry) for entry in value]
    return value if isinstance(value, bool) else float(value)


def run(page, text, *expressions):
    """Return what expressions in JavaScript give after `text`."""
    script = f"() => {{ {_PLAIN}\n{text}\nreturn JSON.stringify(plain([{', '.join(expressions)}])); }}"
    return decode(json.loads(page.evaluate(script)))


# Every primitive

@pytest.fixture(scope="module")
def table(browser):
    """Every case of the table, in one page: {(name, unroll): the result}, and the primitives that were met."""
    met, texts, calls, apply = set(), [], {}, _emit.apply

    def meet(js, eqn, xs):
        met.add((eqn.name, kind(xs[0].dtype) if xs else ""))
        return apply(js, eqn, xs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_emit, "apply", meet)
        for number, (name, (fun, args)) in enumerate(CASES.items()):
            arguments = ", ".join(map(encode, jax.tree.leaves(args)))
            for unroll in (16, 1):
                texts.append(emit(f"case{number}_{unroll}", fun, *args, unroll=unroll))
                calls[name, unroll] = f"case{number}_{unroll}({arguments})"
    context = browser.new_context()
    results = run(context.new_page(), "".join(texts), *calls.values())
    context.close()
    return dict(zip(calls, results, strict=True)), met


@pytest.mark.parametrize("name", CASES)
def test_javascript_computes_what_jax_computes(table, name):
    fun, args = CASES[name]
    expected = jax.tree.leaves(jax.jit(fun)(*jax.tree.map(jnp.asarray, args)))
    for unroll in (16, 1):
        result = table[0][name, unroll]
        result = [result] if len(expected) == 1 else result
        assert len(result) == len(expected)
        for leaf, twin in zip(expected, result, strict=True):
            assert isinstance(twin, list) == bool(leaf.ndim)
            assert leaf.ndim or isinstance(twin, bool) == (leaf.dtype == bool)
            leaf = np.asarray(leaf, float).ravel()
            size = np.max(np.abs(leaf), initial=0.0, where=np.isfinite(leaf))
            np.testing.assert_allclose(np.ravel(twin).astype(float), leaf, rtol=1e-14, atol=1e-15 * size)


def test_the_cases_meet_every_primitive(table):
    met = table[1]
    templates = {(name, letter) for letter, table in _primitives._TEMPLATES.items() for name in table}
    assert not templates - met
    of_other_versions = {"device_put", "stack", "unstack", "tile"}
    elsewhere = {"eigh", "random_normal", "random_uniform"}
    elsewhere |= {"objective_value", "objective_gradient", "objective_hessian"}
    assert not set(_primitives._RULES) - {name for name, _ in met} - of_other_versions - elsewhere


def test_eigh_is_a_spectral_decomposition_in_ascending_order(page):
    matrices = [np.zeros((2, 2)), np.diag([3.0, -1.0, 2.0]), A[:5, :5] + A[:5, :5].T, X[:, None] * X]
    text = "".join(emit(f"eigh{n}", jnp.linalg.eigh, m) for n, m in enumerate(matrices))
    results = run(page, text, *(f"eigh{n}({encode(m)})" for n, m in enumerate(matrices)))
    for matrix, (values, vectors) in zip(matrices, results, strict=True):
        vectors = np.reshape(vectors, matrix.shape)
        np.testing.assert_allclose(values, np.linalg.eigvalsh(matrix), atol=1e-14)
        np.testing.assert_allclose(vectors @ np.diag(values) @ vectors.T, matrix, atol=1e-14)
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(values)), atol=1e-14)


# Rules and surfaces

RULES = {name: getattr(rv, name) for name in (
    "momentum", "accumulated_momentum", "averaged_momentum", "heavy_ball", "nesterov", "nesterov_lookahead")}
RULES["unbiased"] = functools.partial(rv.averaged_momentum, debias=True)
RATES = {"slow": 1e-4, "oscillating": 0.11, "diverging": 0.385}  # on the quadratic of condition 10, at decay 0.9
START = (-2.0, 1.0)


def rate(name, setting):
    """Return a learning rate that shows a setting; the averaged forms multiply it by 1 - decay."""
    if setting == "diverging" and name.startswith("nesterov"):
        return 0.137
    return RATES[setting] * (10 if name in ("averaged_momentum", "unbiased") else 1)


def relative_error(path, twin):
    """Return the largest of ‖difference‖ / ‖state‖ over the steps of a path.

    The state of a momentum method is two successive points. The last alone would not do: an oscillating path passes
    close to 0 again and again, and there no digits are left to compare.
    """
    difference = np.linalg.norm(path - np.reshape(twin, path.shape), axis=1)
    return np.max(difference[1:] / np.linalg.norm(np.hstack([path[1:], path[:-1]]), axis=1))


@pytest.fixture(scope="module")
def library():
    """Every momentum rule, and surfaces."""
    texts = [emit_rule(name, rule, 2) for name, rule in RULES.items()]
    texts.append(emit_objective("quadratic", lambda w, kappa: rv.landscapes.quadratic(kappa)(w), 2, kappa=1.0))
    texts.append(emit_objective("rosenbrock", rv.landscapes.rosenbrock, 2))
    return "".join(texts)


def runs(page, text, surface, start, settings):
    """Return the paths in JavaScript of the rules at settings, (name, learning rate, decay) each."""
    return run(page, text, *(
        f"path({name}, {encode(start)}, 1000, {{ learning_rate: {rate}, decay: {decay} }}, {surface})"
        for name, rate, decay in settings))


@pytest.mark.parametrize("setting", RATES)
def test_a_run_on_a_quadratic_is_that_of_minimize(page, library, setting):
    settings = [(name, rate(name, setting), decay) for name in RULES for decay in (0.9, 0.9 + 1e-6)]
    twins = iter(runs(page, library, "quadratic(10)", START, settings))
    for name, make_rule in RULES.items():
        run = rv.minimize(rv.landscapes.quadratic(10.0), jnp.array(START), make_rule(rate(name, setting), 0.9), 1000)
        path = np.asarray(run.path)
        turns, size = np.sum(np.diff(np.sign(path[:, 1])) != 0), np.linalg.norm(path[-1])
        assert {"slow": turns == 0, "oscillating": turns > 100 and size < 1, "diverging": size > 1e3}[setting]
        assert relative_error(path, next(twins)) < 1e-12, name
        assert relative_error(path, next(twins)) > 1e-9, name  # the other decay


def test_a_run_on_rosenbrock_is_that_of_minimize(page, library):
    # At five times this rate the error of one rounding at the start grows to 1e-12 on the way, in JAX as well.
    start, settings = (-1.2, 1.0), [(name, 2e-5, 0.9) for name in RULES]
    twins = runs(page, library, "rosenbrock()", start, settings)
    for twin, make_rule in zip(twins, RULES.values(), strict=True):
        path = rv.minimize(rv.landscapes.rosenbrock, jnp.array(start), make_rule(2e-5, 0.9), 1000).path
        assert relative_error(np.asarray(path), twin) < 1e-12


def test_minimize_itself_becomes_javascript(page):
    def path(start, rate):
        return rv.minimize(rv.landscapes.rosenbrock, start, rv.nesterov(rate), 500).path

    (twin,) = run(page, emit("descend", path, X[:2], 0.1), f"descend({encode(X[:2])}, 2e-5)")
    assert relative_error(np.asarray(path(jnp.asarray(X[:2]), 2e-5)), twin) < 1e-12


def test_a_rule_may_ask_for_the_hessian_and_for_products_with_it(page):
    def update(grads, state, params, *, value_fn, **_):
        curved = jax.jvp(jax.grad(value_fn), (params,), (grads,))[1]
        return -jnp.linalg.solve(jax.hessian(value_fn)(params), grads), curved

    def newton():
        return optax.GradientTransformationExtraArgs(lambda w: w, update)

    text = emit_rule("newton", newton, 2, hyper=()) + emit_objective("rosenbrock", rv.landscapes.rosenbrock, 2)
    w = jnp.array([-1.2, 1.0])
    (after, (curved,)), = run(page, text, f"newton.step({encode(w)}, [{encode(w)}], {{}}, rosenbrock())")
    hessian, gradient = jax.hessian(rv.landscapes.rosenbrock)(w), jax.grad(rv.landscapes.rosenbrock)(w)
    np.testing.assert_allclose(after, w - np.linalg.solve(hessian, gradient), rtol=1e-14)
    np.testing.assert_allclose(curved, hessian @ gradient, rtol=1e-14)


def test_a_rule_sees_a_tree_and_a_loss_sees_data(page):
    params, targets = {"w": A[:, :3], "b": X}, A[:, 3:6]

    def loss(params, x, y):
        return jnp.mean((jnp.tanh(x @ params["w"].T @ params["w"] + params["b"]) - y) ** 2)

    text = (emit_rule("adam", optax.adam, params, hyper=("learning_rate",))
            + emit_objective("fit", loss, params, hessian=False, x=targets, y=targets))
    start = jax.flatten_util.ravel_pytree(params)[0]
    (twin,) = run(page, f"{text} const x = {encode(targets)};",
                  f"path(adam, {encode(start)}, 50, {{ learning_rate: 0.01 }}, fit(x, x))")
    path = rv.minimize(loss, params, optax.adam(0.01), 50, args=(targets, targets)).path
    path = np.concatenate([np.asarray(leaf).reshape(51, -1) for leaf in jax.tree.leaves(path)], axis=1)
    assert relative_error(path, twin) < 1e-12


# Random numbers

INITIALIZERS = {  # name -> (the initializer, the standard sample that it scales)
    "zeros": (rv.initializers.zeros, None),
    "normal": (rv.initializers.normal(0.1), jax.random.normal),
    "kaiming_normal": (rv.initializers.kaiming_normal(), jax.random.normal),
    "kaiming_uniform": (rv.initializers.kaiming_uniform(), jax.random.uniform),
    "orthogonal": (rv.initializers.orthogonal(2.0), jax.random.normal),
}


@pytest.mark.parametrize("shape", [(5, 4), (3, 7), (2, 2)], ids=str)
def test_an_initializer_is_that_of_the_library_given_the_same_sample(page, shape):
    key, texts, calls = jax.random.key(3), [], []
    for name, (init, sample) in INITIALIZERS.items():
        tall = (max(shape), min(shape)) if name == "orthogonal" else shape  # it draws a tall matrix in any case
        numbers = "" if sample is None else encode(sample(key, tall, float))
        drawn = "none" if sample is None else sample.__name__
        texts.append(emit(name, functools.partial(init, shape=shape, dtype=np.float64), key))
        calls.append(f"{name}({{ {drawn}: () => {numbers or 0} }})")
    for twin, (init, _) in zip(run(page, "".join(texts), *calls), INITIALIZERS.values(), strict=True):
        np.testing.assert_allclose(np.reshape(twin, shape), init(key, shape, np.float64), rtol=1e-13, atol=1e-15)


def test_draws_come_from_one_generator_in_order(page):
    def two(key, low):
        one, other = jax.random.split(key)
        return jax.random.uniform(one, (2,), minval=low, maxval=5.0), jax.random.uniform(other, (2,)), low

    made = "{ n: 0, uniform(n) { return new Float64Array(n).map(() => ++this.n / 8); } }"
    (twins,) = run(page, emit("two", two, jax.random.key(0), 1.0), f"two({made}, 1)")
    assert twins == [[1.5, 2.0], [0.375, 0.5], 1.0]


# What else is promised

def test_the_text_does_not_depend_on_the_precision_of_the_session():
    def texts():
        return [emit("f", lambda x: jax.nn.softmax(x + jnp.asarray(X)), 1.0), emit_rule("momentum", rv.momentum, 2),
                emit_objective("beale", rv.landscapes.beale, 2)]

    expected = texts()
    with enable_x64(False):
        assert texts() == expected


def test_arguments_stay_and_results_are_new(page):
    def fun(x, a):
        return [x, a, a, a.at[0].set(x[0]), a.T.T, x.at[0].set(9.0), jnp.asarray(B)]

    text = emit("f", fun, X, A[:, :4]) + emit_objective("bowl", lambda w: w @ jnp.asarray(A[:, :5]) @ w, 5) + """
        const x = Float64Array.of(1, 2, 3), a = new Float64Array(20).fill(5), { H } = bowl();
        const results = [...f(x, a), H(a), H(a)], hessian = H(a).slice();
        const apart = new Set([x, a, ...results].map((array) => array.buffer)).size;
        results.forEach((array) => array.fill(7));"""
    apart, x, a, constant, before, after = run(page, text, "apart", "x", "a", "f(x, a)[6]", "hessian", "H(a)")
    assert apart == 11
    assert (x, a, before) == ([1, 2, 3], [5] * 20, after)
    np.testing.assert_array_equal(constant, B.ravel())


def test_all_that_a_text_declares_bears_its_name():
    def determinant(w, scale):
        return jnp.linalg.det(scale * w.reshape(5, 5))

    for text in (emit("one", lambda x: jax.scipy.special.erfc(x) + A, A),
                 emit_rule("one", optax.adam, 20, hyper=("learning_rate",)),
                 emit_objective("one", determinant, 25, hessian=False, scale=1.0)):
        declared = re.findall(r"^(?:function|const|let) ([\w$]+)", text, re.M)
        assert len(declared) > 1
        assert all(name == "one" or name.startswith("one$") for name in declared)


@pytest.mark.parametrize(("fun", "argument", "message"), [
    (jax.scipy.special.gammaln, 2.0, "emitting f: the JAX primitive lgamma: it has no JavaScript here for float64"),
    (lambda x: jax.lax.scan(lambda c, _: (jax.lax.lgamma(c), None), x, length=2)[0], 2.0, "the JAX primitive lgamma"),
    (lambda x: x + jax.random.normal(jax.random.key(0)), 2.0,
     "random_normal: random numbers are drawn by the page; pass them, or a key"),
    (lambda x: x.astype(jnp.float32), 2.0, "primitive convert_element_type: its type float32 is none of float64"),
    (lambda a: jnp.linalg.inv(a), np.ones((2, 3, 3)), "primitive lu: one matrix at a time"),
    (lambda a: jnp.sort(a), A, "primitive sort: only vectors"),
])
def test_what_has_no_javascript_is_named(fun, argument, message):
    with pytest.raises(NotImplementedError, match=message):
        emit("f", fun, argument)


def test_names_are_checked():
    with pytest.raises(ValueError, match="name = 'a-b': must be a name in JavaScript"):
        emit("a-b", jnp.sin, 1.0)
    with pytest.raises(ValueError, match="hyper = 'a b'"):
        emit_rule("f", rv.sgd, 2, hyper=("a b",))
    with pytest.raises(ValueError, match="f: a parameter called w"):
        emit_objective("f", lambda v, w: v @ v * w, 2, w=1.0)
    with pytest.raises(ValueError, match="unroll = 0: must be at least 1"):
        emit("f", jnp.sin, 1.0, unroll=0)
