"""The table of chapter 9: whole, made by this code, and found again in three cells that nobody has chosen."""

import functools
import hashlib
import json

import jax
import numpy as np
import pytest
from choosing.__main__ import TABLE
from choosing.trials import RULES, SEEDS, TASKS, Cells, language

import ravine as rv

TEXT = TABLE.read_text(encoding="utf-8")
ROWS = {(row["task"], row["rule"]): row for row in json.loads(TEXT)["rows"]}


def test_the_table_is_whole():
    assert set(ROWS) == {(task, rule) for task in TASKS for rule in RULES}
    assert len(TEXT.encode()) < 100_000
    table = rv.data.optimizer_table()
    for task, rules in table.trials.items():
        for rule, found in rules.items():
            np.testing.assert_allclose(found["rates"], RULES[rule].rates, rtol=5e-4, err_msg=f"{task} {rule}")
            for part in ("validation", "test"):
                loss, error = found[f"{part}_loss"], found[f"{part}_error"]
                assert loss.shape == error.shape == (9, SEEDS), (task, rule)
                assert np.array_equal(np.isnan(loss), np.isnan(error)), (task, rule)
                assert not (error < 0).any() and not (error > 1).any(), (task, rule)
    assert table.settings["steps"] == {name: task.steps for name, task in TASKS.items()}


def drawn(number):
    """Return one of the cells in which no run diverged, another for another table: task, rule, number of the rate."""
    digest = hashlib.sha256(f"{number} {TEXT}".encode()).digest()
    cells = [(*pair, i) for pair, row in ROWS.items() for i, losses in enumerate(row["validation_loss"])
             if None not in losses]
    return cells[int.from_bytes(digest) % len(cells)]


@functools.cache
def again(task, rule, i):
    """Return the validation losses of a cell, computed now, and how far a rounding error may have carried them."""
    cells = Cells(task, rule, RULES[rule].rates[i:i + 1])
    loss, *beside = (cells.run(nudge)["validation_loss"][0] for nudge in (0.0, 1e-6, -1e-6))
    carried = max(abs(losses - loss).max() for losses in beside)
    return cells.program, loss, carried


def agrees(task, rule, i, losses):
    """Return whether the recomputed losses of a cell are these.

    Another processor rounds otherwise, and training carries a rounding error on: hardly at small rates, far at the
    largest. How far is measured where it matters, in the cell itself: by starts that are a few last digits of float32
    off. Ten times that is allowed, since a processor rounds in every step and a start is off but once; and what the
    table's four digits leave open.
    """
    _, loss, carried = again(task, rule, i)
    return (abs(loss - losses) <= 10 * carried + 6e-4 * abs(loss)).all()


@pytest.mark.parametrize("number", range(3))
def test_a_drawn_cell_is_found_again(number):
    task, rule, i = drawn(number)
    program, loss, carried = again(task, rule, i)
    losses = ROWS[task, rule]["validation_loss"]
    told = f"{task}, {rule}, rate {ROWS[task, rule]['rates'][i]}: in the table {losses[i]}, now {loss} ± {10 * carried}"
    assert agrees(task, rule, i, losses[i]), f"{told}. If the code is right, `make benchmark-optimizers` makes it anew"
    if json.loads(TEXT)["made"]["jax"] == jax.__version__:
        assert program == ROWS[task, rule]["program"], (
            f"{task}, {rule}: the program is not the one that made the table: `make benchmark-optimizers`")


@pytest.mark.parametrize("number", range(3))
def test_the_next_rate_would_be_told_apart(number):
    task, rule, i = drawn(number)
    losses = ROWS[task, rule]["validation_loss"]
    other = np.array(losses[i - 1 if i else i + 1], float)
    assert not agrees(task, rule, i, other)


def test_the_words_of_the_language_follow_one_another():
    x, y = language(sequences=64)
    assert np.array_equal(x[:, 1:], y[:, :-1])
    assert x.min() == 0
    assert x.max() == 7
    again, _ = language(sequences=64)
    assert np.array_equal(x, again)
