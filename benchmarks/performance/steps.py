"""One compiled step of each rule beside Optax's: operations, bytes, time and compile time."""

import math
import statistics

import jax
import jax.numpy as jnp
import optax

import ravine as rv
from performance.measuring import Part, cost, medians, reading, table

# The same rule in both libraries, remembering the same: each expression is evaluated as it stands.
RULES = {
    "sgd": ("rv.sgd(0.01)", "optax.sgd(0.01)"),
    "momentum": ("rv.momentum(0.01)", "optax.sgd(0.01, momentum=0.9)"),
    "accumulated_momentum": ("rv.accumulated_momentum(0.01)", "optax.sgd(0.01, momentum=0.9)"),
    "averaged_momentum": ("rv.averaged_momentum(0.01)",
                          "optax.chain(optax.ema(0.9, debias=False), optax.scale(-0.01))"),
    "averaged_momentum, debias": ("rv.averaged_momentum(0.01, debias=True)",
                                  "optax.chain(optax.ema(0.9), optax.scale(-0.01))"),
    "heavy_ball": ("rv.heavy_ball(0.01)", "optax.sgd(0.01, momentum=0.9)"),
    "nesterov": ("rv.nesterov(0.01)", "optax.sgd(0.01, momentum=0.9, nesterov=True)"),
    "rprop": ("rv.rprop(0.01)", "optax.rprop(0.01)"),
    "adagrad": ("rv.adagrad(0.01)", "optax.adagrad(0.01, eps=1e-8)"),
    "adadelta": ("rv.adadelta(1.0, 0.95)", "optax.adadelta(1.0, 0.95)"),
    "rmsprop": ("rv.rmsprop(0.01)", "optax.rmsprop(0.01, eps_in_sqrt=False)"),
    "rmsprop, momentum": ("rv.rmsprop(0.01, momentum=0.9)", "optax.rmsprop(0.01, momentum=0.9, eps_in_sqrt=False)"),
    "rmsprop, centred": ("rv.rmsprop(0.01, centered=True)", "optax.rmsprop(0.01, centered=True, eps_in_sqrt=False)"),
    "adam": ("rv.adam(0.01)", "optax.adam(0.01)"),
    "adamw": ("rv.adamw(0.01)", "optax.adamw(0.01, weight_decay=0.01)"),
    "lion": ("rv.lion(0.01)", "optax.lion(0.01, weight_decay=0.0)"),
    "clip_by_value": ("rv.clip_by_value(1.0)", "optax.clip(1.0)"),
    "clip_by_norm": ("rv.clip_by_norm(1.0)", "optax.clip_by_global_norm(1.0)"),
    "schedule_free": ("rv.schedule_free(rv.sgd(0.01))", "optax.contrib.schedule_free(optax.sgd(0.01), 0.01)"),
    "muon": ("rv.muon(0.01)", "optax.contrib.muon(0.01)"),
}
SHAPES = {"1e4": (100, 100), "1e6": (1000, 1000), "1e7": (2500, 4000)}
PLACES = 5  # how often the arrays are made anew: where they happen to lie in memory matters, too
# Muon multiplies matrices of this shape fifteen times a step: it takes long, and says nothing new.
LEFT_OUT = {("muon", "1e6"), ("muon", "1e7")}


def rule(expression):
    """Return the rule that an expression makes."""
    return eval(expression, {"rv": rv, "optax": optax})


def compiled(expression, shape):
    """Return the compiled step of a rule; it takes over its arguments but the gradient, as in a training loop."""
    optimizer = rule(expression)

    def step(params, state, grads):
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    params = jax.ShapeDtypeStruct(shape, jnp.float32)
    return jax.jit(step, donate_argnums=(0, 1)).lower(params, jax.eval_shape(optimizer.init, params), params).compile()


def training(step, expression, grads):
    """Return a function that takes one more step every time."""
    at = [jnp.zeros_like(grads), rule(expression).init(jnp.zeros_like(grads))]  # two, since each is given away

    def run():
        at[:] = step(*at, grads)
        return at[0]

    return run


def compiling(expressions, times=5):
    """Return the median seconds of tracing and compiling the step of each expression, in turn."""
    found = [[] for _ in expressions]
    for _ in range(times):
        for seconds, expression in zip(found, expressions, strict=True):
            jax.clear_caches()
            seconds.append(reading(lambda expression=expression: compiled(expression, SHAPES["1e4"])))
    return map(statistics.median, found)


def counts(name):
    """Return how many operations and bytes a step takes for each parameter: Ravine's, Optax's; Ravine's, Optax's."""
    shape = SHAPES["1e4"]
    pairs = zip(*(cost(compiled(expression, shape)) for expression in RULES[name]), strict=True)
    return [round(count / math.prod(shape), 1) for pair in pairs for count in pair]


def times(name, grads):
    """Return the median seconds of a step: Ravine's, Optax's, and Optax's as if it were another program."""
    ours, theirs = RULES[name]
    ours_step, step = compiled(ours, grads.shape), compiled(theirs, grads.shape)
    found = [medians({"ours": training(ours_step, ours, grads),
                      "theirs": training(step, theirs, grads), "again": training(step, theirs, grads)},
                     seconds=0.5).values() for _ in range(PLACES)]
    return list(map(statistics.median, zip(*found, strict=True)))


def none_of(what, names):
    """Return the row of the aim that no rule is in a list."""
    return [what, "none", ", ".join(names) or "none", not names]


def measure():
    """Return the operations and bytes of all rules, their times and compile times, and what is asked of them."""
    counted, timed, last, aims = [], [], ["its band: Optax beside itself"], []
    for name, (_, theirs) in RULES.items():
        counted.append([name, f"`{theirs}`", *counts(name)])
        timed.append([name])
        print(*counted[-1], flush=True)
    for what, at in (("operations", 2), ("bytes", 4)):
        more = [row[0] for row in counted if row[at] > row[at + 1]]
        aims.append(none_of(f"rules whose compiled step has more {what} than Optax's", more))
    for size, shape in SHAPES.items():
        grads = jax.random.normal(jax.random.key(0), shape)
        seconds = {name: times(name, grads) for name in RULES if (name, size) not in LEFT_OUT}
        band = [again / theirs for _, theirs, again in seconds.values()]
        for row in timed:
            ours, theirs, _ = seconds.get(row[0], (None, None, None))
            row += [1e6 * ours, ours / theirs] if ours else [None, None]
        last += [None, f"{min(band):.2f}–{max(band):.2f}"]
        longer = [name for name, (ours, theirs, _) in seconds.items() if ours / theirs > max(band)]
        aims.append(none_of(f"rules whose step of {size} parameters takes longer than Optax's band", longer))
        print(size, last[-1], flush=True)
    for row in timed:
        ours, theirs = compiling(RULES[row[0]])
        row += [1e3 * ours, ours / theirs]
    heads = [head for size in SHAPES for head in (f"µs, {size}", "of Optax's")]
    return Part({
        "step counts": table(["rule", "Optax's call", "operations", "Optax's", "bytes", "Optax's"], counted),
        "step times": table(["rule", *heads, "compiling, ms", "of Optax's"], [*timed, [*last, None, None]])}, aims)
