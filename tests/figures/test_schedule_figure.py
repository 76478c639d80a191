"""The live figure of schedules: its rates and its runs are the library's, and a cut can come too early and too late."""

import re

import jax.numpy as jnp
import numpy as np
import pytest
from driving import centre, drag, readings, ready, summary
from pages import settled

import ravine as rv
from ravine._compat import enable_x64
from ravine.figures import _schedule
from ravine.figures._schedule import PLACES, RULES, RUNS, SCHEDULES, START, STEPS, TAIL

PEAK = 0.06


@pytest.fixture(scope="module")
def page(browser, site):
    """Yield one page for all tests that set the figure through the address and read it."""
    page = browser.new_page()
    page.goto(site.write("schedule", rv.figures.schedule()))
    yield ready(page)
    page.close()


@pytest.fixture(scope="module")
def noise(page):
    """Return the noise that the page draws: shape (RUNS, STEPS, directions)."""
    drawn = page.evaluate("ravine.figures.schedule.draw().map((each) => Array.from(each))")
    return np.reshape(drawn, (RUNS, STEPS, len(START)))


def set_to(page, **settings):
    page.get_by_role("button", name="Reset").click()
    query = "&".join(f"{key}={value}" for key, value in settings.items())
    page.evaluate("query => { location.hash = `fig-schedule?${query}` }", query)
    settled(page)


def live_rates(page, name, place):
    return page.evaluate("(args) => Array.from(ravine.figures.schedule.rates(...args))", [name, PEAK, place])


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_are_the_librarys_wherever_the_place(page, name):
    steps = np.arange(STEPS)
    for place in (10, 30, 70, 230, 370, 590, 600):
        with enable_x64():
            want = np.asarray(_schedule.made(name, PEAK, place)(steps))
        np.testing.assert_allclose(live_rates(page, name, place), want, rtol=1e-12, atol=1e-16 * PEAK)
    set_to(page, schedule=name, peak=PEAK, place=230)
    with enable_x64():
        shown = eval(page.locator("code").inner_text(), vars(rv.schedules))
        np.testing.assert_allclose(shown(steps), live_rates(page, name, 230), rtol=1e-12, atol=1e-16 * PEAK)


def test_every_schedule_is_offered_and_a_new_one_too(page, monkeypatch):
    assert {"step_decay", "cosine_with_warmup", "one_cycle"} <= set(SCHEDULES)
    assert page.locator("select option").evaluate_all("nodes => nodes.map((node) => node.value)") == SCHEDULES

    def triangle(peak_value, warmup_steps, total_steps, slope, end_value=0.0):
        raise NotImplementedError

    monkeypatch.setattr(rv.schedules, "triangle", triangle, raising=False)
    assert _schedule.offered() == [*SCHEDULES, "triangle"]
    assert _schedule.arguments("triangle", 50) == {"warmup_steps": 5, "total_steps": 50, "slope": 0.1}


@pytest.mark.parametrize("rule", RULES)
def test_losses_are_the_librarys(page, noise, rule):
    figure = rv.figures.schedule("cosine_with_warmup", rule, 0.09, 400, 0.7)
    table = figure.rates()
    live = page.evaluate("""([rule, tables]) => tables.map((table) => Array.from(ravine.figures.schedule.descend(
      rule, Float64Array.from(table), ravine.figures.schedule.draw(), 0.7).mean))""",
        [rule, [table.tolist(), (table * (1 + 1e-6)).tolist()]])
    want = figure.losses([table], noise)[0]
    errors = [np.max(np.abs(losses - want) / want) for losses in live]
    assert errors[0] < 1e-9 < errors[1]


@pytest.mark.parametrize("rule", RULES)
def test_without_noise_it_is_minimize_with_the_schedule(rule):
    figure = rv.figures.schedule("one_cycle", rule, PEAK, 500, 0.0)
    with enable_x64():
        bowl = rv.landscapes.quadratic(200.0, len(START))
        optimizer = RULES[rule](_schedule.made("one_cycle", PEAK, 500))
        run = rv.minimize(lambda w: 0.1 * bowl(w), jnp.asarray(START), optimizer, STEPS)
        np.testing.assert_allclose(figure.losses([figure.rates()])[0], run.losses, rtol=1e-9)
    assert run.losses[0] == pytest.approx(0.5 * len(START))


