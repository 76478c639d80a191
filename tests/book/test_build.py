"""`make book` on a tiny book with this book's configuration: what fails a build, and what makes a chapter run again."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.notebook
ROOT = Path(__file__).parents[2]
CHAPTER = """\
---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
# Tiny

Some prose.

```{code-cell}
import os
import sys

sys.path.insert(0, "../lib")
import constants

assert constants.VALUE > 0, "the value must be positive"
print("the value is", constants.VALUE, "in the book", os.environ["RAVINE_BOOK"])
```
"""


class TinyBook:
    """A book of one page and one chapter that imports a library of its own."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "tools").symlink_to(ROOT / "tools")
        shutil.copytree(ROOT / "static", folder / "static")
        for name in ("_config.yml", "references.bib"):
            shutil.copy(ROOT / name, folder)
        self.write("_toc.yml", "format: jb-book\nroot: intro\nchapters: [{file: chapters/01_tiny}]\n")
        self.write("intro.md", "# Intro\n\nWelcome.\n")
        self.write("chapters/01_tiny.md", CHAPTER)
        self.write("lib/constants.py", "VALUE = 41\n")

    def write(self, name, text):
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(text)

    def build(self):
        """Build it; return whether that went well, and what the terminal showed."""
        done = subprocess.run([sys.executable, ROOT / "tools/book.py", self.folder], capture_output=True, text=True)
        return done.returncode == 0, done.stdout + done.stderr

    def page(self):
        return (self.folder / "_build/html/chapters/01_tiny.html").read_text()


@pytest.fixture
def book(tmp_path):
    return TinyBook(tmp_path)


def test_a_chapter_runs_when_the_library_changes_and_not_otherwise(book):
    stands, shown = book.build()
    assert stands, shown
    assert shown.count("01_tiny …") == 1
    assert len(shown.splitlines()) == 2, "one line for the chapter, one for where the book is"
    assert str(book.folder / "_build/html/index.html") in shown
    assert "the value is 41 in the book 1" in book.page()

    stands, shown = book.build()
    assert stands
    assert "01_tiny" not in shown, "nothing has changed"

    book.write("chapters/01_tiny.md", CHAPTER.replace("Some prose", "Better prose"))
    stands, shown = book.build()
    assert stands
    assert "01_tiny" not in shown, "prose does not run a chapter"
    assert "Better prose" in book.page()

    book.write("static/ravine.css", "/* Another style */")
    stands, shown = book.build()
    assert stands
    assert "01_tiny" not in shown, "a style does not run a chapter"
    assert (book.folder / "_build/html/_static/ravine.css").read_text() == "/* Another style */"

    book.write("lib/constants.py", "VALUE = 42\n")
    stands, shown = book.build()
    assert stands
    assert "01_tiny …" in shown
    assert "the value is 42" in book.page()


def test_a_failing_cell_fails_the_build_cold_and_warm(book):
    book.write("lib/constants.py", "VALUE = -1\n")
    for _ in ("cold", "again"):
        stands, shown = book.build()
        assert not stands
        assert 'assert constants.VALUE > 0, "the value must be positive"' in shown, "the cell"
        assert "AssertionError" in shown, "the traceback"
        assert "chapters/01_tiny.md" in shown
    book.write("lib/constants.py", "VALUE = 1\n")
    assert book.build()[0]
    book.write("chapters/01_tiny.md", CHAPTER.replace("> 0", "> 1"))
    for _ in ("warm", "again"):
        stands, shown = book.build()
        assert not stands
        assert "AssertionError" in shown


def test_a_warning_fails_the_build_cold_and_warm(book):
    book.write("intro.md", "# Intro\n\nSee {cite:p}`nobody` and [there](chapters/02_none.md).\n")
    for _ in ("cold", "warm"):
        stands, shown = book.build()
        assert not stands
        assert "intro.md:3: WARNING" in shown
        assert "nobody" in shown
        assert "02_none" in shown
