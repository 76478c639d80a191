"""Step for step, every rule does what its references do."""

import jax.numpy as jnp
import pytest

from .cases import CASES
from .compare import SURFACES, closed_loop, open_loop, schedule

ROWS = [pytest.param(case, numbers, id=f"{case.name}-{numbers or 'defaults'}")
        for case in CASES for numbers in case.numbers]


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
@pytest.mark.parametrize(("case", "numbers"), [row for row in ROWS if row.values[0].open])
def test_open_loop(case, numbers, dtype):
    assert open_loop(case, numbers, 0.1, dtype) <= 1
    if case.schedules:
        assert open_loop(case, numbers, schedule, dtype) <= 1


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(("case", "numbers"), ROWS)
def test_closed_loop(case, numbers, surface):
    assert closed_loop(case, numbers, surface, 0.1) <= 1
    if case.schedules and surface == "bowl":
        assert closed_loop(case, numbers, surface, schedule) <= 1
