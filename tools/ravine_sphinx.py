"""The Sphinx extension of the book: what runs when, which scripts a page loads, and mends of the stock theme.

It is named in `_config.yml`, so a plain `jupyter-book build .` has it too.
"""

import hashlib
import os
import re
import shutil
from pathlib import Path

from ahead import run_ahead
from api import Api
from tables import Measured

# What may change what a chapter prints, and what may change how every page looks.
EXECUTION_INPUTS = ("lib/**/*.py", "lib/**/*.js", "lib/**/*.css", "lib/**/*.json", "requirements.txt")
PAGE_INPUTS = ("static/*", "tools/ravine_sphinx.py")
# What the theme writes into every page, and what stands there instead.
THEME = (
    # Where no script runs pages are light; where one does, they have the reader's colours from the start.
    ('(<html[^>]*) data-theme="auto"', r'\1 data-theme="light"'),
    (r'(localStorage\.getItem\("theme"\) \|\|) "auto"',
     r'\1 (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")'),
    # Its style sheet draws the same icons as this megabyte and a half of script.
    (r'<script defer src="[^"]*/fontawesome\.js[^"]*"></script>', ""),
    # For a search field that searches while one types; ours opens the page of results, which has its own.
    (r'<script src="[^"]*_static/searchtools\.js"></script>\s*<script src="[^"]*_static/language_data\.js"></script>\s*'
     r'<script src="[^"]*searchindex\.js"></script>(?=\s*</head>)', ""),
    # All that stands on a page belongs to a part of it with a name, for assistive software: the title on the left, too.
    (r'<div class="sidebar-primary-item">(?=\s*<a class="navbar-brand)',
     '<div class="sidebar-primary-item" role="navigation" aria-label="First page">'),
    ("<summary><span", '<summary aria-label="Show or hide its pages"><span'),
)


def setup(app):
    """Connect the hooks. `RAVINE_BOOK` tells the chapters' cells that no kernel will stand behind the page."""
    os.environ["RAVINE_BOOK"] = "1"
    app.add_config_value("ravine_digest", "", "env")  # when it changes, Sphinx reads every page anew
    app.add_config_value("ravine_look", "", "html")  # when it changes, Sphinx writes every page anew
    app.add_directive("api", Api)
    app.add_directive("measured", Measured)
    app.connect("config-inited", key_the_execution)
    app.connect("builder-inited", write_figures)
    app.connect("env-before-read-docs", run_ahead)
    app.connect("html-page-context", load_figures)
    app.connect("html-page-context", load_formulas)
    app.connect("html-page-context", mend_page, priority=900)  # after the theme's own hooks
    app.connect("build-finished", write_index, priority=100)  # before the table of contents' own
    app.connect("build-finished", mend_theme)
    return {"parallel_read_safe": True}


def digest(source, patterns):
    """Return a hash of the files of these patterns, and of the seed of the chapters' random numbers."""
    total = hashlib.sha256(os.environ.get("RAVINE_SEED", "0").encode())
    for path in sorted(path for pattern in patterns for path in source.glob(pattern)):
        total.update(path.relative_to(source).as_posix().encode() + path.read_bytes())
    return total.hexdigest()[:16]


def key_the_execution(app, config):
    """Give each state of the library its own cache of executed chapters; drop those of other states."""
    config.ravine_digest = digest(Path(app.srcdir), EXECUTION_INPUTS)
    config.ravine_look = digest(Path(app.srcdir), PAGE_INPUTS)
    cache = Path(app.outdir).parent / ".jupyter_cache"
    config.nb_execution_cache_path = str(cache / config.ravine_digest)
    _keep_only(cache, config.ravine_digest)


def write_figures(app):
    """Emit the scripts of the live figures, once for each state of the library, to _static/figures/."""
    folder = Path(app.outdir).parent / "figures"
    _keep_only(folder, app.config.ravine_digest)
    current = folder / app.config.ravine_digest
    if not (current / "figures").exists():
        from ravine import figures

        figures.build(current / "unfinished")
        (current / "unfinished").rename(current / "figures")
    app.config.html_static_path.append(str(current))


def load_figures(app, pagename, templatename, context, doctree):
    """Load the scripts of the figures that a page holds, and none elsewhere; early, since a reader waits for them."""
    from ravine import figures

    if scripts := figures.scripts(context.get("body", "")):
        app.add_css_file("figures/figures.css")
        for script in scripts:
            app.add_js_file(f"figures/{script}", loading_method="defer", priority=100)


def load_formulas(app, pagename, templatename, context, doctree):
    """Load what sets a page's formulas, where it has any. That loads MathJax, when all else stands."""
    if 'class="math ' in context.get("body", ""):
        app.add_js_file("formulas.js", loading_method="defer", priority=600)


def mend_page(app, pagename, templatename, context, doctree):
    """Drop the scripts that stand twice, that no page uses, or that come later; mend the list of references."""
    scripts = {(script.filename or "", script.attributes.get("body")): script for script in context["script_files"]}
    context["script_files"] = [script for key, script in scripts.items() if not re.search("thebe|tex-chtml", str(key))]
    if not Path(app.srcdir, pagename).with_suffix(".ipynb").exists():  # Colab opens no .md
        context["header_buttons"] = [each for each in context["header_buttons"] if each["label"] != "launch-buttons"]
    # docutils puts links between the items of an ARIA list, which assistive software may not read then.
    body = re.sub(r' role="(list|doc-biblioentry|doc-backlink)"', "", context.get("body", ""))
    # The browser lays a picture out only near the view (ravine.css): until then its shape keeps its place.
    context["body"] = re.sub(
        r'(<div class="ravine-picture(?: panels)?")(><svg viewBox="0 0 (\S+) (\S+)"[^>]*?(max-width:\d+px))',
        r'\1 style="aspect-ratio:\3/\4;\5"\2', body)


def write_index(app, exception):
    """Lead from the folder's address to the first page, with an empty icon, else browsers ask for one."""
    if exception is None and app.builder.format == "html":
        first = f"{app.config.root_doc}.html"
        Path(app.outdir, "index.html").write_text(
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{app.config.html_title}</title>'
            f'<meta http-equiv="refresh" content="0; url={first}"><link rel="icon" href="data:,"></head>'
            f'<body><main><a href="{first}">{app.config.html_title}</a></main></body></html>\n'
        )


def mend_theme(app, exception):
    """Mend what the theme writes into every page."""
    if exception is None:
        for page in Path(app.outdir).rglob("*.html"):
            text = page.read_text()
            for pattern, mended in THEME:
                text = re.sub(pattern, mended, text)
            page.write_text(text)
        for script in Path(app.outdir, "_static/scripts").glob("fontawesome.js*"):
            script.unlink()


def _keep_only(folder, name):
    for old in folder.glob("*"):
        if old.name != name:
            shutil.rmtree(old)
