"""From JAX to JavaScript: the figures of a page run the library's own functions.

`emit` traces a function in float64 and writes it down as JavaScript. `emit_rule` does this to an optimizer, over an
objective that stays opaque, and `emit_objective` to a surface; the page brings any rule and any surface together:

    texts = [emit_rule("momentum", rv.momentum, 2),
             emit_objective("quadratic", lambda w, kappa: rv.landscapes.quadratic(kappa)(w), 2, kappa=10.0)]

    let state = momentum.init(w, hyper);                              // hyper = {learning_rate: 0.1, decay: 0.9}
    [w, state] = momentum.step(w, state, hyper, quadratic(10));

Arrays are Float64Arrays, row by row; scalars are numbers, or booleans where JAX has booleans. Inputs are never changed.
int64 is exact up to 2⁵³.

A random key is traced as what it is for: a key among the arguments becomes the page's own generator (`kit.random`), and
every `jax.random.normal` or `uniform` takes the next numbers from it. How a function splits its key is its own affair.
"""

import re
import textwrap
from collections import Counter
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from jax.flatten_util import ravel_pytree
from jax.interpreters import partial_eval

from ravine import _check
from ravine._compat import enable_x64
from ravine.figures import _objective
from ravine.figures._javascript import Block, Unsupported, Writer, kind
from ravine.figures._primitives import apply

_FEW = 16  # entries: known integer arrays up to this size are computed beforehand
_CALLS = {"jit", "pjit", "closed_call", "core_call", "checkpoint", "remat2",
          "custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"}
_DRAWS = {"_normal": "random_normal", "_uniform": "random_uniform"}  # how jax.random calls what it compiles


def emit(name, fun, *example_args, unroll=16):
    """Return JavaScript of ``function NAME(a0, a1, …)``, which computes what `fun` computes.

    Args:
        name: the function's name. All else that the text declares begins with ``NAME$``, so texts can be joined.
        fun: a function of trees of arrays, returning one.
        *example_args: arguments of the shapes and types wanted; floating-point ones count as float64. Their leaves,
            in the order of `jax.tree.leaves`, are the arguments in JavaScript: a number for a scalar, a Float64Array,
            row by row, for an array, a generator with ``normal(n)`` and ``uniform(n)`` for a random key. The function
            returns its one leaf, or an array of its leaves.
        unroll: arrays of at most so many entries become scalars, larger ones are worked on in loops.

    Raises:
        NotImplementedError: `fun` uses a primitive or a type that has no JavaScript here; the message names it.
        ValueError: `name` is no name in JavaScript.
    """
    js = _Emitter(name, unroll)
    given = [(f"a{n}", leaf) for n, leaf in enumerate(jax.tree.leaves(example_args))]
    leaves = js.results(_trace(fun, *example_args), given)
    text = js.function(f"function {name}({', '.join(argument for argument, _ in given)})",
                       leaves[0] if len(leaves) == 1 else f"[{', '.join(leaves)}]")
    return js.preamble() + text


