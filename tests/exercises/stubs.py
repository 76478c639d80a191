"""The stub of an exercise, and how a notebook's stub is found and filled in."""

import ast
import inspect

from ravine.exercises._exercise import body


def stub(exercise):
    """Return what the student is given: signature and docstring of the reference, and three dots."""
    source = inspect.getsource(exercise.reference)
    head = source[:source.rindex('"""') + 3]
    return f"{head}\n    ...  # your code here\n"


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
