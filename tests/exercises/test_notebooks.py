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
SMALL = notebook(
    "%matplotlib inline\nimport jax.numpy as jnp\nfrom ravine.exercises import check, hint, progress, solution",
    *(cell for exercise in chapters()["06_momentum"].values()
      for cell in (stub(exercise), f'check("{exercise.name}", {exercise.name})')),
    "progress()")
NOTEBOOKS = [pytest.param("06_momentum", SMALL, id="a small notebook"),
             *(pytest.param(path.stem, nbformat.read(path, as_version=4), id=path.stem)
               for path in sorted(FOLDER.glob("*.ipynb")))]
every_notebook = pytest.mark.parametrize(("chapter", "shipped"), NOTEBOOKS)


@every_notebook
def test_each_exercise_has_a_stub_that_states_its_convention(chapter, shipped):
    for name, exercise in chapters()[chapter].items():
        cells = [cell.source for cell in shipped.cells if cell.cell_type == "code" and defines(cell.source, name)]
        assert len(cells) == 1, f"{chapter} should define {name} once, as a stub"
        given = next(node for node in ast.parse(cells[0]).body if isinstance(node, ast.FunctionDef))
        wanted = ast.parse(stub(exercise)).body[0]
        assert ast.dump(given) == ast.dump(wanted), f"the stub of {name} should read\n{stub(exercise)}"


@every_notebook
def test_as_shipped_it_runs_to_the_end_with_every_exercise_unsolved(chapter, shipped, tmp_path, request, covers):
    done = execute(copy.deepcopy(shipped), tmp_path)
    assert verdicts(done) == dict.fromkeys(chapters()[chapter], "–")
    assert not (tmp_path / ".ravine").exists()
    covers("notebooks as shipped", request.node.callspec.id)


@every_notebook
def test_filled_in_with_the_references_it_passes_every_exercise(chapter, shipped, tmp_path, request, covers):
    solved = copy.deepcopy(shipped)
    for exercise in chapters()[chapter].values():
        for cell in solved.cells:
            if cell.cell_type == "code" and defines(cell.source, exercise.name):
                cell.source = fill_in(cell.source, exercise)
    assert verdicts(execute(solved, tmp_path)) == dict.fromkeys(chapters()[chapter], "✓")
    covers("notebooks solved", request.node.callspec.id)
