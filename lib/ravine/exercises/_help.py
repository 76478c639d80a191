"""Hints, one step at a time, and solutions."""

import inspect

from ravine.exercises._exercise import find
from ravine.exercises._show import show

_given: dict[str, int] = {}


def hint(name):
    """Show a hint for an exercise: first the idea, then the formula, then the code with one blank, a call each.

    Args:
        name: the exercise's name, such as ``"ewma"``.

    Raises:
        ValueError: there is no such exercise.
    """
    hints = find(name).hints
    step = min(_given.get(name, 0), len(hints) - 1)
    _given[name] = step + 1
    further = f'Further: hint("{name}") again' if step + 1 < len(hints) else f'That was the last; solution("{name}")'
    show(f"Hint {step + 1} of {len(hints)}, {name}:\n{hints[step]}\n\n{further}")


def solution(name):
    """Show the code that answers an exercise.

    Args:
        name: the exercise's name, such as ``"ewma"``.

    Raises:
        ValueError: there is no such exercise.
    """
    show(f"Solution, {name}:\n{inspect.getsource(find(name).reference).rstrip()}")
