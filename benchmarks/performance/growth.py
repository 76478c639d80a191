"""How the cost of a training grows: with the parameters, the steps and the batch."""

import functools

import ravine as rv
from performance.measuring import Part, medians, table
from performance.runs import BATCH, problem

WIDTHS = (8, 32, 128, 512, 2048)
STEPS = (10, 100, 1000, 10_000)
BATCHES = (8, 32, 128, 512, 2048)


def sizes(width):
    """Return the sizes of a network."""
    return 64, width, 10


def measure():
    """Return the time of a step of `minimize` with Adam, one thing growing at a time."""
    def run(width=32, steps=100, batch=BATCH):
        loss, params, data, _ = problem(sizes(width), batch)
        return functools.partial(rv.minimize, loss, params, rv.adam(1e-3), steps, args=data, keep_path=False)

    rows = []
    for what, values in (("width", WIDTHS), ("steps", STEPS), ("batch", BATCHES)):
        spent = medians({value: run(**{what: value}) for value in values}, seconds=6)
        for value, seconds in spent.items():
            width, steps, batch = (value if what == name else usual for name, usual in
                                   (("width", 32), ("steps", 100), ("batch", BATCH)))
            size = problem(sizes(width), batch)[-1]
            rows.append([{"width": "parameters"}.get(what, what), size, batch, steps, 1e6 * seconds / steps])
    return Part({"growth": table(["what grows", "parameters", "batch", "steps", "µs a step"], rows)}, [])
