"""The race in a page: every control changes state and picture, for every reader."""

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from pages import settled

import ravine as rv
from ravine.figures import _race

MAP, CHART = range(2)


@pytest.fixture(scope="module")
def address(site):
    return site.write("race", rv.figures.race())


@pytest.fixture
def page(address, visit):
    page = visit(address)
    ready(page)
    return page


def ready(page):
    page.wait_for_function("document.querySelector('.summary')?.textContent")
    settled(page)


def picture(page):
    return page.locator(".plots").inner_html()


def summary(page):
    return page.locator(".summary").inner_text().replace("\xa0", " ")


def readings(page):
    """Return what the visible sliders say, by label; the rates in the order of the rules."""
    return page.locator(".controls .slider:visible output").all_inner_texts()


def centre(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_mouse_drags_the_start_or_clicks_anywhere(page):
    before, said = picture(page), summary(page)
    x, y = centre(page.locator(".grip circle").nth(1))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y + 40, steps=3)
    page.mouse.up()
    settled(page)
    dragged = picture(page)
    assert dragged != before
    assert summary(page) != said
    assert float(readings(page)[0].replace("−", "-")) < -1
    assert "start=" in page.url
    left, top = centre(page.locator(".plot").nth(MAP))
    page.mouse.click(left - 70, top - 70)
    settled(page)
    assert picture(page) != dragged
    assert float(readings(page)[1]) > 1


