"""The live figure of Newton's method: it computes what the library computes, and says what the point sees."""

import re

import numpy as np
import pytest
from driving import centre, drag, picture, readings, ready, summary
from pages import settled

import ravine as rv
from ravine.figures import _newton

PLACES = {  # surface: a point from which every method's run of 200 steps is smooth
    "himmelblau": (1.0, -4.0), "rosenbrock": (-1.2, 1.0), "product": (1.5, 1.2), "monkey_saddle": (1.0, 0.4),
    "steep_optima": (0.8, -0.45),
}
SETTINGS = {"learning_rate": 0.001, "damping": 70.0}


@pytest.fixture(scope="module")
def page(browser, site):
    """Yield one page for all tests that set the figure through the address and read it."""
    page = browser.new_page()
    page.goto(site.write("newton", rv.figures.newton()))
    yield ready(page)
    page.close()


def set_to(page, **settings):
    page.get_by_role("button", name="Reset").click()
    query = "&".join(f"{key}={','.join(map(str, np.atleast_1d(value)))}" for key, value in settings.items())
    page.evaluate("query => { location.hash = `fig-newton?${query}` }", query)
    settled(page)


@pytest.mark.parametrize("surface", PLACES)
@pytest.mark.parametrize("method", _newton.METHODS)
def test_steps_are_the_librarys(page, surface, method):
    def live(damping):
        path = page.evaluate("args => ravine.figures.newton.simulate(...args).map(w => Array.from(w))",
                             [surface, method, PLACES[surface], SETTINGS | {"damping": damping}, 200])
        return np.array(path)

    def error(path):
        low, high = np.transpose(_newton.SURFACES[surface].window)
        left = np.flatnonzero(~((low <= want) & (want <= high)).all(1))  # out there H + λI may be all but singular
        inside = slice(left[0] if left.size else None)
        return (np.abs(path - want).max(1) / np.maximum(np.abs(want).max(1), 1e-9))[inside].max()

    want = rv.figures.newton(surface, PLACES[surface], **SETTINGS).path(method, 200)
    assert error(live(70.0)) < 1e-9
    if method == "damped":
        assert error(live(70.0 * (1 + 1e-6))) > 1e-9


def test_every_surface_is_tried():
    assert PLACES.keys() == _newton.SURFACES.keys()


@pytest.mark.parametrize(("surface", "point", "words"), [
    ("himmelblau", (1.0, -4.0), "stationary at a saddle, and Newton goes right there, up along the direction in which"),
    ("himmelblau", (0.0, 0.5), "stationary at a maximum, and Newton goes right there, up along the directions"),
    ("rosenbrock", (-1.2, 1.0), "stationary at a minimum, and Newton and saddle-free go right there."),
    ("product", (0.0, 0.0), "critical point. The Hessian's eigenvalues are -1 and 1, so it is a saddle."),
    ("rosenbrock", (1.0, 1.0), "so it is a minimum."),
    ("monkey_saddle", (0.0, 0.0), "so it is degenerate."),
])
def test_summary_says_what_the_point_sees(page, surface, point, words):
    set_to(page, surface=surface, point=point)
    text = summary(page)
    assert words in text
    eigenvalues = np.array(rv.curvature.eigenvalues(_newton.SURFACES[surface], np.array(point)))
    said = re.search(r"eigenvalues are (\S+) and ([\d.e-]+)", text)
    np.testing.assert_allclose([float(each.rstrip(":.,")) for each in said.groups()], eigenvalues, rtol=6e-3)
    if "critical" in text:
        kind = rv.curvature.classify_critical_point(_newton.SURFACES[surface], np.array(point))
        assert re.search(f"so it is (a )?{kind}", text)
    else:
        change = float(re.search(r"Newton ([+-][\d.]+)", text).group(1))
        path = rv.figures.newton(surface, point).path("Newton", 1)
        losses = [float(_newton.SURFACES[surface](w)) for w in path]
        assert change == pytest.approx(losses[1] - losses[0], rel=6e-3)


def test_taking_steps_draws_a_trail_to_the_saddle(page):
    set_to(page, surface="himmelblau", point=(1.0, -4.0))
    trail = page.locator(".plot").first.locator(".line.path")
    assert trail.get_attribute("d").count("L") == 0
    for _ in range(6):
        page.get_by_role("button", name="Take the step: Newton").click()
        settled(page)
    assert trail.get_attribute("d").count("L") == 6
    assert summary(page).startswith("6 steps taken. At (")
    assert "so it is a saddle" in summary(page)
    want = rv.figures.newton().path("Newton", 6)[-1]
    np.testing.assert_allclose([float(x.replace("−", "-")) for x in (
        readings(page)["point: w₁"], readings(page)["point: w₂"])], want, rtol=6e-3)
    drag(page, centre(page.locator(".grip circle:not(.touch)")), (40, 40))
    assert trail.get_attribute("d").count("L") == 0  # a new place, a new trail


def test_a_surface_opens_where_it_is_instructive(page):
    set_to(page)
    before = picture(page)
    page.get_by_label("Surface").select_option("rosenbrock")
    settled(page)
    assert picture(page) != before
    assert readings(page)["point: w₁"] == "−1.2"
    curvature = float(rv.curvature.sharpness(rv.landscapes.rosenbrock, [-1.2, 1.0]))
    assert float(readings(page)["damping λ"]) == pytest.approx(2 * curvature, rel=0.05)


def test_settings_and_their_errors():
    figure = rv.figures.newton("product", (1, 2), "gradient", 0.5, 3)
    assert (figure.surface, figure.point, figure.method) == ("product", [1.0, 2.0], "gradient")
    assert (figure.learning_rate, figure.damping) == (0.5, 3.0)
    for error, message, arguments in [
        (ValueError, "surface = 'bowl': must be one of himmelblau", {"surface": "bowl"}),
        (TypeError, "point = 1: must be 2 numbers", {"point": 1}),
        (ValueError, "method = 'adam': must be one of gradient", {"method": "adam"}),
        (ValueError, "learning_rate = -1.0: must be", {"learning_rate": -1}),
        (ValueError, "damping = -1.0: must be", {"damping": -1}),
    ]:
        with pytest.raises(error, match=message):
            rv.figures.newton(**arguments)


def test_still_picture_where_the_hessian_is_singular():
    assert rv.figures.newton("monkey_saddle", (0.0, 0.0)).still().startswith("<svg")


def test_small_numbers_beside_an_axis_share_a_power_of_ten(page):
    def overlap(a, b):
        return all(a[low] < b[high] and b[low] < a[high] for low, high in (("left", "right"), ("top", "bottom")))

    set_to(page, surface="steep_optima", point=(0.0, 0.0), method="saddle_free")
    axes = page.locator("svg g:has(> .axis-name)").evaluate_all("""axes => axes.map(axis => {
        const [name, ...ticks] = [".axis-name", ".tick-name"].flatMap(kind => [...axis.querySelectorAll(kind)]);
        const box = node => node.getBoundingClientRect().toJSON();
        const read = node => ({ text: node.textContent, box: box(node) });
        return { name: read(name), ticks: ticks.map(read) };
    })""")
    assert [axis["name"]["text"] for axis in axes if "10" in axis["name"]["text"]] == [
        "change of the loss (10⁻⁴)", "change of the loss (10⁻⁷)"]
    for axis in axes:
        for tick in axis["ticks"]:
            assert "×" not in tick["text"]
            assert not overlap(tick["box"], axis["name"]["box"]), (tick, axis["name"])
