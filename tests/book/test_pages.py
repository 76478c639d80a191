"""The built pages as readers get them: served, below a path, from the disk; light, dark, narrow, without scripts."""

import gzip
import itertools
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from reading import HTML, ROOT, chapters, pages, settle

import twins
from ravine.exercises._exercise import chapters as exercises

PICTURES = HTML.parent / "screenshots"
# Elements of the page that reach beyond its right edge, unless they are drawers or something around them scrolls.
SPILLING = """() => {
  const inside = (e) => {
    for (let p = e; p && p !== document.body; p = p.parentElement) {
      const style = getComputedStyle(p);
      if (style.position === 'fixed' || (p !== e && style.overflowX !== 'visible')) return true;
    }
    return false;
  };
  return [...document.querySelectorAll('main *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility() && !inside(e))
    .map(e => e.outerHTML.slice(0, 120));
}"""
# What only takes axe's time: the thousands of parts of a picture, which is one thing to assistive software (an svg with
# role="img"), and of a formula, which MathJax answers for; of code, a word of each colour is enough.
SPARE = """() => {
  const kinds = new Set();
  const kind = (word) => word.closest('.highlight').parentElement.className + getComputedStyle(word).color;
  const words = [...document.querySelectorAll('.highlight pre span')].map((word) => [word, kind(word)]);
  const spare = words.filter(([, kind]) => kinds.has(kind) || !kinds.add(kind)).map(([word]) => word);
  const parts = document.querySelectorAll('.ravine-picture > svg > *, mjx-container');
  for (const part of [...spare, ...parts]) part.remove();
}"""
# The relative luminance of the colour behind the page.
LUMINANCE = """() => {
  const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(x => (x / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}"""


def opened(reader, home, name, **settings):
    """Return a page that has opened without error or foreign request; keep a picture of it, to look at."""
    page = reader(home, **settings)
    page.goto(f"{home}/{name}")
    settle(page)
    page.wait_for_load_state("networkidle")
    assert page.faults == []
    assert page.title()
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = f"{name.replace('/', '-')}-{'375' if settings.get('is_mobile') else settings['color_scheme']}.jpeg"
    page.screenshot(path=PICTURES / picture, full_page=True, quality=80)
    return page


def axe(page, **options):
    """Return what axe finds on a page, minor faults apart."""
    page.evaluate(SPARE)
    found = Axe().run(page, options={"resultTypes": ["violations"], **options})
    return {f"{violation['id']}: {node['html'][:200]}" for violation in found.response["violations"]
            for node in violation["nodes"] if violation["impact"] != "minor"}


# Three loads of each page, each by another way and with another reader, show all that a load can show.
@pytest.mark.parametrize("name", pages())
def test_a_page_as_a_site_in_light(reader, at_root, name):
    page = opened(reader, at_root, name, color_scheme="light", reduced_motion="reduce")
    assert page.evaluate(LUMINANCE) > 0.9, "the page follows the reader's scheme"
    assert axe(page) == set()


@pytest.mark.parametrize("name", pages())
def test_a_page_below_a_path_in_dark(reader, under_a_path, name):
    page = opened(reader, under_a_path, name, color_scheme="dark", reduced_motion="reduce")
    assert page.evaluate(LUMINANCE) < 0.1, "the page follows the reader's scheme"
    assert axe(page, runOnly=["color-contrast"]) == set()  # no other rule depends on the scheme


