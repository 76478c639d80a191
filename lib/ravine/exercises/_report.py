"""What a teacher reads: a line for each submission and exercise, and a summary of the class."""

import collections
from typing import NamedTuple

from ravine.exercises._exercise import chapters, find

_MARKS = {"unsolved": "–", "missing": "–", "unreadable": "–", "checker": "?"}  # the other outcomes are ✗
_WORDS = {"unsolved": "not solved", "missing": "missing", "unreadable": "unreadable", "raised": "error",
          "timeout": "not finished in time", "died": "process ended", "garbage": "garbage",
          "structure": "wrong structure", "wrong": "not recognised", "checker": "fault of the checker"}
_ATTENTION = "unreadable", "timeout", "died", "garbage", "checker"  # then a person should look


class Row(NamedTuple):
    """A line of the CSV file."""

    submission: str
    exercise: str
    passed: int
    outcome: str
    mistake: str
    message: str


def summary(rows, submissions):
    """Return how many passed each exercise, what was wrong with the others, and which mistakes were common."""
    exercises = [name for group in chapters().values() for name in group if any(row.exercise == name for row in rows)]
    width = max(map(len, exercises), default=0)
    lines = ["", f"Passed, of {counted(submissions, 'submission')}"]
    common: list[tuple[int, str, str]] = []
    for name in exercises:
        asked = [row for row in rows if row.exercise == name]
        others = collections.Counter(row.mistake or _WORDS[row.outcome] for row in asked if not row.passed)
        passed = sum(row.passed for row in asked)
        why = ", ".join(f"{n} {what}" for what, n in others.most_common())
        lines.append(f"  {name:{width}}  {passed:3} of {len(asked)}   {why}")
        mistakes = collections.Counter(row.mistake for row in asked if row.mistake)
        common += [(n, name, mistake) for mistake, n in mistakes.items()]
    if common:
        lines += ["", "Mistakes, the most common first"]
        lines += [f"  {n:3} × {name}, {mistake}{_said(name, mistake)}"
                  for n, name, mistake in sorted(common, key=lambda entry: -entry[0])[:12]]
    odd = collections.defaultdict(list)
    something = {row.submission for row in rows if row.outcome != "missing"}
    for row in rows:
        if row.outcome in _ATTENTION or row.submission not in something:
            odd[row.submission, row.message].append(row.exercise)
    if odd:
        lines += ["", "To look at yourself"]
        lines += [f"  {submission} ({', '.join(filter(None, names)) or 'all'}): {plain(message, 160)}"
                  for (submission, message), names in odd.items()]
    return "\n".join(lines)


def _said(name, mistake):
    """Return the first sentence of a mistake's message, after a colon; nothing if its name says it all."""
    entry = find(name).mistakes.get(mistake)
    return f": {entry[1].partition('. ')[0]}" if entry else ""


def verdict(row):
    """Return a row in a few words, as in ``✗ ewma (no_correction)``."""
    if row.passed:
        return f"✓ {row.exercise}"
    why = row.mistake or _WORDS[row.outcome]
    return f"{_MARKS.get(row.outcome, '✗')} {row.exercise} ({why})" if row.exercise else f"– {why}"


def plain(text, longest=200):
    """Return a text on one line, without what a terminal would take for commands."""
    lines = ("".join(letter if letter.isprintable() else " " for letter in line) for line in text.splitlines())
    line = " | ".join(" ".join(line.split()) for line in lines)
    return line if len(line) <= longest else line[:longest - 1] + "…"


def cell(text, longest=200):
    """Return a text for the CSV file: plain, and nothing that a spreadsheet takes for a formula."""
    line = plain(text, longest)
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def counted(number, noun):
    """Return as in ``1 submission`` or ``2 submissions``."""
    return f"{number} {noun}{'s' * (number != 1)}"
