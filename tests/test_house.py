"""How the house stands: which room imports which, what `import ravine` loads, what the tracked files hold."""

import ast
import graphlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ravine

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lib/ravine"
# Each room, and the rooms that its modules may import; CONTRIBUTING.md says the same in words.
GROUND = {"_check", "_compat", "_products", "_program"}
ROOMS = {
    "_check": set(),
    "_compat": set(),
    "_products": set(),
    "_program": set(),
    "krylov": GROUND,
    "landscapes": GROUND,
    "initializers": GROUND,
    "schedules": GROUND,
    "data": GROUND,
    "networks": GROUND | {"initializers"},
    "optimizers": GROUND | {"krylov"},
    "curvature": GROUND | {"krylov"},
    "training": GROUND | {"krylov", "optimizers", "curvature"},
}
LOW = GROUND | set(ROOMS)
ROOMS |= {
    "plotting": LOW,
    "notebook": LOW | {"plotting"},
    "figures": LOW | {"plotting", "notebook"},
    "exercises": LOW | {"plotting", "notebook"},
}
LAZY = ("matplotlib", "ipywidgets", "anywidget", "sklearn", "mnist1d")


def room(path):
    """Return the room of a module: its first name below `ravine`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """Return the rooms of ours that a module imports, at its top or inside a function."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: say `from ravine…`, which this test reads"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    ours = [name.split(".") for name in names if name.split(".")[0] == "ravine"]
    return {name[1] if len(name) > 1 else "__init__" for name in ours}


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if room(path) != "__init__")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_room_imports_only_what_it_may(path):
    assert room(path) in ROOMS, "a new room: say here and in CONTRIBUTING.md what it may import"
    assert imported(path) <= ROOMS[room(path)] | {room(path)}


def test_the_rooms_allow_no_circle():
    graphlib.TopologicalSorter(ROOMS).prepare()


def test_import_ravine_loads_none_of_the_heavy_packages():
    program = f"import sys, ravine; print([name for name in {LAZY} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


@pytest.mark.parametrize("name", [name for name in ravine._LAZY_MODULES if list(PACKAGE.glob(f"{name}*"))])
def test_lazy_modules_load_when_asked_for(name):
    program = f"import ravine as rv; assert {name!r} in dir(rv); print(rv.{name}.__name__)"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == f"ravine.{name}"


def tracked(*patterns):
    """Return the files of the repository, as git has them."""
    names = subprocess.check_output(["git", "ls-files", "-z", *patterns], cwd=ROOT, text=True).split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).exists()]


def test_notebooks_hold_no_outputs():
    for path in tracked("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            assert not cell.get("outputs"), path.name
            assert cell.get("execution_count") is None, path.name


def test_tracked_files_are_text_without_the_paths_of_a_machine():
    machine = re.compile(r"(?<![\w.:/-])/(work|root|home|tmp|Users)/")
    for path in tracked():
        if path.suffix == ".webp":  # README's picture
            assert path.stat().st_size < 100_000
            continue
        text = path.read_text(encoding="utf-8")
        assert len(text) < 500_000, path.name
        if path != Path(__file__):
            assert not (found := machine.search(text)), f"{path.relative_to(ROOT)} names {found and found[0]}"
