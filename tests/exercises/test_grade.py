"""A whole class is graded once, from the command line; the tests look at what came of it."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from submissions import ALL_RIGHT, CLASS, MARK, write

import ravine
from ravine.exercises import __main__, _compare, _grade, _parcel, _report, _submission
from ravine.exercises._exercise import chapters

LIMITS = ["--seconds", "6", "--memory", "1"]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Return the rows of the CSV file, what was printed, and the class's folder."""
    top = tmp_path_factory.mktemp("grading")
    for name in ("class", "temporary"):
        (top / name).mkdir()
    write(top / "class")
    environment = os.environ | {"PYTHONPATH": str(Path(ravine.__file__).parents[1]), "TMPDIR": str(top / "temporary"),
                                "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "ravine.exercises", "grade", "class", "--output", "grades.csv", *LIMITS]
    done = subprocess.run(command, cwd=top, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with open(top / "grades.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return SimpleNamespace(rows=rows, printed=done.stdout, folder=top)


def rows_of(graded, name):
    return {row["exercise"]: row for row in graded.rows if row["submission"] in (name, f"{name}.ipynb")}


@pytest.mark.parametrize("name", CLASS)
def test_every_submission_is_judged_by_what_its_functions_compute(graded, name, covers):
    rows = rows_of(graded, name)
    expected = dict.fromkeys(ALL_RIGHT, "missing") | CLASS[name][1]
    assert {exercise: row["mistake"] or row["outcome"] for exercise, row in rows.items()} == expected, rows
    assert all((row["passed"] == "1") == (row["outcome"] == "pass") for row in rows.values())
    covers("submissions graded", name)


def test_every_submission_has_a_line_for_each_exercise(graded):
    assert len(CLASS) >= 30
    assert len(graded.rows) == 3 * (len(CLASS) + 1)
    assert {row["outcome"] for row in rows_of(graded, "nobody").values()} == {"missing"}
    for name in CLASS:
        assert graded.printed.count(f"  {name}.ipynb  ") == 1


@pytest.mark.parametrize(("name", "exercise", "part"), [
    ("wrong by name", "ewma", "the averages are not corrected. On probe 1 your averages[0] = 0.3, expected 3."),
    ("a cell that does not compile", "velocity_step", "SyntaxError: '(' was never closed (<cell 3>, line 2)"),
    ("a module that is missing", "velocity_step", "NameError: name 'minus' is not defined | in line 2: return minus"),
    ("an endless loop", "velocity_step", "not finished in 1.5 s"),
    ("an endless cell that Python cannot stop", "velocity_step", "stopped from outside, after 6 s of computing"),
    ("4 GB of memory", "ewma", "MemoryError: Unable to allocate 4.00 GiB"),
    ("os._exit", "ewma", "its process ended with exit status 0, before there was a result"),
    ("80 MB of results", "ewma", "too large"),
    ("kills its parent", "ewma", "its process ended the one that watches over it"),
    ("writes a result itself", "ewma", "no result (ValueError: a verdict of its own)"),
    ("writes a result itself", "lookahead_step", "Object arrays cannot be loaded when allow_pickle=False"),
    ("a number for a function", "velocity_step", "velocity_step is one number, and should be a function"),
    ("a truncated file", "ewma", "JSONDecodeError"),
    ("nobody", "ewma", "there is no notebook in this folder"),
])
def test_a_message_says_what_happened(graded, name, exercise, part):
    assert part in rows_of(graded, name)[exercise]["message"]


def test_the_summary_counts_the_class(graded):
    right = sum(outcomes.get("ewma") == "pass" for _, outcomes in CLASS.values())
    summary = graded.printed.partition("\nPassed")[2]
    assert f"  ewma            {right:3} of {len(CLASS) + 1}   " in summary
    assert "    3 × ewma, no_correction: the averages are not corrected\n" in summary
    assert "    1 × velocity_step, nothing returned\n" in summary
    assert "right in numpy" not in summary
    assert "os._exit.ipynb (ewma): its process ended with exit status 0" in summary
    assert "a truncated file.ipynb (ewma, velocity_step, lookahead_step): not a notebook" in summary


def test_nothing_hostile_reaches_the_terminal(graded):
    assert all(letter.isprintable() or letter == "\n" for letter in graded.printed)
    assert all(letter.isprintable() for row in graded.rows for cell in row.values() for letter in cell)
    for lie in ("spam", "✓ ewma: right", "passed\n", "HYPERLINK"):
        assert lie not in graded.printed


def test_submissions_leave_nothing_behind_and_spoil_nothing(graded):
    assert list((graded.folder / "temporary").iterdir()) == []
    assert {path.name for path in graded.folder.iterdir()} == {"class", "temporary", "grades.csv"}
    assert len(list((graded.folder / "class").iterdir())) == len(CLASS) + 1
    assert "spoilt" not in (graded.folder / "class/decoy.ipynb").read_text()
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert MARK.encode() not in command.read_bytes()
        except OSError:  # it has ended meanwhile
            continue


@pytest.mark.parametrize("value", [
    None, np.arange(3.0), (np.float32(1.5), [np.ones((2, 2), np.int32)]), {"w": np.zeros(2), "b": (None, np.bool_(1))},
    "a text", (), {}, object(), 1j, [np.zeros(0)],
], ids=["none", "array", "list", "dict", "text", "empty", "no keys", "object", "complex", "no numbers"])
def test_a_value_survives_being_a_file(value, tmp_path):
    value = _compare.plain(value)
    _parcel.save(tmp_path / "value.npz", [value], error=None)
    (back,), facts = _parcel.load(tmp_path / "value.npz")
    assert facts == {"error": None}
    np.testing.assert_equal(back, value)
    assert type(back) is type(value)


def test_files_that_hold_more_than_they_weigh_are_refused(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", facts=np.array("{}"), bomb=np.zeros(_parcel.LARGEST, np.int8))
    assert (tmp_path / "bomb.npz").stat().st_size < 1e6
    with pytest.raises(ValueError, match="more than"):
        _parcel.load(tmp_path / "bomb.npz")


def test_only_the_cells_that_an_answer_needs_are_run():
    cells = ["import os, sys\nimport json\nstart = os.getcwd()", "print(2)", "def other(): return f", "a = b = 1",
             "def f():\n    return [g() for _ in range(2)]", "def g():\n    return json.dumps(a)"]
    chosen = _submission.needed(_submission.parts(cells), "f")
    assert [sorted(part.binds) for part in chosen] == [["json"], ["a", "b"], ["f"], ["g"]]


@pytest.mark.parametrize(("source", "expected"), [
    ("x = 1  # %time", "x = 1  # %time"),
    ("%matplotlib inline\nif x:\n    !ls -l\n    %pip install y", "pass\nif x:\n    pass\n    pass"),
    ("ewma?\nx = 1", "pass\nx = 1"),
    ('%%time\nx = """\n"""', 'pass\nx = """\n"""'),
    ("%%bash\nls", ""),
    ('x = """\n%s\n"""', 'x = """\n%s\n"""'),
])
def test_magics_do_nothing(source, expected):
    assert _submission.without_magics(source) == expected


def notebook(path, *cells):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}))


def test_a_folder_is_searched_and_a_file_taken_as_it_is(tmp_path):
    notebook(tmp_path / "ana/6.ipynb", "a")
    notebook(tmp_path / "ana/.ipynb_checkpoints/6.ipynb", "old")
    notebook(tmp_path / "__MACOSX/6.ipynb", "no notebook")
    (tmp_path / "ben").mkdir()
    assert [(found.name, found.cells, found.outcome) for found in _grade.collect([tmp_path])] == [
        ("ana/6.ipynb", ["a"], "unreadable"), ("ben", [], "missing")]
    names = [tmp_path / "ana/6.ipynb", tmp_path / "gone.ipynb"]
    assert [(found.name, found.trouble) for found in _grade.collect(names)] == [
        (str(names[0]), ""), (str(names[1]), "there is no such file")]


def test_what_is_asked_for_follows_from_the_notebooks_or_is_named():
    def asked(*cells, chapter=None):
        return [set(names) for names in _grade._asked([_grade.Submission("", [cell]) for cell in cells], chapter)]

    momentum, rates = set(chapters()["06_momentum"]), set(chapters()["05_learning_rates"])
    assert asked("check('ewma', ewma)\ndef risk(): ...", "def warmup_cosine(t): ...", "") == [
        momentum, rates, momentum | rates]
    assert asked("x = 1") == [set()]
    assert asked("check('ewma', ewma)", "", chapter=5) == [rates, rates]
    with pytest.raises(ValueError, match=r"chapter = 77: has no exercises; these have: 1, 2"):
        asked("", chapter=77)


@pytest.mark.parametrize(("arguments", "part"), [
    (["grade", "."], "there is no notebook in ."),
    (["grade", "x.ipynb", "--seconds", "0"], "0 must be above 0"),
    (["grade", "x.ipynb", "--chapter", "77"], "chapter = 77"),
    (["grade", "x.ipynb", "--output", "no/such/folder.csv"], "No such file"),
    ([], "COMMAND"),
])
def test_what_cannot_be_graded_is_said_before_anything_runs(arguments, part, capsys):
    with pytest.raises(SystemExit) as stopped:
        __main__.main(arguments)
    assert stopped.value.code == 2
    assert part in capsys.readouterr().err


def test_who_interrupts_is_told_what_is_kept(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(_grade, "grade", interrupted)
    with pytest.raises(SystemExit, match="130"):
        __main__.main(["grade", "x.ipynb", "--output", "marks.csv"])
    assert "What was graded until then is in marks.csv" in capsys.readouterr().err


def test_texts_of_strangers_become_one_harmless_line():
    assert _report.plain("a\n  b\x1b[31m\tc") == "a | b [31m c"
    assert _report.plain("x" * 300) == "x" * 199 + "…"
    assert _report.cell("-1+cmd|x") == "'-1+cmd|x"
    row = _grade._row(_grade.Submission("=1+1.ipynb", []), "", {"outcome": "missing", "text": ""})
    assert row.submission == "'=1+1.ipynb"
