"""The live figure of gradient noise: its gradients and runs are the library's, its theory the mean over all draws."""

import re

import jax
import numpy as np
import pytest
from driving import centre, drag, readings, ready, summary
from pages import settled

import ravine as rv
from ravine._compat import enable_x64
from ravine.figures import _gradient_noise
from ravine.figures._gradient_noise import EXAMPLES, MINIMUM, SIZES, STEPS, X, Y

POINT = [1.5, -2.0]


@pytest.fixture(scope="module")
def page(browser, site):
    """Yield one page for all tests that set the figure through the address and read it."""
    page = browser.new_page()
    page.goto(site.write("gradient_noise", rv.figures.gradient_noise()))
    yield ready(page)
    page.close()


def set_to(page, **settings):
    page.get_by_role("button", name="Reset").click()
    query = "&".join(f"{key}={value}" for key, value in settings.items())
    page.evaluate("query => { location.hash = `fig-gradient_noise?${query}` }", query)
    settled(page)


def live(page, body, *arguments):
    """Return what a function of the figure's exports makes of the arguments."""
    return page.evaluate(f"args => {{ const {{ draw, simulate, expected, batch, library }} = "
                         f"ravine.figures.gradient_noise, lists = (rows) => rows.map((row) => Array.from(row)); "
                         f"return (({body}))(...args); }}", list(arguments))


def loss(w):
    """Return the loss of all data at points of shape (n, 2)."""
    return 0.5 * ((w[:, :1] + w[:, 1:] * X - Y) ** 2).mean(1)


@pytest.mark.parametrize("order", ["random", "sorted"])
@pytest.mark.parametrize("size", [1, 2, 8, 256])
def test_gradients_and_runs_are_the_librarys(page, order, size):
    rows, run_rows, gradients, paths = live(page, """(order, size, point, steps, rates) => {
      const rows = draw(order, 3, size, 40, 1), ofRun = draw(order, 3, size, steps, size), batches = ofRun.map(batch);
      return [lists(rows), lists(ofRun), lists(rows.map(batch).map(({ g }) => g(point))),
        rates.map((rate) => lists(simulate(point, rate, batches)))];
    }""", order, size, POINT, STEPS, [0.3, 0.3 * (1 + 1e-6)])
    figure = rv.figures.gradient_noise(size, 0.3, POINT, order)
    rows, run_rows = np.array(rows, int), np.array(run_rows, int)
    if order == "sorted":
        np.testing.assert_array_equal(rows, figure.draw(40))
        np.testing.assert_array_equal(run_rows, figure.draw(STEPS, stride=size))
    np.testing.assert_allclose(gradients, figure.gradients(rows), rtol=1e-12, atol=1e-13)
    want = figure.run(run_rows)
    errors = [np.max(np.abs(np.array(path) - want)) for path in paths]
    assert errors[0] < 1e-12
    assert errors[1] > 1e-9


def test_a_run_is_that_of_fit():
    figure = rv.figures.gradient_noise(8, 0.3, POINT)
    rows = figure.draw(STEPS)
    taken = rows.ravel()
    with enable_x64():
        fitted = rv.fit(lambda w, batch: _gradient_noise._loss(w, *batch), np.array(POINT), rv.sgd(0.3),
                        (X[taken], Y[taken]), batch_size=8, epochs=1, key=jax.random.key(0), shuffle=False)
    np.testing.assert_allclose(figure.run(rows)[-1], fitted.params, rtol=1e-12)


@pytest.mark.parametrize(("size", "steps"), [(1, 1), (2, 1), (1, 2)])
def test_theory_is_the_mean_over_all_draws(size, steps):
    """There are 256 batches of one example, and 256² of two, or pairs of batches of one."""
    def step(w, i):
        return w - 0.4 * (w[:, 0] + w[:, 1] * X[i] - Y[i])[:, None] * np.stack([np.ones(i.size), X[i]], 1)

    i, j = (each.ravel() for each in np.indices((EXAMPLES, EXAMPLES)))
    w = np.tile(POINT, (i.size, 1))
    first, second = step(w, i), step(w, j)
    reached = {(1, 1): first, (2, 1): (first + second) / 2, (1, 2): step(first, j)}[size, steps]
    want = np.mean([loss(part).mean() for part in np.array_split(reached, 64)]) - loss(MINIMUM[None])[0]
    found = rv.figures.gradient_noise(size, 0.4, POINT).expected()
    assert found[steps] == pytest.approx(want, rel=1e-11)
    assert found[0] == pytest.approx((loss(w[:1]) - loss(MINIMUM[None]))[0], rel=1e-12)


