"""Writes JavaScript: statements in blocks, and arrays as functions from an index to an expression.

A `Value` answers the question "what is the entry at this index?" with an expression in JavaScript. An index is a
tuple of Python ints and of names of loop variables. Reshaping, broadcasting and slicing are then changes of the index
that write no code at all; small arrays are asked for each of their entries and become scalars; large ones are asked
once, inside a loop.
"""

import contextlib
import dataclasses
import functools
import itertools
import math
import operator
import re
import textwrap
from collections import Counter
from collections.abc import Callable
from importlib import resources
from typing import NamedTuple

import numpy as np

_NAME, _DIGITS = r"[A-Za-z_$][\w$]*", r"\d[\w.]*([eE][+-]\d+)?"
_WORD = re.compile(_NAME)
_NUMBER = re.compile(rf"{_DIGITS}|\(-{_DIGITS}\)")
_ATOM = re.compile(rf"{_NAME}|\(-Infinity\)|{_NUMBER.pattern}")
_ENTRY = re.compile(r"[\w$.]+(\[[^\[\]]*\]|\([^()]*\))?")  # needs no parentheses anywhere
_ARITHMETIC = {"{} + {}": operator.add, "{} - {}": operator.sub, "{} * {}": operator.mul, "-{}": operator.neg}
_LINE = 100  # characters; a longer expression keeps its name


class Unsupported(Exception):
    """Why a primitive cannot be written."""


def kind(dtype):
    """Return the letter of a type: f (float64), i (int32), l (int64, exact to 2⁵³), b (bool)."""
    try:
        return {"float64": "f", "int32": "i", "int64": "l", "bool": "b"}[str(dtype)]
    except KeyError:
        raise Unsupported(f"its type {dtype} is none of float64, int32, int64, bool") from None


