"""The chapters' notebooks, as a student gets them and as one who has solved everything leaves them."""

import ast
import copy
from pathlib import Path

import nbformat
import pytest
from notebooks import execute, notebook, verdicts
from stubs import defines, fill_in, stub

from ravine.exercises._exercise import chapters

FOLDER = Path(__file__).parents[2] / "chapters"
ALL = {name: exercise for exercises in chapters().values() for name, exercise in exercises.items()}
STUBS = notebook(
    "%matplotlib inline\nimport jax\nimport jax.numpy as jnp\nimport numpy as np\n"
    "from ravine.exercises import check, hint, progress, solution",
    *(cell for exercise in ALL.values() for cell in (stub(exercise), f'check("{exercise.name}", {exercise.name})')),
    "progress()")
NOTEBOOKS = [pytest.param(ALL, STUBS, id="the whole course"),
             *(pytest.param(chapters()[path.stem], nbformat.read(path, as_version=4), id=path.stem)
               for path in sorted(FOLDER.glob("*.ipynb")))]
every_notebook = pytest.mark.parametrize(("exercises", "shipped"), NOTEBOOKS)


@every_notebook
def test_each_exercise_has_a_stub_that_states_its_convention(exercises, shipped):
    for name, exercise in exercises.items():
        cells = [cell.source for cell in shipped.cells if cell.cell_type == "code" and defines(cell.source, name)]
        assert len(cells) == 1, f"{name} should be defined once, as a stub"
        given = next(node for node in ast.parse(cells[0]).body if isinstance(node, ast.FunctionDef))
        wanted = ast.parse(stub(exercise)).body[0]
        assert ast.dump(given) == ast.dump(wanted), f"the stub of {name} should read\n{stub(exercise)}"


@every_notebook
def test_as_shipped_it_runs_to_the_end_with_every_exercise_unsolved(exercises, shipped, tmp_path, request, covers):
    done = execute(copy.deepcopy(shipped), tmp_path)
    assert verdicts(done) == dict.fromkeys(exercises, "–")
    assert not (tmp_path / ".ravine").exists()
    covers("notebooks as shipped", request.node.callspec.id)


@every_notebook
def test_filled_in_with_the_references_it_passes_every_exercise(exercises, shipped, tmp_path, request, covers):
    solved = copy.deepcopy(shipped)
    for exercise in exercises.values():
        for cell in solved.cells:
            if cell.cell_type == "code" and defines(cell.source, exercise.name):
                cell.source = fill_in(cell.source, exercise)
    assert verdicts(execute(solved, tmp_path)) == dict.fromkeys(exercises, "✓")
    covers("notebooks solved", request.node.callspec.id)
