"""What live figures cost a reader of the built book, in headless Chromium: `python benchmarks/figures.py [FIGURE …]`.

For each figure
- shown: from the first request for its page until the first picture is painted, over HTTP on this machine, nothing
  cached; the median of three times. It should stay under 1.5 s.
- complete: the same until the picture says what it shows. Where a training or a sweep goes on behind the first picture,
  that is later: the curves grow until then.
- redraw: the main thread's work for one move of the mouse: what listens to the events, and the frame that follows, from
  its first callback until it is painted (the figure's script, style, layout, paint). The median over a drag of each
  handle and each slider; the slowest of these. It should stay under 16 ms, a frame of a screen with 60 a second: then
  the next frame that the screen has shows the move.
- painted: from the event of the same moves until the picture is painted. Besides the work this is the wait for the next
  frame, up to 16 ms, and depends on when the mouse happens to move.
- JavaScript: all of Ravine's on that page, compressed. It should stay under 60 KB.

A figure that no page of the book holds is measured on a page of its own, with the book's scripts.
"""

import contextlib
import functools
import gzip
import http.server
import math
import os
import platform
import re
import shutil
import statistics
import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

from ravine import figures

HTML = Path(__file__).resolve().parent.parent / "_build/html"
SCRIPTS = HTML / "_static/figures"
CHROMIUM = os.environ.get("RAVINE_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MOVES = 40
AIMS = {"shown": 1.5, "redraw": 16.0, "JavaScript": 60.0}

# Notes in `shown` when each figure's first picture was painted, in `complete` when it said what it shows, and in
# `redraws` how much work each move of a pressed mouse was, and how long it took to the end of the frame in which the
# figure is drawn, laid out and painted. `look` is the first callback of every frame; a message sent by it arrives when
# the frame is painted, before what the figure goes on to compute then. It begins when the document is parsed, before
# which no figure can be there: asking for frames earlier would cut into the parsing.
CLOCK = """
(() => {
  window.shown = {};
  window.complete = {};
  window.redraws = [];
  let [event, first, handled] = [0, 0, 0];
  function painted(then) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => then(performance.now());
    port2.postMessage("painted");
  }
  function begin() {
    const waiting = new Set(document.querySelectorAll(".ravine-figure"));
    (function look() {
      const began = performance.now();
      if (first) {
        const [move, work] = [first, handled];
        painted((now) => redraws.push([work + now - began, now - move]));
        first = handled = 0;
      }
      for (const figure of waiting) {
        if (!figure.classList.contains("is-live") || !figure.querySelector(".axis")) continue;
        const { module } = figure.dataset;
        const said = figure.querySelector(".summary").textContent;
        if (said) waiting.delete(figure);
        painted((now) => {
          shown[module] ??= now;
          if (said) complete[module] ??= now;
        });
      }
      requestAnimationFrame(look);
    })();
  }
  document.addEventListener("readystatechange", begin, { once: true });
  for (const type of ["pointermove", "input"]) {
    addEventListener(type, () => (event = performance.now()), true);
    addEventListener(type, ({ buttons, target }) => {
      if (buttons === 0 || !target.closest?.(".ravine-figure")) return;
      handled += performance.now() - event;
      first ||= event;
    });
  }
})();
"""
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, *_):
        """Log nothing."""

    def copyfile(self, source, outputfile):
        """Send a file; a page that has been closed takes no more of it."""
        with contextlib.suppress(ConnectionError):
            super().copyfile(source, outputfile)


def pages():
    """Return ``{figure: page of the book that holds it}``."""
    found = {}
    for path in sorted(HTML.glob("**/*.html")):
        for name in re.findall(r'<div class="ravine-figure" data-module="(\w+)"', path.read_text(encoding="utf-8")):
            found.setdefault(name, path.relative_to(HTML).as_posix())
    return found


def alone(name):
    """Return the text of a page that holds one figure."""
    body = f'<div style="max-width: 750px">{getattr(figures, name)().html()}</div>'
    scripts = "".join(f'<script defer src="_static/figures/{script}"></script>' for script in figures.scripts(body))
    return ('<!doctype html><html lang="en"><meta charset="utf-8">'
            f'<link rel="stylesheet" href="_static/figures/figures.css">{scripts}{body}')


