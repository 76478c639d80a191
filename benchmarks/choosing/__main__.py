"""Compare optimizers and write the table of `rv.data.optimizer_table`: `make benchmark-optimizers` (half an hour).

The table grows by a row for each rule and task, so an interrupted run goes on where it was. A row whose program is
still the one that made it is kept, if the machine and the versions are the same too.
"""

import datetime
import importlib.metadata
import json
import os
import platform
import time
from pathlib import Path

import numpy as np

import ravine as rv
from choosing.trials import BATCH_SIZE, PAIRS, RULES, SEEDS, TASKS, Cells, draws

TABLE = Path(rv.__file__).parent / "tables" / "optimizers.json"


def machine():
    """Return what the numbers may hang on beside the code."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    versions = {name: importlib.metadata.version(name)
                for name in ("jax", "jaxlib", "optax", "numpy", "scikit-learn", "mnist1d")}
    return {"processor": ", ".join(sorted(names)) or platform.processor() or platform.machine(),
            "cores": os.cpu_count(), "python": platform.python_version(), **versions}


def row(task, rule):
    """Return the results of a rule on a task, for the table."""
    rates = RULES[rule].rates
    started = time.process_time()
    results = Cells(task, rule, rates).run()
    seconds = round(time.process_time() - started)
    numbers = {}
    for name, found in results.items():
        part, _, measure = name.partition("_")
        if measure == "error":  # as a number of wrong answers it is exact, and short
            name, found = f"{part}_wrong", np.round(found * answers(task))
        numbers[name] = [[_short(value) for value in seeds] for seeds in found]
    return {"seconds": seconds, "rates": [_short(rate) for rate in rates], **numbers}


def answers(task):
    """Return how many answers are right or wrong in a part of the data that is held out."""
    parts, *_ = draws(task)
    return parts.test[1][0].size


def _short(value):
    """Return four digits of a number, None where there is none."""
    if not np.isfinite(value):
        return None
    value = float(f"{value:.4g}")
    return int(value) if value == int(value) else value


def write(made, rows):
    """Write the table, a line for each row."""
    settings = {"seeds": SEEDS, "batch_size": BATCH_SIZE,
                "steps": {name: task.steps for name, task in TASKS.items()},
                "answers": {name: answers(name) for name in TASKS}}
    head = {"made": {"date": datetime.date.today().isoformat(), **made}, "settings": settings}
    body = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(json.dumps(head, indent=1)[:-2] + f',\n "rows": [\n{body}\n ]\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    made, old = machine(), {}
    if TABLE.exists():
        table = json.loads(TABLE.read_text(encoding="utf-8"))
        if {name: value for name, value in table["made"].items() if name != "date"} == made:
            old = {(row["task"], row["rule"]): row for row in table["rows"]}
    rows = []
    for task, rule in PAIRS:
        program = Cells(task, rule, RULES[rule].rates[:1]).program
        kept = old.get((task, rule), {}).get("program") == program
        rows.append(old[task, rule] if kept else {"task": task, "rule": rule, "program": program, **row(task, rule)})
        print(f"{task:12} {rule:24} {'kept' if kept else str(rows[-1]['seconds']) + ' s'}", flush=True)
        if not kept:
            write(made, rows + [old[pair] for pair in PAIRS[len(rows):] if pair in old])
    write(made, rows)
