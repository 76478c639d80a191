"""Which pages the book has, and when one is ready to be read."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build/html"


def pages():
    """Return the names of all pages: those of the table of contents, and those that Sphinx adds."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    written = [page["file"] for part in toc["parts"] for chapter in part["chapters"]
               for page in (chapter, *chapter.get("sections", ()))]
    return [f"{name}.html" for name in (toc["root"], *written, "genindex", "py-modindex", "search")]


def chapters():
    """Return the names of the pages of the chapters."""
    return [name for name in pages() if name.startswith("chapters/")]


def settle(page):
    """Wait until the page's formulas and figures stand."""
    page.wait_for_load_state("load")
    page.wait_for_function("() => !document.querySelector('.math:not(:has(mjx-container))')")
    page.wait_for_function("() => [...document.querySelectorAll('.ravine-figure')].every(f => f.matches('.is-live'))")
