"""How the tests read a figure in a page and move its controls: by mouse, finger and keyboard."""

from pages import settled

FIGURE = ".ravine-figure"
PICTURE = """() => {
  const plots = document.querySelector('.plots');
  return [...[...plots.querySelectorAll('svg *')].map(node => node.cloneNode(!node.children.length).outerHTML),
    ...[...plots.querySelectorAll('canvas')].map(canvas => canvas.toDataURL())].sort().join()
    .replace(/ravine-[a-z0-9]+/g, '');  // ids, which are others in each page
}"""


def ready(page):
    """Wait until the first figure is drawn; return the page."""
    page.wait_for_function("document.querySelector('.summary')?.textContent")
    settled(page)
    return page


def readings(page):
    """Return what the first figure's controls say: sliders and lists by label, radio buttons by legend."""
    return page.locator(f"{FIGURE} .controls").first.evaluate("""controls => {
      const said = {};
      const note = (selector, read) => controls.querySelectorAll(selector).forEach(
        row => { said[row.children[0].textContent] = read(row); });
      note('.slider', row => row.children[2].textContent);
      note('.select', row => row.children[1].value);
      note('fieldset', row => [...row.querySelectorAll('input:checked')].map(node => node.value).join());
      return said;
    }""")


def picture(page):
    """Return all that is drawn in the first figure, in any order: marks, and the pixels of canvases."""
    return page.evaluate(PICTURE)


def summary(page):
    """Return the visible sentence of the first figure."""
    return page.locator(".summary").first.inner_text().replace("\xa0", " ").replace("−", "-")


def nudge(slider):
    """Move a slider by the keyboard, away from the end that it is nearer to."""
    low = int(slider.input_value()) < 0.5 * int(slider.get_attribute("max"))
    slider.press("PageUp" if low else "PageDown")


def centre(locator):
    """Return the middle of an element, in pixels of the window."""
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, start, by):
    """Drag with the mouse from a place, by so many pixels."""
    page.mouse.move(*start)
    page.mouse.down()
    for share in (0.5, 1.0):
        page.mouse.move(start[0] + share * by[0], start[1] + share * by[1])
        settled(page)
    page.mouse.up()
    settled(page)


def swipe(page, start, by):
    """Drag with a finger from a place, by so many pixels."""
    touch = page.context.new_cdp_session(page)
    places = [(start[0] + share * by[0], start[1] + share * by[1]) for share in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    for n, (x, y) in enumerate(places):
        kind = "touchMove" if n else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    settled(page)
