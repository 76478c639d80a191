"""The built pages as readers get them: served, below a path, from the disk; light, dark, narrow, without scripts."""

import gzip
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from reading import HTML, chapters, pages, settle

from ravine.exercises._exercise import chapters as exercises

pytestmark = pytest.mark.browser

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
# The relative luminance of the colour behind the page.
LUMINANCE = """() => {
  const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(x => (x / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}"""


@pytest.mark.parametrize("name", pages())
@pytest.mark.parametrize("way", ["at_root", "under_a_path", "as_files"])
def test_a_page_opens_without_error_or_foreign_request(reader, request, way, name):
    home = request.getfixturevalue(way)
    page = reader(home)
    page.goto(f"{home}/{name}")
    settle(page)
    page.wait_for_load_state("networkidle")
    assert page.faults == []
    assert page.title()


@pytest.mark.parametrize("name", pages())
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_accessible(reader, at_root, name, scheme):
    page = reader(at_root, color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"{at_root}/{name}")
    settle(page)
    luminance = page.evaluate(LUMINANCE)
    assert luminance < 0.1 if scheme == "dark" else luminance > 0.9, "the page follows the reader's scheme"
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name.replace('/', '-')}-{scheme}.png", full_page=True)
    # An svg with role="img" is one picture to assistive software; its thousands of parts only take axe's time.
    page.evaluate("document.querySelectorAll('.ravine-picture > svg > *').forEach(part => part.remove())")
    only = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}  # no other rule depends on the scheme
    axe = Axe().run(page, context={"exclude": ["mjx-container"]}, options={"resultTypes": ["violations"], **only})
    grave = {f"{violation['id']}: {node['html'][:200]}" for violation in axe.response["violations"]
             for node in violation["nodes"] if violation["impact"] in ("serious", "critical")}
    assert not grave


@pytest.mark.parametrize("name", pages())
def test_nothing_overflows_a_phone(reader, at_root, name):
    page = reader(at_root, viewport={"width": 375, "height": 800}, has_touch=True, is_mobile=True)
    page.goto(f"{at_root}/{name}")
    settle(page)
    page.screenshot(path=PICTURES / f"{name.replace('/', '-')}-375.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.evaluate(SPILLING) == []


@pytest.mark.parametrize("name", chapters())
def test_a_page_without_javascript_shows_its_pictures(reader, as_files, name):
    page = reader(as_files, java_script_enabled=False)
    page.goto(f"{as_files}/{name}")
    pictures = page.locator(".ravine-figure > svg, .ravine-picture > svg")
    assert pictures.count() >= 2
    for picture in pictures.all():
        box = picture.bounding_box()
        assert box["width"] > 200
        assert box["height"] > 100
        assert picture.get_attribute("aria-label")
    assert page.locator("html").get_attribute("data-theme") == "light", "else the theme has no colours"


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
    notebook = name.replace(".html", ".ipynb")
    text = (html / name).read_text()
    assert f'https://colab.research.google.com/github/ravine-course/ravine/blob/main/{notebook}"' in text
    assert f"https://mybinder.org/v2/gh/ravine-course/ravine/main?urlpath=lab/tree/{notebook}" in text


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
