"""A submitted notebook in a process of its own: run what defines an answer, try the answer, leave the results as files.

``python -m ravine.exercises._submission FOLDER`` reads ``job.json`` there, which `_grade` wrote, and writes an
``NAME.npz`` for each exercise as soon as it has been tried (`_parcel`). Nothing is judged here.
"""

import ast
import dis
import json
import linecache
import os
import re
import resource
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp

from ravine import exercises
from ravine.exercises import _compare, _parcel, _run
from ravine.exercises._exercise import find

_IMPORTS = ast.Import, ast.ImportFrom
_KEPT_CELL_MAGICS = re.compile(r"%%(time|timeit|capture|prun)\b")


@dataclass(frozen=True)
class Part:
    """A part of a cell that runs as a whole: an import, or all that is no import.

    Attributes:
        binds: the global names that it gives a value.
        reads: the global names that it, or a function in it, looks up.
        code: the compiled code, or the error that it does not compile with.
    """

    binds: set[str]
    reads: set[str]
    code: types.CodeType | Exception


def parts(cells):
    """Return the `Part`s of all cells, in order."""
    found = []
    for number, source in enumerate(cells, start=1):
        file = f"<cell {number}>"
        linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
        try:
            statements = ast.parse(without_magics(source), file).body
            imports = [[statement] for statement in statements if isinstance(statement, _IMPORTS)]
            others = [statement for statement in statements if not isinstance(statement, _IMPORTS)]
            found += [_part(compile(ast.Module(body, []), file, "exec")) for body in [*imports, others]]
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            found.append(Part(set(re.findall(r"^\s*def\s+(\w+)", source, re.MULTILINE)), set(), error))
    return found


def without_magics(source):
    """Return a cell as Python: its magics and shell commands do nothing, and its lines keep their numbers."""
    try:
        ast.parse(source)
    except SyntaxError:
        if source.startswith("%%") and not _KEPT_CELL_MAGICS.match(source):
            return ""
        return re.sub(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2}[ \t]*)$", r"\1pass", source, flags=re.MULTILINE)
    return source


def _part(code):
    names: dict[str, set[str]] = {"STORE": set(), "LOAD": set()}
    codes = [code]
    for inner in codes:
        codes += [constant for constant in inner.co_consts if isinstance(constant, types.CodeType)]
        for instruction in dis.get_instructions(inner):
            kind, _, scope = instruction.opname.partition("_")
            if kind in names and scope in ("NAME", "GLOBAL"):
                names[kind].add(instruction.argval)
    return Part(names["STORE"], names["LOAD"], code)


def needed(parts, name):
    """Return the parts that bind `name`, what these need, and so on, in the notebook's order."""
    wanted, chosen = {name}, []
    while True:
        now = [part for part in parts if part.binds & wanted]
        if len(now) == len(chosen):
            return now
        chosen = now
        wanted = wanted.union(*(part.reads for part in now))


def attempt(cells, name, time_limit):
    """Return what `_parcel.save` should keep of a notebook's answer to an exercise.

    That is the fields of a `_run.Attempt`, or, where there is nothing to try, an outcome and a text.
    """
    namespace, trouble = {"__name__": "__main__"}, "it is defined under a condition that did not hold"
    for part in needed(parts(cells), name):
        try:
            if isinstance(part.code, Exception):
                raise part.code
            exec(part.code, namespace)
        except BaseException as error:  # exit() too; as in Jupyter, the next cell runs nevertheless
            if name in part.binds:
                trouble = f"its cell cannot be run: {type(error).__name__}: {error}"
    if name not in namespace:
        return {"outcome": "raised", "text": trouble}
    answer = namespace[name]
    if _run.is_stub(answer):
        return {"outcome": "unsolved", "text": "not solved: still the stub."}
    if not callable(answer):
        text = f"{name} is {_compare.describe(_compare.plain(answer))}, and should be a function."
        return {"outcome": "structure", "text": text}
    tried = _run.attempt(answer, find(name), time_limit)
    return {"outputs": tried.outputs, "error": tried.error, "line": tried.line, "timed_out": tried.timed_out}


def limit(seconds, memory):
    """Limit this process from now on: seconds of computing, and GB of memory beyond what it holds by now."""
    spent = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    limits = {resource.RLIMIT_CPU: int(spent + seconds) + 1, resource.RLIMIT_FSIZE: _parcel.LARGEST,
              resource.RLIMIT_CORE: 0}
    held = Path("/proc/self/statm")
    if held.exists():
        pages = int(held.read_text().split()[0])
        limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + int(memory * 1e9)
    for kind, value in limits.items():
        resource.setrlimit(kind, (value, value + 1))  # at a hard limit on time the signal would not say why


def _say_nothing(name=None, answer=None, **_):
    """Stand for `check` and the others where a notebook calls them."""
    return exercises.Result("unsolved", "", None, answer)


def main(folder):
    """Try every answer that the job names, and leave without waiting for anything."""
    job = json.loads((folder / "job.json").read_text())
    vars(exercises).update(dict.fromkeys(("check", "hint", "solution", "progress"), _say_nothing))
    jnp.zeros(1).block_until_ready()  # JAX starts before the limits do
    limit(job["seconds"], job["memory"])
    for name in job["names"]:
        path = folder / f"{name}.npz"
        try:
            _parcel.save(path, **attempt(job["cells"], name, job["seconds"] / 4))
        except (OSError, MemoryError):
            _parcel.save(path, outcome="structure", text="what it returns is too large to be kept.")
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
