"""Which rules of the library a figure offers: every one that needs no more than a rate. None is known by name."""

import inspect

from ravine import optimizers
from ravine.figures._emit import emit_rule

RATES = ("learning_rate", "initial_step")
"""What the argument may be called that says how far a rule goes."""


def offered():
    """Return ``{name: name of its rate}`` for the rules that are optimizers by themselves; None if it has no rate.

    A rule that wants something else, such as the limit of a clipping or an optimizer to change, is not among them.
    """
    found = {}
    for name in optimizers.__all__:
        arguments = inspect.signature(getattr(optimizers, name)).parameters.values()
        rate = next((each.name for each in arguments if each.name in RATES), None)
        if all(each.default is not each.empty or each.name == rate for each in arguments):
            found[name] = rate
    return found


def emitted(params, *, hessian=True, at_most=8000):
    """Return the JavaScript of the rules offered, ``{name: source}``, and the names of those that are left out.

    In JavaScript ``NAME.hyper`` holds the name of the rate, or nothing.

    Args:
        params: as in `emit_rule`.
        hessian: whether the figure's objectives have an H; if not, rules that ask for it are left out.
        at_most: characters; a rule that takes more is left out.
    """
    sources, left_out = {}, []
    for name, rate in offered().items():
        try:
            source = emit_rule(name, getattr(optimizers, name), params, (rate,) if rate else ())
        except (NotImplementedError, TypeError):  # the rule asks for more than the page's objective has, its parts say
            left_out.append(name)
            continue
        if len(source) > at_most or ("objective.H(" in source and not hessian):
            left_out.append(name)
        else:
            sources[name] = source
    return sources, left_out
