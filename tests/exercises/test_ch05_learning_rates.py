"""The reference of chapter 5 against the library's schedule."""

import numpy as np
import pytest

import ravine as rv
from ravine.exercises._exercise import find


@pytest.mark.parametrize("warmup", [0, 5])
def test_warmup_cosine_is_the_schedule_of_the_library(warmup):
    schedule = rv.schedules.cosine_with_warmup(0.7, warmup, 20, 0.1)
    rates = [find("warmup_cosine").reference(t, 0.7, warmup, 20, 0.1) for t in range(25)]
    np.testing.assert_allclose(rates, schedule(np.arange(25)), rtol=1e-12, atol=1e-16)
