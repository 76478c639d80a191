"""Live figures in a running JupyterLab and Notebook 7: they stand there, move, and Python and the page know of it."""

import contextlib
import re

import nbformat
import pytest
from driving import centre
from playwright.sync_api import expect

import lab

CELLS = [
    "import ravine as rv\nball = rv.figures.momentum()\nball",
    "print(ball.alpha, ball.beta)\nball.beta = 0.25",
    'net = rv.figures.playground(hidden="3")\nnet',
    "print(net.learning_rate, net.steps)\nnet.activation = 'relu'",
]


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """Yield a function from a front end to its address of the notebook."""
    home = tmp_path_factory.mktemp("jupyter")
    cells, kernel = list(map(nbformat.v4.new_code_cell, CELLS)), {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, home / "figures.ipynb")
    with lab.serving(home) as address:
        yield lambda front_end: address(front_end, "figures.ipynb")


@pytest.fixture(params=["lab/tree", "notebooks"])
def notebook(request, browser, jupyter):
    """Yield the notebook, opened in JupyterLab and in Notebook 7."""
    with contextlib.closing(browser.new_context(viewport={"width": 1200, "height": 3000})) as context:
        context.set_default_timeout(lab.PATIENCE)
        page = context.new_page()
        page.goto(jupyter(request.param))
        lab.wait(page)
        yield Notebook(page)


class Notebook:
    """The notebook of `CELLS` in a front end."""

    def __init__(self, page):
        self.page = page

    def run(self, number):
        """Run a cell; return where its output is."""
        cell = self.page.locator(".jp-CodeCell").nth(number)
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"), timeout=lab.PATIENCE)
        return cell.locator(".jp-OutputArea-output").first

    def shows(self, number):
        """Run a cell that holds a figure; return the figure when it is drawn."""
        figure = self.run(number).locator(".ravine-live")
        expect(figure.locator(".summary")).not_to_be_empty(timeout=lab.PATIENCE)
        return figure


def slider(figure, label):
    """Return a slider by its label, and what it says."""
    row = figure.locator(".slider", has_text=label)
    return row.locator("input"), row.locator("output")


def test_arrows_and_mouse_move_momentum_and_python_knows(notebook):
    figure = notebook.shows(0)
    beta, said = slider(figure, "memory")
    before = float(said.inner_text())
    beta.press("ArrowRight")
    expect(said).to_have_text(f"{before + 0.001:g}")  # a step; JupyterLab keeps the arrows for itself if it can

    alpha, picture = slider(figure, "step size")[1].inner_text(), figure.locator(".plots").inner_html()
    x, y = centre(figure.locator(".grip circle:not(.touch)").first)
    mouse = notebook.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x - 20, y - 10, steps=4)
    mouse.up()
    expect(slider(figure, "step size")[1]).not_to_have_text(alpha)
    assert figure.locator(".plots").inner_html() != picture

    shown = [float(slider(figure, label)[1].inner_text()) for label in ("step size", "memory")]
    known = [float(number) for number in notebook.run(1).inner_text().split()]
    assert known == pytest.approx(shown, rel=5e-3)  # three digits are shown
    expect(said).to_have_text("0.25")  # and what Python sets is shown


def test_playground_takes_a_step_and_python_knows(notebook):
    figure = notebook.shows(2)
    rate, said = slider(figure, "learning rate")
    before = said.inner_text()
    rate.press("ArrowRight")
    expect(said).not_to_have_text(before)
    summary = figure.locator(".summary").inner_text()
    figure.get_by_role("button", name="Step", exact=True).click()
    expect(figure.locator(".summary")).to_contain_text("After 1 step ")
    assert figure.locator(".summary").inner_text() != summary
    learning_rate, steps = notebook.run(3).inner_text().split()
    assert float(learning_rate) == pytest.approx(float(said.inner_text()), rel=5e-3)
    assert steps == "1"
    expect(figure.locator("select", has_text="gelu")).to_have_value("relu")