def test_finger_drags_and_taps(address, visit):
    page = visit(address, has_touch=True, viewport={"width": 375, "height": 667})
    ready(page)
    grip = page.locator(".grip circle").nth(1)
    grip.scroll_into_view_if_needed()
    before, scrolled = picture(page), page.evaluate("scrollY")
    x, y = centre(grip)
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for k in range(1, 6):
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x - 6 * k, "y": y + 8 * k}]})
    page.wait_for_timeout(300)  # the finger rests: after a fling the next tap gives no click
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    settled(page)
    dragged = picture(page)
    assert dragged != before
    assert page.evaluate("scrollY") == scrolled
    page.touchscreen.tap(x + 50, y - 50)  # the browser makes a click of it, but not at once
    page.wait_for_function("before => document.querySelector('.plots').innerHTML !== before", arg=dragged)
    page.get_by_role("checkbox", name="lion", exact=True).tap()
    page.wait_for_function("document.querySelector('.summary').textContent.includes('lion')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_keyboard_drives_every_control(page):
    sliders = page.locator("input[type=range]:visible")
    assert sliders.count() == 7  # the step, the start's two coordinates, four rates
    for number in range(7):
        before, said = picture(page), sliders.nth(number).get_attribute("aria-valuetext")
        sliders.nth(number).focus()
        page.keyboard.press("PageDown")
        settled(page)
        assert sliders.nth(number).get_attribute("aria-valuetext") != said
        assert picture(page) != before
    for role, name, key in [("checkbox", "adagrad", "Space"), ("combobox", "Surface", "ArrowDown"),
                            ("radio", "no", "ArrowRight"), ("button", "Best rates from here", "Enter")]:
        before = picture(page)
        page.get_by_role(role, name=name, exact=True).focus()
        page.keyboard.press(key)
        settled(page)
        assert picture(page) != before, name
    for part in ("rules=adagrad,adam,", "surface=monkey_saddle", "clip=1", "rates=adagrad:"):
        assert part in page.url


def test_who_races_has_a_row_with_its_result(page):
    def rows():
        return page.locator(".racer:visible b").all_inner_texts()

    assert rows() == ["adam", "momentum", "nesterov", "sgd"]
    assert "reached (3, 2) at step" in page.locator(".racer:visible .result").first.inner_text()
    colour = page.locator(".racer:visible path.line").last.get_attribute("class")
    page.get_by_role("checkbox", name="adam", exact=True).uncheck()
    settled(page)
    assert rows() == ["momentum", "nesterov", "sgd"]
    assert page.locator(".racer:visible path.line").last.get_attribute("class") == colour
    assert "adam" not in summary(page)
    for name in ("momentum", "nesterov", "sgd"):
        page.get_by_role("checkbox", name=name, exact=True).uncheck()
    settled(page)
    assert "Nobody races" in summary(page)


def test_best_rates_give_way_to_the_readers_and_come_back(page):
    opened = readings(page)
    assert all(text.endswith(" best") for text in opened[2:])
    page.locator(".racer:visible input").first.press("PageUp")
    settled(page)
    assert not readings(page)[2].endswith("best")
    assert readings(page)[3:] == opened[3:]
    page.get_by_role("button", name="Best rates from here").click()
    settled(page)
    assert [text.split()[0] for text in readings(page)] == [text.split()[0] for text in opened]
    page.get_by_role("combobox", name="Surface").select_option("quadratic")
    settled(page)
    assert all(text.endswith(" best") for text in readings(page)[2:])


@pytest.mark.parametrize(("setting", "words"), [
    ("surface=rosenbrock&start=-1.2,1&rules=sgd&rates=sgd:0.02", "sgd diverged at step 1."),
    ("surface=saddle&start=1,0&rules=sgd&rates=sgd:0.1", "sgd stands still at ("),
    ("surface=saddle&start=1.5,0.01&rules=sgd&rates=sgd:0.1", "sgd reached the bottom at step"),
    ("surface=cliff&start=2.5,1&rules=sgd&rates=sgd:0.5&clip=1", "gradients clipped to length 1. sgd reached (0, 0)"),
    ("surface=nowhere&rules=nobody,sgd", "Rosenbrock"),
], ids=["diverged", "still", "bottom", "clipped", "unknown names"])
def test_summary_says_what_became_of_everyone(address, visit, setting, words):
    page = visit(f"{address}#fig-race?{setting}")
    ready(page)
    if "nowhere" in setting:
        assert "sgd" in summary(page)
        assert page.locator(".racer:visible").count() == 1
    else:
        assert words in summary(page)


def test_play_reset_and_address(page, visit):
    def drawn():
        return page.locator(".plots path, canvas").evaluate_all(
            "nodes => nodes.map(node => node.toDataURL?.() ?? node.getAttribute('d')).sort()")

    opened, said = drawn(), summary(page)
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(400)
    page.get_by_role("button", name="Pause").click()
    settled(page)
    assert "step " in summary(page)
    assert " of 200" in summary(page)
    assert "is on its way" in summary(page)
    page.get_by_role("combobox", name="Surface").select_option("cliff")
    page.get_by_role("checkbox", name="lion", exact=True).check()
    page.locator(".racer:visible input").first.press("PageUp")
    settled(page)
    shared = drawn()
    again = visit(page.url)
    ready(again)
    assert summary(again) == summary(page)
    assert readings(again) == readings(page)
    page.get_by_role("button", name="Reset").click()
    settled(page)
    assert summary(page) == said
    assert page.url.endswith("#fig-race")
    assert drawn() == opened != shared


def test_less_motion_means_steps(address, visit):
    page = visit(address, reduced_motion="reduce")
    ready(page)
    for expected in ("0", "1", "2"):
        page.get_by_role("button", name="Step").click()
        settled(page)
        assert page.locator(".player output").inner_text() == expected


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(address, visit, theme):
    page = visit(address, quiet=False)  # axe itself asks for the style sheet, in vain
    ready(page)
    shade = page.locator("canvas").first.evaluate("canvas => canvas.toDataURL()")
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    settled(page)
    assert (page.locator("canvas").first.evaluate("canvas => canvas.toDataURL()") == shade) == (theme == "light")
    found = Axe().run(page, context=".ravine-figure").response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []


def test_still_picture_says_what_the_live_one_says(page):
    figure = rv.figures.race()
    surface = _race.SURFACES[figure.surface]
    for name, path in figure.points().items():
        judged = _race.outcome(surface, path, np.zeros(len(path)))
        row = page.locator(".racer", has=page.get_by_text(name, exact=True))
        assert judged.kind == "reached"
        assert row.locator(".result").inner_text().endswith(f"at step {judged.step}")


def test_still_picture_without_javascript(address, visit):
    page = visit(address, java_script_enabled=False)
    assert page.locator(".ravine-figure > svg").is_visible()
    assert page.locator(".ravine-caption").is_visible()
