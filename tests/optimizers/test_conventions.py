"""The table of conventions has a row for every rule of the cases, with the Optax call that the case tries."""

import pytest

from .cases import CASES
from .conventions import ELSEWHERE, spelt, table

ROWS = dict(zip(ELSEWHERE, table().splitlines()[2:], strict=True))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_case_is_in_its_row(case):
    name = case.name.split(",")[0]
    assert f"| `{name}` | $" in ROWS[name]
    if case.optax:
        call = spelt(name, case.optax)
        assert f"`{call}`" in ROWS[name]
        assert not {"learning_rate", "decay", "eps)", "b1,"} & set(call.replace("(", " ").split())
