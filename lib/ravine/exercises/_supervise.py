"""Run a command for so long and no longer, and leave nothing of it running: ``python _supervise.py SECONDS COMMAND …``.

It stands between the grader and strangers' code, which so has another process than the grader for its parent. It prints
how the command ended: its exit status (negative: the signal that ended it), or "timeout". Imports nothing of Ravine,
so that it starts at once.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_DIE_WITH_PARENT, _ADOPT_ORPHANS = 1, 36  # <sys/prctl.h>: PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER


def main(seconds, *command):
    """Run `command`; print how it ended, when nothing of it is left."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    _control(_ADOPT_ORPHANS, 1)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True, preexec_fn=lambda: _control(_DIE_WITH_PARENT, signal.SIGKILL))
    try:
        status = process.wait(float(seconds))
    except subprocess.TimeoutExpired:
        status = "timeout"
    finally:
        _end(process.pid)
    print(status)


def _control(option, value):
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


def _end(group, patience=5.0):
    """End a process group, and, on Linux, whatever else the command started and left: orphans come to us."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    until = time.monotonic() + patience
    while time.monotonic() < until:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def _children():
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = stat.read_text(errors="replace").rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                yield int(stat.parent.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
