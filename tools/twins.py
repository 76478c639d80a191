"""Write the notebook of each chapter for Colab and Jupyter, its twin: `python tools/twins.py [--check]`.

Colab shows MyST roles and directives raw. So the chapters keep to a closed list of them, and each has a plain Markdown
form here; anything else is an error that names the file, the line and the construct. What the twins, README.md and
CITATION.cff say about the repository comes from `_config.yml`.
"""

import hashlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml
from jupytext.myst import myst_to_notebook
from markdown_it import MarkdownIt
from pybtex.database import parse_file
from pybtex.richtext import Text

INSTALL = """\
#@title First, in Colab: install the course's library
import sys

if "google.colab" in sys.modules:
    %pip install --quiet "ravine @ git+{repository}@{branch}"
"""
SEEN = "#@title What you should have seen\n"
# What README.md holds between `<!-- name -->` and `<!-- /name -->`.
BLOCKS = {
    "ways": """\
**[Read the book]({site})** ·
[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})
[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})
""",
    "install": """\
```
pip install "ravine @ git+{repository}@{branch}"
```
""",
}
BLOCK = re.compile(r"(?<=<!-- )(?P<name>\w+) -->\n.*?(?=<!-- /(?P=name) -->)", re.DOTALL)
ADDRESS = re.compile(r"^(repository-code|url): .*$", re.MULTILINE)  # in CITATION.cff

ADMONITIONS = {"admonition", "hint", "important", "note", "seealso", "tip", "warning"}
FENCE = re.compile(r"(?P<fence>`{3,}|~{3,}|:{3,})(?:\{(?P<name>[^}]*)\}[ ]*(?P<argument>.*)|.*)")
LABEL = re.compile(r"\([\w.:-]+\)=\s*")
OPTION = re.compile(r":(?P<key>[\w-]+):[ ]*(?P<value>.*)")
# What stands in a paragraph, in the order in which it is tried at each place; a code span hides all the others.
INLINE = re.compile(
    r"(?P<bad>\\?\{\{|\[\^|\]\[|\{[#.%][^}]*\}|^[ ]*:::+|^[ ]*```+\{|^%)"
    r"|\{(?P<role>[a-zA-Z][\w:.+-]*)\}(?P<tick>`+)(?P<content>.+?)(?P=tick)"
    r"|(?P<code>(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|\$\$(?P<display>.+?)\$\$(?:[ \t]*\((?P<equation>[\w.:-]+)\)[ \t]*$)?"
    r"|(?P<maths>(?<!\\)\$(?!\s).+?(?<!\\)\$)"
    r"|(?P<image>!?)\[(?P<words>[^\]]*)\]\((?P<target>[^)]*)\)",
    re.DOTALL | re.MULTILINE,
)


class TwinError(Exception):
    """A chapter holds something that has no plain Markdown form."""


@dataclass(frozen=True)
class Book:
    """What the twins take from the book around them: its folder, its repository, its address and its references."""

    root: Path
    repository: str
    branch: str
    site: str
    references: dict

    @classmethod
    def read(cls, root):
        """Read `_config.yml` and the bibliography that it names."""
        config = yaml.safe_load((root / "_config.yml").read_text())
        repository = config["repository"]["url"].rstrip("/")
        owner, name = repository.split("/")[-2:]
        site = config.get("html", {}).get("baseurl") or f"https://{owner}.github.io/{name}"
        references = {}
        for file in config["bibtex_bibfiles"]:
            references.update(parse_file(root / file).entries)
        return cls(root, repository, config["repository"]["branch"], site.rstrip("/"), references)

    def page(self, path):
        """Return the published address of a page, given its source."""
        return f"{self.site}/{path.relative_to(self.root).with_suffix('.html').as_posix()}"

    def colab(self, path):
        """Return the address at which Colab opens a notebook of the repository."""
        notebook = path.relative_to(self.root).as_posix()
        return f"https://colab.research.google.com/github/{self.place}/blob/{self.branch}/{notebook}"

    def binder(self, path):
        """Return the address at which Binder opens a notebook of the repository in JupyterLab."""
        notebook = path.relative_to(self.root).as_posix()
        return f"https://mybinder.org/v2/gh/{self.place}/{self.branch}?urlpath=lab/tree/{notebook}"

    @property
    def place(self):
        """The repository's owner and name, as Colab and Binder spell them."""
        return self.repository.removeprefix("https://github.com/")


