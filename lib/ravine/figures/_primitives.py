"""What each JAX primitive is in JavaScript: one table of templates, and a function where a template will not do.

A rule is called as rule(writer, equation, *operands) and returns the `Value` of the result, or a list of them.
"""

import math

import jax
import numpy as np

from ravine.figures._javascript import Unsupported, flat, kind, literal, minus, plus, times

# Entry by entry. {} are the operands; a $name is a function of intrinsics.js.
_ANY = {
    "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "neg": "-{}", "square": "{0} * {0}",
    "abs": "Math.abs({})", "sign": "Math.sign({})", "max": "Math.max({}, {})", "min": "Math.min({}, {})",
    "clamp": "Math.min(Math.max({1}, {0}), {2})",
    "eq": "{} === {}", "ne": "{} !== {}", "lt": "{} < {}", "le": "{} <= {}", "gt": "{} > {}", "ge": "{} >= {}",
}
_TEMPLATES = {
    "f": _ANY | {
        "add_any": "{} + {}",
        "div": "{} / {}", "rem": "{} % {}", "pow": "$pow({}, {})", "floor": "Math.floor({})", "ceil": "Math.ceil({})",
        "sqrt": "Math.sqrt({})", "rsqrt": "1 / Math.sqrt({})", "cbrt": "Math.cbrt({})",
        "exp": "Math.exp({})", "exp2": "Math.pow(2, {})", "expm1": "Math.expm1({})",
        "log": "Math.log({})", "log1p": "Math.log1p({})", "logistic": "1 / (1 + Math.exp(-{}))",
        "sin": "Math.sin({})", "cos": "Math.cos({})", "tan": "Math.tan({})", "asin": "Math.asin({})",
        "acos": "Math.acos({})", "atan": "Math.atan({})", "atan2": "Math.atan2({}, {})",
        "sinh": "Math.sinh({})", "cosh": "Math.cosh({})", "tanh": "Math.tanh({})", "asinh": "Math.asinh({})",
        "acosh": "Math.acosh({})", "atanh": "Math.atanh({})", "erf": "$erf({})", "erfc": "$erfc({})",
        "is_finite": "Number.isFinite({})",
    },
    "i": _ANY | {op: f"({_ANY[op]}) | 0" for op in ("add", "sub", "neg", "abs")} | {
        "mul": "Math.imul({}, {})", "square": "Math.imul({0}, {0})",
        "div": "$integer_div({}, {}) | 0", "rem": "$integer_rem({}, {})",
        "and": "{} & {}", "or": "{} | {}", "xor": "{} ^ {}", "not": "~{}", "shift_left": "{} << {}",
        "shift_right_arithmetic": "{} >> {}", "shift_right_logical": "({} >>> {}) | 0",
    },
    "l": _ANY | {
        "mul": "{} * {} + 0", "neg": "0 - {}", "div": "$integer_div({}, {})", "rem": "$integer_rem({}, {})",
    },
    "b": {op: _ANY[op] for op in ("eq", "ne")} | {
        "and": "{} && {}", "or": "{} || {}", "xor": "{} !== {}", "not": "!{}",
    },
}
_CONVERT = {  # from, to; a float that an int cannot hold becomes the nearest one, NaN 0
    "fi": "Math.min(Math.max({}, -2147483648), 2147483647) | 0", "fl": "Math.trunc({}) || 0", "li": "{} | 0",
    "fb": "{} !== 0", "ib": "{} !== 0", "lb": "{} !== 0", "bf": "+{}", "bi": "+{}", "bl": "+{}",
}


def entrywise(js, eqn, template, *xs):
    """Fill `template` in, entry by entry; operands of length 1 along an axis, and scalars, are repeated."""
    out = eqn.outs[0]
    xs = [x if x.size == math.prod(out.shape) else repeatable(js, x) for x in xs]

    def get(index):
        entries = [x.get(tuple(0 if n == 1 else i for i, n in zip(index, x.shape, strict=False))) for x in xs]
        return js.fill(template, *entries)

    return js.lazy(out, get, cheap=False)


def repeatable(js, x):
    """Return `x` ready to be read at any index any number of times; it is packed here, not in a loop to come."""
    x = js.solid(x)
    if x.size > 1 and js.small(x):
        js.buffer(x)
    return x


def same(js, eqn, *xs):
    return list(xs)


