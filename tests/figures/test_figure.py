"""What every live figure has in common: its scripts, its widget, its place in a page of the book."""

import gzip
import html
import json
import re

import pytest
from driving import PICTURE, nudge, picture
from pages import settled

import ravine as rv
from ravine.figures import ALL, _figure

VIEW = "application/vnd.jupyter.widget-view+json"
MAKERS = [getattr(rv.figures, figure.module) for figure in ALL]
each_figure = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)


@pytest.fixture
def book(monkeypatch):
    monkeypatch.setenv("RAVINE_BOOK", "1")


@pytest.fixture
def notebook(monkeypatch):
    monkeypatch.delenv("RAVINE_BOOK", raising=False)


def shown(monkeypatch, figure):
    """Return the MIME bundle that a notebook gets for a figure, however its version of ipywidgets asks."""
    bundles = []
    monkeypatch.setattr(_figure, "display", lambda bundle, raw: bundles.append(bundle))
    figure._ipython_display_()
    (bundle,) = bundles
    assert set(bundle) == set(figure._repr_mimebundle_(include=None, exclude=None))
    return bundle


def test_build_writes_classic_scripts_for_all_figures(site):
    scripts = {path.name for path in site.folder.iterdir() if path.suffix != ".html"}
    assert scripts == {"loader.js", "figures.css", "kit.classic.js", *(f"{f.module}.classic.js" for f in ALL)}
    for path in site.folder.glob("*.js"):
        code = re.sub(r"/\*.*?\*/|//.*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"^\s*(import|export)\b|\bimport\(|\bfetch\(", code, re.MULTILINE), path


def test_the_javascript_of_a_page_is_small(site):
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in site.folder.glob("*.js")}
    shared = sizes.pop("loader.js") + sizes.pop("kit.classic.js")
    for name, size in sizes.items():
        assert shared + size < 60_000, name


@each_figure
def test_book_gets_html_and_nothing_else(make, book, monkeypatch):
    figure = make()
    bundle = shown(monkeypatch, figure)
    assert list(bundle) == ["text/html"]
    assert figure.comm is None  # or the page would hold the widget's state, script included
    text = bundle["text/html"]
    assert f'<div class="ravine-figure" data-module="{figure.module}"' in text
    state = json.loads(html.unescape(re.search(r'data-state="([^"]*)"', text).group(1)))
    assert state == {name: getattr(figure, name) for name in figure.trait_names(setting=True)}
    assert text.index("<svg") < text.index(html.escape(figure.caption[:20]))


@each_figure
def test_notebook_gets_a_widget(make, notebook, monkeypatch):
    figure = make()
    bundle = shown(monkeypatch, figure)
    assert set(bundle) == {"text/plain", VIEW}
    assert bundle[VIEW]["model_id"] == figure.model_id
    assert figure._esm.rstrip().endswith(";")
    assert figure._esm.count("\nexport default {") == 1
    assert "import " not in re.sub(r"/\*.*?\*/|//.*", "", figure._esm, flags=re.DOTALL)
    assert ".ravine-live" in figure._css


@each_figure
def test_settings_are_synced(make, notebook):
    figure = make()
    settings = set(figure.trait_names(setting=True))
    assert settings
    assert settings | {"_esm", "_css"} <= set(figure.get_state())


@each_figure
def test_traced_once_a_process(make, notebook, monkeypatch):
    first = make()._esm
    monkeypatch.setattr(type(make()), "library", None)
    assert make()._esm == first


@each_figure
def test_still_pictures_stand_side_by_side(make):
    one, other = make().still(), make().still()
    assert one.startswith("<svg")
    assert 'role="img"' in one
    assert "currentColor" in one
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]


FRONT_END = """async ([script, style, state]) => {
  document.head.append(Object.assign(document.createElement('style'), { textContent: style }));
  const handlers = [];
  window.saved = [];
  window.model = {
    get: key => state[key],
    set(key, value) { state[key] = value; for (const handler of handlers) handler(); },
    on: (event, handler) => handlers.push(handler),
    off() { handlers.length = 0; },
    save_changes() { saved.push({ ...state }); },
  };
  const module = await import(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })));
  window.stop = await module.default.render({ model, el: document.body.appendChild(document.createElement('div')) });
}"""


@each_figure
def test_module_runs_as_anywidget_runs_it(make, notebook, visit):
    figure = make()
    state = {name: getattr(figure, name) for name in figure.trait_names(setting=True)}
    page = visit("about:blank")
    page.evaluate(FRONT_END, [figure._esm, figure._css, state])
    page.wait_for_function("document.querySelector('.summary').textContent !== ''")
    settled(page)
    before = picture(page)
    nudge(page.locator("input[type=range]").nth(1))  # the first may be the timeline
    page.wait_for_function("saved.length > 0")
    (key,) = (key for key, value in page.evaluate("saved.at(-1)").items() if value != state[key])
    setattr(figure, key, page.evaluate(f"saved.at(-1).{key}"))
    page.evaluate("([key, value]) => model.set(key, value)", [key, state[key]])  # Python takes it back
    page.wait_for_function(f"before => ({PICTURE})() === before", arg=before)
    assert "#" not in page.url  # the address belongs to the notebook
    page.evaluate("stop()")
    page.evaluate("([key, value]) => model.set(key, value)", [key, getattr(figure, key)])
    page.wait_for_timeout(100)
    assert picture(page) == before


def test_follows_every_front_ends_theme(notebook, visit):
    figure = rv.figures.momentum()
    state = {name: getattr(figure, name) for name in figure.trait_names(setting=True)}
    page = visit("about:blank", color_scheme="dark")
    page.evaluate(FRONT_END, [figure._esm, figure._css, state])
    dark = page.locator(".ravine-live[data-dark]")
    assert dark.count() == 1  # as the reader's system says, where no front end says otherwise
    for owner, attribute, light, night in [
        ("documentElement", "theme", "light", "dark"),  # Colab
        ("body", "data-jp-theme-light", "true", "false"),  # JupyterLab
        ("documentElement", "data-theme", "light", "dark"),  # the book
    ]:
        for value, expected in ((light, 0), (night, 1)):
            page.evaluate(f"document.{owner}.setAttribute('{attribute}', '{value}')")
            page.wait_for_function(f"document.querySelectorAll('[data-dark]').length === {expected}")


def test_page_without_figure_loads_nothing(site, visit):
    page = visit(site.write("empty"))
    page.wait_for_load_state()
    loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name.split('/').pop())")
    assert [name for name in loaded if name.endswith((".js", ".css"))] == []
    assert page.evaluate("typeof ravine") == "undefined"


def test_still_picture_stays_when_the_script_fails(site, visit):
    broken = rv.figures.momentum().html().replace('data-module="momentum"', 'data-module="missing"')
    page = visit(site.write("broken", text=broken), quiet=False)
    page.wait_for_timeout(300)
    assert page.locator(".ravine-figure > svg").is_visible()
    assert page.locator(".ravine-live").count() == 0


def contrast(one, other):
    def luminance(colour):
        parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def palettes():
    css = _figure._text("figures.css")
    rules = re.findall(r"^\.ravine-live(?:\[data-dark\])? \{(.*?)\}", css, re.DOTALL | re.MULTILINE)
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6})", rule)) for rule in rules)
    return {"light": light, "dark": light | dark}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_contrast(theme):
    palette = palettes()[theme]
    for text in ("ink", "soft", *(name for name in palette if name.startswith("hue-"))):
        assert contrast(palette[text], palette["paper"]) >= 4.5, text
    assert contrast(palette["focus"], palette["paper"]) >= 3
    for band in (name for name in palette if name.startswith("band-")):
        assert contrast(palette["ink"], palette[band]) >= 4.5, band
        for line in ("hue-0", "hue-4"):
            assert contrast(palette[line], palette[band]) >= 3, (line, band)
