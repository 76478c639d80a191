"""The chapters' notebooks as shipped, with what the book's build got from their cells; and as solved, in short.

The solved chapters themselves (tools/solved.py) run as tests of their own: `make test` gives them to nbval.
"""

import ast
from pathlib import Path

import nbformat
import pytest
from notebooks import execute, notebook, verdicts
from stubs import stub

from ravine.exercises import check
from ravine.exercises._exercise import chapters
from solved import defines, solved, verdict
from twins import SEEN

pytestmark = pytest.mark.notebook

ROOT = Path(__file__).parents[2]
ALL = {name: exercise for exercises in chapters().values() for name, exercise in exercises.items()}
STUBS = notebook(
    "%matplotlib inline\nimport jax\nimport jax.numpy as jnp\nimport numpy as np\n"
    "from ravine.exercises import check, hint, progress, solution",
    *(cell for exercise in ALL.values()
      for cell in (stub(exercise), f'{exercise.name}_ = check("{exercise.name}", {exercise.name}).usable')),
    "progress()")
CHAPTERS = [pytest.param(chapters()[path.stem], nbformat.read(path, as_version=4), id=path.stem)
            for path in sorted(ROOT.glob("chapters/*.ipynb"))]
every_chapter = pytest.mark.parametrize(("exercises", "shipped"), CHAPTERS)


def code(notebook):
    """Return the sources of a notebook's code cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def built():
    """Return the notebooks that the book's build has run, with their outputs, by their code."""
    from jupyter_cache import get_cache

    caches = [get_cache(folder) for folder in ROOT.glob("_build/.jupyter_cache/*")]
    runs = [cache.get_cache_bundle(record.pk).nb for cache in caches for record in cache.list_cache_records()]
    return {tuple(code(run)): run for run in runs}


@every_chapter
def test_each_exercise_has_a_stub_that_states_its_convention(exercises, shipped):
    for name, exercise in exercises.items():
        cells = [source for source in code(shipped) if defines(source, name)]
        assert len(cells) == 1, f"{name} should be defined once, as a stub"
        given = next(node for node in ast.parse(cells[0]).body if isinstance(node, ast.FunctionDef))
        wanted = ast.parse(stub(exercise)).body[0]
        assert ast.dump(given) == ast.dump(wanted), f"the stub of {name} should read\n{stub(exercise)}"


@every_chapter
def test_as_shipped_it_ran_to_the_end_with_every_exercise_unsolved(exercises, shipped, built, request, covers):
    _, *sources = code(shipped)  # the first one installs the library in Colab
    done = built.get(tuple(source.removeprefix(SEEN) for source in sources))
    assert done, "the book was not built with these cells: run `make book`"
    assert not [output for cell in done.cells for output in cell.get("outputs", ()) if output.output_type == "error"]
    assert verdicts(done) == dict.fromkeys(exercises, "–")
    covers("notebooks as shipped", request.node.callspec.id)


def test_the_whole_course_as_shipped(tmp_path, covers):
    assert verdicts(execute(STUBS, tmp_path)) == dict.fromkeys(ALL, "–")
    assert not (tmp_path / ".ravine").exists()
    covers("notebooks as shipped", "the whole course")


def test_the_whole_course_solved(tmp_path, covers):
    assert verdicts(execute(solved(STUBS, ALL), tmp_path)) == dict.fromkeys(ALL, "✓")
    covers("notebooks solved", "the whole course")


@pytest.mark.parametrize("name", ALL)
def test_the_last_cell_of_a_solved_notebook_fails_for_an_exercise_that_is_not(name):
    def unsolved(*_):
        ...

    exec(verdict([name]), {name: unsolved, f"{name}_": unsolved})
    with pytest.raises(AssertionError, match=f"^{name}: its check"):
        exec(verdict([name]), {name: unsolved, f"{name}_": check(name, unsolved).usable})
