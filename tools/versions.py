"""Run the library's tests with the oldest versions that it claims to need, and with the newest that pip finds.

`python tools/versions.py [PYTEST'S ARGUMENTS]`. Each set has an environment in _build/versions, without what builds the
book. Left out are the tests that drive a browser or run notebooks, and those of the benchmarks and of wrong versions.
Warnings are errors where `ravine` raises them: how old and new versions of others agree is not its affair.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "_build/versions"
SHOWN = "jax", "jaxlib", "optax", "numpy", "scipy", "matplotlib", "ipywidgets", "anywidget"
# What the tests need besides, as requirements.txt pins it; those that are left out are loaded all the same.
BESIDES = "pytest", "pytest-xdist", "hypothesis", "nbclient", "playwright", "axe-playwright-python"
TESTS = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "not browser and not notebook",
         "-o", "filterwarnings=ignore\nerror:::ravine", "--ignore=tests/book", "--ignore=tests/benchmarks",
         "--ignore=tests/exercises/test_notebooks.py", "--ignore=tests/test_slips.py", "--ignore-glob=*/test_wrong_*"]


def wanted(project, pinned):
    """Return what pip is to install into each environment, given the texts of pyproject.toml and requirements.txt."""
    needs = tomllib.loads(project)["project"]["dependencies"]
    besides = [line for line in pinned.splitlines() if line.partition("==")[0] in BESIDES]
    return {"oldest": [need.replace(">=", "==") for need in needs] + besides,
            "newest": [re.split("[<>=!~]", need)[0] for need in needs] + besides}


def install(python, requirements):
    """Begin to install into the environment of this interpreter; make it where there is none."""
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    return subprocess.Popen([python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--upgrade",
                             "--upgrade-strategy", "eager", *requirements])


def main(*arguments):
    """Install both, side by side; then run the tests in each. Return whether all passed."""
    print(f"Installing the oldest and the newest versions into {HOME.relative_to(ROOT)} (minutes)", flush=True)
    sets = wanted((ROOT / "pyproject.toml").read_text(), (ROOT / "requirements.txt").read_text())
    pythons = {name: HOME / name / "bin/python" for name in sets}
    installing = [install(pythons[name], requirements) for name, requirements in sets.items()]
    codes = [each.wait() for each in installing]
    if any(codes):
        return False
    passed = True
    for name, python in pythons.items():
        frozen = subprocess.run([python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
        print(f"{name}: {', '.join(line for line in frozen.split() if line.partition('==')[0] in SHOWN)}", flush=True)
        environment = os.environ | {"PYTHONPATH": str(ROOT / "lib")}
        if subprocess.run([python, "-c", "import jax; jax.devices()"], env=environment, check=False).returncode:
            environment.pop("XLA_FLAGS", None)  # where XLA does not know a flag it ends the process
        done = subprocess.run([python, "-m", "pytest", "-q", *TESTS, *(arguments or ["tests"])], cwd=ROOT,
                              env=environment, check=False)
        passed &= done.returncode == 0
    return passed


if __name__ == "__main__":
    sys.exit(not main(*sys.argv[1:]))
