"""The examples in the docstrings run, and print what they say."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

import ravine

PACKAGE = Path(ravine.__file__).parent
EXAMPLE = re.compile(r"^ *>>> ", re.MULTILINE)
WITH_EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if EXAMPLE.search(path.read_text())]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_examples(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0


def test_the_rules_have_examples():
    assert PACKAGE / "optimizers/_momentum.py" in WITH_EXAMPLES
