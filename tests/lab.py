"""A Jupyter server for tests, which knows nobody's settings, and how to wait for a notebook in its front ends."""

import contextlib
import json
import os
import subprocess
import sys
import time

PATIENCE = 180_000  # milliseconds: for a kernel to start, import JAX and trace the figures
# A key that is pressed before the kernel has answered, or before all of the front end is there, may be lost.
READY = """async () => {
  await jupyterapp.restored;
  const { sessionContext } = jupyterapp.shell.currentWidget.context;
  await sessionContext.ready;
  await sessionContext.session.kernel.info;
}"""


@contextlib.contextmanager
def serving(home):
    """Yield a function from a front end and a notebook in `home` to its address."""
    folders = {f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    outside = {name: value for name, value in os.environ.items() if name != "RAVINE_BOOK"}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.port=0",
               f"--ServerApp.root_dir={home}", "--LabApp.news_url=None", "--LabApp.expose_app_in_browser=True",
               "--JupyterNotebookApp.expose_app_in_browser=True",
               "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with (home / "log").open("w") as log, subprocess.Popen(
            command, env=outside | folders | {"IPYTHONDIR": str(home / "ipython")}, stdout=log, stderr=log) as server:
        try:
            while not (found := list((home / "runtime").glob("jpserver-*.json"))):
                assert server.poll() is None, (home / "log").read_text()
                time.sleep(0.1)
            about = json.loads(found[0].read_text())
            yield lambda front_end, name: f"{about['url']}{front_end}/{name}?token={about['token']}"
        finally:
            server.terminate()


def wait(page):
    """Wait until the notebook of a page stands and its kernel answers."""
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.context?.sessionContext")
    page.evaluate(READY)