def emit_rule(name, make_rule, params, hyper=("learning_rate", "decay"), *, unroll=16):
    """Return JavaScript of an update rule over any objective: ``const NAME = {hyper, init, step}``.

    In JavaScript, ``NAME.init(w, hyper)`` returns the state, and ``NAME.step(w, state, hyper, objective)`` returns
    ``[w, state]`` after one step as `ravine.minimize` takes it. Here `w` is a Float64Array, `state` an array of the
    leaves of the rule's state, ``hyper`` an object of numbers such as ``{learning_rate: 0.1, decay: 0.9}``, and
    ``objective`` an object ``{f, g, H}`` of functions of w: the value, the gradient, the Hessian (row by row; only
    second-order rules ask for it).

    Args:
        name: the name of the constant.
        make_rule: ``make_rule(**hyper) -> optax.GradientTransformation``, such as `ravine.momentum`.
        params: the number of parameters, or an example of the tree that the rule is to see; `w` holds its leaves one
            after another.
        hyper: the names of the arguments of `make_rule` that stay arguments in JavaScript.
        unroll: as in `emit`.

    Raises:
        NotImplementedError, ValueError: as `emit`.
    """
    hyper = [_identifier("hyper", each) for each in hyper]
    js = _Emitter(name, unroll, reserved=hyper)
    start, unravel = _vector(params)

    def rule(numbers):
        return optax.with_extra_args_support(make_rule(**dict(zip(hyper, numbers, strict=True))))

    def init(w, numbers):
        return rule(numbers).init(unravel(w))

    def step(w, numbers, state):
        def value_fn(tree):
            return _objective.value(ravel_pytree(tree)[0])

        tree = unravel(w)
        value, grad = jax.value_and_grad(value_fn)(tree)
        updates, state = rule(numbers).update(grad, state, tree, value=value, grad=grad, value_fn=value_fn)
        return ravel_pytree(optax.apply_updates(tree, updates))[0], state

    numbers = [0.0] * len(hyper)
    with enable_x64():
        state = jax.eval_shape(init, start, numbers)
    given = [("w", start), *((f"hyper.{each}", 0.0) for each in hyper)]
    leaves = js.results(_trace(init, start, numbers), given)
    text = js.function(f"function {name}$init(w, hyper)", f"[{', '.join(leaves)}]")
    given += [(f"state[{n}]", leaf) for n, leaf in enumerate(jax.tree.leaves(state))]
    w, *leaves = js.results(_trace(step, start, numbers, state), given)
    text += js.function(f"function {name}$step(w, state, hyper, objective)", f"[{w}, [{', '.join(leaves)}]]")
    names = ", ".join(f'"{each}"' for each in hyper)
    return f"{js.preamble()}{text}const {name} = {{ hyper: [{names}], init: {name}$init, step: {name}$step }};\n"


def emit_objective(name, fun, params, *, hessian=True, unroll=16, **parameters):
    """Return JavaScript of ``function NAME(…)``, which returns the object ``{f, g, H}`` that a rule's step wants.

    Args:
        name: the function's name.
        fun: ``fun(w, **parameters) -> scalar``; without parameters, a `ravine.landscapes.Surface`, for example.
        params: the number of parameters, or an example of the tree that `fun` wants, as in `emit_rule`.
        hessian: whether to write H; it costs as much as a gradient for each parameter.
        unroll: as in `emit`.
        **parameters: what else `fun` takes, such as a condition number or data, with an example of each. They are the
            arguments of the function in JavaScript, by position; what depends on them alone is computed once.

    Raises:
        NotImplementedError, ValueError: as `emit`; also for a parameter called w, f, g or H.
    """
    js = _Emitter(name, unroll, parameters)
    if taken := {"w", "f", "g", "H"} & parameters.keys():
        raise ValueError(f"{name}: a parameter called {min(taken)}: the emitted function uses that name itself")
    start, unravel = _vector(params)

    def value(w, arguments):
        return fun(unravel(w), **dict(zip(parameters, arguments, strict=True)))

    examples = list(parameters.values())
    given = [js.argument(each, example) for each, example in parameters.items()]
    methods = {"f": value, "g": jax.grad(value)} | ({"H": jax.hessian(value)} if hessian else {})
    plan = _Plan(_trace(lambda *inputs: [method(*inputs) for method in methods.values()], start, examples))
    w, *rest = plan.inputs
    early, late = plan.parted_by(w)
    env = js.carry_out(early, dict(zip(rest, given, strict=True)))
    for method, result in zip(methods, plan.results, strict=True):
        with js.inside(f"function {method}(w)"):
            needed, uses = _live(late, [result])
            inner = js.carry_out(needed, env | {w: js.argument("w", start)}, uses)
            js.write(f"return {js.result(js.read(inner, result))};")
    text = js.function(f"function {name}({', '.join(parameters)})", f"{{ {', '.join(methods)} }}")
    return js.preamble() + text


def _identifier(argument, name):
    if not (isinstance(name, str) and re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)):
        raise ValueError(f"{argument} = {name!r}: must be a name in JavaScript")
    return name


def _vector(params):
    """Return a float64 vector of the size of a tree, and the function from vectors to such trees."""
    with enable_x64():
        tree = jnp.zeros(_check.count("params", params)) if isinstance(params, int) else params
        tree = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), tree)
        return ravel_pytree(tree)


