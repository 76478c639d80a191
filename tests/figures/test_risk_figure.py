"""The live figure of risk: its fits are those of least squares, its true risk is the integral over p_data."""

import re

import numpy as np
import pytest
from driving import centre, drag, readings, ready, summary
from numpy.polynomial import legendre
from pages import settled

import ravine as rv
from ravine.figures import _risk
from ravine.figures._risk import COUNTS, DECAYS, FEWEST, HIGHEST, MOST, NOISE

DEGREES = np.arange(HIGHEST + 1)


@pytest.fixture(scope="module")
def page(browser, site):
    """Yield one page for all tests that set the figure through the address and read it."""
    page = browser.new_page()
    page.goto(site.write("risk", rv.figures.risk()))
    yield ready(page)
    page.close()


@pytest.fixture(scope="module")
def data(page):
    """Yield the y and the features of the page's points of seed 3, and their x."""
    x, y, features = page.evaluate("""() => {
      const { x, y, features } = ravine.figures.risk.begin(3);
      return [x, y, features].map((each) => Array.from(each));
    }""")
    return np.array(y), np.reshape(features, (MOST, HIGHEST + 1)), np.array(x)


def set_to(page, **settings):
    page.get_by_role("button", name="Reset").click()
    query = "&".join(f"{key}={value}" for key, value in settings.items())
    page.evaluate("query => { location.hash = `fig-risk?${query}` }", query)
    settled(page)


def live(page, settings, seed=3):
    """Return the page's weights and risks at settings (degree, samples, weight_decay), as `Risk.study` does."""
    found = page.evaluate("""([settings, seed]) => {
      const { begin, study } = ravine.figures.risk, data = begin(seed);
      return settings.map((setting) => study(data, ...setting))
        .map(({ w, empirical, actual }) => [Array.from(w), empirical, actual]);
    }""", [[[int(degree), int(samples), float(decay)] for degree, samples, decay in settings], seed])
    return tuple(np.array(part) for part in zip(*found, strict=True))


def features_of(x):
    return legendre.legvander(x, HIGHEST) * np.sqrt(2 * DEGREES + 1)


def test_fits_are_the_librarys_and_least_squares(page, data):
    y, features, x = data
    np.testing.assert_allclose(features, features_of(x), rtol=1e-12, atol=1e-13)
    settings = [(0, 16, 1e-3), (5, 20, 1e-2), (12, 20, 1e-3), (15, 16, 1e-2), (15, 256, 10.0), (15, 16, DECAYS[0])]
    figure = rv.figures.risk()
    names = ("degree", "samples", "weight_decay")
    want = figure.study(y, features, **dict(zip(names, np.transpose(settings), strict=True)))
    for k, (setting, *found) in enumerate(zip(settings, *live(page, settings), strict=True)):
        degree, samples, decay = setting
        rows, columns = features[:samples, :degree + 1] / np.sqrt(samples), degree + 1
        reference = np.linalg.lstsq(np.vstack([rows, np.sqrt(decay) * np.eye(columns)]),
                                    np.append(y[:samples] / np.sqrt(samples), np.zeros(columns)))[0]
        # A solve of the normal equations is as good as their condition number allows.
        allowed = np.finfo(float).eps * columns * (1 + np.linalg.norm(rows, 2) ** 2 / decay)
        size = np.linalg.norm(reference)
        assert np.linalg.norm(found[0][:columns] - reference) < allowed * size
        assert not found[0][columns:].any()
        for part, wanted in zip(found, want, strict=True):
            np.testing.assert_allclose(part, wanted[k], rtol=4 * allowed, atol=allowed * size)


def test_other_decays_are_noticed(page, data):
    y, features, _ = data
    (w,), _, _ = live(page, [(12, 20, 1e-3)])
    for change, close in ((0, True), (1e-6, False)):
        (want,), _, _ = rv.figures.risk(12, 20, 1e-3 * (1 + change)).study(y, features)
        assert (np.linalg.norm(w - want) < 1e-9 * np.linalg.norm(want)) == close


def test_risks_are_the_mean_over_points_and_over_the_distribution(page, data):
    y, _, x = data
    nodes, shares = legendre.leggauss(200)
    for degree, samples, decay in [(2, 30, 1e-3), (15, 20, 1e-3)]:
        (w,), (empirical,), (actual,) = live(page, [(degree, samples, decay)])
        want = np.mean((features_of(x[:samples]) @ w - y[:samples]) ** 2)
        assert empirical == pytest.approx(want, rel=1e-11)
        # The noise is independent of the prediction: E(ŷ − f − ε)² = E(ŷ − f)² + σ².
        want = shares / 2 @ (features_of(nodes) @ w - np.sin(4 * nodes)) ** 2 + NOISE**2
        assert actual == pytest.approx(want, rel=1e-11)