@dataclasses.dataclass(eq=False)
class Value:
    """An array in the emitted code.

    Attributes:
        shape: its shape.
        dtype: its JAX type; bool entries are JavaScript booleans, all others numbers.
        get: the expression of the entry at an index, written into the block that is being written.
        cheap: whether an entry can be asked for repeatedly, because asking costs no arithmetic.
        buffer: the name of the Float64Array that holds the entries row by row, if there is one.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    get: Callable[[tuple], str]
    cheap: bool = True
    buffer: str | None = None

    @property
    def size(self):
        return math.prod(self.shape)


class Statement(NamedTuple):
    text: str
    defines: tuple[str, ...] = ()  # what it declares or changes; dropped if all of it is local and none used later
    constant: bool = False         # `text` is the expression of the one name in `defines`
    takes: bool = True             # whether an expression used only here may be written in place of its name


class Block:
    """The statements of one block. Every expression is named once, here or in a block around it."""

    def __init__(self, around=None):
        self.around, self.statements, self.names, self.local = around, [], {}, set()

    def known(self, expression):
        return self.names.get(expression) or (self.around and self.around.known(expression))

    def render(self):
        """Return the lines: what is never used is dropped, what is used once is written where it is used."""
        uses, near, kept = Counter(), Counter(), []
        for statement in reversed(self.statements):
            if statement.defines and not any(uses[name] or name not in self.local for name in statement.defines):
                continue
            words = _WORD.findall(statement.text)
            uses.update(words)
            near.update(words if statement.takes else ())
            kept.append(statement)
        inline, lines = {}, []
        for text, defines, constant, takes in reversed(kept):
            if takes:
                text = _WORD.sub(lambda word: _placed(inline[word[0]], word) if word[0] in inline else word[0], text)
            if constant and uses[defines[0]] == near[defines[0]] == 1 and len(text) < _LINE:
                inline[defines[0]] = text
            else:
                lines.append(f"const {defines[0]} = {text};" if constant else text)
        return "\n".join(lines)


def _placed(expression, word):
    """Return an expression as it stands in place of a word: in parentheses, unless it is one or an argument."""
    before, after = word.string[:word.start()], word.string[word.end():]
    alone = re.search(r"(^|[(\[,] ?|(?<![=!<>])= |return )$", before) and re.match(r"[)\],;]|$", after)
    return expression if alone or _ENTRY.fullmatch(expression) else f"({expression})"


class Writer:
    """Writes one function, and the constants and helpers that stand before it.

    Args:
        name: its name; whatever else it puts on the top level is called ``name$…``.
        unroll: arrays of at most so many entries become scalars.
        reserved: names that the text around uses.
    """

    def __init__(self, name, unroll, reserved=()):
        self.name, self.unroll, self.reserved = name, unroll, set(reserved)
        self.block, self.numbers = Block(), itertools.count(1)
        self.helpers, self.constants, self.borrowed = {}, {}, set()
        self.generator = None  # the name of the argument that draws random numbers

    # Statements

    def fresh(self, letter):
        """Return a new name, local to the block that is being written."""
        name = next(name for name in (f"{letter}{n}" for n in self.numbers) if name not in self.reserved)
        self.block.local.add(name)
        return name

    def write(self, text, defines=(), takes=True):
        self.block.statements.append(Statement(text, tuple(defines), takes=takes))

    def let(self, expression):
        """Name an expression, unless it is a name or has one."""
        if _ATOM.fullmatch(expression):
            return expression
        return self.block.known(expression) or self.rename(expression)

    def rename(self, expression):
        name = self.block.names[expression] = self.fresh("x")
        self.block.statements.append(Statement(expression, (name,), constant=True))
        return name

    @contextlib.contextmanager
    def inside(self, head, defines=()):
        """Write into the braces that follow `head`."""
        around, self.block = self.block, Block(self.block)
        yield
        body = self.block.render()
        self.block = around
        self.write(f"{head.strip()} {{\n{textwrap.indent(body, '  ')}\n}}", defines, takes=False)

    def each(self, shape, body, defines, unroll=None):
        """Write body(index) for every index: one after another if they are few, else in a loop."""
        if math.prod(shape) <= (self.unroll if unroll is None else unroll):
            for index in np.ndindex(*shape):
                body(index)
            return
        index = tuple(0 if length == 1 else self.fresh("i") for length in shape)
        loops = [f"for (let {i} = 0; {i} < {length}; {i}++)" for i, length in zip(index, shape, strict=True) if i != 0]
        with self.inside(" ".join(loops), defines):
            body(index)

    def helper(self, name):
        """Return the name under which a function of intrinsics.js stands before this one."""
        if name not in self.helpers:
            self.helpers[name] = ""  # known, should it call itself
            calls = re.compile(rf"(?<![.\w$])({'|'.join(intrinsics())})(?=\()")
            self.helpers[name] = calls.sub(lambda word: self.helper(word[0]), intrinsics()[name])
        return f"{self.name}${name}"

    def fill(self, template, *entries):
        """Name what a template becomes with these entries; arithmetic with known numbers is done here."""
        if template == "{} * {}" and "1" in entries:  # exact, and every gradient begins with a 1
            return entries[1 - entries.index("1")]
        if template in _ARITHMETIC and all(map(_NUMBER.fullmatch, entries)):
            return literal(_ARITHMETIC[template](*(float(entry.strip("()")) for entry in entries)))
        return self.let(re.sub(r"\$(\w+)", lambda word: self.helper(word[1]), template).format(*entries))

    def call(self, name, *arguments):
        return self.let(f"{self.helper(name)}({', '.join(map(str, arguments))})")

    # Values

    def lazy(self, like, get, cheap=True):
        return Value(tuple(like.shape), like.dtype, get, cheap)

    def stored(self, like, buffer):
        """Return the value whose entries stand in a Float64Array."""
        def get(index):
            entry = f"{buffer}[{flat(index, like.shape)}]"
            return self.let(f"{entry} !== 0" if kind(like.dtype) == "b" else entry)

        return Value(tuple(like.shape), like.dtype, get, buffer=buffer)

    def scalars(self, like, atoms):
        """Return the value whose entries have these names, row by row."""
        table = np.array(atoms, object).reshape(like.shape)

        def get(index):
            if all(isinstance(i, int) for i in index):
                return table[index]
            return self.stored(like, self.buffer(value)).get(index)

        value = Value(tuple(like.shape), like.dtype, get)
        return value

    def constant(self, array):
        """Return the value of an array that is known; a long one stands before the function."""
        array = np.asarray(array)
        array = array.astype(bool if array.dtype == bool else float if array.dtype.kind in "fV" else array.dtype)
        entries = [literal(x, kind(array.dtype)) for x in array.flat]
        if array.size <= self.unroll:
            return self.scalars(array, entries)
        if len(set(entries)) == 1:
            return self.lazy(array, lambda _: entries[0])
        text = f"Float64Array.of({', '.join(entries)})"
        return self.stored(array, self.constants.setdefault(text, f"{self.name}$c{len(self.constants)}"))

    def small(self, value):
        return math.prod(value.shape) <= self.unroll

    def entries(self, value):
        return [value.get(index) for index in np.ndindex(*value.shape)]

    def buffer(self, value):
        """Return the name of a Float64Array with the entries of a value."""
        if value.buffer:
            return value.buffer
        if self.small(value):
            return self.let(f"Float64Array.of({', '.join(self.entries(value))})")
        return self.looped(value).buffer

    def looped(self, value):
        """Return a value's twin whose entries stand in a Float64Array, filled in a loop."""
        name = self.allocate(value.size)
        self.each(value.shape, lambda index: self.store(name, index, value.shape, value.get(index)), (name,), unroll=0)
        return self.stored(value, name)

    def owned(self, buffer):
        """Return an array that may be handed out: a copy of `buffer` if it belongs to an argument, or to others too."""
        lent = buffer in self.borrowed or buffer not in self.block.local
        self.borrowed.add(buffer)
        return f"{buffer}.slice()" if lent else buffer

    def allocate(self, size):
        name = self.fresh("t")
        self.write(f"const {name} = new Float64Array({size});", (name,))
        return name

    def store(self, buffer, index, shape, entry, condition=""):
        self.write(f"{condition}{buffer}[{flat(index, shape)}] = {entry};", (buffer,))

    def solid(self, value):
        """Return a value's twin whose entries cost nothing: scalars if it is small, else a Float64Array."""
        if self.small(value):
            return value if value.buffer else self.scalars(value, self.entries(value))
        return value if value.cheap else self.looped(value)

    def settled(self, value, uses):
        """Return `value` as its users want it: computed in place if there is one user, else once beforehand."""
        return self.solid(value) if self.small(value) or uses > 1 else value

    def fold(self, shape, get, start, step, unrolled):
        """Return the name of step(… step(step(start, x₀), x₁) …) over the entries x of a virtual array."""
        if unrolled or math.prod(shape) == 1:
            entries = [get(index) for index in np.ndindex(*shape)] or [start]
            return functools.reduce(lambda total, entry: self.let(step(total, entry)), entries)
        total = self.fresh("s")
        self.write(f"let {total} = {start};", (total,))

        def take(index):
            self.write(f"{total} = {step(total, get(index))};", (total,))

        self.each(shape, take, (total,), unroll=0)
        return total

    # What a loop carries

    def variable(self, like, value=None):
        """Return a value that can be assigned to; `value` is its first."""
        names = [self.fresh("v") for _ in range(math.prod(like.shape) if self.small(like) else 1)]
        first = names if value is None else [f"{v} = {x}" for v, x in zip(names, self.parts(value), strict=True)]
        if names:
            self.write(f"let {', '.join(first)};", names)
        return self.scalars(like, names) if self.small(like) else self.stored(like, names[0])

    def parts(self, value):
        """Return what a value consists of: its entries if it is small, else the one Float64Array, not anybody's."""
        return self.entries(value) if self.small(value) else [self.owned(self.buffer(value))]

    def names(self, *variables):
        """Return the names that variables consist of."""
        return [name for x in variables for name in ([x.buffer] if x.buffer else self.entries(x))]

    def assign(self, variables, values):
        """Write the assignment of values to variables, all at once."""
        pairs = list(zip(self.names(*variables), [part for x in values for part in self.parts(x)], strict=True))
        changed = {name for name, new in pairs if name != new}
        pairs = [(name, self.rename(new) if new in changed else new) for name, new in pairs if name in changed]
        if pairs:
            self.write(" ".join(f"{name} = {new};" for name, new in pairs), takes=False)

    def preamble(self):
        """Return the constants and helpers that the function needs before it."""
        lines = [f"const {name} = {text};" for text, name in self.constants.items()] + list(self.helpers.values())
        return "".join(f"{line}\n" for line in lines)


