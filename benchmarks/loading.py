"""What the pages of the built book cost a reader, in headless Chromium: `python benchmarks/loading.py [PAGE …]`.

For each page, over HTTP on this machine, nothing cached, the median of three loads
- first paint: from the request until something stands on the page (the first contentful paint).
- interactive: from the request until the main thread is free for the reader: the end of the last task above 50 ms
  before the first second without one (`QUIET`), and not before the first paint. It should stay under 2 s. What works in
  pieces of less than 50 ms (formulas out of view) does not count: the page answers between them.
- blocked: how much of the time until then went beyond 50 ms in single tasks.
- weight: all that the page loads, compressed. The first page should stay under 700 KB; one with formulas loads MathJax
  as well. Then the HTML alone, and the scripts of the figures alone.
"""

import functools
import gzip
import http.server
import statistics
import sys
import threading
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from figures import CHROMIUM, HTML, Quiet, machine

QUIET = 1.0
LOADS = 3
FIRST = "intro.html"
AIMS = {"interactive": 2.0, "weight": 700.0}
# Keeps the first paint, and [start, end] of each task above 50 ms, in seconds since the request.
CLOCK = """
(() => {
  window.tasks = [];
  window.painted = null;
  new PerformanceObserver((list) => {
    for (const { startTime: start, duration } of list.getEntries()) tasks.push([start / 1e3, (start + duration) / 1e3]);
  }).observe({ type: "longtask", buffered: true });
  new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries()) {
      if (name === "first-contentful-paint") painted = startTime / 1e3;
    }
  }).observe({ type: "paint", buffered: true });
})();
"""
FREE = """(quiet) => {
  const last = Math.max(painted ?? Infinity, ...tasks.map(([, end]) => end));
  return document.readyState === "complete" && performance.now() / 1e3 > last + quiet;
}"""


def times(browser, address):
    """Return the seconds until first paint and until interactive, those blocked, and the addresses loaded."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(CLOCK)
    page.goto(address)
    page.wait_for_function(FREE, arg=QUIET, polling=100)
    painted, tasks = page.evaluate("[painted, tasks]")
    loaded = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    page.context.close()
    end = interactive(painted, tasks)
    return painted, end, sum(stop - start - 0.05 for start, stop in tasks if stop <= end), {address, *loaded}


def interactive(painted, tasks):
    """Return the end of the last long task before the first quiet window, or the first paint if that is later."""
    end = painted
    for start, stop in sorted(tasks):
        if start - end >= QUIET:
            break
        end = max(end, stop)
    return end


def weights(addresses):
    """Return how many KB these files of the book are, compressed: all, the HTML, the scripts of the figures."""
    sizes = {}
    for path in {urlsplit(address).path.strip("/") for address in addresses if address.startswith("http")}:
        data = (HTML / path).read_bytes()
        sizes[path] = min(len(gzip.compress(data)), len(data)) / 1000  # a font is compressed already
    return [sum(size for path, size in sizes.items() if kind in path and path.endswith(end))
            for kind, end in (("", ""), ("", ".html"), ("_static/figures/", ".js"))]


def mark(value, kind):
    """Return the sign of a number that misses its aim."""
    return "!" if value > AIMS[kind] else " "


def main(names):
    """Print the table for these pages."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(HTML)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_port}"
    with sync_playwright() as playwright:
        arguments = ["--headless", "--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        print(f"{machine()}; Chromium {browser.version}\n")
        print(f"{'page':48}{'first paint':>12}{'interactive':>13}{'blocked':>9}{'weight':>12}{'HTML':>9}{'figures':>9}")
        for name in names:
            loads = [times(browser, f"{home}/{name}") for _ in range(LOADS)]
            painted, end, blocked = map(statistics.median, zip(*(load[:3] for load in loads), strict=True))
            total, html, figures = weights(set.union(*(load[3] for load in loads)))
            heavy = mark(total, "weight") if name == FIRST else " "
            print(f"{name:48}{painted:10.2f} s{end:11.2f} s{mark(end, 'interactive')}{blocked:6.2f} s"
                  f"{total:8.0f} KB{heavy}{html:5.0f} KB{figures:6.0f} KB", flush=True)
        browser.close()
    server.shutdown()
    print(f"\nAims: {AIMS['interactive']:g} s, and {AIMS['weight']:g} KB for {FIRST}. A ! marks what misses.")


if __name__ == "__main__":
    if not (HTML / "index.html").exists():
        sys.exit("the book is not built: run `make book`")
    found = (path.relative_to(HTML).as_posix() for path in sorted(HTML.rglob("*.html")) if "_static" not in path.parts)
    main(sys.argv[1:] or [name for name in found if name != "index.html"])
