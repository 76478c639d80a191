"""Which rules of the library a figure offers: every one that needs no more than a rate. None is known by name."""

import functools
import inspect
from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
import optax

from ravine import optimizers
from ravine._compat import enable_x64
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


class Offered(Mapping):
    """The rules that a figure offers, ``{name: JavaScript}``, each emitted when it is first asked for.

    In JavaScript ``NAME.hyper`` holds the name of the rate, or nothing. Left out is what asks for more than the page's
    objective has, what takes too much code, and what would be another rule on a page, where parameters are vectors.

    Args:
        params: as in `emit_rule`.
        hessian: whether the figure's objectives have an H; if not, rules that ask for it are left out.
        at_most: characters; a rule that takes more is left out.
    """

    def __init__(self, params, *, hessian=True, at_most=8000):
        self.params, self.hessian, self.at_most = params, hessian, at_most

    def __getitem__(self, name):
        source = _source(name, getattr(optimizers, name), self.params) if name in offered() else None
        if source is None or len(source) > self.at_most or ("objective.H(" in source and not self.hessian):
            raise KeyError(name)
        return source

    def __iter__(self):
        return (name for name in offered() if name in self)

    def __len__(self):
        return sum(1 for _ in self)

    def left_out(self):
        """Return the names of the rules that have no place in the figure."""
        return [name for name in offered() if name not in self]


@functools.cache
def _source(name, make, params):
    """Return the JavaScript of a rule, or None if a page has no place for it."""
    rate = offered()[name]
    try:
        source = emit_rule(name, make, params, (rate,) if rate else ())
    except (NotImplementedError, TypeError):  # the rule asks for more than the page's objective has, its parts say
        return None
    return None if _sees_shapes(make, rate) else source


@functools.cache
def _sees_shapes(make, rate):
    """Return whether a rule treats a matrix otherwise than the vector of its entries, as no vector would show."""
    matrix = np.arange(1.0, 7.0).reshape(2, 3)
    hyper = (rate,) if rate else ()
    if emit_rule("rule", make, matrix, hyper) == emit_rule("rule", make, matrix.ravel(), hyper):
        return False
    results = []
    with enable_x64():
        for w in map(jnp.asarray, (matrix, matrix.ravel())):
            rule = optax.with_extra_args_support(make(**{rate: 0.1} if rate else {}))
            updates, _ = rule.update(w, rule.init(w), w, value=_half_square(w), grad=w, value_fn=_half_square)
            results.append(updates.ravel())
        return not np.allclose(*results, rtol=1e-9)


def _half_square(w):
    return 0.5 * (w**2).sum()
