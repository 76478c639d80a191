"""JupyterLab opens the notebook of every chapter, and runs one of them from its first cell: figures live, no error.

What the cells of the others do is the same in every front end, and tested without one.
"""

import contextlib
import shutil

import nbformat
import pytest
from playwright.sync_api import expect
from reading import ROOT

import lab

TWINS = sorted(path.name for path in ROOT.glob("chapters/*.ipynb"))
RUN = "06_momentum.ipynb"
OPEN = "name => jupyterapp.commands.execute('docmanager:open', { path: name }).then(() => null)"
# What a notebook shows, once it stands; a Markdown cell says what is left of MyST in it.
SHOWN = """async () => {
  const { content } = jupyterapp.shell.currentWidget;
  const left = content.widgets.map(({ model }) => model.sharedModel).filter(({ cell_type }) => cell_type === "markdown")
    .flatMap(({ source }) => source.match(/\\{(eq|cite:.)\\}`|^:::+|^```\\{/gm) ?? []);
  return { cells: content.widgets.map(({ model }) => model.type), left };
}"""
# What is wrong in a notebook that has run: outputs that are errors, and code cells that have not run.
WRONG = """() => jupyterapp.shell.currentWidget.content.widgets.map(({ model }) => model)
  .filter(({ type, sharedModel }) => type === "code" && sharedModel.source)
  .flatMap(({ sharedModel, executionCount }) => [
    ...sharedModel.outputs.filter(({ output_type }) => output_type === "error").map(({ evalue }) => evalue),
    ...(executionCount ? [] : [`not run: ${sharedModel.source}`])])"""
RUN_ALL = "() => jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)"
# Brings the cell that holds a figure into view: those out of it are not there.
FIGURE = """() => {
  const { content } = jupyterapp.shell.currentWidget;
  const holds = ({ model }) => model.sharedModel.source.startsWith("rv.figures.");
  content.activeCellIndex = content.widgets.findIndex(holds);
  return content.scrollToItem(content.activeCellIndex);
}"""


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    """Yield JupyterLab over a copy of the notebooks, with the first of them open; it notes errors of its scripts."""
    home = tmp_path_factory.mktemp("lab")
    for name in TWINS:
        shutil.copy(ROOT / "chapters" / name, home)
    with (lab.serving(home) as address,
          contextlib.closing(browser.new_context(viewport={"width": 1200, "height": 900})) as context):
        context.set_default_timeout(lab.PATIENCE)
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(address("lab/tree", TWINS[0]))
        lab.wait(page)
        yield page


@pytest.mark.parametrize("name", TWINS)
def test_jupyterlab_opens_the_twin(page, name):
    page.evaluate(OPEN, name)
    lab.wait(page)
    shown = page.evaluate(SHOWN)
    assert shown["cells"] == [cell.cell_type for cell in nbformat.read(ROOT / "chapters" / name, 4).cells]
    assert shown["left"] == []
    expect(page.locator(".jp-NotebookPanel:visible .jp-MarkdownOutput h1")).to_be_visible()
    expect(page.locator(".jp-Dialog")).to_have_count(0)
    assert page.faults == []


@pytest.mark.notebook
def test_jupyterlab_runs_a_twin_from_its_first_cell(page):
    page.evaluate(OPEN, RUN)
    lab.wait(page)
    assert any("not run: " in fault for fault in page.evaluate(WRONG))
    page.evaluate(RUN_ALL)
    assert page.evaluate(WRONG) == []
    page.evaluate(FIGURE)
    figure = page.locator(".jp-NotebookPanel:visible .ravine-live").first
    expect(figure.locator(".summary")).not_to_be_empty()
    before = figure.locator(".summary").inner_text()
    figure.locator(".slider input").last.press("PageUp")
    expect(figure.locator(".summary")).not_to_have_text(before)
    assert page.faults == []