def _example(leaf):
    """Return the shape and the type that a leaf has in the trace."""
    if isinstance(leaf, (bool, int, float)):
        return leaf
    leaf = leaf if hasattr(leaf, "dtype") else np.asarray(leaf)
    return jax.ShapeDtypeStruct(leaf.shape, np.float64 if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf.dtype)


def _trace(fun, *examples):
    """Return the jaxpr of a function in float64, without the equations that nothing depends on."""
    with enable_x64():
        closed = jax.make_jaxpr(fun)(*jax.tree.map(_example, examples))
    jaxpr, _ = partial_eval.dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), instantiate=True)
    return ClosedJaxpr(jaxpr, closed.consts)


class _Ref:
    """A value of the traced function that is not known when it is emitted."""

    def __init__(self, aval):
        self.shape, self.dtype = aval.shape, aval.dtype


class _Equation(NamedTuple):
    name: str
    params: dict[str, Any]
    ins: list[Any]  # _Refs and known arrays
    outs: list[_Ref]


class _Plan:
    """A jaxpr as one flat list of equations: no calls, nothing twice, nothing that is known beforehand or not needed.

    Attributes:
        inputs: its inputs, `results` its outputs, `equations` what leads from these to those.
        uses: how often each value is used.
    """

    def __init__(self, closed):
        self.inputs = [_Ref(var.aval) for var in closed.jaxpr.invars]
        self.equations: list[_Equation] = []
        self._known: dict[Any, list[_Ref]] = {}
        self.results = self._flatten(closed.jaxpr, closed.consts, self.inputs)
        self.equations, self.uses = _live(self.equations, self.results)

    def parted_by(self, variable):
        """Return the equations that do without one of the inputs, and those that need it."""
        moving, early, late = {variable}, [], []
        for eqn in self.equations:
            needs = not moving.isdisjoint(x for x in eqn.ins if isinstance(x, _Ref))
            moving.update(eqn.outs if needs else ())
            (late if needs else early).append(eqn)
        return early, late

    def _flatten(self, jaxpr, consts, args):
        env = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*map(np.asarray, consts), *args], strict=True))

        def read(var):
            return np.asarray(var.val, var.aval.dtype) if isinstance(var, Literal) else env[var]

        for eqn in jaxpr.eqns:
            ins = [read(var) for var in eqn.invars]
            callee, given = _callee(eqn, ins)
            if (draw := _draw(eqn)) is not None:  # each time anew, and whatever the key: it is left behind
                outs = [_Ref(var.aval) for var in eqn.outvars]
                self.equations.append(_Equation(draw, {}, ins[1:], outs))
            elif eqn.primitive.name == "platform_index":
                outs = [np.int32(eqn.params["platforms"].index(None))]
            elif callee is not None:
                outs = self._flatten(callee.jaxpr, callee.consts, given)
            elif _foldable(eqn, ins):
                outs = eqn.primitive.bind(*ins, **eqn.params)
                outs = [np.asarray(out) for out in (outs if eqn.primitive.multiple_results else [outs])]
            else:
                outs = self._known_or_new(eqn, ins)
            env.update(zip(eqn.outvars, outs, strict=True))
        return [read(var) for var in jaxpr.outvars]

    def _known_or_new(self, eqn, ins):
        same = tuple(id(x) if isinstance(x, _Ref) else (str(x.dtype), x.shape, x.tobytes()) for x in ins)
        key = (eqn.primitive.name, repr(sorted(eqn.params.items())), same)
        if key not in self._known or _has_body(eqn):
            self._known[key] = [_Ref(var.aval) for var in eqn.outvars]
            self.equations.append(_Equation(eqn.primitive.name, eqn.params, ins, self._known[key]))
        return self._known[key]


def _live(equations, results):
    """Return the equations that results need, and how often each value is used."""
    uses, kept = Counter(x for x in results if isinstance(x, _Ref)), []
    for eqn in reversed(equations):
        if any(uses[out] for out in eqn.outs):
            uses.update(x for x in eqn.ins if isinstance(x, _Ref))
            kept.append(eqn)
    return kept[::-1], uses


