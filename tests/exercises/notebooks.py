"""Notebooks, executed in a real kernel, and the messages that their cells showed."""

import nbformat
from nbclient import NotebookClient

MARKS = "✓✗–?"


def notebook(*sources):
    """Return a notebook of code cells."""
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})


def execute(notebook, folder, seconds=300):
    """Run all cells in a new kernel whose working folder is `folder`. A cell that raises is an error."""
    # A kernel that has little time sends what one cell prints in pieces, which are joined here.
    NotebookClient(notebook, timeout=seconds, coalesce_streams=True,
                   resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def shown(cell):
    """Return the plain text, if there is one, of all that a cell displayed as rich output."""
    return [output.data.get("text/plain", "") for output in cell.outputs
            if output.output_type in ("display_data", "execute_result")]


def verdicts(notebook):
    """Return the mark that `check` showed for each exercise, ``{"ewma": "–"}``."""
    texts = [text for cell in notebook.cells if cell.cell_type == "code" for text in shown(cell)]
    return {text[2:].partition(":")[0]: text[0] for text in texts if text[:1] in MARKS and text[1:2] == " "}
