"""Each chapter's first live figure on its real page, over HTTP and from the disk: mouse, finger, keyboard, print."""

import pytest
from reading import chapters, settle

pytestmark = pytest.mark.parametrize("name", chapters())


class OnPage:
    """The first live figure of a page."""

    def __init__(self, page, address):
        self.page = page
        page.goto(address)
        settle(page)
        self.figure = page.locator(".ravine-figure").first
        self.figure.scroll_into_view_if_needed()

    def says(self):
        """Return the summary and the picture, once what was asked for is drawn."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.page.wait_for_function("!document.querySelector('[aria-busy=true]')")  # what is counted after the drawing
        return self.figure.locator(".summary").inner_text(), self.figure.locator(".plots").inner_html()

    def grip(self):
        """Return the middle of the first handle."""
        grip = self.figure.locator(".grip circle").first
        grip.scroll_into_view_if_needed()
        box = grip.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def changes(self, act):
        """Return whether `act` changed both what the figure says and what it shows."""
        before = self.says()
        act()
        return all(one != other for one, other in zip(before, self.says(), strict=True))


@pytest.mark.parametrize("way", ["under_a_path", "as_files"])
def test_the_mouse_drags_a_handle(reader, request, way, name):
    home = request.getfixturevalue(way)
    figure = OnPage(reader(home), f"{home}/{name}")
    mouse = figure.page.mouse

    def drag():
        x, y = figure.grip()
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + 30, y + 20, steps=4)
        mouse.move(x - 24, y - 28, steps=4)  # one of the two is free, if the handle stands at a limit
        mouse.up()

    assert figure.changes(drag)
    assert figure.page.faults == []


def test_a_finger_drags_a_handle_and_the_page_stays(reader, at_root, name):
    page = reader(at_root, viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True)
    figure = OnPage(page, f"{at_root}/{name}")
    finger = page.context.new_cdp_session(page)
    x, y = figure.grip()
    scrolled = page.evaluate("scrollY")

    def swipe():
        for kind, points in [("touchStart", [(x, y)]),
                             *(("touchMove", [(x + 3 * i, y + 4 * i)]) for i in (1, 2, 3, 4, 0, -2, -4, -6, -7)),
                             ("touchEnd", [])]:
            touches = [{"x": across, "y": down} for across, down in points]
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    assert figure.changes(swipe)
    assert page.evaluate("scrollY") == scrolled
    assert page.faults == []


def test_the_keyboard_reaches_the_figure_and_moves_it(reader, at_root, name):
    figure = OnPage(reader(at_root), f"{at_root}/{name}")
    page = figure.page
    slider = figure.figure.locator(".controls input[type=range]").first
    figure.figure.locator("input, button").first.focus()
    for _ in range(20):
        if slider.evaluate("node => node === document.activeElement"):
            break
        page.keyboard.press("Tab")
    else:
        pytest.fail("no way by Tab to the first slider")
    assert figure.changes(lambda: page.keyboard.press("PageUp"))
    assert page.faults == []


def test_print_shows_the_still_picture_alone(reader, at_root, name):
    figure = OnPage(reader(at_root), f"{at_root}/{name}")
    figure.page.emulate_media(media="print")
    assert figure.figure.locator("> svg").is_visible()
    assert not figure.figure.locator(".plots").is_visible()
