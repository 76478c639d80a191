"""The live figure of the edge of stability: its training and its sharpness are the library's, and it goes to 2/η."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from driving import centre, drag, picture, readings, ready, summary
from jax.flatten_util import ravel_pytree
from pages import settled

import ravine as rv
from ravine._compat import enable_x64
from ravine.figures import _edge

SETTINGS = {"slow": (0.1, "T4", 3), "oscillating": (0.5, "T4", 1), "other": (0.3, "T5", 2)}  # rate, target, seed
TRAIN = """([learning_rate, target, seed, steps]) => {
  const run = ravine.figures.edge.begin({ learning_rate, target, seed });
  const points = [run.w];
  while (run.t < steps) { ravine.figures.edge.advance(run); points.push(run.w); }
  return { points: points.map(w => Array.from(w)), losses: run.losses, sharpness: run.sharpness };
}"""


@pytest.fixture(scope="module")
def page(browser, site):
    """Yield one page for all tests that set the figure through the address and read it."""
    page = browser.new_page()
    page.goto(site.write("edge", rv.figures.edge(steps=200)))
    yield ready(page)
    page.close()


@jax.jit
def _losses(points, y):
    return jax.vmap(lambda w: _edge._loss(_edge._unravel(w), y))(points)


def losses(points, y):
    with enable_x64():
        return np.asarray(_losses(points, y))


@pytest.mark.parametrize("setting", SETTINGS)
def test_training_and_sharpness_are_the_librarys(page, setting):
    rate, target, seed = SETTINGS[setting]
    made = page.evaluate(TRAIN, [rate, target, seed, 200])
    figure, points = rv.figures.edge(rate, target, seed), np.array(made["points"])
    want, other, wrong = (np.asarray(figure.points(rv.figures.edge(rate * change, target, seed).run(200, points[0])))
                          for change in (1, 1 + 1e-14, 1 + 1e-6))

    def error(points):
        return np.abs(points - want).max(1) / np.abs(want).max(1)

    # Above 2/η a path is chaotic: compared is what comes before a change in the rate's last digits shows.
    shows = [*np.flatnonzero(error(other) > 1e-10), 201][0]
    assert shows > 50
    assert error(points)[:shows].max() < 1e-9 < error(wrong)[:shows].max()
    steps, seen = np.array(made["losses"]).T
    np.testing.assert_array_equal(steps, np.arange(0, 201, 5))
    np.testing.assert_allclose(seen, losses(points[::5], _edge.TARGETS[target]), rtol=1e-11)  # sums in another order
    # A Ritz value is at most the eigenvalue, and its residual, of 1 % at most, bounds how far it is below one.
    steps, seen = np.array(made["sharpness"]).T
    want = figure.sharpness(points[::10])
    np.testing.assert_array_equal(steps, np.arange(0, 201, 10))
    assert (seen <= want * (1 + 1e-9)).all()
    assert (seen >= want * (1 - 1e-2)).all()


def test_the_start_is_the_initializers(page):
    ones = page.evaluate("() => Array.from(ravine.figures.edge.library.begin("
                         "{ normal: n => new Float64Array(n).fill(1) }))")
    network = rv.networks.mlp((1, 12, 12, 1), np.tanh, lambda key, shape, dtype: jnp.full(shape, shape[0] ** -0.5))
    with enable_x64():
        np.testing.assert_allclose(ones, ravel_pytree(network.init(jax.random.key(0)))[0], rtol=1e-15)


def test_where_the_rate_goes_the_sharpness_follows(page):
    seen = np.array(page.evaluate("""() => {
      const { begin, advance, steer } = ravine.figures.edge;
      const run = begin({ learning_rate: 0.2, target: "T3", seed: 3 });
      while (run.t < 1000) advance(run);
      steer(run, 0.4);
      while (run.t < 1500) advance(run);
      steer(run, 0.2);
      while (run.t < 5000) advance(run);
      return run.sharpness;
    }"""))
    for until, rate in ((1000, 0.2), (1500, 0.4), (5000, 0.2)):
        last = (seen[:, 0] > until - 300) & (seen[:, 0] <= until)
        assert np.mean(seen[last, 1]) == pytest.approx(2 / rate, rel=0.15), until  # what the summary calls close


def test_the_line_is_dragged_while_it_trains(page):
    page.get_by_role("button", name="Reset").click()
    settled(page)
    before, opened = picture(page), summary(page)
    assert "After 200 steps" in opened
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.summary').textContent.match(/After (\\d+)/)[1] > 230")
    assert page.locator(".spoken").inner_text() in ("", opened)  # nothing new while it plays
    grip = page.locator(".grip circle:not(.touch)")
    drag(page, centre(grip), (0, 60))
    page.wait_for_function("document.querySelector('.summary').textContent.match(/After (\\d+)/)[1] > 260")
    page.get_by_role("button", name="Pause").click()
    settled(page)
    rate, limit = map(float, re.search(r"At η = ([\d.]+) the line 2/η is at ([\d.]+)", summary(page)).groups())
    assert rate > 0.3
    assert limit == pytest.approx(2 / rate, rel=1e-2)  # three digits of each
    assert readings(page)["rate η"] == str(rate)
    steps = re.search(r"After (\d+) steps", summary(page)).group(1)
    assert f"steps={steps}" in page.url
    page.get_by_role("button", name="Reset").click()
    settled(page)
    assert (picture(page), summary(page)) == (before, opened)


def test_a_step_a_restart_and_less_motion(page, visit):
    page.get_by_role("button", name="Reset").click()
    settled(page)
    page.get_by_role("button", name="Step", exact=True).click()
    settled(page)
    assert "After 201 steps" in summary(page)
    page.get_by_role("button", name="Restart").click()
    settled(page)
    assert "After 0 steps" in summary(page)
    calm = ready(visit(page.url.split("#")[0], reduced_motion="reduce"))
    calm.get_by_role("button", name="200 steps").click()
    settled(calm)
    assert "After 400 steps" in summary(calm)


def test_a_training_that_blows_up_says_so(page):
    text = page.evaluate("location.hash = '#fig-edge?learning_rate=0.8&target=T3&steps=2000'")
    settled(page)
    text = summary(page)
    assert "blown up" in text
    assert "2/η = 2.5" in text


def test_settings_and_their_errors():
    figure = rv.figures.edge(0.1, "T5", 7, 0)
    assert (figure.learning_rate, figure.target, figure.seed, figure.steps) == (0.1, "T5", 7, 0)
    for message, arguments in [
        ("learning_rate = 2.0: must be", {"learning_rate": 2}),
        ("target = 'T6': must be one of T3, T4, T5", {"target": "T6"}),
        ("seed = 21: must be at most 20", {"seed": 21}),
        ("steps = -1: must be", {"steps": -1}),
    ]:
        with pytest.raises(ValueError, match=message):
            rv.figures.edge(**arguments)
