"""The live figure of a signal's way through the layers: its layers, its starts and its theory are the library's."""

import re

import jax
import numpy as np
import pytest
from driving import centre, drag, readings, ready, summary
from pages import settled

import ravine as rv
from ravine.figures import _signal
from ravine.figures._signal import ACTIVATIONS, INITIALIZERS, VALUES, WIDTHS


@pytest.fixture(scope="module")
def page(browser, site):
    """Yield one page for all tests that set the figure through the address and read it."""
    page = browser.new_page()
    page.goto(site.write("signal", rv.figures.signal()))
    yield ready(page)
    page.close()


def set_to(page, **settings):
    page.get_by_role("button", name="Reset").click()
    query = "&".join(f"{key}={value}" for key, value in settings.items())
    page.evaluate("query => { location.hash = `fig-signal?${query}` }", query)
    settled(page)


LISTS = "const lists = (rows) => rows.map((row) => Array.from(row));"


@pytest.mark.parametrize(("activation", "width", "scale"), [
    ("tanh", 8, 1.5), ("relu", 8, 2.0), ("sigmoid", 8, 3.0), ("gelu", 8, 1.5), ("linear", 8, 0.7),
    ("tanh", 16, 0.9), ("relu", 32, 1.0), ("tanh", 64, 1.2)])
def test_activations_and_gradients_are_the_librarys(page, activation, width, scale):
    drawn, live = page.evaluate(f"""([activation, width, scales]) => {{
      {LISTS}
      const {{ begin, pass }} = ravine.figures.signal, start = begin("kaiming_normal", width, 3);
      const both = ({{ activations, gradients }}) => [lists(activations), lists(gradients)];
      return [[lists(start.weights), Array.from(start.inputs), Array.from(start.gradient)],
        scales.map((scale) => both(pass(start, activation, scale, 30)))];
    }}""", [activation, str(width), [scale, scale * (1 + 1e-6)]])
    weights, inputs, gradient = (np.reshape(part, (*lead, width)) for part, lead in zip(
        drawn, [(30, width), (-1,), (-1,)], strict=True))
    figure = rv.figures.signal(activation=activation, scale=scale, width=width)
    want = np.reshape(figure.run(weights, inputs, gradient), (2, 31, VALUES))
    errors = [np.max(np.abs(np.array(each) - want).max(2) / np.abs(want).max(2)) for each in live]
    assert errors[0] < 1e-9
    assert errors[1] > 1e-9


def test_everything_is_tried():
    assert set(ACTIVATIONS) == {"tanh", "relu", "sigmoid", "gelu", "linear"}
    assert set(WIDTHS.values()) == {8, 16, 32, 64}


def test_starts_are_the_librarys(page):
    key, shape = jax.random.key(5), (8, 8)

    @jax.jit
    def reference():
        drawn = {"normal": jax.random.normal(key, shape), "uniform": jax.random.uniform(key, shape)}
        return drawn, [_signal.kernel(name, *shape)(key, _signal.call(name)[0]) for name in INITIALIZERS]

    drawn, want = reference()
    live = page.evaluate("""([names, normal, uniform]) => names.map((name) => Array.from(
      ravine.figures.signal.library.initializers[name]["8"]({
        normal: () => Float64Array.from(normal), uniform: () => Float64Array.from(uniform) })))""",
        [INITIALIZERS, *(np.ravel(drawn[name]).tolist() for name in ("normal", "uniform"))])
    for name, numbers, wanted in zip(INITIALIZERS, live, want, strict=True):
        np.testing.assert_allclose(np.reshape(numbers, shape), wanted, rtol=1e-12, atol=1e-14, err_msg=name)
    calls = page.evaluate("Object.values(ravine.figures.signal.library.initializers).map((each) => each.call)")
    assert {"zeros", "normal(0.1)", "constant(0.1)", "orthogonal(1)", "kaiming_normal"} <= set(calls)


