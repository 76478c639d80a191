"""The page of performance: it shows all tables that `make bench` has written, every shared rule is in them."""

import json
import re

import jax
import pytest

from optimizers.cases import CASES, LOOKING
from performance import measuring, steps
from performance.__main__ import DATA, lines
from performance.measuring import at_least, at_most
from tables import cell, markdown

MEASURED = json.loads(DATA.read_text(encoding="utf-8"))
PAGE = DATA.with_suffix(".md").read_text(encoding="utf-8")
NAMES = re.findall(r"^```\{measured\} (.*)$", PAGE, re.MULTILINE)
# The rules that do more than Optax's, operations or bytes; the page says why.
MORE = {"momentum": (True, False), "clip_by_norm": (True, True)}


def test_the_page_shows_all_that_was_measured():
    assert sorted(NAMES) == sorted(["made", "aims", *MEASURED["tables"]])
    assert DATA.read_text(encoding="utf-8") == lines(MEASURED) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_table_has_a_cell_for_each_number(name):
    shown = markdown(MEASURED, name).splitlines()
    if name == "made":
        assert all(str(value) in shown[0] for value in MEASURED["made"].values())
        return
    rows = MEASURED["aims"] if name == "aims" else MEASURED["tables"][name]["rows"]
    assert len(shown) == 2 + len(rows) > 2
    assert len({line.count("|") for line in shown}) == 1
    for line, row in zip(shown[2:], rows, strict=True):
        assert all(cell(value) in line for value in row if not isinstance(value, bool))


def test_every_shared_rule_is_measured():
    shared = {case.name.split(",")[0] for case in CASES if case.optax} - set(LOOKING)
    assert shared | {"clip_by_norm", "clip_by_value", "muon", "schedule_free"} == {
        name.split(",")[0] for name in steps.RULES}
    for name in ("step counts", "step times"):
        assert [row[0] for row in MEASURED["tables"][name]["rows"]][:len(steps.RULES)] == list(steps.RULES)


@pytest.mark.skipif(jax.__version__ != MEASURED["made"]["jax"], reason="another version of XLA may count otherwise")
@pytest.mark.parametrize("name", steps.RULES)
def test_a_compiled_step_does_no_more_than_optax(name):
    ours, theirs, our_bytes, their_bytes = steps.counts(name)
    assert (ours > theirs, our_bytes > their_bytes) == MORE.get(name, (False, False))


def test_the_page_explains_what_does_more():
    rows = MEASURED["tables"]["step counts"]["rows"]
    assert {row[0]: (row[2] > row[3], row[4] > row[5]) for row in rows if row[2] > row[3] or row[4] > row[5]} == MORE
    assert all(f"- **`{name}`**" in PAGE for name in MORE)


def test_aims():
    assert at_most("a ratio", 1.2, 1.2) == ["a ratio", "≤ 1.2", 1.2, True]
    assert at_least("a ratio", 50, 49.9) == ["a ratio", "≥ 50", 49.9, False]
    assert "**no**" in markdown({"aims": [at_least("a ratio", 50, 49.9)]}, "aims")


def test_programs_take_turns_and_medians_come_by_name(monkeypatch):
    clock, order = [0.0], []

    def program(name, seconds):
        def run():
            order.append(name)
            clock[0] += next(seconds)
        return run

    monkeypatch.setattr(measuring.time, "perf_counter", lambda: clock[0])
    # The first call compiles, the second finds out how long a reading is.
    slow, fast = [9.0, 1.0, 3.0, 1.0, 2.0], [9.0, 1.0, 0.1, 0.7, 0.4]
    spent = measuring.medians({"slow": program("slow", iter(slow)), "fast": program("fast", iter(fast))}, seconds=1.0)
    assert spent == pytest.approx({"slow": 2.0, "fast": 0.4})
    assert order[4:] == ["slow", "fast", "fast", "slow", "slow", "fast"]
