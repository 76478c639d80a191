"""The table of chapter 9: whole, made by this code, and found again in three cells that nobody has chosen."""

import functools
import hashlib
import json

import jax
import numpy as np
import pytest

import ravine as rv
from choosing.__main__ import TABLE
from choosing.trials import PAIRS, RULES, SEEDS, TASKS, Cells, language

TEXT = TABLE.read_text(encoding="utf-8")
ROWS = {(row["task"], row["rule"]): row for row in json.loads(TEXT)["rows"]}


def test_the_table_is_whole():
    assert list(ROWS) == PAIRS
    assert len(TEXT.encode()) < 100_000
    table = rv.data.optimizer_table()
    for task, rules in table.trials.items():
        for rule, found in rules.items():
            np.testing.assert_allclose(found["rates"], RULES[rule].rates, rtol=5e-4, err_msg=f"{task} {rule}")
            for part in ("validation", "test"):
                loss, error = found[f"{part}_loss"], found[f"{part}_error"]
                assert loss.shape == error.shape == (9, SEEDS), (task, rule)
                assert np.array_equal(np.isnan(loss), np.isnan(error)), (task, rule)
                assert np.nanmin(error) >= 0, (task, rule)
                assert np.nanmax(error) <= 1, (task, rule)
    assert table.settings["steps"] == {name: task.steps for name, task in TASKS.items()}


def drawn(number):
    """Return a cell, another for another table: task, rule, number of the rate, which is at most the best one.

    Above the best rate training may be chaotic: a rounding error changes as much as another seed does.
    """
    cells = [(*pair, i) for pair, row in ROWS.items()
             for i in range(1 + np.nanargmin(np.array(row["validation_loss"], float).mean(1)))]
    return cells[int.from_bytes(hashlib.sha256(f"{number} {TEXT}".encode()).digest()) % len(cells)]


@functools.cache
def again(task, rule, i):
    """Return the program of a cell, its validation losses computed now, and how far rounding may have carried them."""
    cells = Cells(task, rule, RULES[rule].rates[i:i + 1])
    loss, beside = (cells.run(nudge)["validation_loss"][0] for nudge in (0.0, 1e-6))
    return cells.program, loss, abs(beside - loss).max()


def agrees(cell, losses):
    """Return whether the recomputed losses of a cell are these, one for each seed.

    Another processor rounds otherwise, and training carries a rounding error on: hardly at small rates, farther at
    larger ones. How far is measured where it matters, in the cell itself, by a start that is a few last digits of
    float32 off. Ten times that is allowed, since a processor rounds in every step and a start is off but once; and
    half of the last of the table's four digits, which is at most 5e-4 of the number.
    """
    _, loss, carried = again(*cell)
    return (abs(loss - losses) <= 10 * carried + 5e-4 * abs(loss)).all()


@pytest.mark.parametrize("number", range(3))
def test_a_drawn_cell_is_found_again(number):
    task, rule, i = drawn(number)
    row = ROWS[task, rule]
    program, loss, carried = again(task, rule, i)
    mend = "if the code is right, `make benchmark-optimizers` makes the table anew"
    cell = f"{task}, {rule}, rate {row['rates'][i]}"
    losses = row["validation_loss"][i]
    assert agrees((task, rule, i), losses), f"{cell}: {losses} in the table, {loss} ± {10 * carried} now; {mend}"
    if json.loads(TEXT)["made"]["jax"] == jax.__version__:
        assert program == row["program"], f"{cell}: another program made the table; {mend}"


@pytest.mark.parametrize("number", range(3))
def test_another_rate_would_be_noticed(number):
    task, rule, i = drawn(number)
    losses = ROWS[task, rule]["validation_loss"]
    assert not agrees((task, rule, i), np.array(losses[i - 1 if i else 1], float))


def test_the_words_of_the_language_follow_one_another():
    x, y = language(sequences=64)
    assert np.array_equal(x[:, 1:], y[:, :-1])
    assert np.array_equal(np.unique(x), np.arange(8))
    repeated, _ = language(sequences=64)
    assert np.array_equal(x, repeated)
