"""Running a student's function so that whatever it does, the notebook goes on.

It runs in a thread of its own. There a time limit can be enforced in any kernel and on any system, and an answer that
cannot be stopped can be left behind. `jax.disable_jit` makes `lax.while_loop`, `scan` and `jit` run as Python,
which can be interrupted. Loops under `vmap` stay compiled: those are left behind.

This keeps accidents from doing harm. It is no defence against malice: that needs another process.
"""

import ast
import contextlib
import ctypes
import dis
import inspect
import io
import linecache
import sys
import textwrap
import threading
import time
import traceback
import types
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import jax

from ravine import _compat
from ravine.exercises import _compare

_PATIENCE = 1.0  # seconds in which a stopped thread should have ended
_PRINTED = 400  # characters of a student's prints that are kept


@dataclass
class Attempt:
    """What came of running an answer on the probes, in plain values.

    Attributes:
        outputs: what it returned, one `_compare.plain` value for each probe that it came through.
        error: what it raised, as text, or None (also that it was stopped, when time was up).
        line: where it was then, or when time was up: ``"line 3: w = …"``, or None if that is not known.
        timed_out: the seconds after which time was up, or None if it ended by itself.
        left_behind: whether it is still running.
        printed: the beginning of what it printed.
    """

    outputs: list = field(default_factory=list)
    error: str | None = None
    line: str | None = None
    timed_out: float | None = None
    left_behind: bool = False
    printed: str = ""


def attempt(answer, exercise, time_limit):
    """Run `answer` on the probes of `exercise`, for `time_limit` seconds of computing at most; return the `Attempt`."""
    outcome = Attempt()
    namespace = getattr(inspect.unwrap(answer), "__globals__", None)
    x64, cpu = jax.config.jax_enable_x64, jax.devices("cpu")[0]  # contexts are not inherited by a thread
    with jax.default_device(cpu):
        probes = exercise.inputs()

    def work():
        try:
            with _compat.enable_x64(x64), jax.disable_jit(), jax.default_device(cpu):
                for inputs in probes:
                    outcome.outputs.append(_compare.plain(answer(*inputs)))
        except BaseException as error:  # exit() and KeyboardInterrupt too
            frames = list(traceback.walk_tb(error.__traceback__))
            outcome.line = _line(reversed(frames), namespace)
            outcome.error = _describe(error, sum(frame.f_globals is namespace for frame, _ in frames))

    with _sealed() as printed:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            _wait(thread, time_limit)
        finally:
            if thread.is_alive():
                line = _line(traceback.walk_stack(sys._current_frames().get(thread.ident)), namespace)
                outcome.left_behind = not _stop(thread, namespace)
                outcome.line, outcome.timed_out = line, time_limit
    outcome.printed = printed.getvalue()
    return outcome


def _wait(thread, time_limit):
    """Wait for the thread: `time_limit` seconds of computing, so that a busy machine fails no right answer.

    One that only sleeps computes nothing; it is given three times as long.
    """
    computed, passed = time.process_time() + time_limit, time.perf_counter() + 3 * time_limit
    while thread.is_alive() and time.process_time() < computed and time.perf_counter() < passed:
        thread.join(0.05)


def is_stub(answer):
    """Return whether `answer` is a function whose body is only a docstring and ``...``."""
    function = inspect.unwrap(answer) if callable(answer) else None
    if not isinstance(function, types.FunctionType):
        return False
    try:
        definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, SyntaxError):  # no source at hand: then the bytecode, which cannot tell `...` from `pass`
        return _instructions(function) == _instructions(_empty)
    if not isinstance(definition, ast.FunctionDef):
        return False
    statements = definition.body[1:] if ast.get_docstring(definition) is not None else definition.body
    return bool(statements) and all(
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and statement.value.value is ...
        for statement in statements)


def _empty(): ...


def _instructions(function):
    return [(instruction.opname, instruction.argval) for instruction in dis.get_instructions(function)]


def _stop(thread, namespace):
    """Make the thread raise until it ends; return whether it did."""
    stop = ctypes.py_object(_stopper(namespace))
    for _ in range(round(_PATIENCE / 0.02)):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), stop)
        thread.join(0.02)
        if not thread.is_alive():
            return True
    return False


def _stopper(namespace):
    """Return the exception that ends a student's thread.

    A bare ``except:`` inside an endless loop catches it. So, once raised, it has the interpreter trace the student's
    frames, and raises itself again at the next line, which is the first of that ``except:``. It is a `SystemExit`
    since the thread that it ends should do so without a traceback.
    """
    def again(frame, event, arg):
        if event == "line":
            raise Stop

    class Stop(SystemExit):
        def __init__(self):
            frame = sys._getframe(1)
            while frame is not None:
                if frame.f_globals is namespace:
                    frame.f_trace = again
                frame = frame.f_back
            sys.settrace(lambda *_: None)  # this thread only; without it no frame is traced

    return Stop


@contextlib.contextmanager
def _sealed():
    """Keep prints, warnings, `exit()` and changes of JAX's configuration from reaching the notebook."""
    printed = _Printed()
    with contextlib.ExitStack() as stack:
        stack.callback(_configure, _configuration())
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(_replaced(sys, "stdout", printed))
        stack.enter_context(_replaced(sys, "stderr", _Printed()))
        stack.enter_context(_replaced(sys, "stdin", io.StringIO()))  # exit() closes it
        stack.enter_context(_replaced(sys, "unraisablehook", lambda _: None))  # _Stop may strike in a destructor
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        if shell is not None:
            stack.enter_context(_replaced(shell, "ask_exit", sys.exit))  # in Jupyter, what exit() calls
        yield printed


@contextlib.contextmanager
def _replaced(owner, name, value):
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _configuration():
    """Return JAX's settings as they are outside of any context: contexts belong to their thread, so ask a new one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: dict(jax.config.values)).result()


def _configure(wanted):
    now = _configuration()
    for name in wanted:
        if now[name] != wanted[name]:
            jax.config.update(name, wanted[name])


class _Printed(io.StringIO):
    """Keeps the beginning of what is printed."""

    def write(self, text):
        super().write(text[:_PRINTED - self.tell()] if self.tell() < _PRINTED else "")
        return len(text)


def _describe(error, depth):
    if isinstance(error, RecursionError) or depth > 100:  # deep inside, JAX 0.7 makes another error of it
        return "your code calls itself without end (RecursionError)"
    if isinstance(error, SystemExit):
        return "your code called exit()"
    return f"your code raised {traceback.format_exception_only(error)[0].splitlines()[0][:300]}"


def _line(frames, namespace):
    """Return the first of `frames`, innermost first, that runs code of the student's notebook, as a line of text."""
    for frame, number in frames:
        if frame.f_globals is namespace:
            code = linecache.getline(frame.f_code.co_filename, number).strip()
            return f"line {number}: {code}" if code else f"line {number}"
    return None
