"""Run the notebooks as Colab would: in a fresh environment with its versions, from their own install cell.

The install cell runs as it stands. Git is told to take the repository that it names from a clone of this one's HEAD, so
that what is committed here is what gets installed. Nothing that was there before may be replaced.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from queue import Empty

import nbformat
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from twins import Book

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "_build/colab"
PYTHON = HOME / "python/bin/python"
# What Colab's own kernel has loaded, and anywidget asks for.
IN_COLAB = """\
import sys, types
colab, output = types.ModuleType("google.colab"), types.ModuleType("google.colab.output")
colab.output, output.enable_custom_widget_manager = output, lambda: None
sys.modules |= {"google.colab": colab, "google.colab.output": output}
"""
EVERY_FIGURE = """\
import ravine
assert "site-packages" in ravine.__file__, ravine.__file__
for figure in ravine.figures.ALL:
    display(figure())
"""
WIDGET = "application/vnd.jupyter.widget-view+json"


class Channel(AsyncZMQSocketChannel):
    """A channel that looks for a message itself every few seconds.

    Once in some forty notebooks the socket does not wake its reader (pyzmq 27.3). The answer then lay there until the
    reader's timeout, and a cell of two seconds took five minutes.
    """

    EVERY = 5.0  # seconds

    async def get_msg(self, timeout=None):
        """Return the next message, or raise `Empty` after `timeout` seconds; wait for ever where it is `None`."""
        left = math.inf if timeout is None else timeout
        while not await self.socket.poll(1000 * min(left, self.EVERY)):
            left -= self.EVERY
            if left <= 0:
                raise Empty
        return await self._recv()


class Client(AsyncKernelClient):
    """A client whose channels look for themselves."""

    shell_channel_class = Channel
    iopub_channel_class = Channel


def pip(*arguments):
    """Run pip in Colab's environment and return what it printed."""
    command = [PYTHON, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def prepare(book):
    """Make the environment, the clone that stands for the repository, and a kernel that believes to be in Colab."""
    shutil.rmtree(HOME, ignore_errors=True)
    print("Making an environment like Colab's (about a minute)", flush=True)
    subprocess.run([sys.executable, "-m", "venv", PYTHON.parents[1]], check=True)
    pip("install", "-qq", "-r", str(ROOT / "tools/colab.txt"))
    clone = HOME / "repository"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    subprocess.run(["git", "-C", clone, "checkout", "--quiet", "-B", book.branch], check=True)
    startup = HOME / "ipython/profile_default/startup"
    startup.mkdir(parents=True)
    (startup / "colab.py").write_text(IN_COLAB)
    environment = {
        "IPYTHONDIR": str(HOME / "ipython"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{clone.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": book.repository,
    }
    kernel = HOME / "kernels/colab"
    kernel.mkdir(parents=True)
    argv = [str(PYTHON), "-m", "ipykernel_launcher", "--log-level=ERROR", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Colab", "language": "python", "env": environment}
    (kernel / "kernel.json").write_text(json.dumps(spec))


def run(path, *more):
    """Run the notebook at `path`, with more cells behind its own; return it, with its outputs."""
    began = time.perf_counter()
    notebook = nbformat.read(path, 4)
    notebook.cells += map(nbformat.v4.new_code_cell, more)
    kernels = KernelSpecManager(kernel_dirs=[str(HOME / "kernels")], ensure_native_kernel=False)
    manager = AsyncKernelManager(kernel_name="colab", kernel_spec_manager=kernels, client_factory=Client)
    folder = HOME / "content" / path.stem
    folder.mkdir(parents=True)
    settings = {"timeout": 300, "record_timing": True, "resources": {"metadata": {"path": folder}}}
    client = NotebookClient(notebook, km=manager, **settings)
    try:
        client.execute(cleanup_kc=True)  # else every kernel would stay until the last notebook has run
    except CellExecutionError as error:
        printed = "".join(output.get("text", "") for output in notebook.cells[0].outputs)
        sys.exit(f"{printed}{path.name}: {error}")
    longest, cell = max((seconds(cell), index) for index, cell in enumerate(notebook.cells))
    print(f"  {path.stem} ran in {time.perf_counter() - began:.0f} s, {longest:.0f} of them in cell {cell}", flush=True)
    return notebook


def seconds(cell):
    """Return how long a cell ran; what is no code did not."""
    times = cell.metadata.get("execution", {})
    began, ended = (times.get(f"iopub.status.{state}") for state in ("busy", "idle"))
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds() if began and ended else 0.0


def main():
    """Run every notebook; leave with a message where something is not as in Colab it must be."""
    book = Book.read(ROOT)
    prepare(book)
    before = set(pip("freeze").split("\n"))
    first, *others = sorted((HOME / "repository/chapters").glob("*.ipynb"))
    figures = run(first, EVERY_FIGURE).cells[-1].outputs
    if not figures or not all(WIDGET in output.get("data", {}) for output in figures):
        sys.exit(f"{first.name}: a live figure showed no widget: {figures}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # they find the library installed
        list(pool.map(run, others))
    after = set(pip("freeze").split("\n"))
    if replaced := before - after:
        sys.exit(f"Installing the library replaced {', '.join(sorted(replaced))}")
    pip("check")
    new = {line.split()[0].split("==")[0] for line in after - before}
    print(f"Installed: {', '.join(sorted(new))}. Nothing that Colab has was replaced.")


if __name__ == "__main__":
    os.environ.pop("RAVINE_BOOK", None)
    main()
