"""What a stranger relies on: one version, one address, pins that agree, commands and links that exist."""

import re
import subprocess
import tomllib

import pytest
import yaml
from reading import ROOT

import ravine
import twins

GUIDES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
GENERATED = ("README.md", "CITATION.cff", "chapters/*.ipynb")  # by tools/twins.py, whose own tests compare them


def pins(name):
    """Return the requirements of a file, without comments."""
    return [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]


def test_one_version_and_one_date():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    version, date = re.search(r"^## (\d\S*) - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE).groups()
    assert {project["version"], ravine.__version__, str(citation["version"])} == {version}
    assert str(citation["date-released"]) == date


def test_only_the_configuration_names_the_repository():
    book = twins.Book.read(ROOT)
    pathspecs = [".", *(f":(exclude){name}" for name in ("_config.yml", *GENERATED))]
    for name in (book.place, book.site.removeprefix("https://")):
        found = subprocess.run(["git", "grep", "-lF", name, "--", *pathspecs], cwd=ROOT, capture_output=True, text=True)
        assert found.stdout == ""
        assert found.returncode == 1, found.stderr  # git's word for: none


def test_binder_installs_what_the_library_needs_as_the_book_has_it():
    *binder, library = pins(".binder/requirements.txt")
    assert library == "."
    assert set(binder) <= set(pins("requirements.txt"))
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {pin.partition("==")[0] for pin in binder} == {re.match(r"[\w-]+", need)[0] for need in needs}


def test_actions_are_pinned_by_commit():
    uses = re.findall(r"uses: (\S+)(.*)", (ROOT / ".github/workflows/book.yml").read_text())
    assert len(uses) >= 4
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action, _ in uses)
    assert all(re.fullmatch(r"  # v\d+\.\d+\.\d+", version) for _, version in uses)


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_names_commands_and_files_that_exist(guide):
    text = (ROOT / guide).read_text()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    commands = re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)
    assert set(commands) <= set(targets)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not link.startswith("https://")]
    places = re.findall(r"`((?:\.\w+|benchmarks|chapters|lib|reference|static|tests|tools)/[\w./]*)`", text)
    named = [place for place in links + places if not re.search(r"#|name|NN", place)]  # not `chapters/NN_name.md`
    assert [place for place in named if not (ROOT / place).exists()] == []
