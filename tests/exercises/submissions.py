"""A class of thirty and more: right, wrong, hostile and broken submissions to the exercises of chapter 6.

`CLASS` maps the name of each file to its code cells, or to its bytes, and to the outcome of each exercise that it
defines: "pass", the name of a mistake, or another outcome. Hostile ones touch nothing but their own working folder,
that of the test, and processes that they start.
"""

import inspect
import json

from ravine.exercises._exercise import chapters

MARK = "98765.4321"  # seconds that a process left running would sleep: by this the test finds it
IMPORTS = "import jax\nimport jax.numpy as jnp\nimport numpy as np\nfrom ravine.exercises import check"
EWMA, VELOCITY, LOOKAHEAD = (f"{inspect.getsource(exercise.reference)}\ncheck('{name}', {name})"
                             for name, exercise in chapters()["06_momentum"].items())
RIGHT = [EWMA, VELOCITY, LOOKAHEAD]
ALL_RIGHT = {"ewma": "pass", "velocity_step": "pass", "lookahead_step": "pass"}


def velocity(*lines):
    """Return a cell that defines `velocity_step` with these lines."""
    return "\n    ".join(["def velocity_step(w, v, g, lr, mu):", *lines])


def ewma(*lines):
    """Return a cell that defines `ewma` with these lines."""
    return "\n    ".join(["def ewma(x, beta):", *lines])


WRONG = velocity("return w + lr * v, v")
HELPED = ["w_new = lambda w, v: minus(w, v)", "minus = np.subtract",
          "%%time\ndef velocity_step(w, v, g, lr, mu):\n    v = mu * v + lr * g\n    return w_new(w, v), v"]
AVERAGE = ["average, averages = 0.0, []", "for value in x:",
           "    average = beta * average + (1 - beta) * value", "    averages.append(average)"]