def test_theory_is_that_of_wide_layers(page):
    def live(activation, growth):
        sizes = page.evaluate("""([activation, growth]) => {
          const { activations, gradients } = ravine.figures.signal.theory(
            { width: 1, square: growth }, activation, 1, 30);
          return [activations, gradients];
        }""", [activation, growth])
        return np.array(sizes) ** 2

    layers = np.arange(31)
    for growth in (0.5, 2.0, 3.0):
        for activation, part in (("relu", growth / 2), ("linear", growth)):
            forwards, backwards = live(activation, growth)
            np.testing.assert_allclose(forwards, part**layers, rtol=1e-12)
            np.testing.assert_allclose(backwards, part ** layers[::-1], rtol=1e-12)
    assert live("tanh", 1.0)[0][-1] == pytest.approx(1 / (2 * 30), rel=0.1)  # the next term is of order log(l)/l²

    z = np.linspace(-12, 12, 200_001)
    shares = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    for growth in (0.3, 4.0):  # tanh' = 1 − tanh²
        forwards, backwards = live("tanh", growth)
        tanh = np.tanh(np.sqrt(growth * forwards[:-1, None]) * z)
        np.testing.assert_allclose(forwards[1:], tanh**2 @ shares, rtol=1e-9)
        np.testing.assert_allclose(backwards[:-1] / backwards[1:], growth * (1 - tanh**2) ** 2 @ shares, rtol=1e-9)
    figure = rv.figures.signal(activation="tanh", scale=1.3)
    weights = figure.draw()[0]
    want = live("tanh", 64 * np.mean(weights**2) * 1.3**2)
    np.testing.assert_allclose(figure.theory(weights) ** 2, want, rtol=1e-12)


def said(page):
    """Return the factors in the summary: of the signal and of the gradient, each measured and by theory."""
    return [float(f"{mantissa}e{_plain(power)}") for mantissa, power in
            re.findall(r"× ([\d.]+)(?: × 10([⁻⁰¹²³⁴-⁹]+))?(?=[,)])", summary(page))]


def _plain(power):
    return power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or "0"


def test_a_tenth_more_is_seventeen_times_the_signal(page):
    set_to(page)
    before = said(page)
    set_to(page, scale=1.1)
    np.testing.assert_allclose(np.divide(said(page), before), [1.1**30] * 4, rtol=0.1)  # two digits each
    assert "the signal has grown" in summary(page)


def test_summary_tells_the_fates_apart(page):
    set_to(page, initializer="xavier_normal")
    forwards, by_theory, backwards, _ = said(page)
    assert by_theory == pytest.approx(2**-15, rel=0.3)
    assert max(forwards, backwards) < 1e-3
    assert "the signal has shrunk" in summary(page)
    set_to(page, activation="linear", initializer="orthogonal")
    assert said(page) == [1, 1, 1, 1]
    set_to(page, activation="tanh", initializer="xavier_normal", scale=2)
    assert "the signal is about as large as it was" in summary(page)
    assert said(page)[2] > 20
    set_to(page, initializer="zeros")
    assert "the signal is exactly zero; the gradient, back at the input, is exactly zero." in summary(page)
    assert "No theory here" in summary(page)
    set_to(page, initializer="constant")
    assert "No theory here" in summary(page)
    assert page.locator(".line.dashed").count() == 0


def test_the_end_of_the_line_goes_where_it_is_dragged(page):
    set_to(page)
    grip = page.locator(".grip circle:not(.touch)")
    grip.scroll_into_view_if_needed()
    x, y = centre(grip)
    drag(page, (x, y), (-40, -50))
    assert float(readings(page)["scale of the weights"]) > 1.1
    assert 20 < int(readings(page)["depth"]) < 30
    np.testing.assert_allclose(centre(grip), (x - 40, y - 50), atol=8)  # whole layers, and scales to three digits


def test_settings_and_their_errors():
    figure = rv.figures.signal("normal", "tanh", 2, 5, 16, 3)
    assert (figure.initializer, figure.activation, figure.scale, figure.depth, figure.width, figure.seed) == (
        "normal", "tanh", 2.0, 5, "16", 3)
    for error, message, arguments in [
        (ValueError, "initializer = 'lucky': must be one of zeros", {"initializer": "lucky"}),
        (ValueError, "width = '100': must be one of 8, 16, 32, 64", {"width": 100}),
        (ValueError, r"scale = 9\.0: must be in \[0.2, 3.0\]", {"scale": 9}),
        (ValueError, "depth = 31: must be at most 30", {"depth": 31}),
        (TypeError, "seed = 1.5: must be a whole number", {"seed": 1.5}),
    ]:
        with pytest.raises(error, match=message):
            rv.figures.signal(**arguments)


@pytest.mark.parametrize("initializer", ["zeros", "constant", "orthogonal"])
def test_still_picture(initializer):
    assert rv.figures.signal(initializer, depth=3, width=8).still().startswith("<svg")
