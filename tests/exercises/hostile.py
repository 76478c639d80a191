"""Answers that do what they should not: to `velocity_step`, with outcome and a part of the message, and to all others.

`surroundings` are what they may not change.
"""

import sys
import time
import warnings

import IPython.display  # noqa: F401 -- adds warning filters of its own when it is first imported
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def surroundings():
    return {
        "jax": dict(jax.config.values), "x64": jnp.ones(1).dtype, "streams": (sys.stdout, sys.stderr, sys.stdin),
        "hook": sys.unraisablehook, "trace": sys.gettrace(), "warnings": list(warnings.filters),
    }


def endless_loop(w, v, g, lr, mu):
    while True:
        v = mu * v


def endless_empty_loop(w, v, g, lr, mu):
    while True: pass  # noqa: E701


def endless_while_loop(w, v, g, lr, mu):
    return lax.while_loop(lambda s: s[0] >= 0, lambda s: (s[0] + 1, mu * s[1]), (0, v))


@jax.jit
def endless_jitted_while_loop(w, v, g, lr, mu):
    return lax.while_loop(lambda v: jnp.all(v < jnp.inf), lambda v: mu * v + lr * g, v)


def endless_bare_except(w, v, g, lr, mu):
    while True:
        try:
            v = mu * v + lr * g
        except:  # noqa: E722
            continue


def endless_bare_except_asleep(w, v, g, lr, mu):
    while True:
        try:
            time.sleep(0.01)
        except:  # noqa: E722
            v = mu * v


def endless_prints(w, v, g, lr, mu):
    while True:
        print("still here", w)


def too_slow(w, v, g, lr, mu):
    time.sleep(4)
    return w, v


def recursion(w, v, g, lr, mu):
    return recursion(w - v, mu * v, g, lr, mu)


@jax.jit
def jitted_recursion(w, v, g, lr, mu):
    return jitted_recursion(w - v, mu * v, g, lr, mu)


def calls_exit(w, v, g, lr, mu):
    exit()


def calls_sys_exit(w, v, g, lr, mu):
    sys.exit("enough")


def interrupts(w, v, g, lr, mu):
    raise KeyboardInterrupt


class Unprintable(Exception):
    """An exception whose text never comes."""

    def __str__(self):
        raise ValueError


def raises_unprintable(w, v, g, lr, mu):
    raise Unprintable


def a_megabyte_of_prints(w, v, g, lr, mu):
    print("spam " * 250_000)
    return w - mu * v - lr * g, mu * v + lr * g


def prints_and_is_wrong(w, v, g, lr, mu):
    for _ in range(100_000):
        print("spam", end=" ")
    return 2 * w, v


def replaces_stdout(w, v, g, lr, mu):
    sys.stdout = sys.stderr = None
    return w - mu * v - lr * g, mu * v + lr * g


def too_few_arguments(w, v):
    return w - v, v


class Liar:
    """Equal to everything, and of every shape."""

    shape, dtype = (3,), float

    def __eq__(self, other):
        return True

    def __getattr__(self, name):
        return lambda *_: self

    __array__ = None


def returns_liars(w, v, g, lr, mu):
    return Liar(), Liar()


class LyingArray(np.ndarray):
    """Each comparison says yes, and each difference is zero."""

    def __eq__(self, other):
        return np.ones(self.shape, bool)

    def __array_ufunc__(self, *_, **__):
        return np.zeros(self.shape)


def returns_lying_arrays(w, v, g, lr, mu):
    return np.ones(3).view(LyingArray), np.ones(3).view(LyingArray)


def patches_allclose(w, v, g, lr, mu):
    np.allclose = np.array_equal = jnp.allclose = lambda *_, **__: True
    return 2 * w, v


def mutates_its_input(w, v, g, lr, mu):
    w[0] = 0.0
    return w, v


def mutates_through_numpy(w, v, g, lr, mu):
    np.asarray(w)[:] = 0.0
    return w, v


def switches_x64(w, v, g, lr, mu):
    jax.config.update("jax_enable_x64", not jax.config.jax_enable_x64)
    jax.config.update("jax_debug_nans", True)
    return w - mu * v - lr * g, mu * v + lr * g


def yields(w, v, g, lr, mu):
    yield w - mu * v - lr * g


def returns_ragged_lists(w, v, g, lr, mu):
    return [[1.0, 2.0], [3.0]], [w, v]


def returns_text(w, v, g, lr, mu):
    return "w", "v"


def returns_a_dict(w, v, g, lr, mu):
    return {"w": w, "v": v}


HOSTILE = [
    (endless_loop, "timeout", "line"),
    (endless_empty_loop, "timeout", "while True: pass"),
    (endless_while_loop, "timeout", "lax.while_loop"),
    (endless_jitted_while_loop, "timeout", "lax.while_loop"),
    (endless_bare_except, "timeout", "not finished in 0.4 s"),
    (endless_bare_except_asleep, "timeout", "time.sleep(0.01)"),
    (endless_prints, "timeout", "still here"),
    (too_slow, "timeout", "still runs"),
    (recursion, "raised", "RecursionError"),
    (jitted_recursion, "raised", "RecursionError"),
    (calls_exit, "raised", "exit()"),
    (calls_sys_exit, "raised", "exit()"),
    (interrupts, "raised", "KeyboardInterrupt"),
    (raises_unprintable, "raised", "Unprintable"),
    (a_megabyte_of_prints, "pass", "spam"),
    (prints_and_is_wrong, "wrong", "spam"),
    (replaces_stdout, "pass", "right"),
    (too_few_arguments, "raised", "velocity_step(w, v, g, lr, mu)"),
    (returns_liars, "structure", "Liar"),
    (returns_lying_arrays, "wrong", "w = [1, 1, 1]"),
    (patches_allclose, "wrong", "expected w"),
    (mutates_its_input, "raised", "immutable"),
    (mutates_through_numpy, "raised", "read-only"),
    (switches_x64, "pass", "right"),
    (yields, "structure", "generator"),
    (returns_ragged_lists, "structure", "w is 2 values"),
    (returns_text, "structure", "the text 'w'"),
    (returns_a_dict, "structure", "a dict with the keys 'w', 'v'"),
]


# To any exercise: what is made of its reference, and the outcome.


def _never_ends(reference):
    def answer(*inputs):
        while True:
            pass
    return answer


def _exits(reference):
    return lambda *inputs: sys.exit()


def _spoils_its_inputs(reference):
    """Empty every list and dict, and return nothing."""
    def answer(*inputs):
        for value in inputs:
            if isinstance(value, (list, dict)):
                value.clear()
    return answer


def _returns_liars(reference):
    return lambda *inputs: tuple(Liar() for _ in range(4))


def _changes_the_configuration(reference):
    def answer(*inputs):
        jax.config.update("jax_enable_x64", not jax.config.jax_enable_x64)
        jax.config.update("jax_default_matmul_precision", "float32")
        sys.stdout = None
        warnings.simplefilter("error")
        return reference(*inputs)
    return answer


TO_ANY = {"never ends": (_never_ends, "timeout"), "exits": (_exits, "raised"),
          "spoils its inputs": (_spoils_its_inputs, "mistake"), "returns liars": (_returns_liars, "structure"),
          "changes the configuration": (_changes_the_configuration, "pass")}