def convert(js, eqn, x):
    return entrywise(js, eqn, _CONVERT.get(kind(x.dtype) + kind(eqn.outs[0].dtype), "{}"), x)


def select(js, eqn, which, *cases):
    if kind(which.dtype) == "b":
        return entrywise(js, eqn, "{0} ? {2} : {1}", which, *cases)
    chain = "".join(f"{{0}} === {n} ? {{{n + 1}}} : " for n in range(len(cases) - 1))
    return entrywise(js, eqn, f"{chain}{{{len(cases)}}}", which, *cases)


def integer_pow(js, eqn, x):
    exponent, product = eqn.params["y"], _TEMPLATES[kind(x.dtype)]["mul"]

    def get(index):  # repeated squaring, as in XLA
        base, power, left = x.get(index), None, abs(exponent)
        while left:
            if left & 1:
                power = base if power is None else js.fill(product, power, base)
            left >>= 1
            base = js.fill(product, base, base) if left else base
        return js.let(f"1 / {power}") if exponent < 0 else power or "1"

    return js.lazy(eqn.outs[0], get, cheap=False)


def round_(js, eqn, x):
    to_even = int(eqn.params["rounding_method"]) == 1
    return entrywise(js, eqn, "$round_half_even({})" if to_even else "$round_half_away({})", x)


# Layout: other indices, no code

def view(index_of):
    def rule(js, eqn, x, *_):
        out = eqn.outs[0]
        x = repeatable(js, x) if math.prod(out.shape) > x.size else x
        index = tuple(f"i{axis}" for axis in range(len(out.shape)))
        if x.buffer and flat(index_of(eqn.params, x.shape, index), x.shape) == flat(index, out.shape):
            return js.stored(out, x.buffer)  # the same entries in the same order
        return js.lazy(out, lambda index: x.get(index_of(eqn.params, x.shape, index)), x.cheap)

    return rule


def _broadcast(p, shape, index):
    return tuple(0 if n == 1 else index[a] for n, a in zip(shape, p["broadcast_dimensions"], strict=True))


def _transpose(p, shape, index):
    return tuple(index[p["permutation"].index(a)] for a in range(len(shape)))


def _slice(p, shape, index):
    strides = p["strides"] or (1,) * len(shape)
    return tuple(plus(times(i, s), first) for i, s, first in zip(index, strides, p["start_indices"], strict=True))


def _rev(p, shape, index):
    return tuple(minus(shape[a] - 1, i) if a in p["dimensions"] else i for a, i in enumerate(index))


def _squeeze(p, shape, index):
    left = iter(index)
    return tuple(0 if a in p["dimensions"] else next(left) for a in range(len(shape)))


def _tile(p, shape, index):
    return tuple(i % n if isinstance(i, int) else f"({i}) % {n}" for i, n in zip(index, shape, strict=True))


def reshape(js, eqn, x):
    out = eqn.outs[0]
    return js.scalars(out, js.entries(x)) if js.small(x) and not x.buffer else js.stored(out, js.buffer(x))


def iota(js, eqn):
    return js.lazy(eqn.outs[0], lambda index: js.let(str(index[eqn.params["dimension"]])))


def split(js, eqn, x):
    axis, starts = eqn.params["axis"], _starts(eqn.params["sizes"])
    return [part(js, x, out, lambda i, n=n: _shifted(i, axis, n)) for out, n in zip(eqn.outs, starts, strict=True)]


def unstack(js, eqn, x):
    axis = eqn.params["axis"]
    return [part(js, x, out, lambda i, n=n: (*i[:axis], n, *i[axis:])) for n, out in enumerate(eqn.outs)]


def part(js, x, out, place):
    x = js.solid(x)
    return x if x.shape == out.shape else js.lazy(out, lambda index: x.get(place(index)))


def concatenate(js, eqn, *xs):
    axis = eqn.params["dimension"]
    starts = _starts([x.shape[axis] for x in xs])
    return assemble(js, eqn.outs[0], None, [
        (x, lambda i, n=n: (_shifted(i, axis, n), True)) for x, n in zip(xs, starts, strict=True)])


def stack(js, eqn, *xs):
    axis = eqn.params["axis"]
    return assemble(js, eqn.outs[0], None, [
        (x, lambda i, n=n: ((*i[:axis], n, *i[axis:]), True)) for n, x in enumerate(xs)])


def _starts(sizes):
    return [sum(sizes[:n]) for n in range(len(sizes))]


