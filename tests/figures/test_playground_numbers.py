"""The network that learns in the page is the library's: its gradients, its starts, and every rule."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from pages import Site
from test_rules import halving

import ravine as rv
from ravine.figures import _figure, _playground, _rules
from ravine.figures._playground import ACTIVATIONS, EXAMPLES, GRID, HIDDEN, INITIALIZERS, WINDOW

STEPS, EVERY = 200, 20
SETTINGS = {"data": "moons", "hidden": "3", "activation": "tanh", "initializer": "xavier_normal", "rule": "sgd",
            "scale": 1.3, "learning_rate": 0.05, "batch": "8", "seed": 3}


@pytest.fixture(scope="module")
def lasting(browser, site):
    """Yield one page for all tests that only compute in it."""
    page = browser.new_page()
    page.goto(site.write("playground-numbers", rv.figures.playground()))
    page.locator(".summary").wait_for()
    yield page
    page.close()


RUN = """([settings, steps, every]) => {
  const { begin, advance } = ravine.figures.playground, run = begin(settings);
  const result = { path: [Array.from(run.w)], rows: [] };
  for (let t = 0; t < steps; t++) {
    advance(run);
    const first = (t * run.batch) % 96;
    result.rows.push(Array.from(run.order.slice(first, first + run.batch)));
    if (run.t % every === 0) result.path.push(Array.from(run.w));
  }
  return result;
}"""


@pytest.mark.parametrize("rule", _rules.offered())
def test_a_training_is_the_librarys(lasting, rule):
    settings = SETTINGS | {"rule": rule}
    if not lasting.evaluate("rule => rule in ravine.figures.playground.library.rules", rule):
        pytest.skip("it is not offered")
    live = lasting.evaluate(RUN, [settings, STEPS, EVERY])
    size = 2 * 3 + 3 + 3 + 1
    path, rows = np.array(live["path"])[:, :size], np.array(live["rows"], int)
    assert rows.shape == (STEPS, 8)
    assert (np.sort(rows[:24].reshape(2, EXAMPLES)) == range(EXAMPLES)).all()  # each epoch sees everything once
    assert not np.array(live["path"])[:, size:].any()

    def error(learning_rate):
        """Return the largest distance of two points in units of how far the training has come."""
        figure = rv.figures.playground(**settings | {"learning_rate": learning_rate})
        want = figure.train(STEPS, path[0], rows)[::EVERY]
        return np.max(np.linalg.norm(path - want, axis=1)[1:] / np.linalg.norm(want - want[0], axis=1)[1:])

    assert error(0.05) < 1e-9
    if _rules.offered()[rule]:
        assert error(0.05 * (1 + 1e-6)) > 1e-8


RANGES = [(0, EXAMPLES), (0, 13), (40, 41)]  # of the examples


@pytest.mark.parametrize("hidden", HIDDEN)
def test_losses_gradients_and_predictions_are_the_librarys(lasting, hidden):
    activations = list(ACTIVATIONS) if hidden == "3" else ["tanh"]
    live = lasting.evaluate("""([settings, ranges]) => settings.map((each) => {
      const run = ravine.figures.playground.begin(each), order = Float64Array.from({ length: 96 }, (_, i) => 95 - i);
      const { w, network, activation, points } = run;
      const parts = ranges.map((range) => network.learn(w, activation, ...run.learned, order, ...range));
      return [w, ...parts.map(([loss, gradient]) => [loss, ...gradient]), network.predict(w, activation, points)]
        .map((row) => Array.from(row));
    })""", [[SETTINGS | {"hidden": hidden, "activation": each} for each in activations], RANGES])
    x, y = _playground.examples("moons")
    nodes = np.linspace(-WINDOW, WINDOW, GRID)
    points = np.vstack([np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 2), x])
    places = np.arange(EXAMPLES)[::-1]
    weights = np.array([(first <= places) & (places < last) for first, last in RANGES]) / np.diff(RANGES)

    @jax.jit
    def reference(w):
        """Return, for every activation, loss and gradient on each range of examples, and the predictions."""
        def results(apply):
            def loss(params, weights):  # −log of the probability of the right class
                logits = apply(params, x[:EXAMPLES])[:, 0]
                return weights @ jnp.where(y[:EXAMPLES] == 1, jax.nn.softplus(-logits), jax.nn.softplus(logits))

            params = _playground._unravel(hidden, w)
            losses, grads = jax.vmap(jax.value_and_grad(loss), (None, 0))(params, weights)
            grads = jax.vmap(lambda tree: ravel_pytree(tree)[0])(grads)
            return jnp.column_stack([losses, grads]), jax.nn.sigmoid(apply(params, points)[:, 0])

        return [results(_playground.network(hidden, ACTIVATIONS[each]).apply) for each in activations]

    want = reference(np.array(live[0][0]))
    for (_, *parts, predictions), (expected, probability) in zip(live, want, strict=True):
        parts, size = np.array(parts), expected.shape[1]
        np.testing.assert_allclose(parts[:, :size], expected, rtol=1e-12, atol=1e-14)
        assert not parts[:, size:].any()
        np.testing.assert_allclose(predictions, probability, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(2, 8), (16, 1)], ids=str)
def test_starts_are_the_librarys(lasting, shape):
    key = jax.random.key(5)
    tall = (max(shape), min(shape))

    @jax.jit
    def reference():
        drawn = {"normal": jax.random.normal(key, shape), "uniform": jax.random.uniform(key, shape),
                 "tall": jax.random.normal(key, tall)}
        return drawn, [_playground.initializer(name, 0.7)[0](key, shape, np.float64) for name in INITIALIZERS]

    drawn, want = reference()
    lists = {name: np.ravel(numbers).tolist() for name, numbers in drawn.items()}
    live = lasting.evaluate("""([names, shape, drawn]) => names.map((name) => Array.from(
      ravine.figures.playground.library.initializers[name][shape]({
        normal: () => Float64Array.from(name === "orthogonal" ? drawn.tall : drawn.normal),
        uniform: () => Float64Array.from(drawn.uniform),
      }, 0.7)))""", [INITIALIZERS, "×".join(map(str, shape)), lists])
    for name, numbers, wanted in zip(INITIALIZERS, live, want, strict=True):
        np.testing.assert_allclose(np.reshape(numbers, shape), wanted, rtol=1e-12, atol=1e-14, err_msg=name)


def test_kernels_stand_where_the_network_has_them(lasting):
    live = lasting.evaluate("settings => Array.from(ravine.figures.playground.begin(settings).w)",
                            SETTINGS | {"hidden": "16", "initializer": "constant", "scale": 0.3})
    start = _playground._start("16", "constant", 0.3, 0)
    np.testing.assert_array_equal(live[:start.size], start)
    again = lasting.evaluate("seeds => seeds.map(seed => Array.from(ravine.figures.playground.begin({ ...seed }).w))",
                             [SETTINGS, SETTINGS, SETTINGS | {"seed": 4}])
    assert again[0] == again[1] != again[2]


def test_every_initializer_of_the_library_is_offered():
    assert {"zeros", "constant", "normal", "kaiming_normal", "orthogonal"} <= set(INITIALIZERS)
    assert len(INITIALIZERS) == sum(callable(getattr(rv.initializers, name)) for name in INITIALIZERS)
    assert _playground.initializer("normal", 1.0)[1] == "stddev"
    assert _playground.initializer("zeros", 1.0)[1] is None


def test_data_are_balanced_standardised_and_those_of_the_library():
    for name in _playground.DATA:
        x, y = _playground.examples(name)
        assert x.shape == (2 * EXAMPLES, 2)
        assert y[:EXAMPLES].sum() == y[EXAMPLES:].sum() == EXAMPLES / 2
        np.testing.assert_allclose([x.mean(0), x.std(0)], [[0, 0], [1, 1]], atol=1e-3)
        assert np.abs(x).max() < WINDOW


def test_a_new_optimizer_of_the_library_stands_in_the_figure(monkeypatch, tmp_path, visit):
    address = Site(tmp_path).write("grown", rv.figures.playground(
        hidden="3", initializer="kaiming_normal", learning_rate=0.4))
    monkeypatch.setattr(rv.optimizers, "halving", halving, raising=False)
    monkeypatch.setattr(rv.optimizers, "__all__", [*rv.optimizers.__all__, "halving"])
    monkeypatch.setattr(_playground, "HIDDEN", {"3": (3,)})  # the rest would only take time
    monkeypatch.setattr(_playground, "INITIALIZERS", ["kaiming_normal"])

    class Grown(_playground.Playground):
        """The figure, built when the library has one rule more."""

    (tmp_path / "playground.classic.js").write_text(_figure._classic(Grown), encoding="utf-8")
    page = visit(address)
    page.get_by_label("optimizer").select_option("halving")
    page.evaluate("location.hash += '&steps=150'")
    page.wait_for_function("document.querySelector('.player output').textContent === 'step 150'")
    assert "rule=halving" in page.url
    live = page.evaluate("ravine.figures.playground.library.rules.halving.hyper")
    assert live == ["learning_rate"]
    assert float(page.locator(".summary").inner_text().split("loss is ")[1].split()[0]) < 0.6
