"""Live figures made of the kit's controls: each changes state and picture, for every reader, and goes back."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from driving import FIGURE, centre, drag, nudge, picture, readings, ready, summary, swipe
from pages import settled

import ravine as rv

# The others have tests of their own.
FIGURES = ("newton", "adaptive", "conditioning", "edge", "signal", "gradient_noise", "risk", "schedule", "average")
PHONE = {"width": 375, "height": 667}


@pytest.fixture(scope="module", params=FIGURES)
def home(request, site):
    """Yield the address of a page with one figure."""
    return site.write(f"only_{request.param}", getattr(rv.figures, request.param)())


def reset(page):
    page.get_by_role("button", name="Reset").click()
    settled(page)


def test_mouse_and_reset(home, visit):
    page = ready(visit(home))
    opened, before = readings(page), picture(page)
    for grip in page.locator(".grip circle:not(.touch)").all():
        grip.scroll_into_view_if_needed()
        drag(page, centre(grip), (-25, -20))
        assert readings(page) != opened
        assert picture(page) != before
        reset(page)
        assert (readings(page), picture(page)) == (opened, before)
    for button in page.locator(".buttons button").all():
        if button.inner_text() != "Reset":
            button.click()
            settled(page)
            assert picture(page) != before, button.inner_text()
            reset(page)


def test_finger_drags_handles_and_the_page_stays(home, visit):
    page = ready(visit(home, has_touch=True, viewport=PHONE))
    for grip in page.locator(".grip circle:not(.touch)").all():
        grip.scroll_into_view_if_needed()
        scrolled, said, before = page.evaluate("scrollY"), readings(page), picture(page)
        swipe(page, centre(grip), (-20, -25))
        assert readings(page) != said
        assert picture(page) != before
        assert page.evaluate("scrollY") == scrolled


def test_keyboard_and_the_address_of_a_setting(home, visit):
    page = ready(visit(home))
    for slider in page.locator("input[type=range]").all():
        assert slider.get_attribute("data-lm-suppress-shortcuts") == "true"
        before, said = picture(page), slider.get_attribute("aria-valuetext")
        nudge(slider)
        settled(page)
        assert slider.get_attribute("aria-valuetext") != said
        assert picture(page) != before, said
    for node in page.locator(".controls select, .controls fieldset input:checked").all():
        before, said = picture(page), readings(page)
        node.focus()
        page.keyboard.press("ArrowDown")
        settled(page)
        assert readings(page) != said
        assert picture(page) != before
    again = ready(visit(page.url))
    assert "?" in page.url
    assert readings(again) == readings(page)


def test_a_quick_drag_leaves_what_its_address_opens(home, visit):
    page = ready(visit(home))
    slider = page.locator(".controls input[type=range]").last
    slider.scroll_into_view_if_needed()
    x, y = centre(slider)
    page.mouse.move(x, y)
    page.mouse.down()
    for share in (0.1, 0.3, -0.2, -0.1, 0.2):  # in one frame or in several: what is computed gradually falls behind
        page.mouse.move(x + share * slider.bounding_box()["width"], y)
    page.mouse.up()
    settled(page)
    assert page.url != home
    again = ready(visit(page.url))
    assert (readings(again), summary(again), picture(again)) == (readings(page), summary(page), picture(page))


def test_it_speaks_when_all_is_quiet(home, visit):
    page = ready(visit(home))
    spoken = page.locator(".spoken")
    assert (spoken.inner_text(), spoken.get_attribute("aria-live")) == ("", "polite")
    page.evaluate("""() => {  // timed in the page: what is asked from here may come late
        const slider = [...document.querySelectorAll('input[type=range]')].at(-1);
        slider.addEventListener('input', event => { window.moved = event.timeStamp; });
        new MutationObserver(() => { window.quiet = performance.now() - window.moved; })
            .observe(document.querySelector('.spoken'), {childList: true});
    }""")
    page.locator("input[type=range]").last.press("PageDown")
    page.wait_for_function("window.quiet")
    assert page.evaluate("window.quiet") > 500
    assert spoken.inner_text() == page.locator(".summary").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fits_a_phone_and_axe_finds_nothing_serious(home, visit, theme):
    page = ready(visit(home, quiet=False, viewport=PHONE))  # axe itself asks for the style sheet, in vain
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for plot in page.locator(".plot").all():
        box = plot.bounding_box()
        assert box["width"] > 280
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
    found = Axe().run(page, context=FIGURE).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []


def test_still_picture_without_javascript_and_in_print(home, visit):
    for page in (visit(home, java_script_enabled=False), ready(visit(home))):
        page.emulate_media(media="print")
        assert page.locator(f"{FIGURE} > svg").is_visible()
        assert page.locator(".ravine-caption").is_visible()
        assert not page.locator(".ravine-live").first.is_visible()
    page.emulate_media(media="screen")
    assert not page.locator(f"{FIGURE} > svg").is_visible()
