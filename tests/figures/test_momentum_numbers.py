"""The live figure of momentum computes what the library computes, and takes its settings from Python."""

import re

import numpy as np
import pytest
from pages import settled

import ravine as rv

SETTINGS = {  # rule, α, β at κ = 50
    "slow": ("momentum", 1e-4, 0.5), "oscillating": ("momentum", 0.04, 0.95), "diverging": ("momentum", 0.078, 0.9),
    "slow, nesterov": ("nesterov", 1e-4, 0.5), "oscillating, nesterov": ("nesterov", 0.015, 0.95),
    "diverging, nesterov": ("nesterov", 0.028, 0.9),
}


@pytest.fixture(scope="module")
def lasting(browser, address):
    """Yield one page for all tests that only set the figure through the address and read it."""
    page = browser.new_page()
    page.goto(address)
    page.locator(".summary").first.wait_for()
    yield page
    page.close()


def set_to(page, **settings):
    query = "&".join(f"{key}={value}" for key, value in settings.items())
    page.evaluate("query => { location.hash = `fig-momentum?${query}` }", query)
    settled(page)


@pytest.mark.parametrize("setting", SETTINGS)
def test_simulation_is_the_librarys(lasting, setting):
    rule, alpha, beta = SETTINGS[setting]
    live = np.array(lasting.evaluate(
        "args => ravine.figures.momentum.simulate(...args).map(w => Array.from(w))",
        [rule, [-2.0, 1.0], alpha, beta, 50.0, 1000]), float)

    def error(decay):
        """Return the largest error of a point relative to that point, over the path."""
        want = rv.figures.momentum(alpha, decay, steps=1000, rule=rule).points()
        return (np.abs(live - want).max(1) / np.abs(want).max(1)).max()

    assert live.shape == (1001, 5)
    assert error(beta) < 1e-12
    assert error(beta + 1e-6) > 1e-7


def test_points_are_those_of_minimize():
    figure = rv.figures.momentum(0.02, 0.8, condition_number=10.0, start=(1.0, -0.5), steps=30)
    surface = rv.landscapes.quadratic(10.0, dimension=5)
    run = rv.minimize(surface, np.array([1.0, 1, 1, 1, -0.5]), rv.momentum(0.02, 0.8), 30)
    np.testing.assert_array_equal(figure.points(), run.path)


@pytest.mark.parametrize("kappa", [2.0, 50.0, 1000.0])
def test_best_is_polyaks(lasting, kappa):
    set_to(lasting, condition_number=kappa)
    lasting.get_by_role("button", name="Best α and β").first.click()
    settled(lasting)
    found = {key: float(value) for key, value in re.findall(r"(alpha|beta)=([\d.e-]+)", lasting.url)}
    root = np.sqrt(kappa)
    assert found["alpha"] == pytest.approx((2 / (1 + root)) ** 2, rel=1e-3)
    assert found["beta"] == pytest.approx(((root - 1) / (root + 1)) ** 2, abs=1e-3)
    text = lasting.locator(".summary").first.inner_text()
    rate = float(re.search(r"best α and β would make that ([\d.]+)\.", text).group(1))
    assert rate == pytest.approx((root - 1) / (root + 1), abs=2e-3)


@pytest.mark.parametrize(("alpha", "beta", "words"), [
    (0.005, 0.1, "Both the steep and the shallow direction creep"),
    (0.012, 0.7, "The steep direction rings, the shallow one creeps"),
    (0.035, 0.1, "The steep direction zigzags, the shallow one creeps"),
    (0.02, 0.95, "Both the steep and the shallow direction ring"),
    (0.08, 0.3, "The steep direction blows up, the shallow one creeps"),
])
def test_summary_says_what_happens(lasting, alpha, beta, words):
    set_to(lasting, alpha=alpha, beta=beta, condition_number=50)
    text = lasting.locator(".summary").first.inner_text().replace("\xa0", " ")
    assert text.startswith(words)
    path = rv.figures.momentum(alpha, beta).points()
    ratio = path[-1] ** 2 @ np.geomspace(1, 50, 5) / (path[0] ** 2 @ np.geomspace(1, 50, 5))
    said = re.search(r"(?:fallen|grown) to ([\d.]+)(?: × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?", text)
    power = int((said.group(2) or "⁰").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
    assert float(said.group(1)) * 10.0**power == pytest.approx(ratio, rel=0.06)  # two digits


def test_settings_and_their_errors():
    figure = rv.figures.momentum(alpha=0.1, beta=0, condition_number=4, start=(1, -1), steps=7, rule="nesterov")
    assert (figure.alpha, figure.beta, figure.condition_number) == (0.1, 0.0, 4.0)
    assert (figure.start, figure.steps, figure.rule) == ([1.0, -1.0], 7, "nesterov")
    for error, message, arguments in [
        (ValueError, r"alpha = -1.0: must be in \[0, inf\)", {"alpha": -1}),
        (TypeError, "alpha = 'a'", {"alpha": "a"}),
        (ValueError, r"beta = 1.0: must be in \[0, 1\)", {"beta": 1}),
        (ValueError, "condition_number = 0.5", {"condition_number": 0.5}),
        (TypeError, "start = 1: must be 2 numbers", {"start": 1}),
        (ValueError, r"start\[1\] = 9.0: must be in", {"start": (0, 9)}),
        (TypeError, "steps = 1.5: must be a whole number", {"steps": 1.5}),
        (ValueError, "steps = 5000: must be at most 2000", {"steps": 5000}),
        (ValueError, "rule = 'adam': must be one of momentum, nesterov", {"rule": "adam"}),
    ]:
        with pytest.raises(error, match=message):
            rv.figures.momentum(**arguments)
    with pytest.raises(ValueError, match=r"beta = 2\.0"):
        figure.beta = 2
    assert figure.beta == 0.0
    seen = []
    figure.observe(lambda change: seen.append(change.new), "beta")
    figure.set_state({"beta": 0.5})  # as the page does
    assert seen == [0.5]


def test_still_picture_of_a_run_that_blows_up():
    assert rv.figures.momentum(alpha=0.2, beta=0.9, steps=2000).still().startswith("<svg")
