"""What each JAX primitive is in JavaScript: one table of templates, and a function where a template will not do.

A rule is called as rule(writer, equation, *operands) and returns the `Value` of the result, or a list of them.
"""

import math

import jax
import numpy as np

from ravine.figures._javascript import Unsupported, flat, kind, literal, minus, plus, times

# Entry by entry. {} are the operands; a $name is a function of intrinsics.js.
_ANY = {
    "add": "{} + {}", "add_any": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "neg": "-{}", "square": "{0} * {0}",
    "abs": "Math.abs({})", "sign": "Math.sign({})", "max": "Math.max({}, {})", "min": "Math.min({}, {})",
    "clamp": "Math.min(Math.max({1}, {0}), {2})",
    "eq": "{} === {}", "ne": "{} !== {}", "lt": "{} < {}", "le": "{} <= {}", "gt": "{} > {}", "ge": "{} >= {}",
    "copy": "{}", "stop_gradient": "{}",
}
_TEMPLATES = {
    "f": _ANY | {
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
    "i": _ANY | {op: f"({_ANY[op]}) | 0" for op in ("add", "add_any", "sub", "neg", "abs")} | {
        "mul": "Math.imul({}, {})", "square": "Math.imul({0}, {0})",
        "div": "$integer_div({}, {}) | 0", "rem": "$integer_rem({}, {})",
        "and": "{} & {}", "or": "{} | {}", "xor": "{} ^ {}", "not": "~{}", "shift_left": "{} << {}",
        "shift_right_arithmetic": "{} >> {}", "shift_right_logical": "({} >>> {}) | 0",
    },
    "l": _ANY | {
        "mul": "{} * {} + 0", "neg": "0 - {}", "div": "$integer_div({}, {})", "rem": "$integer_rem({}, {})",
    },
    "b": {op: _ANY[op] for op in ("eq", "ne", "copy", "stop_gradient")} | {
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
    return tuple(minus(n - 1, i) if a in p["dimensions"] else i for a, (i, n) in enumerate(zip(index, shape, strict=True)))


def _squeeze(p, shape, index):
    left = iter(index)
    return tuple(0 if a in p["dimensions"] else next(left) for a in range(len(shape)))


def _tile(p, shape, index):
    return tuple(i % n if isinstance(i, int) else f"({i}) % {n}" for i, n in zip(index, shape, strict=True))


def reshape(js, eqn, x):
    out = eqn.outs[0]
    return js.scalars(out, js.entries(x)) if js.small(x) and not x.buffer else js.stored(out, js.buffer(x))


def split(js, eqn, x):
    axis = eqn.params["axis"]
    return [cut(js, out, x, lambda index, start=start: shifted(index, axis, start))
            for out, start in zip(eqn.outs, _starts(eqn.params["sizes"]), strict=True)]


def unstack(js, eqn, x):
    axis = eqn.params["axis"]
    return [cut(js, out, x, lambda index, n=n: (*index[:axis], n, *index[axis:])) for n, out in enumerate(eqn.outs)]


def concatenate(js, eqn, *xs):
    axis = eqn.params["dimension"]
    return assemble(js, eqn.outs[0], None, [
        (x, lambda index, start=start: shifted(index, axis, start))
        for x, start in zip(xs, _starts([x.shape[axis] for x in xs]), strict=True)])


def stack(js, eqn, *xs):
    axis = eqn.params["axis"]
    return assemble(js, eqn.outs[0], None, [
        (x, lambda index, n=n: (*index[:axis], n, *index[axis:])) for n, x in enumerate(xs)])


def cut(js, out, x, place):
    """Return the part of `x` whose entry at an index is that of `x` at place(index)."""
    x = js.solid(x)
    return x if x.shape == out.shape else js.lazy(out, lambda index: x.get(place(index)))


def shifted(index, axis, start):
    return (*index[:axis], plus(index[axis], start), *index[axis + 1:])


def _starts(sizes):
    return [sum(sizes[:n]) for n in range(len(sizes))]


def iota(js, eqn):
    return js.lazy(eqn.outs[0], lambda index: js.let(str(index[eqn.params["dimension"]])))


def pad(js, eqn, x, filler):
    out, config = eqn.outs[0], [tuple(map(int, axis)) for axis in eqn.params["padding_config"]]
    # Negative padding cuts off: along each axis the entries first … last - 1 find a place.
    first = [max(0, -(low // (inner + 1))) for low, _, inner in config]
    last = [min(n, (m - 1 - low) // (inner + 1) + 1)
            for n, m, (low, _, inner) in zip(x.shape, out.shape, config, strict=True)]
    kept = jax.ShapeDtypeStruct(tuple(max(0, b - a) for a, b in zip(first, last, strict=True)), x.dtype)

    def place(index):
        return tuple(plus(times(plus(i, a), inner + 1), low)
                     for i, a, (low, _, inner) in zip(index, first, config, strict=True))

    part = js.lazy(kept, lambda index: x.get(tuple(map(plus, index, first))), x.cheap)
    return assemble(js, out, filler.get(()), [(part, place)])


def assemble(js, out, background, pieces, condition=lambda index: True, combine="{1}"):
    """Return an array put together: `background` (an entry, a Value or None) with the pieces (value, place) on it.

    place(index) is where an entry goes, condition(index) whether it goes anywhere, and `combine` how it joins what is
    there. With places that are known, a small result stays scalars.
    """
    under = background if hasattr(background, "get") else js.lazy(out, lambda _: background)
    small = js.small(out) and all(
        isinstance(i, int) for piece, place in pieces for at in np.ndindex(*piece.shape) for i in place(at))
    if small:
        table = np.empty(out.shape, object)
        for index in np.ndindex(*out.shape):
            table[index] = under.get(index) if background is not None else None
        for piece, place in pieces:
            for index in np.ndindex(*piece.shape):
                if condition(index):
                    table[place(index)] = js.fill(combine, table[place(index)], piece.get(index))
        return js.scalars(out, table.ravel())
    name = js.allocate(math.prod(out.shape), background if isinstance(background, str) else "0")
    if under is background:
        js.each(out.shape, lambda index: js.store(name, index, out.shape, under.get(index)), (name,))
    for piece, place in pieces:
        def put(index, piece=piece, place=place):
            test, at = condition(index), place(index)
            entry = combine.format(f"{name}[{flat(at, out.shape)}]", piece.get(index))
            if test is not False:
                js.store(name, at, out.shape, entry, "" if test is True else f"if ({test}) ")

        js.each(piece.shape, put, (name,))
    return js.stored(out, name)


# Indices that are computed

def clamped(js, start, limit):
    """Return an entry as an index between 0 and `limit`."""
    if limit == 0:
        return 0
    return min(max(int(start.strip("()")), 0), limit) if _is_int(start) else js.let(f"Math.min(Math.max({start}, 0), {limit})")


def within(start, limit):
    """Return whether an index lies between 0 and `limit`: True, False or an expression."""
    return 0 <= int(start.strip("()")) <= limit if _is_int(start) else f"{start} >= 0 && {start} <= {limit}"


def _is_int(entry):
    return entry.strip("()").removeprefix("-").isdigit()


def dynamic_slice(js, eqn, x, *starts):
    x, sizes = repeatable(js, x), eqn.params["slice_sizes"]
    offset = [clamped(js, s.get(()), n - size) for s, n, size in zip(starts, x.shape, sizes, strict=True)]
    return js.lazy(eqn.outs[0], lambda index: x.get(tuple(map(plus, index, offset))))


def dynamic_update_slice(js, eqn, x, update, *starts):
    offset = [clamped(js, s.get(()), n - size) for s, n, size in zip(starts, x.shape, update.shape, strict=True)]
    return assemble(js, eqn.outs[0], x, [(update, lambda index: tuple(map(plus, index, offset)))])


def position(js, dims, starts, rows, window, sizes, shape, mode):
    """Return where a gather or a scatter touches its operand, and whether it does (True, False or an expression).

    `rows` is the index into `starts`, `window` the place within the window of `sizes` that begins there.
    """
    axes, batched = dims
    at, tests = list(window), []
    for axis, row in batched:
        at[axis] = rows[row]
    for n, axis in enumerate(axes):
        start, limit = starts.get((*rows, n)), shape[axis] - sizes[axis]
        tests.append(within(start, limit) if mode.name == "FILL_OR_DROP" else True)
        at[axis] = plus(clamped(js, start, limit), at[axis])
    unknown = " && ".join(test for test in tests if isinstance(test, str))
    return tuple(at), False if False in tests else unknown or True


def gather(js, eqn, x, starts):
    d, sizes, out = eqn.params["dimension_numbers"], eqn.params["slice_sizes"], eqn.outs[0]
    x, starts = repeatable(js, x), repeatable(js, starts)
    kept = [a for a in range(len(x.shape)) if a not in d.collapsed_slice_dims + d.operand_batching_dims]
    batched = list(zip(d.operand_batching_dims, d.start_indices_batching_dims, strict=True))
    filler = eqn.params["fill_value"]
    if filler is None:
        filler = {"f": math.nan, "b": True}.get(kind(x.dtype)) or np.iinfo(x.dtype).min

    def get(index):
        window, rows = [0] * len(x.shape), [i for a, i in enumerate(index) if a not in d.offset_dims]
        for axis, a in zip(kept, d.offset_dims, strict=True):
            window[axis] = index[a]
        at, inside = position(js, (d.start_index_map, batched), starts, rows, window, sizes, x.shape, eqn.params["mode"])
        if isinstance(inside, bool):
            return x.get(at) if inside else literal(filler, kind(x.dtype))
        return js.let(f"{inside} ? {x.get(at)} : {literal(filler, kind(x.dtype))}")

    return js.lazy(out, get, cheap=False)


def scatter(combine):
    def rule(js, eqn, x, starts, updates):
        d, starts = eqn.params["dimension_numbers"], repeatable(js, starts)
        kept = [a for a in range(len(x.shape)) if a not in d.inserted_window_dims + d.operand_batching_dims]
        batched = list(zip(d.operand_batching_dims, d.scatter_indices_batching_dims, strict=True))
        sizes = [1] * len(x.shape)
        for axis, a in zip(kept, d.update_window_dims, strict=True):
            sizes[axis] = updates.shape[a]

        def target(index):
            window, rows = [0] * len(x.shape), [i for a, i in enumerate(index) if a not in d.update_window_dims]
            for axis, a in zip(kept, d.update_window_dims, strict=True):
                window[axis] = index[a]
            return position(js, (d.scatter_dims_to_operand_dims, batched), starts, rows, window, sizes, x.shape,
                            eqn.params["mode"])

        return assemble(js, eqn.outs[0], x, [(updates, lambda index: target(index)[0])],
                        lambda index: target(index)[1], combine)

    return rule


# Sums and products

def folded(js, eqn, shape, get_term, start, step, unrolled):
    """Return the value whose entry at an index is the fold of the terms get_term(index, k) over all k < `shape`."""
    value = js.lazy(eqn.outs[0], lambda index: js.fold(shape, lambda k: get_term(index, k), start, step, unrolled),
                    cheap=False)
    return js.looped(value) if js.small(value) and value.size > 1 and not unrolled else value


def reduce_(op, start):
    def rule(js, eqn, x):
        axes, kind_of = eqn.params["axes"], kind(x.dtype)
        first = start if isinstance(start, str) else literal(start(x.dtype) if kind_of in "il" else start(float), kind_of)
        template = _TEMPLATES[kind_of][op]

        def term(index, k):
            index, k = iter(index), iter(k)
            return x.get(tuple(next(k) if a in axes else next(index) for a in range(len(x.shape))))

        return folded(js, eqn, tuple(x.shape[a] for a in sorted(axes)), term, first, template.format, js.small(x))

    return rule


def _least(dtype):
    return -math.inf if dtype is float else np.iinfo(dtype).min


def _most(dtype):
    return math.inf if dtype is float else np.iinfo(dtype).max


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
    unrolled = math.prod(shape) == 1 or (js.small(a) and js.small(b) and js.small(js.lazy(eqn.outs[0], None)))
    return folded(js, eqn, shape, term, "0", arithmetic["add"].format, unrolled)


# Functions of intrinsics.js on whole arrays

def _middle(shape, axis):
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1:])


def argbest(sign):
    def rule(js, eqn, x):
        (axis,) = eqn.params["axes"]
        return js.stored(eqn.outs[0], js.call("argbest", js.buffer(x), *_middle(x.shape, axis), sign))

    return rule


def cumulate(combine):
    def rule(js, eqn, x):
        p = eqn.params
        return js.stored(eqn.outs[0], js.call("cumulate", js.buffer(x), *_middle(x.shape, p["axis"]),
                                              literal(p["reverse"], "b"), f"(a, b) => {combine.format('a', 'b')}"))

    return rule


def sort(js, eqn, *xs):
    if len(xs[0].shape) != 1 or eqn.params["num_keys"] != 1:
        raise Unsupported("sort of other than vectors by one key")
    xs = [repeatable(js, x) for x in xs]
    order = js.call("order", js.buffer(xs[0]))
    return [js.lazy(out, lambda index, x=x: x.get((js.let(f"{order}[{index[0]}]"),)), cheap=False)
            for out, x in zip(eqn.outs, xs, strict=True)]


def linear_algebra(name, *arguments):
    """Return the rule that calls `name` on matrices, their size, and what arguments(params, operands) adds."""
    def rule(js, eqn, *xs):
        if any(len(x.shape) != 2 for x in xs):
            raise Unsupported(f"{name} of a stack of matrices")
        extra = [literal(value, kind(np.asarray(value).dtype)) for add in arguments for value in add(eqn.params, *xs)]
        call = js.call(name, *map(js.buffer, xs), xs[0].shape[0], *extra)
        if len(eqn.outs) == 1:
            return js.stored(eqn.outs[0], call)
        return [js.stored(out, js.let(f"{call}[{n}]")) for n, out in enumerate(eqn.outs)]

    return rule


def _triangular(params, a, b):
    if not params["left_side"]:
        raise Unsupported("triangular_solve from the right")
    return b.shape[1], params["lower"], params["transpose_a"], params["unit_diagonal"]


# Control flow

def scan(js, eqn, *xs):
    p = eqn.params
    xs = [js.solid(x) for x in xs]
    first, last = p["num_consts"], p["num_consts"] + p["num_carry"]
    carries = [js.variable(x) for x in xs[first:last]]
    stacks = [js.allocate(math.prod(out.shape)) for out in eqn.outs[p["num_carry"]:]]
    step = js.fresh("i")
    at = minus(p["length"] - 1, step) if p["reverse"] else step
    defines = [name for _, names in carries for name in names] + stacks
    with js.inside(f"for (let {step} = 0; {step} < {p['length']}; {step}++)", defines):
        rows = [js.settled(js.lazy(jax.ShapeDtypeStruct(x.shape[1:], x.dtype),
                                   lambda index, x=x: x.get((at, *index))), uses=1) for x in xs[last:]]
        outs = js.run(p["jaxpr"], xs[:first] + [variable for variable, _ in carries] + rows)
        for out, name in zip(outs[p["num_carry"]:], stacks, strict=True):
            shape = (p["length"], *out.shape)
            js.each(out.shape, lambda index, out=out, name=name, shape=shape:
                    js.store(name, (at, *index), shape, out.get(index)), (name,))
        js.assign(carries, outs[:p["num_carry"]])
    return [value for value, _ in carries] + [
        js.stored(out, name) for out, name in zip(eqn.outs[p["num_carry"]:], stacks, strict=True)]


def while_(js, eqn, *xs):
    p = eqn.params
    xs = [js.solid(x) for x in xs]
    m, n = p["cond_nconsts"], p["cond_nconsts"] + p["body_nconsts"]
    carries = [js.variable(x) for x in xs[n:]]
    values = [value for value, _ in carries]
    with js.inside("while (true)", [name for _, names in carries for name in names]):
        (test,) = js.run(p["cond_jaxpr"], xs[:m] + values)
        js.write(f"if (!{test.get(())}) break;")
        js.assign(carries, js.run(p["body_jaxpr"], xs[m:n] + values))
    return values


def cond(js, eqn, which, *xs):
    branches, which = eqn.params["branches"], js.entries(which)[0]
    xs = [js.solid(x) for x in xs]
    results = [js.variable(like=js.lazy(out, None)) for out in eqn.outs]
    defines = [name for _, names in results for name in names]
    for n, branch in enumerate(branches):
        test = f"if ({which} <= {n})" if n < len(branches) - 1 else ""
        with js.inside(f"{'else ' if n else ''}{test}".strip(), defines):
            js.assign(results, js.run(branch, xs))
    return [value for value, _ in results]


# The opaque objective, an argument of the emitted function

def objective(method):
    def rule(js, eqn, w):
        call = js.let(f"objective.{method}({js.buffer(w)})")
        return js.stored(eqn.outs[0], call) if eqn.outs[0].shape else js.scalars(eqn.outs[0], [call])

    return rule


_RULES = {
    "convert_element_type": convert, "select_n": select, "integer_pow": integer_pow, "round": round_,
    "broadcast_in_dim": view(_broadcast), "transpose": view(_transpose), "slice": view(_slice), "rev": view(_rev),
    "squeeze": view(_squeeze), "reshape": reshape, "split": split, "unstack": unstack, "stack": stack, "tile": view(_tile), "iota": iota, "concatenate": concatenate, "pad": pad,
    "dynamic_slice": dynamic_slice, "dynamic_update_slice": dynamic_update_slice, "gather": gather,
    "scatter": scatter("{1}"), "scatter-add": scatter("{} + {}"),
    "scatter-sub": scatter("{} - {}"), "scatter-mul": scatter("{} * {}"),
    "scatter-min": scatter("Math.min({}, {})"),
    "scatter-max": scatter("Math.max({}, {})"),
    "reduce_sum": reduce_("add", "0"), "reduce_prod": reduce_("mul", "1"), "reduce_max": reduce_("max", _least),
    "reduce_min": reduce_("min", _most), "reduce_and": reduce_("and", "true"), "reduce_or": reduce_("or", "false"),
    "dot_general": dot_general, "argmax": argbest(1), "argmin": argbest(-1),
    "cumsum": cumulate("{} + {}"), "cumprod": cumulate("{} * {}"),
    "cummax": cumulate("Math.max({}, {})"), "cummin": cumulate("Math.min({}, {})"),
    "sort": sort, "lu": linear_algebra("lu"), "cholesky": linear_algebra("cholesky"), "eigh": linear_algebra("eigh"),
    "triangular_solve": linear_algebra("triangular_solve", _triangular),
    "scan": scan, "while": while_, "cond": cond,
    "objective_value": objective("f"), "objective_gradient": objective("g"), "objective_hessian": objective("H"),
}


def apply(js, eqn, xs):
    """Return the values of one equation, a list."""
    if eqn.name in _RULES:
        values = _RULES[eqn.name](js, eqn, *xs)
    else:
        templates = _TEMPLATES[kind(xs[0].dtype)] if xs else {}
        if eqn.name not in templates:
            raise Unsupported(f"the JAX primitive {eqn.name}" + (f" on {xs[0].dtype}" if xs else ""))
        values = entrywise(js, eqn, templates[eqn.name], *xs)
    return values if isinstance(values, list) else [values]