def opened(browser, address, name, text):
    """Return a page on which a figure is complete, and the seconds from the request until it is shown, and complete."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(CLOCK)
    if text:
        page.route(address, lambda route: route.fulfill(content_type="text/html", body=text))
    page.goto(address)
    page.wait_for_function("(name) => complete[name]", arg=name)
    return page, page.evaluate("(name) => [shown[name] / 1e3, complete[name] / 1e3]", name)


def drag(page, places):
    """Drag the mouse through places, a frame each; return the medians of the milliseconds of work and until painted."""
    page.evaluate("redraws.length = 0")
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
        page.evaluate(FRAMES)
    page.mouse.up()
    page.evaluate(FRAMES)
    return [statistics.median(each) for each in zip(*page.evaluate("redraws"), strict=True)]


def slowest(page, name):
    """Return the median milliseconds of work and until painted for the slowest control, and what that is called."""
    figure = page.locator(f".ravine-figure[data-module={name}]").first
    taken = []
    controls = [*figure.locator(".grip circle:not(.touch)").all(), *figure.locator(".slider input:enabled").all()]
    for control in filter(lambda each: each.is_visible(), controls):
        control.scroll_into_view_if_needed()
        page.wait_for_function("!document.querySelector('[aria-busy=true]')")
        box = control.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        if control.get_attribute("type") == "range":
            label = control.evaluate("(node) => node.labels[0].textContent")
            places = [(x + 0.4 * box["width"] * math.cos(t), y) for t in steps(2 * math.pi)]
        else:
            label = "handle"
            places = [(x - 40 * math.sin(t), y - 40 + 40 * math.cos(t)) for t in steps(2 * math.pi)]
        taken.append((*drag(page, places), label))
    return max(taken)


def steps(end):
    """Return the points at which a drag is, from 0 to `end`."""
    return [end * k / MOVES for k in range(MOVES + 1)]


def kilobytes(page):
    """Return how much of Ravine's JavaScript a page has loaded, compressed."""
    loaded = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    files = {Path(name.split("?")[0]).name for name in loaded if "/_static/figures/" in name}
    return sum(len(gzip.compress((SCRIPTS / file).read_bytes())) for file in files if file.endswith(".js")) / 1000


def cell(value, kind, unit, digits):
    """Return a number of the table; one that misses its aim is marked."""
    return f"{value:7.{digits}f} {unit}{'!' if value > AIMS[kind] else ' '}"


def machine():
    """Return what this is measured on."""
    about = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", about.read_text())[1] if about.exists() else platform.processor()
    return f"{os.cpu_count()} cores of {model}, load {os.getloadavg()[0]:.1f} (above 1, times say little)"


def main(names):
    """Print the table for these figures."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(HTML)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home, held = f"http://127.0.0.1:{server.server_port}", pages()
    with sync_playwright() as playwright:
        arguments = ["--headless", "--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        print(f"{machine()}; Chromium {browser.version}\n")
        print(f"{'figure':15}{'page':28}{'shown':>8}{'complete':>11}{'redraw':>10}{'painted':>13}"
              f"    {'slowest control':26}{'JavaScript':>11}")
        for name in names:
            text, times = None if name in held else alone(name), []
            path = held.get(name, f"{name}.html")
            for _ in range(3):
                for context in browser.contexts:  # a page that still sets its formulas would hold up the next
                    context.close()
                page, seconds = opened(browser, f"{home}/{path}", name, text)
                times.append(seconds)
            shown, complete = map(statistics.median, zip(*times, strict=True))
            redraw, painted, control = slowest(page, name)
            print(f"{name:15}{Path(path).stem if name in held else '(alone)':28}"
                  f"{cell(shown, 'shown', 's', 2)}{complete:7.2f} s {cell(redraw, 'redraw', 'ms', 1)}"
                  f"{painted:9.1f} ms   {control:26}"
                  f"{cell(kilobytes(page), 'JavaScript', 'KB', 1)}", flush=True)
        browser.close()
    server.shutdown()
    print("\nAims: shown within 1.5 s, redrawn within 16 ms, 60 KB. A ! marks what misses.")


if __name__ == "__main__":
    if not SCRIPTS.exists():
        sys.exit("the book is not built: run `make book`")
    main(sys.argv[1:] or [figure.module for figure in figures.ALL])