def _shifted(index, axis, start):
    return (*index[:axis], plus(index[axis], start), *index[axis + 1:])


def pad(js, eqn, x, filler):
    out, config = eqn.outs[0], [tuple(map(int, axis)) for axis in eqn.params["padding_config"]]
    # Negative padding cuts off: along each axis the entries first … last - 1 find a place.
    first = [max(0, -(low // (inner + 1))) for low, _, inner in config]
    last = [min(n, (m - 1 - low) // (inner + 1) + 1)
            for n, m, (low, _, inner) in zip(x.shape, out.shape, config, strict=True)]
    kept = jax.ShapeDtypeStruct(tuple(max(0, b - a) for a, b in zip(first, last, strict=True)), x.dtype)

    def place(index):
        return tuple(plus(times(plus(i, a), inner + 1), low)
                     for i, a, (low, _, inner) in zip(index, first, config, strict=True)), True

    inside = js.lazy(kept, lambda index: x.get(tuple(map(plus, index, first))), x.cheap)
    return assemble(js, out, js.lazy(out, lambda _: filler.get(())), [(inside, place)])


def assemble(js, out, background, pieces, combine="{1}"):
    """Return an array put together: pieces (value, place) on a background (or None, where they cover everything).

    place(index) returns where an entry goes, and whether it goes anywhere: True, False or an expression. `combine` is
    how it joins what is there. A small result whose places are all known stays scalars.
    """
    if js.small(out) and all(isinstance(i, int) for piece, place in pieces
                             for index in np.ndindex(*piece.shape) for i in place(index)[0]):
        table = np.full(out.shape, None, object)
        if background:
            table[...] = np.array(js.entries(background), object).reshape(out.shape)
        for piece, place in pieces:
            for index in np.ndindex(*piece.shape):
                at, inside = place(index)
                if inside:
                    table[at] = js.fill(combine, table[at], piece.get(index))
        return js.scalars(out, table.ravel())

    name = js.allocate(math.prod(out.shape))
    if background:
        js.each(out.shape, lambda index: js.store(name, index, out.shape, background.get(index)), (name,))
    for piece, place in pieces:
        def put(index, piece=piece, place=place):
            at, inside = place(index)
            if inside:
                entry = combine.format(f"{name}[{flat(at, out.shape)}]", piece.get(index))
                js.store(name, at, out.shape, entry, "" if inside is True else f"if ({inside}) ")

        js.each(piece.shape, put, (name,), unroll=0 if piece.buffer else None)
    return js.stored(out, name)


# Indices that are computed

def clamped(js, start, limit):
    """Return an entry as an index between 0 and `limit`."""
    if _known(start) is not None:
        return min(max(_known(start), 0), limit)
    return js.let(f"Math.min(Math.max({start}, 0), {limit})") if limit else 0


def within(start, limit):
    """Return whether an entry lies between 0 and `limit`: True, False or an expression."""
    return f"{start} >= 0 && {start} <= {limit}" if _known(start) is None else 0 <= _known(start) <= limit


def _known(entry):
    digits = entry.strip("()")
    return int(digits) if digits.removeprefix("-").isdigit() else None


def _offsets(js, starts, shape, sizes):
    return [clamped(js, start.get(()), n - size) for start, n, size in zip(starts, shape, sizes, strict=True)]


def dynamic_slice(js, eqn, x, *starts):
    x, offsets = repeatable(js, x), _offsets(js, starts, x.shape, eqn.params["slice_sizes"])
    return js.lazy(eqn.outs[0], lambda index: x.get(tuple(map(plus, index, offsets))))


def dynamic_update_slice(js, eqn, x, update, *starts):
    offsets = _offsets(js, starts, x.shape, update.shape)
    return assemble(js, eqn.outs[0], x, [(update, lambda index: (tuple(map(plus, index, offsets)), True))])


def windows(js, starts, shape, sizes, inner, batched, moved, mode):
    """Return a function from an index to where a gather or a scatter touches an operand of `shape`, and whether.

    Axis `inner[a]` of the index runs along axis a of the operand, within a window of `sizes`. The other axes of the
    index, its rows, choose the window: row `batched[a]` is the place along axis a, and the entries of `starts` in that
    row say where the window begins along the axes `moved`.
    """
    def place(index):
        rows = [i for a, i in enumerate(index) if a not in inner.values()]
        at = {axis: index[a] for axis, a in inner.items()} | {axis: rows[a] for axis, a in batched.items()}
        tests = []
        for n, axis in enumerate(moved):
            start, limit = starts.get((*rows, n)), shape[axis] - sizes[axis]
            tests.append(within(start, limit) if mode.name == "FILL_OR_DROP" else True)
            at[axis] = plus(clamped(js, start, limit), at.get(axis, 0))
        unknown = " && ".join(test for test in tests if isinstance(test, str))
        return tuple(at.get(axis, 0) for axis in range(len(shape))), False not in tests and (unknown or True)

    return place


def gather(js, eqn, x, starts):
    p, d = eqn.params, eqn.params["dimension_numbers"]
    x, starts = repeatable(js, x), repeatable(js, starts)
    inner = [a for a in range(len(x.shape)) if a not in d.collapsed_slice_dims + d.operand_batching_dims]
    place = windows(js, starts, x.shape, p["slice_sizes"], dict(zip(inner, d.offset_dims, strict=True)),
                    dict(zip(d.operand_batching_dims, d.start_indices_batching_dims, strict=True)),
                    d.start_index_map, p["mode"])
    filler = p["fill_value"]
    if filler is None:
        filler = {"f": math.nan, "b": True}.get(kind(x.dtype)) or np.iinfo(x.dtype).min
    filler = literal(filler, kind(x.dtype))

    def get(index):
        at, inside = place(index)
        if isinstance(inside, bool):
            return x.get(at) if inside else filler
        return js.let(f"{inside} ? {x.get(at)} : {filler}")

    return js.lazy(eqn.outs[0], get, cheap=False)


def scatter(combine):
    def rule(js, eqn, x, starts, updates):
        d, starts = eqn.params["dimension_numbers"], repeatable(js, starts)
        inner = [a for a in range(len(x.shape)) if a not in d.inserted_window_dims + d.operand_batching_dims]
        inner = dict(zip(inner, d.update_window_dims, strict=True))
        sizes = [updates.shape[inner[a]] if a in inner else 1 for a in range(len(x.shape))]
        place = windows(js, starts, x.shape, sizes, inner,
                        dict(zip(d.operand_batching_dims, d.scatter_indices_batching_dims, strict=True)),
                        d.scatter_dims_to_operand_dims, eqn.params["mode"])
        return assemble(js, eqn.outs[0], x, [(updates, place)], combine)

    return rule


# Sums and products

def folded(js, eqn, shape, get_term, start, step, unrolled):
    """Return the value whose entry at an index is the fold of the terms get_term(index, k) over all k < `shape`."""
    value = js.lazy(eqn.outs[0], lambda index: js.fold(shape, lambda k: get_term(index, k), start, step, unrolled),
                    cheap=False)
    return js.looped(value) if js.small(value) and value.size > 1 and not unrolled else value


def reduce_(op, start):
    def rule(js, eqn, x):
        axes, template = eqn.params["axes"], _TEMPLATES[kind(x.dtype)][op]

        def term(index, k):
            index, k = iter(index), iter(k)
            return x.get(tuple(next(k) if a in axes else next(index) for a in range(len(x.shape))))

        return folded(js, eqn, tuple(x.shape[a] for a in sorted(axes)), term, start, template.format, js.small(x))

    return rule


def dot_general(js, eqn, a, b):
    (sum_a, sum_b), (batch_a, batch_b) = eqn.params["dimension_numbers"]
    a, b = repeatable(js, a), repeatable(js, b)
    free_a = [axis for axis in range(len(a.shape)) if axis not in (*sum_a, *batch_a)]
    free_b = [axis for axis in range(len(b.shape)) if axis not in (*sum_b, *batch_b)]
    arithmetic = _TEMPLATES[kind(a.dtype)]

    def term(index, k):
        batch, rest = index[:len(batch_a)], index[len(batch_a):]
        at_a = dict(zip((*batch_a, *free_a, *sum_a), (*batch, *rest[:len(free_a)], *k), strict=True))
        at_b = dict(zip((*batch_b, *free_b, *sum_b), (*batch, *rest[len(free_a):], *k), strict=True))
        return js.fill(arithmetic["mul"], a.get(tuple(at_a[i] for i in sorted(at_a))),
                       b.get(tuple(at_b[i] for i in sorted(at_b))))

    shape = tuple(a.shape[axis] for axis in sum_a)
    unrolled = js.small(a) and js.small(b) and js.small(eqn.outs[0])
    if kind(a.dtype) == "f" and not unrolled and not batch_a and len(sum_a) == max(len(free_a), len(free_b)) == 1:
        sides = (a, free_a, sum_a), (b, free_b, sum_b)
        return matrix_product(js, eqn.outs[0], *sides if free_b else reversed(sides))
    return folded(js, eqn, shape, term, "0", arithmetic["add"].format, unrolled)


def matrix_product(js, out, left, right):
    """Return the product of two matrices, each with the axes that stay and the summed one; the left may be a vector."""
    (a, free_a, sum_a), (b, free_b, sum_b) = left, right
    sizes = [math.prod(x.shape[axis] for axis in axes) for x, axes in ((a, free_a), (a, sum_a), (b, free_b))]
    strides = [math.prod(x.shape[axis + 1:]) for x, axes in ((a, sum_a), (b, sum_b), (b, free_b)) for axis in axes]
    first = math.prod(a.shape[free_a[0] + 1:]) if free_a else 0
    return js.stored(out, js.call("product", js.buffer(a), js.buffer(b), *sizes, first, *strides))


# Functions of intrinsics.js on whole arrays

def intrinsic(name, arguments):
    """Return the rule that calls `name` on the operands and on what arguments(params, *operands) adds."""
    def rule(js, eqn, *xs):
        added = [literal(x, "b") if isinstance(x, bool) else x for x in arguments(eqn.params, *xs)]
        call = js.call(name, *map(js.buffer, xs), *added)
        calls = [call] if len(eqn.outs) == 1 else [js.let(f"{call}[{n}]") for n in range(len(eqn.outs))]
        return [js.stored(out, each) for out, each in zip(eqn.outs, calls, strict=True)]

    return rule


def _middle(shape, axis):
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1:])


def argbest(sign):
    return intrinsic("argbest", lambda p, x: (*_middle(x.shape, p["axes"][0]), sign))


def cumulate(combine):
    return intrinsic("cumulate", lambda p, x: (*_middle(x.shape, p["axis"]), p["reverse"], f"(a, b) => {combine}"))


def _square(params, x):
    if len(x.shape) != 2:
        raise Unsupported("one matrix at a time, not a stack of them")
    return x.shape[:1]


def _tall(params, x):
    if params["full_matrices"] or params.get("pivoting") or len(x.shape) != 2:
        raise Unsupported("only the reduced form of one matrix, without pivoting")
    return x.shape


def _triangular(params, a, b):
    if not params["left_side"]:
        raise Unsupported("only from the left")
    return (*_square(params, a), *b.shape[1:], params["lower"], params["transpose_a"], params["unit_diagonal"])


def sort(js, eqn, *xs):
    if len(xs[0].shape) != 1 or eqn.params["num_keys"] != 1:
        raise Unsupported("only vectors, by one key")
    xs = [repeatable(js, x) for x in xs]
    order = js.call("order", js.buffer(xs[0]))
    return [js.lazy(out, lambda index, x=x: x.get((js.let(f"{order}[{index[0]}]"),)), cheap=False)
            for out, x in zip(eqn.outs, xs, strict=True)]


# Control flow

def scan(js, eqn, *xs):
    p, carried = eqn.params, eqn.params["num_carry"]
    first, last = p["num_consts"], p["num_consts"] + carried
    xs = [js.solid(x) for x in xs]
    carries = [js.variable(x, x) for x in xs[first:last]]
    stacks = [js.stored(out, js.allocate(math.prod(out.shape))) for out in eqn.outs[carried:]]
    step = js.fresh("i")
    at = minus(p["length"] - 1, step) if p["reverse"] else step
    with js.inside(f"for (let {step} = 0; {step} < {p['length']}; {step}++)", js.names(*carries, *stacks)):
        rows = [js.settled(js.lazy(jax.ShapeDtypeStruct(x.shape[1:], x.dtype),
                                   lambda index, x=x: x.get((at, *index))), uses=1) for x in xs[last:]]
        outs = js.run(p["jaxpr"], xs[:first] + carries + rows)
        for out, stack in zip(outs[carried:], stacks, strict=True):
            js.each(out.shape, lambda index, out=out, stack=stack:
                    js.store(stack.buffer, (at, *index), stack.shape, out.get(index)), (stack.buffer,))
        js.assign(carries, outs[:carried])
    return carries + stacks


def while_(js, eqn, *xs):
    p, m = eqn.params, eqn.params["cond_nconsts"]
    n = m + p["body_nconsts"]
    xs = [js.solid(x) for x in xs]
    carries = [js.variable(x, x) for x in xs[n:]]
    with js.inside("while (true)", js.names(*carries)):
        (test,) = js.run(p["cond_jaxpr"], xs[:m] + carries)
        js.write(f"if (!{test.get(())}) break;")
        js.assign(carries, js.run(p["body_jaxpr"], xs[m:n] + carries))
    return carries


def cond(js, eqn, which, *xs):
    branches, which = eqn.params["branches"], js.entries(which)[0]
    xs = [js.solid(x) for x in xs]
    results = [js.variable(out) for out in eqn.outs]
    for n, branch in enumerate(branches):
        test = f"if ({which} <= {n})" if n < len(branches) - 1 else ""
        with js.inside(f"{'else ' if n else ''}{test}", js.names(*results)):
            js.assign(results, js.run(branch, xs))
    return results


# The generator of random numbers, an argument of the emitted function

def draw(kind_of, template):
    def rule(js, eqn, *bounds):
        if not js.generator:
            raise Unsupported("no key among the arguments")
        (out,), name = eqn.outs, js.fresh("t")
        js.write(f"const {name} = {js.generator}.{kind_of}({math.prod(out.shape)});", (name,))  # stays where it is
        return entrywise(js, eqn, template, js.stored(out, name), *bounds)

    return rule


# The opaque objective, an argument of the emitted function

def objective(method):
    def rule(js, eqn, w):
        call = js.let(f"objective.{method}({js.buffer(w)})")
        return js.stored(eqn.outs[0], call) if eqn.outs[0].shape else js.scalars(eqn.outs[0], [call])

    return rule


_RULES = {
    "copy": same, "stop_gradient": same, "device_put": same, "convert_element_type": convert, "select_n": select,
    "integer_pow": integer_pow, "round": round_,
    "broadcast_in_dim": view(_broadcast), "transpose": view(_transpose), "slice": view(_slice), "rev": view(_rev),
    "squeeze": view(_squeeze), "tile": view(_tile), "reshape": reshape, "iota": iota, "split": split,
    "unstack": unstack, "concatenate": concatenate, "stack": stack, "pad": pad,
    "dynamic_slice": dynamic_slice, "dynamic_update_slice": dynamic_update_slice, "gather": gather,
    "scatter": scatter("{1}"), "scatter-add": scatter("{} + {}"), "scatter-sub": scatter("{} - {}"),
    "scatter-mul": scatter("{} * {}"), "scatter-min": scatter("Math.min({}, {})"),
    "scatter-max": scatter("Math.max({}, {})"),
    "reduce_sum": reduce_("add", "0"), "reduce_prod": reduce_("mul", "1"), "reduce_max": reduce_("max", "-Infinity"),
    "reduce_min": reduce_("min", "Infinity"), "reduce_and": reduce_("and", "true"), "reduce_or": reduce_("or", "false"),
    "dot_general": dot_general, "argmax": argbest(1), "argmin": argbest(-1),
    "cumsum": cumulate("a + b"), "cumprod": cumulate("a * b"), "cummax": cumulate("Math.max(a, b)"),
    "cummin": cumulate("Math.min(a, b)"), "sort": sort,
    "lu": intrinsic("lu", _square), "cholesky": intrinsic("cholesky", _square), "eigh": intrinsic("eigh", _square),
    "qr": intrinsic("qr", _tall),
    "triangular_solve": intrinsic("triangular_solve", _triangular),
    "scan": scan, "while": while_, "cond": cond,
    "random_normal": draw("normal", "{}"), "random_uniform": draw("uniform", "{1} + ({2} - {1}) * {0}"),
    "objective_value": objective("f"), "objective_gradient": objective("g"), "objective_hessian": objective("H"),
}


def apply(js, eqn, xs):
    """Return the values of one equation, a list."""
    if eqn.name in _RULES:
        values = _RULES[eqn.name](js, eqn, *xs)
    else:
        templates = _TEMPLATES[kind(xs[0].dtype)] if xs else {}
        if eqn.name not in templates:
            raise Unsupported(f"it has no JavaScript here{f' for {xs[0].dtype}' if xs else ''}")
        values = entrywise(js, eqn, templates[eqn.name], *xs)
    return values if isinstance(values, list) else [values]
