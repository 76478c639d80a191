"""Write the chapters' notebooks as one who has solved them leaves them: `python tools/solved.py`, to _build/solved.

Each is a twin with the references' code in the stubs, and a last cell that fails unless every check said ✓.
"""

import ast
import copy
import shutil
from pathlib import Path

import nbformat

from ravine.exercises._exercise import body, chapters

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "_build/solved"


def solved(notebook, exercises):
    """Return a copy of a notebook with these exercises solved, {name: exercise}, and the cell that holds them to it."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        for name, exercise in exercises.items():
            if cell.cell_type == "code" and defines(cell.source, name):
                cell.source = fill_in(cell.source, exercise)
    notebook.cells.append(nbformat.v4.new_code_cell(verdict(exercises)))
    return notebook


def verdict(names):
    """Return the source of a cell that fails unless each check, ``name_ = check("name", name).usable``, said ✓.

    What is usable after a check is the answer itself where it passed, and the reference where it did not.
    """
    return "\n".join(f'assert {name}_ is {name}, "{name}: its check did not say ✓"' for name in names)


def defines(source, name):
    """Return whether a code cell defines a function of this name."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a cell with a magic
        return False
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)


def fill_in(source, exercise):
    """Return a cell's source with the reference's code in place of the three dots."""
    function = next(node for node in ast.parse(source).body
                    if isinstance(node, ast.FunctionDef) and node.name == exercise.name)
    dots = function.body[-1]
    lines = source.splitlines()
    code = ["    " + line if line else "" for line in body(exercise.reference).splitlines()]
    return "\n".join([*lines[:dots.lineno - 1], *code, *lines[dots.end_lineno:]]) + "\n"


def main():
    """Write them all into an empty folder: what an earlier run left there, progress for one, must decide nothing."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for path in sorted(ROOT.glob("chapters/*.ipynb")):
        nbformat.write(solved(nbformat.read(path, as_version=4), chapters()[path.stem]), FOLDER / path.name)


if __name__ == "__main__":
    main()
