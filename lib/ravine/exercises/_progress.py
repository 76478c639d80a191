"""Which exercises are done: remembered in a small file beside the notebook, where one can be written."""

import json
from pathlib import Path

from ravine.exercises._exercise import chapters
from ravine.exercises._show import show

_FILE = Path(".ravine/progress.json")
_session: dict[str, bool] = {}


def progress(chapter=None):
    """Show which exercises pass (✓), were tried (✗), or are still to come (–).

    Args:
        chapter: a chapter's number, such as 6; the whole course without it.

    Raises:
        ValueError: no exercises belong to that chapter.
    """
    chosen = {title: exercises for title, exercises in chapters().items() if chapter in (None, int(title[:2]))}
    if not chosen:
        numbers = ", ".join(str(int(title[:2])) for title in chapters())
        raise ValueError(f"chapter = {chapter!r}: must be the number of a chapter with exercises ({numbers})")
    done = _load()
    lines, passed, total = [], 0, 0
    for title, exercises in chosen.items():
        marks = [{True: "✓", False: "✗", None: "–"}[done.get(name)] for name in exercises]
        listed = "  ".join(f"{mark}\N{NO-BREAK SPACE}{name}" for mark, name in zip(marks, exercises, strict=True))
        lines.append(f"  {int(title[:2])} {title[3:].replace('_', ' ')}:  {listed}")
        passed, total = passed + marks.count("✓"), total + len(marks)
    show("\n".join([f"{passed} of {total} exercises done:", *lines]))


def record(name, passed):
    """Remember an attempt at an exercise. What has once passed stays passed."""
    _session.update(_load())
    _session[name] = passed or _session.get(name, False)
    try:
        _FILE.parent.mkdir(exist_ok=True)
        _FILE.write_text(json.dumps(_session, indent=1, sort_keys=True))
    except OSError:
        pass  # a read-only folder: then for this session only


def _load():
    try:
        stored = json.loads(_FILE.read_text())
    except (OSError, ValueError):
        stored = {}
    stored = stored if isinstance(stored, dict) else {}
    names = {*stored, *_session}
    return {name: stored.get(name) is True or _session.get(name, False) for name in names}
