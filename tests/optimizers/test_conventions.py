"""The table of conventions has an entry for every rule of the cases, with the Optax call that the case tries."""

import pytest

from .cases import CASES
from .conventions import entry, spelt, table


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_case_has_its_entry(case):
    name = case.name.split(",")[0]
    assert entry(name) in table()
    if case.optax:
        call = spelt(name, case.optax)
        assert f"`{call}`" in entry(name)
        assert not {"learning_rate", "decay", "eps)", "b1,"} & set(call.replace("(", " ").split())
