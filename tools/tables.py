"""The directive `{measured} growth` puts a table of `reference/performance.json`, which `make bench` writes, on a page.

Two names are no tables: `made` says where and when it was measured, `aims` what was asked for.
"""

import json
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

DATA = Path(__file__).resolve().parents[1] / "reference/performance.json"


class Measured(SphinxDirective):
    """Put a table on the page."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        """Return the nodes of the table."""
        for path in (DATA, __file__):
            self.env.note_dependency(str(path))
        text, holder = markdown(json.loads(DATA.read_text(encoding="utf-8")), self.arguments[0]), nodes.Element()
        self.state.nested_parse(StringList(text.splitlines(), DATA.name), self.content_offset, holder)
        return holder.children


def markdown(data, name):
    """Return what the data have under this name, in Markdown."""
    if name == "made":
        made = dict(data["made"])
        date, processor, cores, load = (made.pop(key) for key in ("date", "processor", "cores", "load"))
        versions = ", ".join(f"{package} {version}" for package, version in made.items())
        return f"Measured on {date}, on {cores} cores of {processor}, at a load of {load} before, with {versions}."
    if name == "aims":
        rows = [[what, aim, value, "yes" if met else "**no**"] for what, aim, value, met in data["aims"]]
        return table(["what", "aim", "measured", "met"], rows)
    return table(**data["tables"][name])


def table(columns, rows):
    """Return a table in Markdown; numbers stand to the right."""
    def line(cells):
        return f"| {' | '.join(cells)} |"

    numbers = [any(isinstance(row[i], (int, float)) for row in rows) for i in range(len(columns))]
    return "\n".join([line(columns), line(["--:" if right else ":--" for right in numbers]),
                      *(line(map(cell, row)) for row in rows)])


def cell(value):
    """Return a value as a table has it: three digits of a number, and a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else value
