"""Which versions `make test-versions` installs."""

import re
from pathlib import Path

import versions

ROOT = Path(__file__).parents[2]
PROJECT = '[project]\ndependencies = ["jax>=0.7", "optax>=0.2.5", "tqdm"]\n'
PINNED = "# The library\njax==0.10.2\n# The tests\npytest==9.2.0\npytest-xdist==3.8.0\nmypy==2.4.1\n-e .\n"


def test_the_oldest_are_the_bounds_and_the_newest_are_free():
    assert versions.wanted(PROJECT, PINNED) == {
        "oldest": ["jax==0.7", "optax==0.2.5", "tqdm", "pytest==9.2.0", "pytest-xdist==3.8.0"],
        "newest": ["jax", "optax", "tqdm", "pytest==9.2.0", "pytest-xdist==3.8.0"]}


def test_every_need_of_the_library_has_at_most_a_lower_bound():
    sets = versions.wanted((ROOT / "pyproject.toml").read_text(), (ROOT / "requirements.txt").read_text())
    assert all(re.fullmatch(r"[\w-]+(==[\d.]+(post\d)?)?", need) for need in sets["oldest"]), sets
    assert {line.partition("==")[0] for line in sets["newest"]} >= set(versions.BESIDES)
