"""The notebooks for Colab: each construct of the closed list, the error for any other, and the twins of this book."""

from pathlib import Path

import nbformat
import pytest

import twins

ROOT = Path(__file__).parents[2]

CONFIG = """\
repository: {url: "https://github.com/someone/somewhere", branch: work}
bibtex_bibfiles: [references.bib]
"""
REFERENCES = """\
@article{one, author = {Poly{\\'a}k, Boris T.}, title = {T}, year = {1964}, doi = {10.1/a}}
@book{two, author = {First, A. and Second, B.}, title = {T}, year = {1999}, url = {https://two.test}}
@book{many, author = {First, A. and Second, B. and Third, C.}, title = {T}, year = {2001}, doi = {10.1/b}}
@book{nowhere, author = {First, A.}, title = {T}, year = {2002}}
"""
HEAD = """\
---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
"""
SITE = "https://someone.github.io/somewhere"


@pytest.fixture
def book(tmp_path):
    """Return the folder of a small book with the chapters 01_a (empty) and 02_b, which a test writes."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "_config.yml").write_text(CONFIG)
    (tmp_path / "references.bib").write_text(REFERENCES)
    (tmp_path / "chapters/02_b.md").write_text(HEAD + "# B\n")
    return tmp_path


def cells(book, text):
    """Return the cells that the chapter `text` has in its twin, after the install cell."""
    path = book / "chapters/01_a.md"
    path.write_text(HEAD + text)
    return twins.twin(path, twins.Book.read(book)).cells[1:]


def plain(book, text):
    """Return the only Markdown cell of the twin of the chapter `text`."""
    [cell] = cells(book, text)
    assert cell.cell_type == "markdown"
    return cell.source


@pytest.mark.parametrize(("myst", "markdown"), [
    ("Euler: $e^{i\\pi} = -1$ and `{eq}` in code.", "Euler: $e^{i\\pi} = -1$ and `{eq}` in code."),
    ("$$\nx^2\n$$", "$$\nx^2\n$$"),
    ("$$\nx^2\n$$ (eq-square)", "$$\nx^2 \\tag{square}\n$$"),
    ("$$ x $$ (eq-x)\n\nsee {eq}`eq-x`.", "$$ x \\tag{x}$$\n\nsee (x)."),
    ("A {cite:p}`one` B", "A ([Polyák, 1964](https://doi.org/10.1/a)) B"),
    ("{cite:p}`one,two`", "([Polyák, 1964](https://doi.org/10.1/a); [First and Second, 1999](https://two.test))"),
    ("{cite:t}`many` say", "[First et al. (2001)](https://doi.org/10.1/b) say"),
    ("[next](02_b.md) and [out](https://x.test)", f"[next]({SITE}/chapters/02_b.html) and [out](https://x.test)"),
    ("[there](02_b.md#part), [$x$\nhere](#my-part)", f"[there]({SITE}/chapters/02_b.html#part), "
     f"[$x$\nhere]({SITE}/chapters/01_a.html#my-part)"),
    ("(a-label)=\n## Part", "## Part"),
    (":::{note}\nMind $x$.\n\n- {cite:t}`two`\n:::",
     "> **Note.**\n>\n> Mind $x$.\n>\n> - [First and Second (1999)](https://two.test)"),
    (":::{admonition} In `the` notes\n:class: note\nText.\n:::", "> **In `the` notes.**\n>\n> Text."),
    ("```{tip} At once\nmore\n```", "> **Tip.**\n>\n> At once\n> more"),
    (":::{dropdown} Is $a<b$?\nYes: {eq}`eq-a`.\n:::",
     "<details>\n<summary>Is $a&lt;b$?</summary>\n\nYes: (a).\n\n</details>"),
    ("::::{admonition} Q\n:class: dropdown\n:::{note}\nIn.\n:::\n::::",
     "<details>\n<summary>Q</summary>\n\n> **Note.**\n>\n> In.\n\n</details>"),
    ("```{exercise} Averages\n:label: ex-a\nWrite {eq}`eq-a`.\n```", "### Exercise: Averages\n\nWrite (a)."),
    ("```{exercise-start} Averages\n:label: ex-a\n```\nWrite it.\n```{exercise-end}\n```\nNext.",
     "### Exercise: Averages\n\nWrite it.\n\nNext."),
    ("Before.\n```{solution} ex-a\nIt is 3.\n```\nAfter.", "Before.\n\nAfter."),
    ("Before.\n```{solution-start} ex-a\n```\nIt is 3.\n```{literalinclude} a.py\n```\n```{solution-end}\n```\nAfter.",
     "Before.\n\nAfter."),
    (":::{dropdown} Source\n```{literalinclude} a.py\n:pyobject: f\n```\n:::\nAfter.", "After."),
    ("```python\nx = '{ref}`a`'  # $\n```", "```python\nx = '{ref}`a`'  # $\n```"),
    ("| a | b |\n|---|---|\n| $x$ | {eq}`eq-x` |", "| a | b |\n|---|---|\n| $x$ | (x) |"),
])
def test_each_construct(book, myst, markdown):
    assert plain(book, myst) == markdown


@pytest.mark.parametrize(("myst", "line", "construct"), [
    ("Fine.\n\n```{figure} a.png\n```", 3, "directive {figure}"),
    ("Fine.\n:::{note}\n\nSee {ref}`x`.\n:::", 4, "role {ref}"),
    ("Two\nlines and\n{numref}`x`", 3, "role {numref}"),
    ("A footnote.[^1]", 1, "[^ …"),
    ("{{ version }}", 1, "{{ …"),
    ("Words\n% a comment", 2, "% …"),
    ("[a][b]", 1, "][ …"),
    ("- item\n\n  :::{note}\n  x\n  :::", 3, "::: …"),
    ("\n![a](b.png)", 2, "image b.png: a picture comes from a cell"),
    ("[](02_b.md)", 1, "link to 02_b.md without words"),
    ("[a](03_c.md)", 1, "link to 03_c.md"),
    ("{cite:p}`one,three`", 1, "reference three, which the bibliography does not have"),
    ("{cite:t}`nowhere`", 1, "reference nowhere, which has neither a doi nor a url"),
    (":::{note}\nopen", 1, ":::{note} is not closed"),
    ("```{solution-start} a\n```\n\n```{code-cell}\n1\n```\n\n```{solution-end}\n```", 1,
     "solution-start without a solution-end before the next cell"),
])
def test_anything_else_fails_with_its_place(book, myst, line, construct):
    with pytest.raises(twins.TwinError) as error:
        cells(book, myst)
    assert str(error.value) == f"chapters/01_a.md:{HEAD.count(chr(10)) + line}: no plain form for {construct}"


def test_the_line_is_right_after_cells_and_blank_lines(book):
    text = "One.\n\n```{code-cell}\n1\n```\n\n\nTwo.\n\n{ref}`x`"
    with pytest.raises(twins.TwinError, match=rf"01_a\.md:{HEAD.count(chr(10)) + 10}: .*role \{{ref\}}"):
        cells(book, text)


def test_code_cells_stay_and_seen_cells_become_forms(book):
    cell = "```{{code-cell}}\n:tags: [remove-input]\n\n{}\n```\n\n"
    plot, seen = cells(book, cell.format("x = 1") + cell.format("rv.seen('{x}', x=x)"))
    assert plot.source == "x = 1"
    assert "cellView" not in plot.metadata
    assert seen.source == "#@title What you should have seen\nrv.seen('{x}', x=x)"
    assert seen.metadata["cellView"] == "form"


def test_ids_are_stable_and_unlike(book):
    text = "A.\n\n```{code-cell}\nprint(1)\n```\n\nB.\n\n```{code-cell}\nprint(1)\n```\n"
    first, again = (cells(book, text) for _ in range(2))
    ids = [cell.id for cell in first]
    assert ids == [cell.id for cell in again]
    assert len(set(ids)) == 4
    edited = cells(book, text.replace("A.", "A!"))
    assert [cell.id for cell in edited[1:]] == ids[1:], "an edit leaves the other ids alone"


def test_the_repository_is_named_in_one_place(book):
    (book / "chapters/01_a.md").write_text(HEAD + "A.")
    (book / "README.md").write_text("<!-- ways -->\n<!-- /ways -->\n\n<!-- install -->\n<!-- /install -->\n")
    (book / "CITATION.cff").write_text("title: T\nrepository-code: x\nurl: y\n")
    files = twins.written(book)
    install = nbformat.reads(files[book / "chapters/01_a.ipynb"], 4).cells[0]
    assert 'if "google.colab" in sys.modules:\n    %pip install' in install.source
    assert '"ravine @ git+https://github.com/someone/somewhere@work"' in install.source
    readme = files[book / "README.md"]
    assert ".google.com/github/someone/somewhere/blob/work/chapters/01_a.ipynb" in readme
    assert f"[Read the book]({SITE})" in readme
    assert '-->\n```\npip install "ravine @ git+https://github.com/someone/somewhere@work"\n```\n<!--' in readme
    assert files[book / "CITATION.cff"] == (
        f"title: T\nrepository-code: https://github.com/someone/somewhere\nurl: {SITE}\n")


def test_the_program_writes_what_is_stale_and_names_it_in_a_check(book, capsys):
    assert twins.main(book, check=False)
    assert twins.main(book, check=True)
    (book / "chapters/02_b.md").write_text(HEAD + "# Changed\n")
    capsys.readouterr()
    assert not twins.main(book, check=True)
    assert capsys.readouterr().out == "chapters/02_b.ipynb is behind its source: run `make notebooks`\n"
    assert "Changed" not in (book / "chapters/02_b.ipynb").read_text()


@pytest.fixture(scope="module")
def fresh():
    """Return what the twins of this book should be."""
    return twins.written(ROOT)


@pytest.mark.parametrize("source", sorted(ROOT.glob("chapters/*.md")), ids=lambda path: path.stem)
def test_the_twins_of_this_book(source, fresh):
    text = source.with_suffix(".ipynb").read_text()
    assert text == fresh[source.with_suffix(".ipynb")], "run `make notebooks`"
    notebook = nbformat.reads(text, 4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in notebook.cells)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert not any("myst_nb" in cell for cell in code)
