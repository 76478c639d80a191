"""Build the book: `python tools/book.py [FOLDER]`. One line a chapter while it executes; the whole story is in a log.

A warning is an error, and a failing cell is shown with its traceback. After a failure the next build reads every page
anew, so that a warm build cannot hide what a cold one found.
"""

import contextlib
import io
import os
import re
import shutil
import sys
import traceback
from pathlib import Path

from jupyter_book.sphinx import build_sphinx
from nbclient.exceptions import CellExecutionError
from sphinx.util.console import nocolor


def build(folder, terminal=sys.stdout):
    """Build the book in `folder`; return whether it stands."""
    folder = Path(folder).resolve()
    out = folder / "_build"
    out.mkdir(exist_ok=True)
    warnings = io.StringIO()
    nocolor()
    with (out / "book.log").open("w") as log, _processes_write_to(log):
        with contextlib.redirect_stdout(Status(log, terminal)), contextlib.redirect_stderr(warnings):
            result = build_sphinx(
                folder, out / "html", noconfig=True, path_config=folder / "_config.yml",
                confoverrides={"external_toc_path": str(folder / "_toc.yml"), "latex_individualpages": False,
                               "nitpicky": True},
                warningiserror=True, keep_going=True,
            )
        log.write(warnings.getvalue())
    if result == 0:
        print(f"The book is at {out / 'html' / 'index.html'}", file=terminal)
        return True
    shutil.rmtree(out / ".doctrees", ignore_errors=True)
    print(f"\n{_reason(result, warnings.getvalue())}", file=terminal)
    print(f"The book was not built. More in {out / 'book.log'}", file=terminal)
    return False


class Status(io.TextIOBase):
    """Sphinx's running commentary: kept in the log, with a line for each chapter that executes on the terminal."""

    def __init__(self, log, terminal):
        self.log, self.terminal = log, terminal

    def write(self, text):
        """Write to the log; begin the chapter's line when it starts, end it with the seconds taken."""
        if found := re.search(r"(\w+)\.md: Executing notebook", text):
            print(f"  {found[1]} … ", end="", flush=True, file=self.terminal)
        if found := re.search(r"Executed notebook in ([\d.]+) seconds", text):
            print(f"{float(found[1]):.1f} s", flush=True, file=self.terminal)
        return self.log.write(text)


@contextlib.contextmanager
def _processes_write_to(log):
    """Send what kernels write to their standard error to the log."""
    saved = os.dup(2)
    os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _reason(result, warnings):
    if not isinstance(result, BaseException):
        return warnings.strip()
    if isinstance(result.__cause__, CellExecutionError):
        return f"{result}: {result.__cause__}".strip()
    return "".join(traceback.format_exception(result)) + warnings.strip()


if __name__ == "__main__":
    sys.exit(not build(sys.argv[1] if len(sys.argv) > 1 else "."))
