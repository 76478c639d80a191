"""What a live figure is: one drawing in JavaScript, shown as a widget in notebooks and as plain HTML in the book.

A figure consists of `NAME.js`, which draws; of JavaScript traced from the library, which computes; and of a widget
class with the settings. All figures share `kit.js`. Their text is put together here, for two front ends: an ES module
for anywidget, and a classic script for the pages of the book, since pages opened as files may not import modules.
"""

import functools
import html
import json
from importlib import resources
from pathlib import Path
from typing import ClassVar

import anywidget
import traitlets
from IPython.display import display

from ravine import _check
from ravine.notebook import in_book

_WIDGET = "application/vnd.jupyter.widget-view+json"


class Figure(anywidget.AnyWidget):
    """A live figure. A subclass names its module and its settings, and provides `library` and `still`.

    Settings are traits tagged ``setting=True``: they are synced with the page in both directions, and in the book they
    are what the page begins with.

    Attributes:
        module: the name of its JavaScript file.
        caption: what stands under the still picture.
    """

    module: ClassVar[str]
    caption: ClassVar[str]
    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`, traced from Ravine's functions."""
        raise NotImplementedError

    def still(self):
        """Return the text of an `<svg>`: the figure as it opens, for readers without JavaScript and for print."""
        raise NotImplementedError

    @traitlets.default("_esm")
    def _module(self):
        if in_book():  # its pages load the script that `build` writes, but anywidget asks for it all the same
            return ""
        return f"{_text('kit.js')}\n{_library(type(self))}\n{_text(f'{self.module}.js')}"

    @traitlets.default("_css")
    def _style(self):
        return _text("figures.css")

    def open(self):
        """Connect to the notebook's front end; in the book there is none."""
        if not in_book():
            super().open()

    # ipywidgets 7 shows itself through the first of these and ipywidgets 8 through the second. IPython prefers the
    # first wherever it is defined, so both versions come through here.
    def _ipython_display_(self):
        display(self._repr_mimebundle_(), raw=True)

    def _repr_mimebundle_(self, **_):
        if in_book():
            return {"text/html": self.html()}
        return {"text/plain": repr(self),
                _WIDGET: {"version_major": 2, "version_minor": 0, "model_id": self.model_id}}

    def html(self):
        """Return what a page of the book holds: the still picture, in an element that `loader.js` brings to life."""
        settings = {name: getattr(self, name) for name in self.trait_names(setting=True)}
        state = html.escape(json.dumps(settings, sort_keys=True))
        return (f'<div class="ravine-figure" data-module="{self.module}" data-state="{state}">{self.still()}'
                f'<p class="ravine-caption">{html.escape(self.caption)}</p></div>')


def build(figures, folder):
    """Write into `folder` what the pages of the book load: a script for each figure, and what they share.

    Args:
        figures: the classes of the figures.
        folder: a path; made if it is not there.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("loader.js", "figures.css"):
        (folder / name).write_text(_text(name), encoding="utf-8")
    kit = f"(() => {{\n{_text('kit.js')}\nglobalThis.ravine = {{ kit, figures: {{}} }};\n}})();\n"
    (folder / "kit.classic.js").write_text(kit, encoding="utf-8")
    for figure in figures:
        (folder / f"{figure.module}.classic.js").write_text(_classic(figure), encoding="utf-8")


def _classic(figure):
    body, export, exported = _text(f"{figure.module}.js").rpartition("\nexport default ")
    if not export:
        raise ValueError(f"{figure.module}.js must end in a statement 'export default {{ render }};'")
    return (f"ravine.figures.{figure.module} = (() => {{\nconst {{ kit }} = ravine;\n{_library(figure)}\n"
            f"{body}\nreturn {exported.rstrip()}\n}})();\n")


def namespace(sources, members):
    """Return JavaScript that defines the constant `library` from functions and a list of its members."""
    body = "\n".join(sources)
    return f"const library = (() => {{\n{body}\nreturn {{ {members} }};\n}})();"


@functools.cache
def _text(name):
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _library(figure):
    return figure.library()


class Number(traitlets.TraitType):
    """A setting that is a number in an interval; errors name the setting as `ravine._check` does."""

    def __init__(self, default, allowed):
        super().__init__(default)
        self.allowed = allowed
        self.tag(sync=True, setting=True)

    def validate(self, obj, value):
        """Return the value as a float, or raise."""
        return float(_check.number(self.name, value, self.allowed))


class Count(traitlets.TraitType):
    """A setting that is a whole number from 1, or `at_least`, to a limit."""

    def __init__(self, default, at_most, at_least=1):
        super().__init__(default)
        self.at_most, self.at_least = at_most, at_least
        self.tag(sync=True, setting=True)

    def validate(self, obj, value):
        """Return the value as an int, or raise."""
        value = _check.count(self.name, value, at_least=self.at_least)
        if value > self.at_most:
            raise ValueError(f"{self.name} = {value}: must be at most {self.at_most}")
        return value


class Point(traitlets.TraitType):
    """A setting that is a point: a list with one number for each interval."""

    def __init__(self, default, intervals):
        super().__init__(list(default))
        self.intervals = intervals
        self.tag(sync=True, setting=True)

    def validate(self, obj, value):
        """Return the value as a list of floats, or raise."""
        if not hasattr(value, "__len__") or isinstance(value, str) or len(value) != len(self.intervals):
            raise TypeError(f"{self.name} = {value!r}: must be {len(self.intervals)} numbers")
        return [float(_check.number(f"{self.name}[{i}]", entry, allowed))
                for i, (entry, allowed) in enumerate(zip(value, self.intervals, strict=True))]


class Choice(traitlets.TraitType):
    """A setting that is one of a few words."""

    def __init__(self, default, options):
        super().__init__(default)
        self.options = options
        self.tag(sync=True, setting=True)

    def validate(self, obj, value):
        """Return the value, or raise."""
        if not isinstance(value, str) or value not in self.options:
            raise ValueError(f"{self.name} = {value!r}: must be one of {', '.join(self.options)}")
        return value


class Choices(traitlets.TraitType):
    """A setting that is a list of words, each one of the options, none twice."""

    def __init__(self, default, options):
        super().__init__(list(default))
        self.options = options
        self.tag(sync=True, setting=True)

    def validate(self, obj, value):
        """Return the value as a list, or raise."""
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise TypeError(f"{self.name} = {value!r}: must be a list of names")
        for each in value:
            if each not in self.options:
                raise ValueError(f"{self.name} has {each!r}: every entry must be one of {', '.join(self.options)}")
        return list(dict.fromkeys(value))


class NamedNumbers(traitlets.TraitType):
    """A setting that is a dict of numbers in an interval, under some of the names among the options."""

    def __init__(self, options, allowed):
        super().__init__({})
        self.options, self.allowed = options, allowed
        self.tag(sync=True, setting=True)

    def validate(self, obj, value):
        """Return the value as a dict of floats, or raise."""
        if not isinstance(value, dict):
            raise TypeError(f"{self.name} = {value!r}: must be a dict of numbers by name")
        for name in value:
            if name not in self.options:
                raise ValueError(f"{self.name} has {name!r}: every name must be one of {', '.join(self.options)}")
        return {name: float(_check.number(f"{self.name}[{name!r}]", number, self.allowed, scalar=True))
                for name, number in value.items()}