def written(root):
    """Return all that this program writes for the book in `root`, as {path: text}."""
    book = Book.read(root)
    chapters = sorted(root.glob("chapters/*.md"))
    files = {path.with_suffix(".ipynb"): nbformat.writes(twin(path, book)) + "\n" for path in chapters}
    readme = root / "README.md"
    if readme.exists():
        facts = vars(book) | {"colab": book.colab(min(files)), "binder": book.binder(min(files))}
        files[readme] = BLOCK.sub(lambda block: f"{block['name']} -->\n{BLOCKS[block['name']].format(**facts)}",
                                  readme.read_text())
    citation = root / "CITATION.cff"
    if citation.exists():
        addresses = {"repository-code": book.repository, "url": book.site}
        files[citation] = ADDRESS.sub(lambda line: f"{line[1]}: {addresses[line[1]]}", citation.read_text())
    return files


def twin(path, book):
    """Return the notebook of the chapter at `path`: no outputs, and the same ids each time."""
    text = path.read_text()
    source, lines = myst_to_notebook(text, add_source_map=True), text.splitlines()
    form = {"cellView": "form"}
    cells = [nbformat.v4.new_code_cell(INSTALL.format(**vars(book)).rstrip(), metadata=form)]
    for cell, line in zip(source.cells, source.metadata["source_map"], strict=True):
        if cell.cell_type == "code":
            if cell.source.startswith("rv.seen("):
                cell.source = SEEN + cell.source
                cell.metadata.update(form)
            cells.append(cell)
            continue
        while not lines[line]:  # jupytext leaves out the blank lines at which a cell begins
            line += 1
        if plain := Chapter(path, book).plain(cell.source.splitlines(), line + 1):
            cells.append(nbformat.v4.new_markdown_cell(plain))
    seen = {}
    for cell in cells:
        name = hashlib.sha256(f"{cell.cell_type}:{cell.source}".encode()).hexdigest()[:12]
        seen[name] = seen.get(name, 0) + 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"
    metadata = {"kernelspec": source.metadata["kernelspec"], "language_info": {"name": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


@dataclass(frozen=True)
class Chapter:
    """Turns the Markdown of one chapter into plain Markdown."""

    path: Path
    book: Book

    def plain(self, lines, number):
        """Return `lines`, of which the first is line `number` of the file, without MyST."""
        parts, paragraph, i = [], [], 0

        def end_paragraph():
            if paragraph:
                parts.append(self.prose("\n".join(paragraph), number + i - len(paragraph)))
                paragraph.clear()

        while i < len(lines):
            if opening := FENCE.match(lines[i]):
                end_paragraph()
                end = self.closing(lines, i, opening, number)
                if opening["name"] is None:
                    parts.append("\n".join(lines[i : end + 1]))
                else:
                    parts.append(self.directive(opening["name"], opening["argument"], lines[i + 1 : end], number + i))
                i = end
            elif not lines[i].strip() or LABEL.fullmatch(lines[i]):
                end_paragraph()
            else:
                paragraph.append(lines[i])
            i += 1
        end_paragraph()
        return "\n\n".join(part for part in parts if part)

    def closing(self, lines, start, opening, number):
        """Return the index of the line that closes the fence, for a solution that of its `solution-end`."""
        rest = enumerate(lines[start + 1 :], start + 1)
        if opening["name"] == "solution-start":
            end = next((i for i, line in rest if re.match(r"[`:]{3,}\{solution-end\}", line)), None)
            if end is None:
                raise self.error(number + start, "solution-start without a solution-end before the next cell")
            return self.closing(lines, end, FENCE.match(lines[end]), number)
        fence = opening["fence"]
        end = next((i for i, line in rest if re.fullmatch(f"{fence[0]}{{{len(fence)},}}\\s*", line)), None)
        if end is None:
            raise self.error(number + start, f"{lines[start].strip()} is not closed")
        return end

    def directive(self, name, argument, body, number):
        """Return the plain form of a directive whose fence opens at line `number`."""
        options = {}
        while body and (option := OPTION.fullmatch(body[0])):
            options[option["key"]] = option["value"]
            body, number = body[1:], number + 1
        if name in ("exercise-end", "literalinclude", "solution", "solution-start"):
            return ""
        if name not in ADMONITIONS | {"dropdown", "exercise", "exercise-start"}:
            raise self.error(number - len(options), f"directive {{{name}}}")
        if name in ADMONITIONS - {"admonition"} and argument:
            body, argument, number = [argument, *body], "", number - 1
        title = self.prose(argument, number)
        text = self.plain(body, number + 1)
        if name.startswith("exercise"):
            return "\n\n".join(filter(None, ["### Exercise" + (f": {title}" if title else ""), text]))
        if name == "dropdown" or "dropdown" in options.get("class", ""):
            summary = MarkdownIt().renderInline(title)
            return f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>" if text else ""
        lead = f"**{title or name.capitalize()}.**"
        return "\n".join(f"> {line}".rstrip() for line in f"{lead}\n\n{text}".splitlines())

    def prose(self, text, number):
        """Return the plain form of a paragraph that begins at line `number`."""

        def replace(found):
            line = number + text.count("\n", 0, found.start())
            if found["bad"]:
                raise self.error(line, f"{found['bad'].strip()} …")
            if found["role"]:
                return self.role(found["role"], found["content"], line)
            if found["display"] and found["equation"]:
                end = "\n" if found["display"].endswith("\n") else ""
                return f"$${found['display'].rstrip()} \\tag{{{_equation(found['equation'])}}}{end}$$"
            if found["target"] is not None:
                return self.link(found, line)
            return found[0]

        return INLINE.sub(replace, text)

    def role(self, name, content, line):
        """Return the plain form of a role."""
        if name == "eq":
            return f"({_equation(content)})"
        if name not in ("cite:p", "cite:t"):
            raise self.error(line, f"role {{{name}}}")
        works = [self.work(key.strip(), line) for key in content.split(",")]
        if name == "cite:t":
            return ", ".join(f"[{authors} ({year})]({address})" for authors, year, address in works)
        return "(" + "; ".join(f"[{authors}, {year}]({address})" for authors, year, address in works) + ")"

    def work(self, key, line):
        """Return the authors, the year and the address of the reference `key`."""
        if key not in self.book.references:
            raise self.error(line, f"reference {key}, which the bibliography does not have")
        entry = self.book.references[key]
        fields = entry.fields
        address = f"https://doi.org/{fields['doi']}" if "doi" in fields else fields.get("url")
        if not address:
            raise self.error(line, f"reference {key}, which has neither a doi nor a url")
        names = [Text.from_latex(" ".join(person.last_names)).render_as("text") for person in entry.persons["author"]]
        authors = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        return authors, fields["year"], address

    def link(self, found, line):
        """Return a link as it is when it leads out of the book, else with the published address."""
        words, target = self.prose(found["words"], line), found["target"]
        if found["image"]:
            raise self.error(line, f"image {target}: a picture comes from a cell")
        if not words:
            raise self.error(line, f"link to {target} without words")
        if re.match(r"https?://|mailto:", target):
            return f"[{words}]({target})"
        file, _, anchor = target.partition("#")
        page = Path(os.path.normpath(self.path.parent / file)) if file else self.path
        if page.suffix != ".md" or not page.exists():
            raise self.error(line, f"link to {target}")
        return f"[{words}]({self.book.page(page)}{'#' + anchor if anchor else ''})"

    def error(self, line, construct):
        """Return the error for a construct at a line of this chapter."""
        return TwinError(f"{self.path.relative_to(self.book.root)}:{line}: no plain form for {construct}")


def _equation(label):
    return label.removeprefix("eq-")


def main(root, check):
    """Write the files that differ, or with `check` only name them; return whether there was none to name."""
    try:
        files = written(root)
    except TwinError as error:
        print(error)
        return False
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        name = path.relative_to(root)
        if check:
            print(f"{name} is behind its source: run `make notebooks`")
        else:
            path.write_text(files[path])
            print(f"wrote {name}")
    return not (check and stale)


if __name__ == "__main__":
    sys.exit(not main(Path(__file__).resolve().parent.parent, check="--check" in sys.argv[1:]))
