"""The live figure of momentum in a page: every control changes state and picture, for every reader."""

import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from pages import settled

MAP, VALLEY, ERRORS, PHASE = range(4)


@pytest.fixture
def page(address, visit):
    page = visit(address)
    page.locator(".summary").nth(1).wait_for()
    page.wait_for_function("document.querySelectorAll('.summary')[1].textContent !== ''")
    return page


def plot(page, number):
    return page.locator("#fig-momentum .plot").nth(number)


def pictures(page):
    """Return what is drawn in each plot of the first figure; ids differ from one page to the next."""
    return [re.sub(r"ravine-\w+-", "", plot(page, number).locator("svg").inner_html()) for number in range(4)]


def readings(page, figure="#fig-momentum"):
    """Return what the first figure's sliders say, by label."""
    rows = page.locator(f"{figure} .controls .slider")
    return dict(zip(rows.locator("label").all_inner_texts(), rows.locator("output").all_inner_texts(), strict=True))


def centre(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# ---------------------------------------------------------------- the controls


def drag(page, start, by):
    page.mouse.move(*start)
    page.mouse.down()
    for share in (0.3, 0.6, 1.0):
        page.mouse.move(start[0] + share * by[0], start[1] + share * by[1])
        settled(page)
    page.mouse.up()
    settled(page)


def test_mouse_drags_the_point_and_the_start(page):
    before, said = pictures(page), page.locator(".summary").first.inner_text()
    shade = plot(page, MAP).locator("canvas").evaluate("canvas => canvas.toDataURL()")
    drag(page, centre(plot(page, MAP).locator(".grip circle").nth(1)), (60, -30))
    after = pictures(page)
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert 0.012 < float(readings(page)["step size α"]) < 0.06
    assert 0.7 < float(readings(page)["memory β"]) < 0.95
    assert page.locator(".summary").first.inner_text() != said
    assert plot(page, MAP).locator("canvas").evaluate("canvas => canvas.toDataURL()") == shade  # same problem, same map

    drag(page, centre(plot(page, VALLEY).locator(".grip circle").nth(1)), (100, 40))
    assert pictures(page)[VALLEY] != after[VALLEY]
    assert float(readings(page)["start: shallow"].replace("−", "-")) > -1.5
    assert float(readings(page)["start: steep"]) < 0.9
    assert readings(page, "#fig-momentum-2")["memory β"] == "0.2"  # the other figure is left alone


def test_finger_drags_handles_and_scrolls_elsewhere(address, visit):
    page = visit(address, has_touch=True, viewport={"width": 375, "height": 667})
    page.wait_for_function("document.querySelector('.grip')")
    settled(page)
    touch = page.context.new_cdp_session(page)

    def swipe(start, by):
        x, y = start
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for share in np.linspace(0.1, 1, 10):
            point = {"x": x + share * by[0], "y": y + share * by[1]}
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        settled(page)

    for number, label in ((MAP, "memory β"), (VALLEY, "start: steep")):
        grip = plot(page, number).locator(".grip circle").nth(1)
        grip.scroll_into_view_if_needed()
        scrolled, before, said = page.evaluate("scrollY"), pictures(page), readings(page)
        swipe(centre(grip), (20, 60))
        assert float(readings(page)[label]) < float(said[label])
        assert pictures(page)[number] != before[number]
        assert page.evaluate("scrollY") == scrolled

    said = readings(page)
    x, y = centre(plot(page, VALLEY))
    swipe((x + 40, y), (0, -120))
    page.wait_for_function(f"scrollY > {scrolled + 50}")
    resting = "new Promise(done => { addEventListener('scrollend', done); setTimeout(done, 1000); })"
    page.evaluate(resting)  # a tap on a page that still glides only stops it
    assert readings(page) == said
    plot(page, VALLEY).scroll_into_view_if_needed()
    settled(page)
    page.touchscreen.tap(*centre(plot(page, VALLEY)))
    page.wait_for_function("said => document.querySelectorAll('.controls output')[3].textContent !== said",
                           arg=said["start: shallow"])
    assert abs(float(readings(page)["start: shallow"].replace("−", "-"))) < 0.5


def test_keyboard_moves_every_slider(page):
    sliders = page.locator("#fig-momentum input[type=range]")
    assert sliders.count() == 6
    for number in range(6):
        slider = sliders.nth(number)
        assert slider.get_attribute("data-lm-suppress-shortcuts") == "true"
        before, said = pictures(page), slider.get_attribute("aria-valuetext")
        slider.focus()
        page.keyboard.press("PageDown" if said in ("80", "1") else "PageUp")
        settled(page)
        assert slider.get_attribute("aria-valuetext") != said
        assert pictures(page) != before


def test_choices_change_the_picture(page):
    before = pictures(page)
    page.get_by_role("radio", name="loss").first.check(force=True)
    settled(page)
    assert pictures(page)[ERRORS] != before[ERRORS]
    page.get_by_role("radio", name="nesterov").first.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    settled(page)
    assert "rule=nesterov" in page.url
    assert pictures(page)[VALLEY] != before[VALLEY]


def test_reset_and_address(page, visit, address):
    opened, before = readings(page), pictures(page)
    page.evaluate("history.replaceState(null, '', '#end')")
    slider = page.get_by_role("slider", name="memory β").first
    slider.fill("900")
    assert page.url.endswith("#fig-momentum?beta=0.9")
    shared = pictures(page)
    again = visit(page.url)
    again.wait_for_function("document.querySelector('.summary').textContent.includes('after')")
    settled(again)
    assert readings(again) == readings(page) != opened
    assert pictures(again) == shared
    page.get_by_role("button", name="Reset").first.click()
    settled(page)
    assert readings(page) == opened
    assert pictures(page) == before
    assert page.url.endswith("#fig-momentum")

    page.get_by_role("link", name="a heavy ball").click()
    settled(page)
    assert (readings(page)["memory β"], readings(page)["step size α"]) == ("0.9", "0.02")

    nonsense = visit(f"{address}#fig-momentum?beta=x&start=1&colour=red&alpha=0.05")
    nonsense.wait_for_function("document.querySelector('.summary').textContent.includes('after')")
    settled(nonsense)
    assert readings(nonsense) == opened | {"step size α": "0.05"}
    elsewhere = visit(f"{address}#end")
    elsewhere.locator(".summary").first.wait_for()
    assert elsewhere.url.endswith("#end")


def test_it_speaks_when_all_is_quiet(page):
    spoken, visible = page.locator(".spoken").first, page.locator(".summary").first
    assert spoken.inner_text() == ""
    assert spoken.get_attribute("aria-live") == "polite"
    drag(page, centre(plot(page, MAP)), (20, 20))
    assert spoken.inner_text() == ""
    page.wait_for_timeout(700)
    assert spoken.inner_text() == visible.inner_text() != ""

    said = spoken.inner_text()
    play = page.get_by_role("button", name="Play").first
    play.click()
    page.wait_for_timeout(300)
    early = pictures(page)
    page.evaluate("document.querySelector('.summary').textContent = ''")  # as if it had something new to say
    page.wait_for_timeout(700)
    assert pictures(page)[VALLEY] != early[VALLEY]
    assert spoken.inner_text() == said
    page.get_by_role("button", name="Pause").first.click()


def test_less_motion(address, visit):
    page = visit(address, reduced_motion="reduce")
    step = page.get_by_role("button", name="Step").first
    for expected in ("0", "1", "2"):
        step.click()
        settled(page)
        assert page.locator("#fig-momentum .player output").inner_text() == expected


# ---------------------------------------------------------------- the page


def test_two_figures_share_no_id(page):
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(node => node.id)")
    assert len(ids) > 40
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fits_a_phone_in_both_themes(address, visit, theme):
    page = visit(address, viewport={"width": 375, "height": 667})
    page.locator(".summary").first.wait_for()
    settled(page)
    shade = "canvas => canvas.toDataURL()"
    light = plot(page, MAP).locator("canvas").evaluate(shade)
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    settled(page)
    paper = page.locator(".ravine-live").first.evaluate("node => getComputedStyle(node).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 24, 29)"}[theme]
    assert (plot(page, MAP).locator("canvas").evaluate(shade) == light) == (theme == "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    for number in range(4):
        box = plot(page, number).bounding_box()
        assert box["width"] > 280
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(address, visit, theme):
    page = visit(address, quiet=False)  # axe itself asks for the style sheet, in vain
    page.locator(".summary").first.wait_for()
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    settled(page)
    found = Axe().run(page, context=".ravine-figure").response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []


def test_still_picture_without_javascript_and_in_print(address, visit, page):
    plain = visit(address, java_script_enabled=False)
    for each in (plain, page):
        each.emulate_media(media="print")
        assert each.locator("#fig-momentum > svg, .ravine-figure > svg").first.is_visible()
        assert each.locator(".ravine-caption").first.is_visible()
        assert not each.locator(".ravine-live").first.is_visible()
    page.emulate_media(media="screen")
    assert not page.locator("#fig-momentum > svg").is_visible()