@pytest.mark.parametrize("name", pages())
def test_a_page_from_the_disk_on_a_phone(reader, as_files, name):
    page = opened(reader, as_files, name, viewport={"width": 375, "height": 800}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.evaluate(SPILLING) == []


def test_panels_stand_below_each_other_on_a_phone_and_side_by_side_elsewhere(reader, as_files):
    for width in (375, 1280):
        page = reader(as_files, java_script_enabled=False, viewport={"width": width, "height": 800})
        page.goto(f"{as_files}/chapters/02_stochastic_gradient_descent.html")
        pictures = page.locator(".ravine-picture.panels").all()
        assert len(pictures) > 3
        for picture in pictures:
            picture.scroll_into_view_if_needed()
            place, whole = picture.bounding_box(), picture.locator("> svg").first.bounding_box()
            panels = [panel.bounding_box() for panel in picture.locator("> .panel").all()]
            if width > 375:
                assert whole["width"] == pytest.approx(place["width"], abs=2)
                assert not any(panels)
            else:
                assert whole["width"] <= 1
                assert all(panel["width"] > 0.9 * place["width"] for panel in panels), "two panels each"
                assert place["width"] <= 375
                pairs = itertools.pairwise(panels)
                assert all(above["y"] + above["height"] <= below["y"] + 1 for above, below in pairs)


@pytest.mark.parametrize("name", chapters())
def test_a_page_without_javascript_shows_its_pictures(reader, as_files, name):
    page = reader(as_files, java_script_enabled=False)
    page.goto(f"{as_files}/{name}")
    pictures = page.locator(".ravine-figure > svg, .ravine-picture > svg:first-child")
    assert pictures.count() >= 2
    for picture in pictures.all():
        box = picture.bounding_box()
        assert box["width"] > 200
        assert box["height"] > 100
        assert picture.get_attribute("aria-label")
    assert page.locator("html").get_attribute("data-theme") == "light", "else the theme has no colours"


def test_paper_shows_what_a_press_would(reader, as_files):
    page = reader(as_files, java_script_enabled=False)
    page.goto(f"{as_files}/chapters/06_momentum.html")
    reason = page.locator("details.sd-dropdown p", has_text="The edge is at").first
    hidden = page.locator(".cell details", has_text="Show code cell source").first
    assert hidden.is_visible()
    assert not reason.is_visible()
    page.emulate_media(media="print")
    assert not hidden.is_visible()
    assert reason.is_visible()


def test_only_pages_with_a_figure_load_the_loader(html):
    loads = {name: "figures/loader.js" in (html / name).read_text() for name in pages()}
    holds = {name: 'class="ravine-figure"' in (html / name).read_text() for name in pages()}
    assert loads == holds
    assert all(holds[name] for name in chapters())


def test_no_page_loads_a_script_twice(html):
    for name in pages():
        scripts = re.findall(r"<script\b.*?</script>", (html / name).read_text(), re.DOTALL)
        assert len(scripts) > 10
        assert len(scripts) == len(set(scripts)), name


def test_the_first_page_is_light(reader, html, at_root):
    page = reader(at_root)
    loaded = []
    page.on("response", lambda response: loaded.append(response.url.removeprefix(at_root).split("?")[0]))
    page.goto(f"{at_root}/intro.html")
    settle(page)
    page.wait_for_load_state("networkidle")
    files = [html / name.strip("/") for name in set(loaded)]
    assert html / "_static/styles/pydata-sphinx-theme.css" in files
    assert sum(min(len(gzip.compress(file.read_bytes())), file.stat().st_size) for file in files) < 700_000


def test_the_folder_leads_to_the_first_page(reader, as_files):
    page = reader(as_files)
    page.goto(f"{as_files}/index.html")
    page.wait_for_url(f"{as_files}/intro.html")
    settle(page)
    assert page.faults == []


@pytest.mark.parametrize("way", ["under_a_path", "as_files"])
def test_search_works_offline(reader, request, way):
    home = request.getfixturevalue(way)
    page = reader(home)
    page.goto(f"{home}/search.html?q=momentum")
    page.locator("#search-results li a[href*='chapters/06_momentum.html']").first.click()
    page.wait_for_load_state("networkidle")
    assert "06_momentum" in page.url
    assert page.faults == []


@pytest.mark.parametrize("name", chapters())
def test_the_chapter_opens_in_colab_and_binder(html, name):
    book, notebook = twins.Book.read(ROOT), ROOT / name.replace(".html", ".ipynb")
    text = (html / name).read_text()
    assert f'href="{book.colab(notebook)}"' in text
    assert f'href="{book.binder(notebook)}"' in text


@pytest.mark.parametrize("name", chapters())
def test_measured_sentences_and_exercises_stand_on_the_page(reader, at_root, name):
    page = reader(at_root)
    page.goto(f"{at_root}/{name}")
    settle(page)
    seen = page.locator(".cell_output blockquote", has_text="What you should have seen")
    assert seen.count() >= 3
    assert page.locator(".exercise").count() == len(exercises()[Path(name).stem])
    assert not any("$" in text for text in seen.all_inner_texts()), "the maths in them is set"
    assert "{" not in seen.first.inner_text()
