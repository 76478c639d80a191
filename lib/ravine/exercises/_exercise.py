"""What an exercise is, and where all of them are found."""

import ast
import difflib
import functools
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from ravine.exercises import _compare


@dataclass(frozen=True)
class Key:
    """A random key among a probe's arguments: it reaches an answer as ``jax.random.key(seed)``."""

    seed: int

    def __repr__(self):
        return f"jax.random.key({self.seed})"


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise: everything that `check`, `hint` and `solution` need to know about it.

    Attributes:
        reference: the answer, a module-level function of a few lines. The exercise is named after it; its signature and
            docstring are the stub's.
        returns: the names of what it returns, as in ``"w, v"``.
        probes: the inputs to try, a tuple of arguments each. Arrays are NumPy literals, also within dicts and lists,
            and reach an answer as JAX arrays; of one shape in all probes, since JAX compiles anew for each shape.
            Random keys are a `Key`. Functions are single expressions, so that a message can show them.
        concept: the first hint, the idea in words.
        formula: the second hint.
        blank: the part of the reference's code that the third hint leaves out; it stands there once.
        mistakes: ``{name: (function, message)}``. Each function differs from the reference in one thing, and computes
            with NumPy where it can: see `evaluate`. The message begins with a sentence that says what was done; what
            follows says what is right.
        facts: for answers that are random or not unique, the names of what is compared in place of the outputs.
        measure: ``measure(inputs, outputs)`` finds these facts, a tuple for each probe, in what an answer returned on
            all of them, made `_compare.plain`. A number that is subject to chance is a `_compare.Within`. Where there
            is nothing to measure it gives an `_compare.Unfit`, which says why: outputs can be of any kind.
    """

    reference: Callable
    returns: str
    probes: list[tuple]
    concept: str
    formula: str
    blank: str
    mistakes: dict[str, tuple[Callable, str]]
    facts: str = ""
    measure: Callable | None = None

    @property
    def name(self):
        """The name of the exercise and of the function that the student writes."""
        return self.reference.__name__

    @property
    def call(self):
        """How the function is called, as in ``ewma(x, beta)``."""
        return f"{self.name}({', '.join(self.arguments)})"

    @property
    def arguments(self):
        """The names of the function's arguments."""
        return tuple(inspect.signature(self.reference).parameters)

    @property
    def compared(self):
        """The names of what is compared, as a tuple: what the function returns, or the facts about it."""
        return tuple((self.facts or self.returns).split(", "))

    @property
    def hints(self):
        """Concept, formula, and the code with one blank."""
        return self.concept, self.formula, body(self.reference).replace(self.blank, "____")

    def inputs(self, array=jnp.array):
        """Return the probes' arguments, made anew with `array`, so that nobody can spoil them for the next."""
        return [jax.tree.map(functools.partial(_input, array), probe) for probe in self.probes]

    def comparable(self, outputs):
        """Return what is compared for each probe, from what an answer returned on all of them."""
        return self.measure(self.inputs(), outputs) if self.measure else outputs


def _input(array, x):
    if isinstance(x, Key):
        return jax.random.key(x.seed)
    return array(x) if isinstance(x, np.ndarray) else x


@functools.cache
def evaluate(exercise, function, x64):
    """Return what there is to compare, for each probe, of the exercise's own `function` (its reference or a mistake).

    The arrays it is given are NumPy's, in JAX's precision. With JAX's, each operation on a new shape would be compiled,
    and the first check of an exercise with many mistakes would take seconds. It runs as answers do, without ``jit``: so
    what uses JAX nevertheless mostly finds compiled what it needs.

    `x64` is ``jax.config.jax_enable_x64``: it is here so that the cache tells the two precisions apart.
    """
    with jax.default_device(jax.devices("cpu")[0]), np.errstate(all="ignore"), jax.disable_jit():
        probes = exercise.inputs(lambda x: np.array(jnp.array(x)))
        return exercise.comparable([_compare.plain(function(*inputs)) for inputs in probes])


def body(function):
    """Return the source of a function's body, without its docstring and indentation."""
    source = textwrap.dedent(inspect.getsource(function))
    statements = ast.parse(source).body[0].body
    if ast.get_docstring(ast.parse(source).body[0]) is not None:
        statements = statements[1:]
    return textwrap.dedent("\n".join(source.splitlines()[statements[0].lineno - 1:]))


@functools.cache
def chapters():
    """Return all exercises, ``{"06_momentum": {"ewma": Exercise, ...}, ...}``, in the course's order."""
    package = importlib.import_module("ravine.exercises")
    modules = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name.startswith("ch"))
    return {module.removeprefix("ch"): {exercise.name: exercise for exercise in
                                        importlib.import_module(f"ravine.exercises.{module}").EXERCISES}
            for module in modules}


def find(name):
    """Return the exercise of this name.

    Raises:
        TypeError: `name` is no string.
        ValueError: there is no such exercise; the error lists the nearest names, if any is near.
    """
    if not isinstance(name, str):
        raise TypeError(f'name = {name!r}: must be the name of an exercise, in quotes, as in check("ewma", ewma)')
    known = {name: exercise for exercises in chapters().values() for name, exercise in exercises.items()}
    if name not in known:
        nearest = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        instead = f"did you mean {' or '.join(nearest)}?" if nearest else "progress() lists them all"
        raise ValueError(f"name = {name!r}: there is no such exercise; {instead}")
    return known[name]
