"""The live figure of a network that learns, in a page: every control changes state and picture, for every reader."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from pages import settled

import ravine as rv

PLANE, CURVES = range(2)


@pytest.fixture(scope="module")
def address(site):
    """Write a page with two figures; return its address."""
    small = {"hidden": "3", "rule": "sgd", "learning_rate": 0.5}  # quick to train and to draw
    return site.write("playground", rv.figures.playground(**small), rv.figures.playground(seed=2, **small))


@pytest.fixture
def page(address, visit):
    page = visit(address)
    page.wait_for_function("document.querySelectorAll('.summary')[1]?.textContent")
    return page


def plot(page, number):
    return page.locator("#fig-playground .plot").nth(number)


def shades(page):
    return plot(page, PLANE).locator("canvas").evaluate("canvas => canvas.toDataURL()")


def pictures(page):
    """Return what the first figure shows."""
    return [shades(page), *(plot(page, number).locator("svg").inner_html() for number in (PLANE, CURVES))]


def clock(page):
    return int(page.locator("#fig-playground .player output").inner_text().removeprefix("step "))


def said(page):
    return page.locator("#fig-playground .summary").inner_text()


def loss(page):
    return float(re.search(r"loss is ([\d.]+)", said(page)).group(1))


def train(page, steps):
    """Have the figure take steps, as an address may ask for."""
    query = page.evaluate("location.hash").partition("?")[2]
    kept = [part for part in query.split("&") if part and not part.startswith("steps=")]
    page.evaluate("query => { location.hash = `fig-playground?${query}` }", "&".join([*kept, f"steps={steps}"]))
    page.wait_for_function("n => document.querySelector('.player output').textContent === `step ${n}`", arg=steps)
    settled(page)


def press(page, name):
    page.locator("#fig-playground").get_by_role("button", name=name, exact=True).click()
    settled(page)


# ---------------------------------------------------------------- training


def test_play_pause_step_restart(page):
    before, start = pictures(page), loss(page)
    assert clock(page) == 0
    assert "Before the first step" in said(page)
    press(page, "Play")
    page.wait_for_function("parseInt(document.querySelector('.player output').textContent.slice(5)) > 40")
    press(page, "Pause")
    at = clock(page)
    assert f"steps={at}" in page.url
    assert all(one != other for one, other in zip(before, pictures(page), strict=True))
    assert loss(page) < start
    page.wait_for_timeout(100)
    assert clock(page) == at
    press(page, "Step")
    assert clock(page) == at + 1
    assert page.url.endswith(f"steps={at + 1}")
    press(page, "Restart")
    assert clock(page) == 0
    assert shades(page) == before[PLANE]
    assert "steps" not in page.url
    assert page.locator("#fig-playground-2 .player output").inner_text() == "step 0"  # the other is left alone


def test_the_address_holds_the_whole_state(page, visit):
    controls = page.locator("#fig-playground")
    controls.get_by_label("optimizer").select_option("adam")
    controls.get_by_label("data").select_option("moons")
    train(page, 70)
    again = visit(page.url)
    again.wait_for_function("document.querySelector('.player output').textContent === 'step 70'")
    settled(again)
    assert said(again) == said(page)
    assert shades(again) == shades(page)
    nonsense = visit(page.url.partition("#")[0] + "#fig-playground?rule=magic&data=cats&seed=x&steps=3")
    nonsense.wait_for_function("document.querySelector('.player output').textContent === 'step 3'")
    assert "After 3 steps" in said(nonsense)


def test_zeros_learn_nothing(page):
    train(page, 60)
    learned = loss(page)
    page.locator("#fig-playground").get_by_label("initializer").select_option("zeros")
    settled(page)
    assert clock(page) == 0
    flat = shades(page)
    train(page, 60)
    assert shades(page) == flat
    assert loss(page) == pytest.approx(0.69)
    assert loss(page) > learned + 0.05
    assert "of one colour" in said(page)
    assert "(xavier" in plot(page, CURVES).inner_text()  # the run before, by what was different


def test_a_run_that_blows_up_is_told(page):
    controls = page.locator("#fig-playground")
    controls.get_by_label("activation").select_option("linear")
    page.evaluate("location.hash += '&hidden=8-8-8&scale=10&learning_rate=10'")
    train(page, 60)
    assert "has blown up" in said(page)


# ---------------------------------------------------------------- the controls


def test_every_list_changes_state_and_picture(page):
    lists = page.locator("#fig-playground select")
    train(page, 8)
    assert lists.count() == 5
    for number in range(5):
        before = pictures(page)
        node = lists.nth(number)
        chosen = node.input_value()
        node.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        if node.input_value() == chosen:  # a headless list may not open
            node.select_option(index=2)
        settled(page)
        assert node.input_value() != chosen
        assert node.input_value() in page.url
        assert clock(page) == 0
        train(page, 8)
        assert pictures(page) != before


def test_keyboard_moves_every_slider_and_the_batch(page):
    sliders = page.locator("#fig-playground input[type=range]")
    train(page, 8)
    assert sliders.count() == 3
    for number in range(3):
        slider, before = sliders.nth(number), pictures(page)
        told = slider.get_attribute("aria-valuetext")
        assert slider.get_attribute("data-lm-suppress-shortcuts") == "true"
        slider.focus()
        page.keyboard.press("PageUp")
        settled(page)
        assert slider.get_attribute("aria-valuetext") != told
        train(page, 8)
        assert pictures(page) != before
    before = pictures(page)
    page.locator("#fig-playground").get_by_role("radio", name="all").focus()
    page.keyboard.press("ArrowLeft")
    settled(page)
    assert "batch=32" in page.url
    train(page, 8)
    assert pictures(page) != before


def test_mouse_drags_and_reset_puts_back(page):
    opened = pictures(page)
    box = page.get_by_role("slider", name="learning rate").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2)
    page.mouse.up()
    settled(page)
    rate = float(re.search("learning_rate=([0-9.e-]+)", page.url).group(1))
    assert 1e-4 < rate < 0.01
    train(page, 30)
    assert pictures(page) != opened
    press(page, "Reset")
    assert pictures(page) == opened
    assert page.url.endswith("#fig-playground")


def test_fingers_drive_it(address, visit):
    page = visit(address, has_touch=True, viewport={"width": 375, "height": 667})
    page.wait_for_function("document.querySelector('.summary')?.textContent")

    def tap(locator, until, at=0.5):
        """Tap, and wait for what is to come of it: the browser makes a click of a tap in its own time."""
        locator.scroll_into_view_if_needed()
        box = locator.bounding_box()
        page.touchscreen.tap(box["x"] + at * box["width"], box["y"] + box["height"] / 2)
        page.wait_for_function(until)
        settled(page)

    figure, before = page.locator("#fig-playground"), pictures(page)
    step = "parseInt(document.querySelector('.player output').textContent.slice(5))"
    tap(figure.get_by_role("button", name="Step"), f"{step} === 1")
    assert pictures(page) != before
    tap(figure.get_by_role("slider", name="seed"), "location.hash.includes('seed=4')", 0.8)
    tap(figure.locator(".choice label").first, "location.hash.includes('batch=1&')")
    tap(figure.get_by_role("button", name="Play"), f"{step} > 10")
    tap(figure.get_by_role("button", name="Pause"), "document.querySelector('.player').textContent.includes('Play')")
    assert f"steps={clock(page)}" in page.url


def test_a_good_rate_is_found_for_any_rule(page):
    page.evaluate("location.hash = 'fig-playground?rule=adagrad&learning_rate=0.0003'")
    train(page, 100)
    slow = loss(page)
    press(page, "Find a good rate")
    page.wait_for_function("document.querySelector('.player output').textContent === 'step 0'")
    assert float(re.search("learning_rate=([0-9.e-]+)", page.url).group(1)) > 0.03
    train(page, 100)
    assert loss(page) < 0.8 * slow


def test_the_scale_is_named_by_the_initializer(page):
    slider = page.locator("#fig-playground input[type=range]").nth(2)
    for name, label in [("normal", "scale (its stddev)"), ("constant", "scale (its value)"), ("zeros", None)]:
        page.locator("#fig-playground").get_by_label("initializer").select_option(name)
        settled(page)
        assert slider.is_disabled() == (label is None)
        assert slider.evaluate("node => node.labels[0].textContent") == (label or "scale (it has none)")


def test_it_speaks_when_all_is_quiet(page):
    spoken = page.locator("#fig-playground .spoken")
    assert spoken.inner_text() == ""
    assert spoken.get_attribute("aria-live") == "polite"
    press(page, "Play")
    page.wait_for_timeout(700)
    assert clock(page) > 0
    assert spoken.inner_text() == ""
    press(page, "Pause")
    page.wait_for_timeout(700)
    assert spoken.inner_text() == said(page) != ""


def test_less_motion(address, visit):
    page = visit(address, reduced_motion="reduce")
    page.wait_for_function("document.querySelector('.summary')?.textContent")
    assert page.get_by_role("button", name="Play").count() == 0
    seen = page.evaluate("""async () => {
      const clocks = new Set(), output = document.querySelector('.player output');
      [...document.querySelectorAll('.player button')].find((node) => node.textContent === '100 steps').click();
      while (output.textContent !== 'step 100') {
        clocks.add(output.textContent);
        await new Promise(requestAnimationFrame);
      }
      return [...clocks];
    }""")
    assert seen == ["step 0"]  # no picture in between


# ---------------------------------------------------------------- the page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_both_themes_and_axe(address, visit, theme):
    page = visit(address, viewport={"width": 375, "height": 667}, quiet=False)  # axe asks for the style sheet, in vain
    page.wait_for_function("document.querySelector('.summary')?.textContent")
    light = shades(page)
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    settled(page)
    assert (shades(page) == light) == (theme == "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    for number in (PLANE, CURVES):
        box = plot(page, number).bounding_box()
        assert box["width"] > 280
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375
    found = Axe().run(page, context=".ravine-figure").response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []


def test_without_javascript_there_is_a_picture(address, visit):
    plain = visit(address, java_script_enabled=False)
    assert plain.locator(".ravine-figure > svg").first.is_visible()
    assert plain.locator(".ravine-caption").first.is_visible()


def test_settings_and_their_errors():
    figure = rv.figures.playground(data="xor", hidden="16", batch="1", seed=7, scale=2, steps=10)
    assert (figure.data, figure.hidden, figure.batch, figure.seed, figure.scale, figure.steps) == (
        "xor", "16", "1", 7, 2.0, 10)
    for error, message, arguments in [
        (ValueError, "data = 'cats': must be one of circles, moons", {"data": "cats"}),
        (ValueError, "hidden = '99'", {"hidden": "99"}),
        (ValueError, "rule = 'clip_by_norm': must be one of", {"rule": "clip_by_norm"}),
        (ValueError, r"learning_rate = 0\.0: must be in \[0.0001, 10\]", {"learning_rate": 0}),
        (ValueError, "seed = 51: must be at most 50", {"seed": 51}),
        (ValueError, "steps = -1: must be at least 0", {"steps": -1}),
        (TypeError, "steps = 1.5: must be a whole number", {"steps": 1.5}),
    ]:
        with pytest.raises(error, match=message):
            rv.figures.playground(**arguments)