def literal(number, kind_of="f"):
    if kind_of == "b":
        return "true" if number else "false"
    if kind_of != "f":
        text = str(int(number))
    elif math.isfinite(number):
        text = repr(float(number)).removesuffix(".0")
    else:
        text = "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    return f"({text})" if text.startswith("-") else text


# Arithmetic with indices: ints are computed, names are written

def plus(a, b):
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    return a if b == 0 else b if a == 0 else f"{a} + {b}"


def times(a, n):
    if isinstance(a, int):
        return a * n
    return a if n == 1 else f"{grouped(a)} * {n}"


def minus(n, a):
    return n - a if isinstance(a, int) else f"{n} - {grouped(a)}"


def grouped(a):
    return a if isinstance(a, int) or _WORD.fullmatch(a) else f"({a})"


def flat(index, shape):
    """Return the row-major position of an index."""
    position, stride = 0, 1
    for i, length in zip(reversed(index), reversed(shape), strict=True):
        position, stride = plus(times(i, stride) if length > 1 else 0, position), stride * length
    return position


@functools.cache
def intrinsics():
    """Return the functions of intrinsics.js, by name."""
    source = resources.files("ravine.figures").joinpath("intrinsics.js").read_text(encoding="utf-8")
    return {match[1]: match[0] for match in re.finditer(r"^function (\w+)\(.*?^}", source, re.M | re.S)}