def _callee(eqn, ins):
    """Return the jaxpr that an equation only calls, and the arguments of the call, or (None, None)."""
    if eqn.primitive.name == "custom_linear_solve":
        lengths = eqn.params["const_lengths"]
        first = lengths.matvec + lengths.vecmat
        right = first + lengths.solve + lengths.transpose_solve
        return eqn.params["jaxprs"].solve, ins[first:first + lengths.solve] + ins[right:]
    if eqn.primitive.name == "cond" and isinstance(ins[0], np.ndarray | np.generic):
        branches = eqn.params["branches"]
        return branches[int(np.clip(ins[0], 0, len(branches) - 1))], ins[1:]
    if eqn.primitive.name not in _CALLS:
        return None, None
    body = next(eqn.params[key] for key in ("jaxpr", "call_jaxpr", "fun_jaxpr") if key in eqn.params)
    return (ClosedJaxpr(body, ()) if isinstance(body, Jaxpr) else body), ins


def _draw(eqn):
    """Return what an equation draws, if it is a draw of random numbers, else None."""
    draws = eqn.primitive.name in _CALLS and _is_key(eqn.invars[0].aval) if eqn.invars else False
    return _DRAWS.get(eqn.params.get("name")) if draws else None


def _is_key(example):
    return hasattr(example, "dtype") and jax.dtypes.issubdtype(example.dtype, jax.dtypes.prng_key)


def _has_body(eqn):
    return any(isinstance(leaf, (Jaxpr, ClosedJaxpr)) for leaf in jax.tree.leaves(list(eqn.params.values())))


def _foldable(eqn, ins):
    """Return whether an equation is about a few known integers, as those that compute indices often are."""
    name = eqn.primitive.name
    return not any(isinstance(x, _Ref) for x in ins) and not _has_body(eqn) and all(
        var.aval.size <= _FEW and (str(var.aval.dtype) in ("bool", "int32", "int64") or name == "convert_element_type")
        for var in eqn.outvars)


class _Emitter(Writer):
    """Writes traced functions."""

    def __init__(self, name, unroll, reserved=()):
        super().__init__(_identifier("name", name), _check.count("unroll", unroll), reserved)

    def argument(self, expression, example):
        """Return the value of an argument that the function finds under `expression`."""
        example = _example(example)
        if isinstance(example, (bool, int, float)):
            example = jax.ShapeDtypeStruct((), {bool: bool, int: np.int64, float: np.float64}[type(example)])
        name = self.let(expression)
        if _is_key(example):
            self.generator = name
        if example.shape == ():
            return self.scalars(example, [name])
        self.borrowed.add(name)
        return self.stored(example, name)

    def result(self, value):
        """Return the expression of a result, a Float64Array of its own if it is an array."""
        return self.owned(self.buffer(value)) if value.shape else value.get(())

    def results(self, closed, given):
        """Write a function's body and return the expressions of its results; given: (expression, example) each."""
        return [self.result(value) for value in self.run(closed, [self.argument(*each) for each in given])]

    def run(self, closed, values):
        plan = _Plan(closed)
        env = self.carry_out(plan.equations, dict(zip(plan.inputs, values, strict=True)), plan.uses)
        return [self.read(env, result) for result in plan.results]

    def read(self, env, x):
        return env[x] if isinstance(x, _Ref) else self.constant(x)

    def carry_out(self, equations, env, uses=None):
        """Write equations; return `env`, the values by their references, with theirs added."""
        env = dict(env)
        for eqn in equations:
            try:
                for out in eqn.outs:
                    kind(out.dtype)
                values = apply(self, eqn, [self.read(env, x) for x in eqn.ins])
            except Unsupported as error:
                random = eqn.name.startswith(("random_", "threefry")) or "key<" in str(eqn.outs[0].dtype)
                reason = "random numbers are drawn by the page; pass them, or a key" if random else error
                raise NotImplementedError(f"emitting {self.name}: the JAX primitive {eqn.name}: {reason}") from None
            for out, value in zip(eqn.outs, values, strict=True):
                env[out] = self.settled(value, uses[out] if uses else 2)
        return env

    def function(self, head, result):
        """Return the text of the function whose body has been written, and begin another."""
        self.write(f"return {result};")
        body, self.block = self.block.render(), Block()
        self.borrowed.clear()
        return f"{head} {{\n{textwrap.indent(body, '  ')}\n}}\n"
