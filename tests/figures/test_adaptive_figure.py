"""The live figure of adaptive rates: its runs are the library's, and what it claims about angles holds."""

import re

import numpy as np
import pytest
from driving import ready, summary
from pages import settled

import ravine as rv
from ravine.figures import _adaptive

SETTINGS = {  # two rates for each rule: slow, and oscillating
    "sgd": (0.003, 0.038), "momentum": (0.001, 0.03), "adagrad": (0.1, 1.0), "rmsprop": (0.003, 0.03),
    "adam": (0.01, 0.3),
}
PLACES = [(0.0, 50.0), (30.0, 50.0), (45.0, 5.0)]


@pytest.fixture(scope="module")
def page(browser, site):
    """Yield one page for all tests that set the figure through the address and read it."""
    page = browser.new_page()
    page.goto(site.write("adaptive", rv.figures.adaptive()))
    yield ready(page)
    page.close()


def live(page, function, *arguments):
    return page.evaluate(f"args => {{ const made = ravine.figures.adaptive.{function}(...args);"
                         "return made.path ? made.path.map(w => Array.from(w)) : made; }", list(arguments))


@pytest.mark.parametrize("rule", SETTINGS)
def test_runs_are_the_librarys(page, rule):
    for angle, steepness in PLACES:
        for rate in SETTINGS[rule]:
            start = np.asarray(_adaptive._start(angle))
            surface = rv.landscapes.ravine(steepness, np.deg2rad(angle))
            want, other = (np.asarray(rv.minimize(surface, start, _adaptive.RULES[rule](each), 200).path)
                           for each in (rate, rate * (1 + 1e-14)))
            # A rule that divides by its gradients rattles across the floor, which is chaotic: compared is what comes
            # before a change in the rate's last digits shows.
            shows = np.flatnonzero(np.abs(other - want).max(1) > 1e-10 * np.abs(want).max(1))
            want = want[: shows[0] if shows.size else None]
            assert len(want) > 50

            def error(rate, angle=angle, steepness=steepness, want=want):
                path = np.array(live(page, "simulate", rule, steepness, angle, rate, 200))[: len(want)]
                return (np.abs(path - want).max(1) / np.abs(want).max(1)).max()

            assert error(rate) < 1e-9, (angle, steepness, rate)
            assert error(rate * (1 + 1e-6)) > 1e-9, (angle, steepness, rate)


def test_every_rule_is_tried():
    assert SETTINGS.keys() == _adaptive.RULES.keys()


@pytest.mark.parametrize("rule", SETTINGS)
def test_steps_and_best_rates_are_the_librarys(page, rule):
    angles = (0.0, 20.0, 45.0)
    needed, _ = rv.figures.adaptive().runs(rule, angles)
    for angle, row in zip(angles, needed, strict=True):
        counted = np.array([[live(page, "stepsNeeded", rule, 50, angle, rate * (1 + rounding))
                             for rate in _adaptive.RATES] for rounding in (-2e-12, -1e-12, 0, 1e-12, 2e-12)])
        # A zigzag to the bottom may arrive a step sooner or later; a long one when rounding will, on the page as well.
        assert (row >= counted.min(0) - 1).all(), (angle, row, counted)
        assert (row <= counted.max(0) + 1).all(), (angle, row, counted)
        assert (np.ptp(counted, axis=0) <= 1).mean() > 0.8, "few are so long"
        best = live(page, "tune", rule, 50, angle)
        assert best == {"rate": _adaptive.RATES[np.argmin(counted[2])], "steps": min(counted[2])}


def set_to(page, **settings):
    page.get_by_role("button", name="Reset").click()
    query = "&".join(f"{key}={value}" for key, value in settings.items())
    page.evaluate("query => { location.hash = `fig-adaptive?${query}` }", query)
    settled(page)
    text = summary(page)
    return {name: int(steps) for name, steps in re.findall(r"(\w+) (?:more than )?(\d+)[,.]", text.split(":")[1])}, text


def test_the_ravine_that_is_turned_takes_the_advantage_away(page):
    straight, text = set_to(page, angle=0)
    assert max(straight[name] for name in ("adagrad", "rmsprop", "adam")) < straight["momentum"] < straight["sgd"]
    apart = float(re.search(r"differ by a factor of ([\d.]+)", text).group(1))
    assert apart > 20  # the floor has about the slope 1, the walls that of 50 times the distance
    turned, text = set_to(page, angle=45)
    assert min(turned[name] for name in ("adagrad", "rmsprop", "adam")) > turned["momentum"]
    assert "are as good as equal" in text
    for rule in ("sgd", "momentum"):  # they do not know where the axes are
        assert turned[rule] == straight[rule]
    kept, _ = set_to(page, angle=45, tuning="once")
    assert all(kept[name] >= turned[name] for name in kept)


def test_play_runs_from_the_start_and_less_motion_steps(page, visit):
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.player output').textContent > 2")
    page.get_by_role("button", name="Pause").click()
    assert int(page.locator(".player output").inner_text()) < 80
    calm = ready(visit(page.url.split("#")[0], reduced_motion="reduce"))
    for expected in ("0", "1"):
        calm.get_by_role("button", name="Step").click()
        settled(calm)
        assert calm.locator(".player output").inner_text() == expected


def test_settings_and_their_errors():
    figure = rv.figures.adaptive(30, 10, "adam", "once")
    assert (figure.angle, figure.steepness, figure.rule, figure.tuning) == (30.0, 10.0, "adam", "once")
    for message, arguments in [
        ("angle = 91.0: must be", {"angle": 91}),
        ("steepness = 0.5: must be", {"steepness": 0.5}),
        ("rule = 'lion': must be one of sgd, momentum", {"rule": "lion"}),
        ("tuning = 'never': must be one of once, anew", {"tuning": "never"}),
    ]:
        with pytest.raises(ValueError, match=message):
            rv.figures.adaptive(**arguments)
