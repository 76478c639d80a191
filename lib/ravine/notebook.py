"""What a cell of a chapter shows: a figure, a sentence with its numbers, a panel that drives an experiment.

In the book (`RAVINE_BOOK=1`, no kernel behind the page) a panel shows only its picture, never a dead slider.
"""

import html
import io
import itertools
import os
import re

from IPython.display import display

from ravine.plotting import INK

NARROWEST = 0.15  # of the width: what is narrower is no panel but a bar of colours beside one
_numbering = itertools.count(1)


def in_book():
    """Return whether this cell runs to become a static page."""
    return os.environ.get("RAVINE_BOOK") == "1"


def seed():
    """Return the seed of this chapter's random numbers: 0, or what the environment's `RAVINE_SEED` says."""
    return int(os.environ.get("RAVINE_SEED", "0"))


def show(figure, alt):
    """Show a matplotlib figure as inline SVG that reads on a light and on a dark page, and close it.

    Panels that stand side by side come a second time, each as an `<svg class="panel">` that is not displayed: where a
    page is narrow the book's style sheet shows them below each other, instead of the whole.

    Args:
        figure: a `matplotlib.figure.Figure` in the style of `ravine.plotting`.
        alt: what the picture shows, in words, for whoever cannot see it.

    Raises:
        ValueError: `alt` is empty.
    """
    if not alt.strip():
        raise ValueError("alt = '': say in words what the picture shows")
    cuts = _cuts(figure)
    picture = svg(figure, alt)
    if cuts:
        _display(f'<div class="ravine-picture panels">{picture}{_panels(picture, cuts)}</div>', alt)
    else:
        _display(f'<div class="ravine-picture">{picture}</div>', alt)


def _cuts(figure):
    """Return where to cut a picture, from top to bottom, into panels that need no other: shares of its width."""
    import matplotlib.pyplot as plt

    if len(figure.axes) < 2 or figure.texts or figure.legends:  # these may belong to all panels
        return []
    figure.draw_without_rendering()  # which lays it out
    left, right = figure.get_tightbbox().padded(plt.rcParams["savefig.pad_inches"]).intervalx  # as `svg` crops it
    spans = {ax: ax.get_tightbbox().intervalx / figure.dpi for ax in figure.axes if ax.get_visible()}
    cuts, passed, end = [], [], left
    for ax in sorted(spans, key=lambda ax: spans[ax][0]):
        start, stop = spans[ax]
        reads = any(ax.get_shared_y_axes().joined(ax, other) for other in passed)  # its heights at another's left
        if passed and start > end and not reads and stop - start > NARROWEST * (right - left):
            cuts.append(((start + end) / 2 - left) / (right - left))
        passed.append(ax)
        end = max(end, stop)
    return cuts


def _panels(picture, cuts):
    """Return what lies between the cuts, each as an `<svg>` that draws its part of the picture, not displayed."""
    width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', picture).groups())
    whole = re.search(r'id="(\S+)"', picture).group(1)
    return "".join(
        f'<svg class="panel" viewBox="{width * start:.1f} 0 {width * (stop - start):.1f} {height}" aria-hidden="true" '
        f'style="display:none;--width:{_pixels(width * (stop - start))}px"><use href="#{whole}"/></svg>'
        for start, stop in itertools.pairwise([0, *cuts, 1]))


def _pixels(points):
    return round(points * 4 / 3)


def svg(figure, alt):
    """Return a matplotlib figure as the text of an `<svg>` element, and close the figure.

    Whatever is drawn in `ravine.plotting.INK` takes the colour of the text around it; ids are unique on the page.
    """
    import matplotlib.pyplot as plt

    buffer = io.StringIO()
    with plt.rc_context({"svg.fonttype": "path", "svg.hashsalt": "ravine"}):
        figure.savefig(buffer, format="svg", transparent=True, bbox_inches="tight",
                       metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    plt.close(figure)
    text = buffer.getvalue()
    text = text[text.index("<svg"):].replace(INK, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'\bd="[^"]*"', lambda d: re.sub(r"(\.\d\d)\d+", r"\1", d.group()), text)   # finer than any screen
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>rv{next(_numbering)}-", text)
    width = _pixels(float(re.search(r'width="([\d.]+)pt"', text).group(1)))
    return re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>',
                  rf'<svg \1 xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
                  rf'aria-label="{html.escape(alt)}" style="width:100%;max-width:{width}px;height:auto">',
                  text, count=1)


def seen(template, **numbers):
    r"""Show the sentence `template` with measured numbers in it, as Markdown.

    ``{name}`` stands for the number of that name with three significant digits, ``{name:.1f}`` for another format.
    Other braces are left alone, so that mathematics needs no doubling: ``$\frac{1}{2}$`` stays.

    Args:
        template: Markdown with $…$ mathematics.
        **numbers: plain numbers (arrays of one number will do) or words.

    Raises:
        ValueError: a number does not occur in the template.
    """
    unused = set(numbers)

    def fill(match):
        name, form = match.group(1, 2)
        if name not in numbers:
            return match.group()
        unused.discard(name)
        inside_maths = template.count("$", 0, match.start()) % 2 == 1
        return _format(numbers[name], form, inside_maths)

    text = re.sub(r"\{(\w+)(?::([^{}]*))?\}", fill, template)
    if unused:
        raise ValueError(f"{', '.join(sorted(unused))}: given, but the template has no {{{min(unused)}}}")
    text = f"**What you should have seen.** {text}"
    display({"text/markdown": "\n".join(f"> {line}" for line in text.splitlines()), "text/plain": text}, raw=True)


def _format(value, form, inside_maths):
    if isinstance(value, str):
        return value
    value = value.item() if hasattr(value, "item") else value
    text = format(value, form or ("d" if isinstance(value, int) else ".3g"))
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text
    power = rf"10^{{{int(exponent)}}}"
    maths = power if mantissa == "1" else rf"{mantissa}\times {power}"
    return maths if inside_maths else f"${maths}$"


def panel(experiment, alt, **controls):
    """Show an experiment with controls for its arguments; each change runs it again in the kernel.

    In the book, where there is no kernel, its picture for the default arguments stands alone.

    Args:
        experiment: a function of keyword arguments with defaults that returns a matplotlib figure.
        alt: what the picture shows, in words.
        **controls: for each argument what `ipywidgets.interact` understands: ``(low, high, step)`` or a list.
    """
    def run(**values):
        show(experiment(**values), alt)

    if in_book():
        run()
        return
    import inspect

    import ipywidgets

    run.__signature__ = inspect.signature(experiment)
    widget = ipywidgets.interactive(run, **controls)
    for control in widget.children[:-1]:
        control.continuous_update = False
    display(widget)


def _display(markup, plain):
    display({"text/html": markup, "text/plain": plain}, raw=True)
