"""What a chapter's cell shows: pictures that follow the theme, sentences with their numbers, panels."""

import re
import xml.etree.ElementTree as ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest

from ravine import notebook, plotting


@pytest.fixture
def shown(monkeypatch):
    """Collect what is displayed."""
    bundles = []
    monkeypatch.setattr(notebook, "display", lambda bundle, raw=False: bundles.append(bundle))
    return bundles


def a_figure():
    figure, ax = plotting.figure()
    ax.plot([0, 1], [0, 1])
    ax.set_title("A title")
    return figure


def test_a_picture_takes_the_pages_colour_and_speaks(shown):
    notebook.show(a_figure(), alt='A "line" < 2')
    markup = shown[0]["text/html"]
    assert "currentColor" in markup
    assert plotting.INK not in markup
    assert "#ffffff" not in markup
    svg = ElementTree.fromstring(markup[markup.index("<svg"):markup.rindex("</div>")])
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == 'A "line" < 2'
    assert shown[0]["text/plain"] == 'A "line" < 2'
    assert not plt.get_fignums(), "a shown figure is closed, so that nothing draws it again"


def test_two_pictures_share_no_id():
    ids = [set(re.findall(r'\bid="([^"]+)"', notebook.svg(a_figure(), "same"))) for _ in range(2)]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_every_reference_in_a_picture_resolves():
    text = notebook.svg(a_figure(), "a line")
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', text)) <= set(re.findall(r'\bid="([^"]+)"', text))


def panels_of(markup):
    """Return the whole picture's width, and the left and right end of each panel."""
    (width, _), *panels = ((float(width), float(left)) for left, width in re.findall(
        r'<svg [^>]*viewBox="(\S+) 0(?:\.0)? (\S+) ', markup))
    return width, [(left, left + width) for width, left in panels]


def frames_of(markup):
    """Return the left and right end of every axes' frame."""
    paths = re.findall(r'id="\S+axes_\d+">\s*<g id="\S+patch_\d+">\s*<path d="([^"]*)"', markup)
    ends = [[float(x) for x in re.findall(r"[ML] (\S+)", path)] for path in paths]
    return [(min(xs), max(xs)) for xs in ends]


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_panels_side_by_side_come_one_by_one_for_narrow_pages(shown, layout):
    figure, axes = plotting.figure(3, width=12, layout=layout)
    axes[0].imshow([[1, 2], [3, 4]])
    axes[1].plot([0, 1], [0, 1])
    axes[2].plot([0, 1], [0, 1])
    figure.colorbar(axes[0].images[0], ax=axes[0])
    notebook.show(figure, alt="three panels, one with a bar of colours")
    markup = shown[0]["text/html"]
    assert markup.startswith('<div class="ravine-picture panels">')
    assert markup.count('style="display:none;') == 3
    width, panels = panels_of(markup)
    frames = frames_of(markup)
    assert [panels[0][0], panels[-1][1]] == pytest.approx([0, width], abs=0.1)
    assert [stop for _, stop in panels[:-1]] == pytest.approx([start for start, _ in panels[1:]], abs=0.2)
    assert len(frames) == 4
    held = [[start < low and high < stop for low, high in frames] for start, stop in panels]
    assert sorted(sum(row) for row in held) == [1, 1, 2]
    assert held[0].count(True) == 2, "the bar of colours is beside its panel"
    (whole,) = set(re.findall(r'<use href="#(\S+)"/></svg>', markup))
    assert f'id="{whole}"' in markup


def test_what_belongs_to_all_panels_is_not_cut(shown):
    for options in ({}, {"sharey": True}, {"title": "Both"}):
        title = options.pop("title", None)
        figure, _ = plotting.figure(2, **options)
        if title:
            figure.suptitle(title)
        notebook.show(figure, alt="two panels")
    cut = [bundle["text/html"].startswith('<div class="ravine-picture panels">') for bundle in shown]
    assert cut == [True, False, False]


def test_a_picture_needs_words():
    with pytest.raises(ValueError, match="alt"):
        notebook.show(a_figure(), alt=" ")


@pytest.mark.parametrize(("template", "numbers", "sentence"), [
    ("after {steps} steps", {"steps": 1000}, "after 1000 steps"),
    ("{x} and {y:.1f}", {"x": 0.123456, "y": 2.26}, "0.123 and 2.3"),
    ("{x}", {"x": 1.234e-7}, r"$1.23\times 10^{-7}$"),
    ("{x}", {"x": 1e-5}, "$10^{-5}$"),
    (r"$\frac{1}{2} = {x}$", {"x": 2.5e-9}, r"$\frac{1}{2} = 2.5\times 10^{-9}$"),
    ("{n:,d} {word}", {"n": 47784, "word": "steps"}, "47,784 steps"),
    ("{x}", {"x": np.float32(0.5)}, "0.5"),
    ("{x}", {"x": np.array(3)}, "3"),
])
def test_seen_puts_numbers_into_a_sentence(shown, template, numbers, sentence):
    notebook.seen(template, **numbers)
    assert shown[0]["text/markdown"] == f"> **What you should have seen.** {sentence}"


def test_seen_misses_no_number():
    with pytest.raises(ValueError, match="stpes"):
        notebook.seen("after {steps} steps", stpes=3)


def test_a_panel_on_a_page_is_its_picture(shown, monkeypatch):
    monkeypatch.setenv("RAVINE_BOOK", "1")
    notebook.panel(lambda slope=2.0: a_figure(), alt="a line", slope=(0.0, 4.0, 0.1))
    assert len(shown) == 1
    assert "<svg" in shown[0]["text/html"]


def test_a_panel_in_a_kernel_runs_its_experiment_again(shown, monkeypatch):
    monkeypatch.delenv("RAVINE_BOOK", raising=False)
    slopes = []

    def experiment(slope=2.0, steps=50):
        slopes.append((slope, steps))
        return a_figure()

    displayed = []

    def display(item, raw=False):
        displayed.append(item)
        getattr(item, "_ipython_display_", lambda: None)()  # ipywidgets 7 runs it first when shown, 8 when made

    monkeypatch.setattr(notebook, "display", display)
    notebook.panel(experiment, alt="a line", slope=(0.0, 4.0, 0.1), steps=[50, 100])
    (widget,) = (item for item in displayed if not isinstance(item, dict))  # the others are pictures
    widget.children[0].value = 3.0
    widget.children[1].value = 100
    assert slopes == [(2.0, 50), (3.0, 50), (3.0, 100)]
    assert not widget.children[0].continuous_update


def test_the_seed_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv("RAVINE_SEED", raising=False)
    assert notebook.seed() == 0
    monkeypatch.setenv("RAVINE_SEED", "4")
    assert notebook.seed() == 4
