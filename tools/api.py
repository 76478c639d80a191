"""The API pages: the directive `{api} ravine.schedules` writes the docstrings of a module's public names into a page.

What it makes of them is MyST Markdown, as they nearly are, so their formulas are set as those of the chapters. Its body
may list the names that it takes, and in which order.
"""

import ast
import enum
import functools
import importlib
import inspect
import re
import sys
import textwrap

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

LISTS = {"Args": "Arguments", "Attributes": "Attributes", "Raises": "Raises"}


class Api(SphinxDirective):
    """Put entries for public names of a module on the page."""

    required_arguments = 1
    has_content = True

    def run(self):
        """Return the nodes of the entries."""
        self.env.note_dependency(__file__)  # as it depends on the library: ravine_sphinx.py
        module, holder = self.arguments[0], nodes.Element()
        text = entries(module, list(self.content) or listed(module))
        self.state.nested_parse(StringList(text.splitlines(), module), self.content_offset, holder)
        return holder.children


def public(module):
    """Return the public names of a module: its `__all__`, or the functions, classes and explained values it defines."""
    found = importlib.import_module(module)
    if hasattr(found, "__all__"):
        return found.__all__
    defined = {name for name, thing in vars(found).items() if getattr(thing, "__module__", None) == module}
    return [name for name in vars(found) if name in defined | set(explained(module)) and not name.startswith("_")]


def listed(module):
    """Return the public names of a module, the classes last: mostly what its functions return."""
    return sorted(public(module), key=lambda name: inspect.isclass(getattr(importlib.import_module(module), name)))


@functools.cache
def explained(module):
    """Return the values that a module, or a part of it, explains by a string below them: name to text."""
    importlib.import_module(module)
    parts = [name for name in sys.modules if name == module or name.startswith(f"{module}.")]
    return {name: "\n".join(lines) for part in parts
            for (owner, name), lines in ModuleAnalyzer.for_module(part).find_attr_docs().items() if not owner}


def address(module, name):
    """Return the module under which the book names a thing: `ravine` itself, if it has it too."""
    return "ravine" if name in public("ravine") and module in ("ravine.optimizers", "ravine.training") else module


def entries(module, names):
    """Return the entries of names of a module, in MyST Markdown."""
    return "\n\n".join(entry(module, name) for name in names)


def entry(module, name):
    """Return the entry of one name."""
    thing = getattr(importlib.import_module(module), name)
    if inspect.isclass(thing):
        members = [directive("method", f"{name}.{method}{signature(function, 1)}", address(module, name),
                             prose(function, module), fence=4)
                   for method, function in vars(thing).items()
                   if inspect.isfunction(function) and (method == "__call__" or not method.startswith("_"))
                   and function.__module__ == thing.__module__]
        if issubclass(thing, enum.Enum):
            members.append("\n".join(f"- `{member.name}`: {member.value}" for member in thing))
        return directive("class", name, address(module, name), "\n\n".join([prose(thing, module), *members]))
    if inspect.isfunction(thing):
        return directive("function", f"{name}{signature(thing)}", address(module, name), prose(thing, module))
    return directive("data", name, address(module, name), markdown(explained(module)[name], module))


def directive(kind, head, module, body, fence=5):
    """Return a directive of Sphinx's Python domain: an anchor, an entry of the index, a line of the contents."""
    return f"{'`' * fence}{{py:{kind}}} {head}\n:module: {module}\n\n{body}\n{'`' * fence}"


def signature(function, skipped=0):
    """Return the arguments of a function as its source has them, without the first few."""
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    node.args.args = node.args.args[skipped:]
    return f"({ast.unparse(node.args)})"


def prose(thing, module):
    """Return the docstring of a function or class, in MyST Markdown."""
    arguments = inspect.signature(thing).parameters if inspect.isfunction(thing) else ()
    return markdown(inspect.getdoc(thing), module, arguments)


def markdown(docstring, module, arguments=()):
    """Return a docstring in MyST Markdown: its sections have bold leads, its examples are code, its names lead on."""
    blocks = []
    for block in re.split(r"\n\n+(?=\S)", docstring.strip()):
        head, _, body = block.partition("\n")
        section = head.removesuffix(":")
        if section in LISTS and head != section:
            items = re.split(r"\n(?=\S)", textwrap.dedent(body).strip("\n"))
            blocks.append(f"**{LISTS[section]}**\n\n" + "\n".join(map(_item, items)))
        elif section in ("Returns", "Example") and head != section:
            blocks.append(f"**{section}.** " + textwrap.dedent(body) if section == "Returns"
                          else f"**{section}**\n\n{textwrap.dedent(body)}")
        else:
            blocks.append(re.sub(r"\bSource:", "**Source.**", block))
    # A line of an example is code, and no name in code leads on.
    parts = re.split(r"((?:^(?:>>>|\.\.\.)(?: .*)?\n?(?:(?!\n|>>>).+\n?)*)+)", "\n\n".join(blocks), flags=re.MULTILINE)
    return "".join(f"\n```pycon\n{part.rstrip()}\n```\n" if part.startswith(">>>") else _linked(part, module, arguments)
                   for part in parts)


def _item(text):
    name, _, words = text.partition(": ")
    words = " ".join(line.strip() for line in words.splitlines())
    return f"- `{name}`: {words}"


def _linked(text, module, arguments):
    """Lead from each public name between single backticks to its entry, unless it is an argument here."""
    def link(found):
        name = found[1]
        where, _, last = name.rpartition(".")
        for home in (where,) if where else (module, "ravine"):
            if last not in arguments and home.startswith("ravine") and home in sys.modules and last in public(home):
                return f"{{py:obj}}`{last if not where else name} <{address(home, last)}.{last}>`"
        return found[0]

    return re.sub(r"(?<![`}])`(\w[\w.]*)`(?!`)", link, text)