CLASS = {
    # Right.
    "right": (RIGHT, ALL_RIGHT),
    "right among cells that fail": (
        ["1 / 0", "while True print", "%pip install nothing\n!rm no_such_file", "%%bash\nexit 1", EWMA,
         "assert False", "plt.plot([1])", VELOCITY + "\nraise KeyboardInterrupt", LOOKAHEAD, "exit()"], ALL_RIGHT),
    "right with helpers in other cells": (HELPED[::-1], {"velocity_step": "pass"}),
    "right in numpy": ([velocity("v = mu * np.asarray(v) + lr * np.asarray(g)", "return [np.asarray(w) - v, v]")],
                       {"velocity_step": "pass"}),
    "right and jitted": ([velocity("v = mu * v + lr * g", "return w - v, v"),
                          "velocity_step = jax.jit(velocity_step)"], {"velocity_step": "pass"}),
    "right in bfloat16 is too coarse": (
        [velocity("v = mu * v + lr * g", "return (w - v).astype(jnp.bfloat16), v.astype(jnp.bfloat16)")],
        {"velocity_step": "wrong"}),
    # Wrong.
    "wrong by name": (
        [ewma(*AVERAGE, "return jnp.stack(averages)"), velocity("v = mu * v + lr * g", "return w - lr * v, v"),
         "def lookahead_step(w, v, grad, lr, mu):\n    v = mu * v + lr * grad(w)\n    return w - v, v"],
        {"ewma": "no_correction", "velocity_step": "rate_twice", "lookahead_step": "gradient_at_w"}),
    "wrong like the one before": ([ewma(*AVERAGE, "return averages"), VELOCITY],
                                  {"ewma": "no_correction", "velocity_step": "pass"}),
    "wrong without a name": ([WRONG], {"velocity_step": "wrong"}),
    "nothing returned": ([velocity("v = mu * v + lr * g")], {"velocity_step": "nothing returned"}),
    "a number for a function": (["velocity_step = 3.0"], {"velocity_step": "structure"}),
    "unsolved": ([ewma("...  # your code here"), velocity('"""One step."""', "...")],
                 {"ewma": "unsolved", "velocity_step": "unsolved"}),
    "a cell that does not compile": ([EWMA, velocity("return w - (mu * v + lr * g"), LOOKAHEAD],
                                     ALL_RIGHT | {"velocity_step": "raised"}),
    "a module that is missing": (["from no_such_module import minus", velocity("return minus(w, v), v")],
                                 {"velocity_step": "raised"}),
    # Hostile: what does not end, or ends too much.
    "an endless loop": ([EWMA, velocity("while True:", "    v = mu * v"), LOOKAHEAD],
                        ALL_RIGHT | {"velocity_step": "timeout"}),
    "an endless while_loop": (
        [velocity("return jax.vmap(lambda w: jax.lax.while_loop(lambda w: w == w, lambda w: w + 1, w))(w), v"),
         LOOKAHEAD], {"velocity_step": "timeout", "lookahead_step": "pass"}),
    "an endless cell that Python cannot stop": (
        ["import itertools", "sum(itertools.repeat(0))\n" + WRONG], {"velocity_step": "timeout"}),
    "recursion": ([velocity("return velocity_step(w, v, g, lr, mu)")], {"velocity_step": "raised"}),
    "os._exit": (["import os", ewma("os._exit(0)"), VELOCITY, LOOKAHEAD], ALL_RIGHT | {"ewma": "died"}),
    "kills its parent": (["import os, signal", ewma("os.kill(os.getppid(), signal.SIGKILL)", "while True: pass"),
                          VELOCITY], {"ewma": "died", "velocity_step": "pass"}),
    "leaves processes running": (
        ["import os, subprocess, sys",
         f"for own in (False, True):\n    subprocess.Popen(['sleep', '{MARK}'], start_new_session=own)\n"
         f"if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: os.execvp('sleep', ['sleep', '{MARK}'])\n"
         "    os._exit(0)\n" + VELOCITY], {"velocity_step": "pass"}),
    # Hostile: too much of everything.
    "4 GB of memory": ([ewma("return np.ones(2**29)"), VELOCITY], {"ewma": "raised", "velocity_step": "pass"}),
    "50 MB of output": (["import os", "for _ in range(50):\n    print('spam ' * 200_000)\n"
                         "    os.write(2, b'spam ' * 200_000)\n" + VELOCITY], {"velocity_step": "pass"}),
    "80 MB of results": ([ewma("return np.zeros(10**7)"), VELOCITY], {"ewma": "structure", "velocity_step": "pass"}),
    # Hostile: lies.
    "patched comparisons": (
        ["from ravine.exercises import _check, _compare",
         "np.allclose = np.array_equal = jnp.allclose = lambda *_, **__: True\n"
         "_compare.agree, _compare.margin = lambda *_: True, lambda *_: 0.0\n"
         "_check.judge = lambda *_: ('pass', 'right', None)\n"
         "check = lambda *_: print('passed')\n" + WRONG], {"velocity_step": "wrong"}),
    "says that it passed": (
        [ewma(*AVERAGE, "print('✓ ewma: right, on all probes.')", "return jnp.stack(averages)")],
        {"ewma": "no_correction"}),
    "commands for the terminal": ([velocity(r"raise ValueError('\x1b[2J\x1b]0;hostile\x07=HYPERLINK()')")],
                                  {"velocity_step": "raised"}),
    "writes a result itself": (
        ["import json, os, sys", "folder = sys.argv[1]",
         ewma("facts = json.dumps({'outcome': 'pass', 'text': 'right', 'outputs': []})",
              "np.savez(folder + '/ewma.npz', facts=np.array(facts))",
              "os.mkfifo(folder + '/velocity_step.npz')",
              "np.savez(folder + '/lookahead_step.npz', facts=np.array([object()]))", "os._exit(0)"),
         VELOCITY, LOOKAHEAD], dict.fromkeys(ALL_RIGHT, "garbage")),
    "writes to another submission": (
        ["for name in ('decoy.ipynb', '../decoy.ipynb'):\n    open(name, 'w').write('spoilt')\n" + WRONG],
        {"velocity_step": "wrong"}),
    "decoy": ([VELOCITY], {"velocity_step": "pass"}),
    # Broken files.
    "an empty file": (b"", dict.fromkeys(ALL_RIGHT, "unreadable")),
    "a truncated file": (b'{"cells": [{"cell_type": "code", "source": ["def ewma',
                         dict.fromkeys(ALL_RIGHT, "unreadable")),
    "not UTF-8": (b'{"cells": "\xff"}', dict.fromkeys(ALL_RIGHT, "unreadable")),
    "nested without end": (b"[" * 100_000, dict.fromkeys(ALL_RIGHT, "unreadable")),
    "another format": (b'{"cells": 5}', dict.fromkeys(ALL_RIGHT, "unreadable")),
    "no cells": (b'{"cells": []}', {}),
    "50 MB of stored outputs": (
        json.dumps({"cells": [{"cell_type": "code", "source": f"{IMPORTS}\n{VELOCITY}",
                               "outputs": ["spam" * 2**23] * 2}]}).encode(), {"velocity_step": "pass"}),
}


def write(folder):
    """Write the class into a folder, and an empty folder of one who has handed in nothing."""
    for name, (content, _) in CLASS.items():
        if not isinstance(content, bytes):
            cells = [{"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": []}
                     for source in [IMPORTS, *content]]
            content = json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}).encode()
        (folder / f"{name}.ipynb").write_bytes(content)
    (folder / "nobody").mkdir()
