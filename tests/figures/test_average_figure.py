"""The live figure of the exponentially weighted average: its averages are the library's, its weights fall to 1/e."""

import re

import numpy as np
import pytest
from driving import centre, drag, readings, ready, summary
from pages import settled

import ravine as rv
from ravine.figures._average import BEFORE, LENGTH, TIMES, TRENDS

BETAS = (0.0, 0.5, 0.9, 0.98)


@pytest.fixture(scope="module")
def page(browser, site):
    """Yield one page for all tests that set the figure through the address and read it."""
    page = browser.new_page()
    page.goto(site.write("average", rv.figures.average()))
    yield ready(page)
    page.close()


def set_to(page, **settings):
    page.get_by_role("button", name="Reset").click()
    query = "&".join(f"{key}={value}" for key, value in settings.items())
    page.evaluate("query => { location.hash = `fig-average?${query}` }", query)
    settled(page)


def live(page, function, *arguments):
    return np.array(page.evaluate("""([name, ...args]) => {
      const lists = (each) => Array.isArray(each) ? each.map(lists) : Array.from(each);
      return lists(ravine.figures.average[name](...args));
    }""", [function, *arguments]))


def summed(values, beta):
    """Return V and V̂ as the sums that they unroll to."""
    ages = TIMES[:, None] - TIMES
    weights = np.where(ages >= 0, (1 - beta) * float(beta) ** np.maximum(ages, 0), 0)
    return np.stack([weights @ values, weights @ values / weights.sum(1)])


@pytest.mark.parametrize("beta", BETAS)
def test_averages_are_the_librarys_and_the_sums(page, beta):
    values = np.random.default_rng(3).normal(5, 2, LENGTH)
    want = summed(values, beta)
    np.testing.assert_allclose(live(page, "averages", values.tolist(), beta), want, rtol=1e-11)
    np.testing.assert_allclose(rv.figures.average(beta).averages(values), want, rtol=1e-11)
    if beta:
        wrong = live(page, "averages", values.tolist(), beta * (1 - 1e-6))
        assert np.abs(wrong / want - 1).max() > 1e-9


@pytest.mark.parametrize("beta", BETAS)
def test_weights_fall_by_beta_and_what_is_missing_lies_on_nothing(page, beta):
    weights, measured = live(page, "weights", beta), live(page, "measured", beta)
    np.testing.assert_allclose(weights, (1 - beta) * beta ** np.arange(LENGTH + BEFORE), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(measured, 1 - beta**TIMES, rtol=1e-12)


def test_more_memory_leaves_less_noise_and_more_lag(page):
    faults = page.evaluate("""(betas) => {
      const { series, faults } = ravine.figures.average, drawn = series("season", 2.5);
      return [Array.from(drawn.values), betas.map((beta) => faults(drawn, beta))];
    }""", BETAS)
    values, found = np.array(faults[0]), faults[1]
    trend = TRENDS["season"]
    for beta, each in zip(BETAS, found, strict=True):
        parts = {"noise": summed(values - trend, beta)[1], "lag": summed(trend, beta)[1] - trend,
                 "both": summed(values, beta)[1] - trend}
        for name, part in parts.items():
            assert each[name] == pytest.approx(np.sqrt(np.mean(part**2)), rel=1e-9, abs=1e-12), name
    noises, lags, both = ([each[name] for each in found] for name in ("noise", "lag", "both"))
    assert noises == sorted(noises, reverse=True)
    assert lags == sorted(lags)
    assert min(both) < 0.6 * both[0]
    assert min(both) < 0.6 * both[-1]


def said(page):
    """Return the numbers of the summary."""
    return [float(number) for number in re.search(
        r"β = ([\d.]+) remembers about ([\d.]+) steps; the newest value has ([\d.]+) % of the weight\. At t = (\d+), "
        r"([\d.]+) % of the weight lies on nothing: the average is ([-\d.]+), corrected ([-\d.]+); "
        r"the trend is at ([\d.]+)\. .* ([\d.]+) % of the noise is left, and the lag makes an error of ([\d.]+)\.",
        summary(page)).groups()]


@pytest.mark.parametrize(("series", "beta", "time"), [("season", 0.95, 12), ("jump", 0.95, 85), ("loss", 0.98, 30)])
def test_summary_gives_the_sums(page, series, beta, time):
    set_to(page, series=series, beta=beta, time=time)
    values = np.array(page.evaluate("(name) => Array.from(ravine.figures.average.series(name, 2.5).values)", series))
    trend = TRENDS[series]
    biased, corrected = summed(values, beta)[:, time - 1]
    left, noise, lag = (np.sqrt(np.mean(part**2)) for part in (
        summed(values - trend, beta)[1], values - trend, summed(trend, beta)[1] - trend))
    want = [beta, 1 / (1 - beta), 100 * (1 - beta), time, 100 * beta**time, biased, corrected, trend[time - 1],
            100 * left / noise, lag]
    np.testing.assert_allclose(said(page), want, rtol=0.03)  # two digits are shown


def test_the_first_value_is_right_only_with_correction(page):
    set_to(page, time=1, noise=0, beta=0.9)
    assert "90 % of the weight lies on nothing: the average is 1.6, corrected 16; the trend is at 16." in summary(page)
    assert "there is no noise" in summary(page)
    set_to(page, time=160, beta=0.5)
    assert "none of the weight lies on nothing" in summary(page)


def test_the_marks_go_where_they_are_dragged(page):
    set_to(page, time=100)
    grips = page.locator(".grip circle:not(.touch)")
    grips.last.scroll_into_view_if_needed()
    (x, y), per_step = centre(grips.last), 1 / 20 * (centre(grips.first)[0] - centre(grips.last)[0])
    drag(page, (x, y), (-15 * per_step, 0))
    assert float(readings(page)["β"]) == pytest.approx(1 - 1 / 35, abs=6e-4)
    assert centre(grips.last)[0] == pytest.approx(x - 15 * per_step, abs=1.5)
    grips.first.scroll_into_view_if_needed()
    drag(page, centre(grips.first), (-40 * per_step, 0))
    assert readings(page)["time t"] == "60"
    assert centre(grips.last)[0] == pytest.approx(x - 55 * per_step, abs=2.5)  # the memory came along


def test_an_address_may_say_anything(page):
    set_to(page, beta=3, time=-5, noise=99, series="constructor")
    assert list(readings(page).values()) == ["0.98", "1", "4", "season"]


def test_settings_and_their_errors():
    figure = rv.figures.average(0.5, 30, "jump", 1)
    assert (figure.beta, figure.time, figure.series, figure.noise) == (0.5, 30, "jump", 1.0)
    for error, message, arguments in [
        (ValueError, r"beta = 1\.0: must be in \[0, 0.98\]", {"beta": 1}),
        (ValueError, "time = 161: must be at most 160", {"time": 161}),
        (TypeError, "time = 1.5: must be a whole number", {"time": 1.5}),
        (ValueError, "series = 'cake': must be one of season, jump, loss", {"series": "cake"}),
        (ValueError, r"noise = 5\.0: must be in \[0, 4\]", {"noise": 5}),
    ]:
        with pytest.raises(error, match=message):
            rv.figures.average(**arguments)
