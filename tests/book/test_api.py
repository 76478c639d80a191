"""The API pages: every public name on exactly one of them, formulas set, examples as code."""

import collections
import html as markup
import importlib
import inspect
import re

import pytest

import api
import ravine as rv

TOP = ("optimizers", "training")  # their names are those of the library itself
MODULES = (*(name for name in rv.__all__ if inspect.ismodule(getattr(rv, name))), *rv._LAZY_MODULES)


def expected():
    """Return the address of every public name: what a module lists, or the functions and classes it defines."""
    names = {f"ravine.{name}" for name in rv.__all__ if not inspect.ismodule(getattr(rv, name))}
    for module in map(importlib.import_module, (f"ravine.{name}" for name in MODULES if name not in TOP)):
        own = [name for name, thing in vars(module).items() if not name.startswith("_")
               and (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__module__ == module.__name__]
        names |= {f"{module.__name__}.{name}" for name in getattr(module, "__all__", own)}
    return names


@pytest.fixture(scope="module")
def entries(html):
    """Return the text of each API page's entries."""
    return {page.stem: page.read_text().partition("<article")[2].partition("</article>")[0]
            for page in sorted((html / "reference/api").glob("*.html"))}


def test_every_public_name_stands_on_exactly_one_page(entries):
    found = collections.Counter(name for text in entries.values() for name in re.findall(r'<dt [^>]*id="(.*?)"', text))
    assert max(found.values()) == 1
    assert expected() <= set(found)
    modules = collections.Counter(name for text in entries.values() for name in re.findall(r'id="module-(.*?)"', text))
    assert modules == {f"ravine.{name}": 1 for name in MODULES}


def test_nothing_is_left_of_the_docstrings_own_marks(entries):
    for page, text in entries.items():
        prose = re.sub(r"<(pre|code|dt)\b.*?</\1>|<[^>]+>", "", text, flags=re.DOTALL)
        left = re.findall(r".{0,40}(?:\$|`|>>>|\*\*|\{py|(?:Args|Raises|Returns|Example|Source):).{0,40}",
                          markup.unescape(prose))
        assert not left, page


def test_every_formula_and_example_of_a_rule_stands_on_the_page(entries):
    docstrings = [inspect.getdoc(getattr(rv, name)) for name in rv.optimizers.__all__]
    assert entries["optimizers"].count('<div class="math ') == sum(text.count("$$") for text in docstrings) // 2
    assert entries["optimizers"].count('"gp">') == sum(
        len(re.findall(r"^ *(>>>|\.\.\.) ", text, re.MULTILINE)) for text in docstrings)


def test_a_docstring_in_markdown():
    text = api.markdown("Return `adam` or `rate`.\n\nArgs:\n    rate: η,\n        a number.\n\nReturns:\n    One.\n\n"
                        "Example:\n    As in `sgd`:\n\n    >>> 1 + 1  # `adam`\n    2\n\n    >>> f(\n    ...     3)\n\n"
                        "Source: here.", "ravine.optimizers", ["rate"])
    assert text == ("Return {py:obj}`adam <ravine.adam>` or `rate`.\n\n**Arguments**\n\n- `rate`: η, a number.\n\n"
                    "**Returns.** One.\n\n**Example**\n\nAs in {py:obj}`sgd <ravine.sgd>`:\n\n\n"
                    "```pycon\n>>> 1 + 1  # `adam`\n2\n```\n\n\n```pycon\n>>> f(\n...     3)\n```\n\n**Source.** here.")
