"""`check`: run an answer, compare it, and say what is wrong with it."""

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np

from ravine.exercises import _compare, _progress, _run
from ravine.exercises._exercise import body, evaluate, find
from ravine.exercises._show import show

_ENTRIES = 20  # of a list or an axis; a longer one is shown by its first three
_MARKS = {"pass": "✓", "unsolved": "–", "checker": "?"}  # the other outcomes are ✗


@dataclass(frozen=True, repr=False)
class Result:
    """What `check` found. It was shown when it was made, so its repr is silent; it is true if the answer passed.

    Attributes:
        outcome: "unsolved", "raised", "timeout", "mistake", "structure", "pass", "wrong", or "checker".
        message: the text that was shown.
        mistake: the name of the mistake that was recognised, or None.
        usable: the student's function if it passed, else the reference, so that a chapter can go on.
    """

    outcome: str
    message: str
    mistake: str | None
    usable: Callable

    def __bool__(self):
        return self.outcome == "pass"

    def __repr__(self):
        return ""

    def _ipython_display_(self):
        """Keep a notebook from showing an empty ``Out[1]:``."""


def check(name, answer, *, time_limit=5.0):
    """Run a function that answers an exercise on a few inputs, and show what is right or wrong with it.

    Args:
        name: the exercise's name, such as ``"ewma"``.
        answer: your function.
        time_limit: seconds of computing after which it is stopped.

    Returns:
        The `Result`; it is true if the answer passed.

    Raises:
        ValueError: there is no such exercise.
    """
    exercise = find(name)
    try:
        outcome, text, mistake = _try(exercise, answer, time_limit)
    except Exception as fault:
        outcome, mistake = "checker", None
        text = (f"the checker itself failed ({type(fault).__name__}: {fault}).\n"
                f"  That is a fault of Ravine, not of your answer; please report it, with your code.")
    if outcome not in ("unsolved", "checker"):
        _progress.record(name, outcome == "pass")
    if outcome == "timeout":
        text += f'\n  If it is only slow, give it more time: check("{name}", {name}, time_limit=60)'
    if outcome not in ("pass", "checker"):
        text += ("\n  " if "\n" in text else " ") + f'Next: hint("{name}")'
    message = f"{_MARKS.get(outcome, '✗')} {name}: {text}"
    show(message)
    return Result(outcome, message, mistake, answer if outcome == "pass" else exercise.reference)


def _try(exercise, answer, time_limit):
    """Return outcome, text, and the mistake's name or None."""
    if _run.is_stub(answer):
        return "unsolved", (f"not solved yet. Write the body of {exercise.call} where the three dots are, run its "
                            f"cell, then this one."), None
    if not callable(answer):
        return "structure", (f"this is {_compare.describe(_compare.plain(answer))}, and should be the function itself, "
                             f'as in check("{exercise.name}", {exercise.name}).'), None
    attempt = _run.attempt(answer, exercise, time_limit)
    outcome, text, mistake = judge(exercise, attempt)
    if attempt.printed:
        text += "\n  It printed:\n" + textwrap.indent(attempt.printed.rstrip(), "    ")
    return outcome, text, mistake


def judge(exercise, attempt):
    """Return outcome, text, and the mistake's name or None, for a finished `_run.Attempt`."""
    if attempt.timed_out is not None:
        return "timeout", _time_is_up(exercise, attempt), None
    if attempt.error:
        where = (f"in {attempt.line}\n  {_probe(exercise, len(attempt.outputs))}" if attempt.line else
                 f"when it was called as {exercise.call}")
        return "raised", f"{attempt.error}\n  {where}", None

    if any(output is None for output in attempt.outputs):
        text = f"nothing returned. The function should end by returning {exercise.returns}."
        return "mistake", text, "nothing returned"
    x64, names = jax.config.jax_enable_x64, exercise.compared
    answers, expected = exercise.comparable(attempt.outputs), evaluate(exercise, exercise.reference, x64)
    if _compare.agree(answers, expected, names):
        return "pass", f"right, on all {len(expected)} probes.", None
    for name, (function, message) in exercise.mistakes.items():
        if _compare.agree(answers, evaluate(exercise, function, x64), names):
            said, _, right = message.partition(". ")
            return "mistake", f"{said}. {_example(answers, expected, names)}{right}", name
    return *_not_recognised(exercise, attempt.outputs, answers, expected), None