@pytest.mark.parametrize("size", [1, 64])
def test_theory_in_the_page_is_the_librarys(page, size):
    found, sigma, least = live(page, """(point, size) =>
      [expected(point, 0.4, size), library.sigma(point), library.least]""", POINT, size)
    np.testing.assert_allclose(found, rv.figures.gradient_noise(size, 0.4, POINT).expected(), rtol=1e-11)
    residuals = POINT[0] + POINT[1] * X - Y
    gradients = np.stack([residuals, residuals * X], 1)
    assert sigma == pytest.approx(np.sqrt(gradients.var(0).sum()), rel=1e-12)
    assert least == pytest.approx(loss(MINIMUM[None])[0], rel=1e-12)


def said(page):
    """Return what the summary says of random batches, by name."""
    numbers = re.search(r"the data is (.*?) long\. Those of (\w+) examples are off by ([\d.]+) \(by theory ([\d.]+)\)"
                        r".*; (\d+) % .* is (.*?) above the least loss \(by theory (.*?)\)", summary(page)).groups()
    numbers = [_number(text) for text in numbers]
    return dict(zip(("length", "size", "error", "theory", "uphill", "late", "promised"), numbers, strict=True))


def _number(text):
    mantissa, _, power = text.partition(" × 10")
    power = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return 1.0 if text == "single" else float(f"{mantissa}e{power or 0}")


def test_summary_gives_what_was_measured(page):
    set_to(page, batch_size=16, point="0.5,0.2", seed=4)
    rows, run_rows = (np.array(each, int) for each in live(
        page, "(size) => [256, 200].map((count, k) => lists(draw('random', 4, size, count, k ? size : 1)))", 16))
    figure = rv.figures.gradient_noise(16, point=[0.5, 0.2], seed=4)
    gradients, full = figure.gradients(rows), figure.gradients(np.arange(EXAMPLES)[None])[0]
    late = (loss(figure.run(run_rows)) - loss(MINIMUM[None]))[-50:].mean()
    want = {"length": np.linalg.norm(full), "size": 16, "late": late, "promised": figure.expected()[-50:].mean(),
            "error": np.sqrt(((gradients - full) ** 2).sum(1).mean()), "uphill": 100 * np.mean(gradients @ full <= 0)}
    found = said(page)
    assert found.pop("theory") == pytest.approx(found["error"], rel=0.15)
    for name, number in found.items():
        assert number == pytest.approx(want[name], rel=0.05, abs=0.5 * (name == "uphill")), name


def test_four_times_the_batch_halves_the_error_unless_it_is_sorted(page):
    found = {}
    for size in (4, 16, 64):
        set_to(page, batch_size=size)
        found[size] = said(page)
        assert found[size]["error"] == pytest.approx(found[size]["theory"], rel=0.15)  # of 256 draws
    assert found[4]["theory"] / found[64]["theory"] == pytest.approx(4, rel=0.05)  # two digits each
    set_to(page, batch_size=64, order="sorted")
    off, random = map(float, re.search(r"off by ([\d.]+), .* off by ([\d.]+):", summary(page)).groups())
    assert off > 5 * random


def test_at_the_minimum_the_signal_is_gone_and_the_noise_is_not(page):
    set_to(page)
    assert "more than that" not in summary(page)
    page.get_by_role("button", name="To the minimum").click()
    settled(page)
    found = said(page)
    assert found["length"] < 1e-3 < found["error"]
    assert 40 < found["uphill"] < 60
    assert "more than that" in summary(page)


def test_the_batch_is_dragged_along_its_axis(page):
    set_to(page)
    grip = page.locator(".grip.size circle:not(.touch)")
    grip.scroll_into_view_if_needed()
    drag(page, centre(grip), (120, 5))
    assert int(readings(page)["batch size"]) in (32, 64, 128)


def test_settings_and_their_errors():
    figure = rv.figures.gradient_noise(64, 0.1, (1, -1), "sorted", 3)
    assert (figure.batch_size, figure.learning_rate, figure.point, figure.order, figure.seed) == (
        "64", 0.1, [1.0, -1.0], "sorted", 3)
    assert set(SIZES.values()) == {1, 2, 4, 8, 16, 32, 64, 128, 256}
    for error, message, arguments in [
        (ValueError, "batch_size = '100': must be one of 1, 2, 4", {"batch_size": 100}),
        (ValueError, r"learning_rate = 9\.0: must be in \[0.01, 0.5\]", {"learning_rate": 9}),
        (ValueError, r"point\[1\] = 9\.0: must be in", {"point": (0, 9)}),
        (ValueError, "order = 'shuffled': must be one of random, sorted", {"order": "shuffled"}),
        (TypeError, "seed = 1.5: must be a whole number", {"seed": 1.5}),
    ]:
        with pytest.raises(error, match=message):
            rv.figures.gradient_noise(**arguments)
