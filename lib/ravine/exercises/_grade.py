"""Grading a class: every submitted notebook in a process of its own, every answer judged as `check` would.

Nothing that a notebook says or shows is believed. Its functions are run again on the probes (`_submission`, under
`_supervise`), their results come back as plain arrays (`_parcel`), and are compared here, where none of its code runs.
"""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ravine.exercises import _check, _parcel, _run
from ravine.exercises._exercise import chapters, find
from ravine.exercises._report import Row, cell, counted, plain, summary, verdict

_LARGEST = 200 * 2**20  # bytes of a notebook
_SAID = {"unsolved", "structure", "raised"}  # outcomes that a submission's process may tell by itself


@dataclass(frozen=True)
class Submission:
    """A notebook that was handed in.

    Attributes:
        name: where it lies in the folder.
        cells: the sources of its code cells.
        trouble: why there are none, or an empty text.
        outcome: what is said of its exercises if there are none.
    """

    name: str
    cells: list[str]
    trouble: str = ""
    outcome: str = "unreadable"

    @property
    def defined(self):
        """The names that a cell seems to define at its top level, or somewhere by `def`."""
        pattern = re.compile(r"^(?:[ \t]*def[ \t]+(\w+)|(\w+)[ \t]*=(?!=))", re.MULTILINE)
        return {name for cell in self.cells for names in pattern.findall(cell) for name in names}

    @property
    def checked(self):
        """The names that a cell hands to `check`."""
        return {name for cell in self.cells for name in re.findall(r"\bcheck\(\s*[\"'](\w+)[\"']", cell)}

    @property
    def chapters(self):
        """The chapters whose exercises it checks, or else defines."""
        found = ({title for title, exercises in chapters().items() if names & set(exercises)}
                 for names in (self.checked, self.defined))
        return next(filter(None, found), set())


class Limits(NamedTuple):
    """Limits for each notebook: seconds of computing (three times as long on the clock), and GB of memory."""

    seconds: float
    memory: float