def said(page):
    """Return the end, the constant rate's end, their ratio and its direction, the best place and its end."""
    numbers = re.search(r"ends at a loss of ([\d.]+) .* constant rate ends at ([\d.]+): "
                        r"this is ([\d.]+) times (\w+) it\. .* (\d+) ends lowest, at ([\d.]+)\.", summary(page))
    end, constant, ratio, side, place, least = numbers.groups()
    return float(end), float(constant), float(ratio), side, int(place), float(least)


def test_too_early_freezes_and_too_late_is_noisy(page, noise):
    ends = {}
    for place in (100, 320):
        set_to(page, place=place)
        figure = rv.figures.schedule(place=place)
        tables = np.stack([figure.rates(), np.full(STEPS, figure.peak), *map(figure.rates, PLACES)])
        end, constant, *others = figure.losses(tables, noise)[:, -TAIL:].mean(1)
        ends[place] = said(page)
        ratio = max(end / constant, constant / end)
        want = [end, constant, ratio, min(others)]
        np.testing.assert_allclose([ends[place][at] for at in (0, 1, 2, 5)], want, rtol=0.03)  # two digits are shown
        assert ends[place][4] == PLACES[np.argmin(others)]
    assert [ends[place][3] for place in (100, 320)] == ["above", "below"]
    assert ends[320][2] > 3


def test_it_breaks_beyond_the_limit_and_without_noise_needs_no_cut(page):
    set_to(page, peak=0.11, place=600)
    assert "down at step 600 has blown up after" in summary(page)
    assert "The constant rate blows up." in summary(page)
    set_to(page, noise=0)
    assert re.search(r"times above it\. Of all places for step decay, 600 ends lowest", summary(page))
    set_to(page, place=600)
    assert "this is the same." in summary(page)


def test_the_cut_goes_where_it_is_dragged(page):
    set_to(page)
    grip = page.locator(".grip circle:not(.touch)")
    grip.scroll_into_view_if_needed()
    x, y = centre(grip)
    drag(page, (x, y), (150, -10))
    assert int(readings(page)["place of the cut"]) > 200
    assert float(readings(page)["peak of the rate η"]) > 0.075
    np.testing.assert_allclose(centre(grip), (x + 150, y - 10), atol=6)  # places are tens of steps


def test_an_address_may_say_anything(page):
    set_to(page, schedule="lucky", rule="toString", peak=7, place=9999, noise=-1)
    assert list(readings(page).values()) == ["600", "0.11", "0", "step_decay", "sgd"]


def test_settings_and_their_errors():
    figure = rv.figures.schedule("one_cycle", "adam", 0.02, 500, 1)
    assert (figure.schedule, figure.rule, figure.peak, figure.place, figure.noise) == (
        "one_cycle", "adam", 0.02, 500, 1.0)
    for error, message, arguments in [
        (ValueError, "schedule = 'lucky': must be one of step_decay", {"schedule": "lucky"}),
        (ValueError, "rule = 'muon': must be one of sgd, adam", {"rule": "muon"}),
        (ValueError, r"peak = 1\.0: must be in \[0.001, 0.11\]", {"peak": 1}),
        (ValueError, "place = 601: must be at most 600", {"place": 601}),
        (TypeError, "place = 20.5: must be a whole number", {"place": 20.5}),
        (ValueError, r"noise = 2\.0: must be in \[0, 1\]", {"noise": 2}),
    ]:
        with pytest.raises(error, match=message):
            rv.figures.schedule(**arguments)


def test_still_picture_of_another_setting():
    assert rv.figures.schedule("inverse_time_decay", "adam", noise=0).still().startswith("<svg")