def test_points_are_drawn_from_p_data(page):
    random = np.random.default_rng(0)
    uniform, normal = random.uniform(size=MOST), random.normal(size=MOST)
    x, y, _ = page.evaluate("""([uniform, normal]) => ravine.figures.risk.library.draw({
      uniform: () => Float64Array.from(uniform), normal: () => Float64Array.from(normal),
    }).map((each) => Array.from(each))""", [uniform.tolist(), normal.tolist()])
    np.testing.assert_allclose(x, 2 * uniform - 1, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(y, np.sin(4 * np.array(x)) + NOISE * normal, rtol=1e-12, atol=1e-14)
    x, y, features = rv.figures.risk(seed=2).draw()
    np.testing.assert_allclose(features, features_of(x), rtol=1e-12, atol=1e-13)
    for numbers, mean, variance in [(x, 0, 1 / 3), (y - np.sin(4 * x), 0, NOISE**2)]:
        error = 4 / np.sqrt(MOST)  # four standard errors; a fourth moment is at most three squared variances
        assert np.mean(numbers) == pytest.approx(mean, abs=error * np.sqrt(variance))
        assert np.var(numbers) == pytest.approx(variance, rel=error * np.sqrt(2))


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_risk_that_is_minimised_falls_and_the_one_that_is_meant_rises(page, seed):
    _, empirical, actual = live(page, [(degree, 20, 1e-6) for degree in DEGREES], seed)
    assert (np.diff(empirical) < 1e-3 * empirical[:-1]).all()
    assert 3 <= actual.argmin() <= 8
    assert actual[10:].max() > 10 * actual.min()
    _, empirical, actual = live(page, [(12, count, 1e-6) for count in COUNTS], seed)
    assert abs(actual[-1] - empirical[-1]) < 0.1 * (actual - empirical)[:3].max()


def said(page):
    """Return the summary's numbers: J, J*, the degree at which J is least, and that of J*, and the least J*."""
    text = re.search(r"empirical risk J is (.*), the true risk J\* (.*); noise alone makes 0.09\. With these points "
                     r"and this λ, J is least at degree (\d+) and J\* at degree (\d+), where it is (.*)\.",
                     summary(page))
    return [float(number) for number in text.groups()]


def test_summary_gives_the_risks(page, data):
    y, features, _ = data
    for settings in ({"degree": 7, "samples": 30, "weight_decay": 0.01}, {"degree": 3, "samples": 100}):
        set_to(page, seed=3, **settings)
        figure = rv.figures.risk(**settings)
        _, (empirical,), (actual,) = figure.study(y, features)
        _, each_empirical, each_actual = figure.study(y, features, degree=DEGREES)
        found = said(page)
        np.testing.assert_allclose(found[:2], [empirical, actual], rtol=0.05)  # two digits
        assert found[2:4] == [each_empirical.argmin(), each_actual.argmin()]
        assert found[4] == pytest.approx(each_actual.min(), rel=0.05)


@pytest.mark.parametrize(("handle", "by", "name", "low", "high"), [
    ("degree", -150, "degree", 2, 7), ("samples", 150, "number of points n", 60, 160),
    ("weight_decay", 150, "weight decay λ", 0.01, 0.2)])
def test_handles_are_dragged_along_their_axes(page, handle, by, name, low, high):
    set_to(page)
    before = readings(page)
    grip = page.locator(f".grip.{handle} circle:not(.touch)")
    grip.scroll_into_view_if_needed()
    drag(page, centre(grip), (by, 7))
    after = readings(page)
    assert low <= float(after.pop(name)) <= high
    before.pop(name)
    assert after == before


def test_settings_and_their_errors():
    figure = rv.figures.risk(3, 50, 0.5, 7)
    assert (figure.degree, figure.samples, figure.weight_decay, figure.seed) == (3, 50, 0.5, 7)
    assert _risk.COUNTS[0] == FEWEST == HIGHEST + 1
    for error, message, arguments in [
        (ValueError, "degree = 16: must be at most 15", {"degree": 16}),
        (ValueError, "samples = 5: must be at least 16", {"samples": 5}),
        (ValueError, r"weight_decay = 0\.0: must be in \[1e-06, 10.0\]", {"weight_decay": 0}),
        (TypeError, "seed = 1.5: must be a whole number", {"seed": 1.5}),
    ]:
        with pytest.raises(error, match=message):
            rv.figures.risk(**arguments)
