"""Whatever an answer does, its check ends, says the right thing, and leaves all as it was."""

import io
import subprocess
import sys
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hostile import HOSTILE, surroundings

from ravine.exercises import _run, check
from ravine.exercises._exercise import find

LIMIT = 0.4


@pytest.fixture
def unpatched(monkeypatch):
    """Undo what `patches_allclose` does."""
    for owner, name in [(np, "allclose"), (np, "array_equal"), (jnp, "allclose")]:
        monkeypatch.setattr(owner, name, getattr(owner, name))


@pytest.mark.parametrize(("answer", "outcome", "part"), HOSTILE, ids=lambda value: getattr(value, "__name__", None))
def test_a_hostile_answer_changes_nothing(answer, outcome, part, unpatched, covers):
    """Here in float64; test_kernel.py does the same in float32, in Jupyter."""
    before, threads = surroundings(), set(threading.enumerate())
    start = time.perf_counter()
    result = check("velocity_step", answer, time_limit=LIMIT if outcome == "timeout" else 5.0)
    assert time.perf_counter() - start < 5
    assert (result.outcome, result.mistake) == (outcome, None), result.message
    assert part in result.message
    assert len(result.message) < 2_000
    assert surroundings() == before
    assert not sys.stdin.closed
    np.testing.assert_array_equal(jnp.arange(3.0) + 1, [1, 2, 3])
    assert check("velocity_step", find("velocity_step").reference)
    if "still runs" not in result.message:
        assert set(threading.enumerate()) <= threads
    covers("hostile answers", answer.__name__)


def test_what_could_not_be_stopped_ends_when_it_returns_to_python(monkeypatch):
    monkeypatch.setattr(_run, "_PATIENCE", 0.1)
    threads = []

    def answer(w, v, g, lr, mu):
        threads.append(threading.current_thread())
        time.sleep(1)
        time.sleep(60)

    assert "still runs" in check("velocity_step", answer, time_limit=0.1).message
    threads[0].join(3)
    assert not threads[0].is_alive()


def test_a_busy_machine_fails_no_right_answer():
    """The limit is on computing. An answer that waits, as one does whose turn does not come, is given longer."""
    def answer(w, v, g, lr, mu):
        time.sleep(0.15)
        return w - mu * v - lr * g, mu * v + lr * g

    assert check("velocity_step", answer, time_limit=0.3)


def test_an_endless_compiled_loop_is_left_behind_and_python_can_still_exit(covers):
    """Under vmap a while_loop is compiled, and nothing in Python can stop it."""
    program = """
import jax, jax.numpy as jnp
from ravine.exercises import check
def velocity_step(w, v, g, lr, mu):
    return jax.vmap(lambda w: jax.lax.while_loop(lambda w: w == w, lambda w: w + 1, w))(w), v
print(check("velocity_step", velocity_step, time_limit=1.0).outcome)
print(jnp.arange(3.0) + 1)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert "still runs" in done.stdout
    assert done.stdout.endswith("timeout\n[1. 2. 3.]\n")
    covers("hostile answers", "endless compiled loop")


def test_a_student_who_presses_stop_gets_the_prompt_back(monkeypatch):
    """An interrupt strikes in the main thread, while it waits for the answer."""
    threads, before = set(threading.enumerate()), surroundings()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_run, "_wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check("velocity_step", HOSTILE[0][0])
    assert set(threading.enumerate()) <= threads
    assert surroundings() == before


def test_the_first_prints_are_kept_and_no_more():
    printed = _run._Printed()
    assert printed.write("a" * 300) == 300
    assert printed.write("b" * 300) == 300
    assert printed.getvalue() == "a" * 300 + "b" * 100


def test_in_jupyter_exit_is_the_shells_own(monkeypatch):
    """There `exit()` raises nothing; it asks the shell to end, which ends the kernel a moment later."""
    class Shell:
        asked = 0

        def ask_exit(self):
            self.asked += 1

    shell = Shell()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr("IPython.display.display", lambda _: None)
    result = check("velocity_step", lambda w, v, g, lr, mu: shell.ask_exit())
    assert (result.outcome, shell.asked) == ("raised", 0)
    assert "exit()" in result.message
    shell.ask_exit()
    assert shell.asked == 1


@pytest.mark.parametrize(("source", "expected"), [
    ("def f(x):\n    'doc'\n    ...", True),
    ("def f(x): ...", True),
    ("def f(x):\n    # a comment\n    ...  # your code here", True),
    ("@jax.jit\ndef f(x):\n    ...", True),
    ("def f(x):\n    return ...", False),
    ("def f(x):\n    'doc'\n    y = x\n    ...", False),
    ("def f(x):\n    'only a docstring'", False),
    ("def f(x):\n    return None", False),
    ("def f(x):\n    pass", False),
    ("f = lambda x: ...", False),
])
@pytest.mark.parametrize("kept", [True, False], ids=["with source", "without"])
def test_a_stub_is_a_docstring_and_three_dots(source, expected, kept, tmp_path, monkeypatch):
    if not kept and ("pass" in source or "only" in source or "None" in source):
        expected = True  # compiled, these are the same as three dots
    file = tmp_path / "cell.py"
    if kept:
        file.write_text(source)
    scope = {"jax": jax}
    exec(compile(source, str(file), "exec"), scope)
    assert _run.is_stub(scope["f"]) is expected


@pytest.mark.parametrize("value", [None, 3, "...", io.StringIO(), len, int, jax.jit(len)])
def test_what_is_no_function_of_python_is_no_stub(value):
    assert not _run.is_stub(value)
