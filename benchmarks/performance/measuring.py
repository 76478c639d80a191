"""How to measure by comparison: programs run in turn in one process, and their medians are compared.

A machine is never quite at rest. What slows one program will slow the other as well, and how far a ratio may be off for
no reason, that of a program to itself shows, run as if it were another.
"""

import math
import statistics
import time
from typing import Any, NamedTuple

import jax

LEAST = 2e-3  # seconds of a reading: a shorter program runs several times in it
COLD = 0.1  # seconds; a shorter program runs once unread, or what ran before it would slow it: its caches are cold


class Part(NamedTuple):
    """What a part of the measurements has found.

    Attributes:
        tables: by name, each with ``columns``, a list of headings, and ``rows``, lists of names and numbers.
        aims: rows of four: what is asked for, how much, what was measured, whether that is enough.
    """

    tables: dict[str, Any]
    aims: list


def medians(runs, seconds=2.0):
    """Return the median time of each program in seconds, ``{name: time}``.

    Args:
        runs: ``{name: run}``, functions without arguments that return what they have computed.
        seconds: about how long all of them may run; each is read three times at least, and 41 times at most.
    """
    for run in runs.values():
        jax.block_until_ready(run())  # now it is compiled
    names, readings, one = list(runs), {name: [] for name in runs}, {name: reading(run) for name, run in runs.items()}
    repeats = {name: max(1, math.ceil(LEAST / one[name])) for name in runs}
    rounds = math.ceil(seconds / sum(repeats[name] * one[name] for name in runs))
    for number in range(min(41, max(3, rounds))):
        first = number % len(names)  # another one each round, so that none always follows the same one
        for name in names[first:] + names[:first]:
            if one[name] < COLD:
                reading(runs[name])
            readings[name].append(reading(runs[name], repeats[name]))
    return {name: statistics.median(found) for name, found in readings.items()}


def reading(run, repeats=1):
    """Return the seconds that a program takes, as the mean of some calls in a row."""
    start = time.perf_counter()
    for _ in range(repeats):
        result = run()
    jax.block_until_ready(result)
    return (time.perf_counter() - start) / repeats


def cost(compiled):
    """Return how many operations and bytes XLA counts in a compiled program."""
    counts = compiled.cost_analysis()
    return counts.get("flops", 0.0), counts["bytes accessed"]


def short(value):
    """Return a number with three digits; anything else as it is."""
    return float(f"{value:.3g}") if isinstance(value, float) else value


def table(columns, rows):
    """Return a table of short numbers."""
    return {"columns": columns, "rows": [[short(value) for value in row] for row in rows]}


def at_most(what, limit, value):
    """Return the row of an aim that a number must not exceed."""
    return [what, f"≤ {limit:.3g}", short(float(value)), bool(value <= limit)]


def at_least(what, limit, value):
    """Return the row of an aim that a number must reach."""
    return [what, f"≥ {limit:.3g}", short(float(value)), bool(value >= limit)]
