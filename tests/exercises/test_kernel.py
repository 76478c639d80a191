"""In a real Jupyter kernel: hostile answers leave it alive, and a message is shown once, as HTML and as text."""

from pathlib import Path

import hostile
import pytest
from notebooks import execute, notebook, shown

pytestmark = pytest.mark.notebook
LIMIT = 0.4
AFTERWARDS = "print(float(jnp.arange(3.0).sum()), jnp.ones(1).dtype, check('velocity_step', right).outcome)"


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Return the cells of a notebook that checks every hostile answer, with a computation after each."""
    checks = []
    for answer, outcome, _ in hostile.HOSTILE:
        limit = LIMIT if outcome == "timeout" else 5.0
        checks += [f'check("velocity_step", {answer.__name__}, time_limit={limit})', AFTERWARDS]
    done = execute(notebook(
        "from ravine.exercises import check, hint, solution\n" + Path(hostile.__file__).read_text(),
        "def right(w, v, g, lr, mu):\n    v = mu * v + lr * g\n    return w - v, v",
        *checks,
        'hint("ewma")', 'solution("ewma")', 'def ewma(x, beta):\n    ...', 'check("ewma", ewma)',
    ), tmp_path_factory.mktemp("notebook"), seconds=60)
    return done.cells


def test_every_hostile_answer_gets_its_outcome_and_the_kernel_goes_on(cells, covers):
    for (answer, outcome, part), cell, after in zip(hostile.HOSTILE, cells[2:-4:2], cells[3:-4:2], strict=True):
        (message,) = shown(cell)
        assert message.startswith({"pass": "✓ velocity_step: "}.get(outcome, "✗ velocity_step: "))
        assert part in message, (answer, message)
        assert [output.text for output in after.outputs if output.output_type == "stream"] == ["3.0 float32 pass\n"]
        covers("hostile answers in a kernel", answer.__name__)


def test_a_message_is_shown_once_in_both_forms(cells):
    for cell in [*cells[2:-4:2], *cells[-4:-2], cells[-1]]:
        (output,) = cell.outputs
        assert output.output_type == "display_data"
        assert set(output.data) == {"text/plain", "text/html"}


def test_an_error_shows_the_line_of_the_cell(cells):
    by_name = dict(zip([answer.__name__ for answer, *_ in hostile.HOSTILE], cells[2:-4:2], strict=True))
    assert "w[0] = 0.0" in shown(by_name["mutates_its_input"])[0]
    assert shown(cells[-1])[0].startswith("– ewma: not solved yet.")