def grade(paths, output, *, chapter=None, seconds=20.0, memory=2.0, workers=2):
    """Grade notebooks: print a line for each and a summary, and write a CSV file with a line for each exercise.

    Args:
        paths: notebooks, and folders of notebooks.
        output: the CSV file to write; its columns are the fields of `Row`.
        chapter: the number of the chapter whose exercises are asked for; without it, those that a notebook holds.
        seconds: of computing, for each notebook.
        memory: in GB, for each notebook, beyond what JAX itself needs.
        workers: notebooks at a time.

    Raises:
        ValueError: no exercises belong to that chapter, or there is no notebook.
        OSError: the file cannot be written.
    """
    submissions = collect(paths)
    if not submissions:
        raise ValueError(f"there is no notebook in {', '.join(map(str, paths))}")
    asked = _asked(submissions, chapter)
    print(f"{counted(len(submissions), 'submission')}, {workers} at a time")
    rows, width = [], min(48, max(len(plain(submission.name)) for submission in submissions))
    runs = _Runs(Limits(seconds, memory))
    pool = ThreadPoolExecutor(workers)
    try:
        with open(output, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(Row._fields)
            findings = pool.map(runs.findings, submissions, asked)
            for submission, found in zip(submissions, findings, strict=True):
                lines = [_row(submission, name, finding) for name, finding in found]
                print(f"  {plain(submission.name):{width}}  {'  '.join(map(verdict, lines))}", flush=True)
                writer.writerows(lines)
                file.flush()
                rows += lines
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        runs.stop()
    print(summary(rows, len(submissions)))
    print(f"\nWritten: {output}")


def collect(paths):
    """Return the `Submission`s in these notebooks and folders, all of them read before any is run."""
    found = []
    for path in map(Path, paths):
        if not path.is_dir():
            found.append(_read(path, path.name if len(paths) == 1 else str(path)))
            continue
        files = [file for file in sorted(path.rglob("*.ipynb"))
                 if not any(part.startswith((".", "__MACOSX")) for part in file.relative_to(path).parts)]
        folders = [folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith((".", "_"))]
        empty = [folder for folder in folders if not any(folder in file.parents for file in files)]
        for file in sorted([*files, *empty]):
            name = str(file.relative_to(path) if len(paths) == 1 else file)
            found.append(Submission(name, [], "there is no notebook in this folder", "missing") if file in empty
                         else _read(file, name))
    return found


def _read(path, name):
    if not path.exists():
        return Submission(name, [], "there is no such file", "missing")
    try:
        if not path.is_file():
            raise ValueError("this is no file")
        if not 0 < path.stat().st_size <= _LARGEST:
            raise ValueError("the file is empty" if not path.stat().st_size else "the file is larger than 200 MB")
        cells = [cell["source"] for cell in json.loads(path.read_bytes())["cells"] if cell["cell_type"] == "code"]
        return Submission(name, ["".join(source) for source in cells])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        trouble = str(error) if type(error) is ValueError else f"not a notebook ({type(error).__name__}: {error})"
        return Submission(name, [], trouble)


def _asked(submissions, chapter):
    """Return for each submission the names of the exercises that are asked for."""
    if chapter is not None:
        titles = {title for title in chapters() if int(title[:2]) == chapter}
        if not titles:
            raise ValueError(f"chapter = {chapter}: has no exercises; these have: "
                             f"{', '.join(str(int(title[:2])) for title in chapters())}")
        chosen = [titles] * len(submissions)
    else:
        own = [submission.chapters for submission in submissions]
        everybodys = set().union(*own)
        chosen = [titles or everybodys for titles in own]
    return [[name for title, exercises in chapters().items() if title in titles for name in exercises]
            for titles in chosen]


class _Runs:
    """The processes in which submissions run."""

    def __init__(self, limits):
        self.limits, self.running, self.stopped = limits, set(), False

    def findings(self, submission, names):
        """Return for each exercise its name and what was found: its `Attempt`, or an outcome and a text."""
        if submission.trouble:
            return [(name, {"outcome": submission.outcome, "text": submission.trouble}) for name in names or [""]]
        found = {name: {"outcome": "missing", "text": "no cell defines it"}
                 for name in names if name not in submission.defined}
        left = [name for name in names if name not in found]
        while left and not self.stopped:
            with tempfile.TemporaryDirectory(prefix="ravine-", ignore_cleanup_errors=True) as folder:
                ended = self._run(Path(folder), submission.cells, left)
                tried = 0
                while tried < len(left) and os.path.lexists(Path(folder, f"{left[tried]}.npz")):
                    found[left[tried]] = _load(Path(folder, f"{left[tried]}.npz"), find(left[tried]))
                    tried += 1
            if not tried:  # an answer that comes after others is given a second chance, in a process of its own
                found[left[0]], tried = ended, 1
            left = left[tried:]
        return [(name, found[name]) for name in names if name in found] or [
            ("", {"outcome": "missing", "text": "no exercise of the course is in it"})]

    def _run(self, folder, cells, names):
        """Run a submission in `folder`; return what to say of an exercise at which it ended too early."""
        work = folder / "work"
        work.mkdir()
        job = {"cells": cells, "names": names, "seconds": self.limits.seconds, "memory": self.limits.memory}
        (folder / "job.json").write_text(json.dumps(job))
        clock = 3 * self.limits.seconds + 10  # what else the machine does should fail nobody
        command = [sys.executable, "-I", str(Path(__file__).with_name("_supervise.py")), str(clock),
                   sys.executable, "-P", "-m", "ravine.exercises._submission", str(folder)]
        process = subprocess.Popen(command, cwd=work, env=_environment(work), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True, text=True)
        self.running.add(process)
        try:
            status = process.communicate(timeout=clock + 10)[0].strip()
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.communicate()[0].strip()
        finally:
            self.running.discard(process)
        return _ended(status, self.limits.seconds)

    def stop(self):
        """End whatever still runs."""
        self.stopped = True
        for process in list(self.running):
            process.terminate()


def _environment(home):
    """Return the environment of a submission: nothing of the grader's that is not needed."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if name in os.environ}
    library = str(Path(__file__).parents[2])
    return kept | {"PYTHONPATH": library, "HOME": str(home), "TMPDIR": str(home), "JAX_PLATFORMS": "cpu",
                   "MPLBACKEND": "agg", "OPENBLAS_NUM_THREADS": "1"}


def _ended(status, seconds):
    """Return what to say of an exercise when `_supervise` gave this status."""
    if status in ("timeout", str(-signal.SIGXCPU)):
        return {"outcome": "timeout", "text": f"stopped from outside, after {seconds:g} s of computing or "
                f"{3 * seconds:g} s on the clock. Nothing within Python could stop it."}
    if not status:
        return {"outcome": "died", "text": "its process ended the one that watches over it"}
    how = f"by a signal ({signal.strsignal(-int(status))})" if status.startswith("-") else f"with exit status {status}"
    return {"outcome": "died", "text": f"its process ended {how}, before there was a result"}


def _load(path, exercise):
    """Return what a submission's process left about an exercise: its `Attempt`, or an outcome and a text."""
    try:
        outputs, facts = _parcel.load(path)
        if "outcome" in facts:
            if facts["outcome"] not in _SAID:
                raise ValueError("a verdict of its own")
            return {"outcome": facts["outcome"], "text": str(facts["text"])}
        attempt = _run.Attempt(outputs, facts["error"], facts["line"], facts["timed_out"])
        ended_early = attempt.error is not None or attempt.timed_out is not None
        complete = len(outputs) == len(exercise.probes)
        if len(outputs) > len(exercise.probes) or complete == ended_early:
            raise ValueError(f"{len(outputs)} outputs")
        return {"attempt": attempt}
    except Exception as fault:  # anybody may have written it
        return {"outcome": "garbage", "text": f"what its process left is no result ({type(fault).__name__}: {fault})"}


def _row(submission, name, finding):
    outcome, text, mistake = _judge(find(name), finding) if name else (finding["outcome"], finding["text"], None)
    return Row(cell(submission.name), name, int(outcome == "pass"), outcome, mistake or "", cell(text, 1_000))


def _judge(exercise, finding):
    """Return outcome, text, and the mistake's name or None."""
    try:
        if "outcome" in finding:
            return finding["outcome"], finding["text"], None
        return _check.judge(exercise, finding["attempt"])
    except Exception as fault:
        return "checker", f"the checker itself failed ({type(fault).__name__}: {fault})", None
