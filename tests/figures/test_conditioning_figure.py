"""The live figure of conditioning: its runs and its diagnostics are the library's, and the limit is where it says."""

import re

import numpy as np
import pytest
from driving import picture, readings, ready, summary
from pages import settled

import ravine as rv
from ravine.figures import _conditioning

SETTINGS = {"slow": (1000.0, 25.0, 0.05), "oscillating": (20.0, 25.0, 0.97), "diverging": (5.0, 80.0, 1.05)}


@pytest.fixture(scope="module")
def page(browser, site):
    """Yield one page for all tests that set the figure through the address and read it."""
    page = browser.new_page()
    page.goto(site.write("conditioning", rv.figures.conditioning()))
    yield ready(page)
    page.close()


def live(page, function, *arguments):
    return page.evaluate(f"args => ravine.figures.conditioning.{function}(...args)", list(arguments))


def set_to(page, **settings):
    page.get_by_role("button", name="Reset").click()
    query = "&".join(f"{key}={value}" for key, value in settings.items())
    page.evaluate("query => { location.hash = `fig-conditioning?${query}` }", query)
    settled(page)


@pytest.mark.parametrize("setting", SETTINGS)
def test_runs_are_the_librarys(page, setting):
    kappa, angle, share = SETTINGS[setting]
    figure = rv.figures.conditioning(kappa, angle, share)
    want = figure.path(200)

    def error(rate):
        path = page.evaluate("args => ravine.figures.conditioning.simulate(...args).map(w => Array.from(w))",
                             [kappa, angle, figure.start, rate, 200])
        return (np.abs(np.array(path) - want).max(1) / np.abs(want).max(1)).max()

    assert error(share * 2 / kappa) < 1e-9
    assert error(share * 2 / kappa * (1 + 1e-6)) > 1e-9


def test_steps_and_limits_are_the_librarys(page):
    start, angle = [-1.9, -0.3], 25.0
    for kappa in (4.0, 50.0):
        limits = live(page, "limits", kappa, angle)
        assert limits["limit"] == pytest.approx(2 / kappa)
        assert limits["best"] == pytest.approx(kappa / (1 + kappa))
        for share in (0.5, limits["best"], 1.01):
            losses = rv.minimize(rv.landscapes.quadratic(kappa, 2, np.deg2rad(angle)), np.array(start),
                                 rv.sgd(share * 2 / kappa), 2000).losses
            low = np.flatnonzero(losses <= _conditioning.TOLERANCE * losses[0])
            counted = live(page, "stepsNeeded", kappa, angle, start, share * limits["limit"])
            assert counted == (low[0] if low.size else np.inf)


@pytest.mark.parametrize("share", [0.5, 0.95, 1.02])
def test_summary_gives_the_librarys_diagnostics(page, share):
    set_to(page, share=share)
    page.get_by_role("slider", name="step").fill("0")
    settled(page)
    text = summary(page)
    figure = rv.figures.conditioning(share=share)
    found = rv.curvature.step_diagnostics(
        rv.landscapes.quadratic(20.0, 2, np.deg2rad(25.0)), np.array(figure.start), share * 2 / 20)
    numbers = re.search(r"gᵀg is ([\d.]+) and gᵀHg ([\d.]+): curvature takes back ([\d.]+) % .*the loss (\w+) by "
                        r"([\d.]+) \(predicted: ([\d.]+)\)", text)
    gTg, gTHg, taken, turn, actual, predicted = numbers.groups()
    want = [found.gTg, found.gTHg, 50 * share * 2 / 20 * found.gTHg / found.gTg, abs(found.actual_change),
            abs(found.predicted_change)]
    np.testing.assert_allclose([float(x) for x in (gTg, gTHg, taken, actual, predicted)], want, rtol=6e-3)
    assert turn == ("rises" if found.actual_change > 0 else "falls")
    path = figure.path(60)
    grown = np.linalg.norm(path[-1]) > np.linalg.norm(path[0])
    assert grown == (share > 1)
    assert ("grown to" in text) == grown
    assert ("never" in text) == grown


def test_the_best_rate_is_one_click_away(page):
    set_to(page, condition_number=9)
    before = picture(page)
    page.get_by_role("button", name="η = 2/(λmin + λmax)").click()
    settled(page)
    assert readings(page)["rate η ÷ (2/λmax)"] == "0.9"
    assert picture(page) == before  # 9/(1 + 9), where the slider stood
    set_to(page, condition_number=99)
    page.get_by_role("button", name="η = 2/(λmin + λmax)").click()
    settled(page)
    assert readings(page)["rate η ÷ (2/λmax)"] == "0.99"


def test_settings_and_their_errors():
    figure = rv.figures.conditioning(7, 45, 1, (1, -1))
    assert (figure.condition_number, figure.angle, figure.share, figure.start) == (7.0, 45.0, 1.0, [1.0, -1.0])
    for message, arguments in [
        ("condition_number = 0.5: must be", {"condition_number": 0.5}),
        ("angle = 91.0: must be", {"angle": 91}),
        ("share = 3.0: must be", {"share": 3}),
        (r"start\[1\] = 9.0: must be in", {"start": (0, 9)}),
    ]:
        with pytest.raises(ValueError, match=message):
            rv.figures.conditioning(**arguments)
