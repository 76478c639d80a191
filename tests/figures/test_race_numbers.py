"""The race computes what the library computes, judges as Python does, and takes its settings from Python."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from pages import Site

import ravine as rv
from ravine._compat import enable_x64
from ravine.figures import _figure, _race, _rules

SURFACES = list(_race.SURFACES.values())
STEPS = 200
# XLA's tanh is off by 7 ulps near −1, so that near the cliff's minimum its gradient is noise of 6e-14. `rmsprop`, which
# divides a gradient by its own usual size, makes whole steps of that; the page's tanh is exact there.
NOISY = ("rmsprop", "cliff", "oscillating")
HASTE = {"slow": 0.05, "oscillating": 2.0}  # times the best rate
RUN_ALL = """([steps, haste]) => {
  const { simulate, objective, outcome, sweep } = ravine.figures.race;
  const facts = race_library.surfaces, runs = {};
  for (const rule of Object.keys(race_library.rules)) for (const surface of Object.keys(facts)) {
    const best = sweep(rule, surface, 0, facts[surface].start, steps);
    for (const [pace, share] of Object.entries(haste)) {
      const rate = share * best;
      const path = simulate(rule, rate, objective(surface, 0), facts[surface].start, steps);
      const losses = path.map(objective(surface, 0).f);
      const judged = outcome(facts[surface], path, losses);
      runs[[rule, surface, pace]] = { best, rate, path: path.map(w => [...w]), losses, outcome: judged };
    }
  }
  const spell = (key, value) => typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  return JSON.stringify(runs, spell);
}"""


@pytest.fixture(scope="module")
def lasting(browser, site):
    """Yield one page for all tests that only compute in it."""
    page = browser.new_page()
    page.goto(site.write("racing", rv.figures.race(steps=10)))
    page.locator(".summary").first.wait_for()
    page.add_script_tag(content=f"{_figure._library(_race.Race).replace('const library', 'const race_library', 1)}\n")
    yield page
    page.close()


@pytest.fixture(scope="module")
def runs(lasting):
    """Return all runs of all rules on all surfaces, slow and oscillating, computed in the page at once."""
    return json.loads(lasting.evaluate(f"args => ({RUN_ALL})(args)", [STEPS, HASTE]))


def height(w, which, beside):
    return jax.lax.switch(which, SURFACES, w + beside * (1 + w))


def relative(path, want):
    """Return the largest error along each path, as far as it is finite, relative to the point or to the start.

    Not to the point alone: near 0, where some minima are, that would be the error of XLA's tanh, several ulps of 1.
    """
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(want).max(-1), np.abs(want[..., :1, :]).max(-1))
        error = np.where((path == want).all(-1), 0, np.abs(path - want).max(-1) / size)
        return np.where(size < 1e150, error, 0).max(-1)


@pytest.mark.parametrize("rule", _rules.offered())
def test_every_path_is_that_of_minimize(runs, rule):
    if rule not in _race.RULES:
        pytest.skip("has no place in a page")
    rate_name = _rules.offered()[rule]
    pairs = [(surface, pace) for surface in _race.SURFACES for pace in HASTE]
    mine = [runs[f"{rule},{surface},{pace}"] for surface, pace in pairs]
    live = np.array([run["path"] for run in mine], float)

    def path(lane):
        start, which, rate, beside = lane
        make = getattr(rv, rule)(**{rate_name: rate} if rate_name else {})
        return rv.minimize(height, start, make, STEPS, args=(which, beside)).path

    # The surfaces are also asked 64 ulps (of the point and of 1) beside every point: their rounding. Where the path
    # makes more than ten thousand times that of it, it is chaotic: no two machines agree on it.
    offsets = [0.0, 2.0**-46, -(2.0**-46)]
    rates = np.array([run["rate"] for run in mine])
    with enable_x64():
        start = np.array([_race.SURFACES[surface].start for surface, _ in pairs])
        which = np.array([list(_race.SURFACES).index(surface) for surface, _ in pairs])
        lanes = [np.concatenate(parts) for parts in zip(
            *((start, which, rates, np.full(len(pairs), offset)) for offset in offsets),
            (start, which, rates * (1 + 1e-6), np.zeros(len(pairs))), strict=True)]
        program = jax.jit(lambda lanes: jax.lax.map(path, lanes)).lower(lanes)
        paths = program.compile(compiler_options={"xla_backend_optimization_level": 0})(lanes)  # compiles sooner
    want, *near, faster = np.split(np.asarray(paths), len(offsets) + 1)
    calm = np.max([relative(each, want) for each in near], axis=0) < 1e4 * 2.0**-46
    assert calm.mean() > 0.6
    error = relative(live, want)
    off = {pair: err for pair, err, sure in zip(pairs, error, calm, strict=True) if sure and not err < 1e-9}
    assert {pair: err for pair, err in off.items() if (rule, *pair) != NOISY} == {}
    # A rate that is off by a millionth is noticed wherever it matters.
    matters = relative(faster, want) > 2e-9
    assert (relative(live, faster) > 1e-9)[matters & calm].all()
    assert rate_name is None or matters.mean() > 0.6


def test_page_and_python_judge_alike(runs):
    kinds = set()
    for key, run in runs.items():
        surface = _race.SURFACES[key.split(",")[1]]
        judged = _race.outcome(surface, np.array(run["path"], float), np.array(run["losses"], float))
        said = run["outcome"]
        assert judged == (said["kind"], said["step"], said.get("at")), key
        kinds.add(judged.kind)
    assert kinds == {"reached", "below", "diverged", "outside", "still", "moving"}


@pytest.mark.parametrize(("rule", "surface"), [
    ("sgd", "quadratic"), ("momentum", "saddle"), ("adam", "himmelblau"), ("rprop", "temperature_softmax"),
    ("rmsprop", "rosenbrock"), ("adagrad", "flat_with_steep_hole")])
def test_best_rate_is_the_best_in_python_too(runs, rule, surface):
    assert _race.best_rate(surface, rule, STEPS) == runs[f"{rule},{surface},slow"]["best"]


def test_best_rate_of_gradient_descent_on_a_bowl_is_the_textbooks():
    """On ½(w₁² + κ w₂²) the slower direction is fastest at η = 2/(1 + κ); the grid steps by a third."""
    assert _race.best_rate("quadratic", "sgd", STEPS) == pytest.approx(2 / 11, rel=0.17)


@pytest.mark.parametrize("rule", ["sgd", "momentum", "nesterov"])
def test_clipping_is_the_librarys(lasting, rule):
    start, rate = [0.0, -0.5], {"sgd": 0.01}.get(rule, 0.003)
    live = np.array(lasting.evaluate(
        "([rule, rate, start]) => { const { simulate, objective } = ravine.figures.race;"
        "return simulate(rule, rate, objective('himmelblau', 9), start, 200).map(w => [...w]) }", [rule, rate, start]))
    with enable_x64():
        clipped = optax.chain(rv.clip_by_norm(9.0), getattr(rv, rule)(rate))
        want = np.asarray(rv.minimize(rv.landscapes.himmelblau, jnp.array(start), clipped, STEPS).path)
        bare = np.asarray(rv.minimize(rv.landscapes.himmelblau, jnp.array(start), getattr(rv, rule)(rate), STEPS).path)
    figure = rv.figures.race("himmelblau", [rule], {rule: rate}, start, clip=9)
    assert relative(live[None], want[None]) < 1e-9
    assert relative(figure.points()[rule][None], want[None]) < 1e-9
    assert relative(bare[None], want[None]) > 1e-2


def lately(learning_rate):
    """Return a rule that the library does not have."""
    return optax.chain(optax.trace(0.3), optax.scale(-learning_rate))


def winding(learning_rate):
    return optax.chain(optax.sgd(learning_rate), *[optax.trace(0.9)] * 60)


def test_a_new_rule_takes_part_with_no_change_in_any_javascript(monkeypatch, tmp_path, visit):
    for rule in (lately, winding):
        monkeypatch.setattr(rv.optimizers, rule.__name__, rule, raising=False)
        monkeypatch.setattr(rv.optimizers, "__all__", [*rv.optimizers.__all__, rule.__name__])

    class Grown(_race.Race):
        """The figure as a process sees it that imports the larger library."""

    _figure.build([Grown], tmp_path)
    figure = Grown(rules=["lately"], rates={"lately": 0.01})
    text = (tmp_path / "race.classic.js").read_text()
    assert "const lately = { hyper" in text
    assert "const winding" not in text
    page = visit(Site.write(type("Folder", (), {"folder": tmp_path}), "grown", figure))
    page.wait_for_function("document.querySelector('.summary').textContent.includes('lately')")
    assert page.get_by_role("checkbox", name="lately").is_checked()
    told = page.locator(".key").last.inner_text()
    assert "winding" in told.partition("Not offered, for they want more than a loss, or matrices, or too much code")[2]
    (path,) = page.locator(".plot svg").first.locator("path.line.hue-a").all()
    assert path.get_attribute("d").count("L") == 200
    with pytest.raises(ValueError, match="rules has 'winding'"):
        Grown(rules=["winding"])


def test_settings_and_their_errors():
    figure = rv.figures.race("cliff", ("adam", "sgd"), {"sgd": 0.5}, (1, -1), clip=2, steps=7)
    assert (figure.surface, figure.rules, figure.rates) == ("cliff", ["adam", "sgd"], {"sgd": 0.5})
    assert (figure.start, figure.clip, figure.steps) == ([1.0, -1.0], 2.0, 7)
    assert {name: path.shape for name, path in figure.points().items()} == {"adam": (8, 2), "sgd": (8, 2)}
    assert rv.figures.race("beale").start == list(rv.landscapes.beale.start)
    for error, message, arguments in [
        (ValueError, "surface = 'hill': must be one of", {"surface": "hill"}),
        (ValueError, "rules has 'clip_by_norm': every entry must be one of", {"rules": ["clip_by_norm"]}),
        (TypeError, "rules = 'adam': must be a list of names", {"rules": "adam"}),
        (ValueError, "rates has 'best': every name must be one of", {"rates": {"best": 1}}),
        (ValueError, r"rates\['adam'\] = 0.0: must be in \(0, inf\)", {"rates": {"adam": 0}}),
        (TypeError, "rates = 0.1: must be a dict", {"rates": 0.1}),
        (ValueError, r"start\[0\] = 6.0: must be in \[-5.0, 5.0\]", {"start": (6, 0)}),
        (ValueError, "clip = -1.0", {"clip": -1}),
        (ValueError, "steps = 5000: must be at most 2000", {"steps": 5000}),
    ]:
        with pytest.raises(error, match=message):
            rv.figures.race(**arguments)


@pytest.mark.parametrize(("arguments", "words"), [
    ({"surface": "rosenbrock", "rules": ["sgd"], "rates": {"sgd": 0.02}}, "sgd: diverged at step 1"),
    ({"surface": "saddle", "rules": ["sgd"], "rates": {"sgd": 0.1}}, "sgd: reached the bottom at step"),
], ids=["diverging", "endless"])
def test_still_picture_says_what_became_of_a_run(arguments, words, monkeypatch):
    legends = []
    monkeypatch.setattr(_race.notebook, "svg", lambda picture, _: legends.extend(picture.legends) or "<svg")
    rv.figures.race(**arguments).still()
    _race.plotting.plt.close("all")
    assert next(iter(legends[0].get_texts())).get_text().startswith(words)