def _time_is_up(exercise, attempt):
    line = f"  It was in {attempt.line}\n" if attempt.line else ""
    behind = ("  It could not be stopped and still runs; if the notebook has become slow, restart its kernel.\n"
              if attempt.left_behind else "")
    return (f"not finished in {attempt.timed_out:g} s. Is there a loop that does not end?\n{line}{behind}"
            f"  {_probe(exercise, len(attempt.outputs))}")


def _example(answers, expected, names):
    """Return one wrong entry as a sentence, or nothing if the mistake is one of structure."""
    try:
        number, leaves = _first_wrong(answers, expected, names)
    except _compare.Mismatch:
        return ""
    leaf = max(leaves, key=lambda leaf: leaf.off.max())
    yours, wanted = leaf.yours[leaf.worst], leaf.expected[leaf.worst]
    digits = _digits(yours, wanted)
    return f"On probe {number + 1} your {leaf.entry} = {_text(yours, digits)}, expected {_text(wanted, digits)}. "


def _not_recognised(exercise, outputs, answers, expected):
    """Return outcome and text for an answer that is neither right nor a mistake with a name."""
    try:
        number, leaves = _first_wrong(answers, expected, exercise.compared)
    except _compare.Mismatch as mismatch:
        return "structure", f"{mismatch}."
    lines = [_probe(exercise, number)]
    if exercise.measure:
        lines.append(f"your     {exercise.returns} = {_text(outputs[number])}")
    for leaf in leaves:
        if leaf.off.max() <= 1:
            lines.append(f"your     {leaf.name} is right")
        else:
            digits = _digits(leaf.yours[leaf.worst], leaf.expected[leaf.worst])
            chance = f" ± {_text(leaf.bound, 2)}" if leaf.bound else ""
            lines += [f"your     {leaf.name} = {_text(leaf.yours, digits)}",
                      f"expected {leaf.name} = {_text(leaf.expected, digits)}{chance}"]
        if not _compare.finite(leaf.yours) and _compare.finite(leaf.expected):
            text = (f"{leaf.entry} is {leaf.yours[leaf.worst]}: something overflows, divides by zero, or takes the "
                    "root of a negative number.")
            return "structure", "\n  ".join([text, *lines])
    return "wrong", "\n  ".join(["not what is expected, and no mistake that I know by name.", *lines])


def _first_wrong(answers, expected, names):
    """Return the first probe on which the answer is wrong, and its leaves."""
    for number, (yours, wanted) in enumerate(zip(answers, expected, strict=True)):
        leaves = _compare.compare(yours, wanted, names)
        if any(leaf.off.max(initial=0.0) > 1 for leaf in leaves):
            return number, leaves
    raise AssertionError("this answer is right on every probe")


def _probe(exercise, index):
    """Return a probe's number and inputs, an input a line, as they can be typed."""
    inputs = zip(exercise.arguments, exercise.probes[index], strict=True)
    lines = [f"{name} = {_text(value)}" for name, value in inputs]
    return "\n    ".join([f"on probe {index + 1} of {len(exercise.probes)}, with", *lines])


def _text(value, digits=4):
    """Return an input or output as text: arrays as lists, long ones shortened, a function as its one expression."""
    if callable(value):
        return f"lambda {', '.join(inspect.signature(value).parameters)}: {body(value).removeprefix('return ')}"
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (list, tuple, np.ndarray)):
        long = len(value) > _ENTRIES
        entries = [_text(entry, digits) for entry in (value[:3] if long else value)]
        return f"[{', '.join([*entries, f'… {len(value)} in all'] if long else entries)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_text(entry, digits)}' for key, entry in value.items())}}}"
    if isinstance(value, str):
        return repr(str(value))
    return f"{value:.{digits}g}" if isinstance(value, (float, np.floating)) else str(value)


def _digits(yours, expected):
    """Return how many digits, at least four, tell two numbers apart (any number of them two texts)."""
    return next((n for n in range(4, 17) if _text(yours, n) != _text(expected, n)), 17)
