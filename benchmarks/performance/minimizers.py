"""Methods that look at curvature beside those of Optax, Optimistix and SciPy: the time until the loss is low enough.

In double precision. A step of Ravine's, Optax's or SciPy's is a search with as many evaluations as it takes; one of
Optimistix's is one evaluation, accepted or not. So the compiled runs, of so many steps as the method needs, are timed.
SciPy is given the compiled loss with its gradient, and stops as soon as the loss is low enough.

How often a run evaluates the loss is counted in a second run, whose loss calls Python each time.
"""

import functools
import itertools
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import optimistix
import scipy.optimize

import ravine as rv
from performance.measuring import Part, at_most, medians, table
from ravine._compat import enable_x64

ENOUGH = 1e-8
MOST = 2000
NEVER = {"rtol": 0.0, "atol": 0.0}  # Optimistix is to run on, whatever it thinks of its progress


class Problem(NamedTuple):
    """A loss ``fun(w, *args)``, where to start, the arguments, and the least loss that there is."""

    fun: Callable
    start: jax.Array
    args: tuple
    least: float


def rosenbrock():
    """Return the valley in 100 dimensions, from (−1.2, 1, −1.2, …)."""
    return Problem(rv.landscapes.rosenbrock, jnp.resize(jnp.array([-1.2, 1.0]), 100), (), 0.0)


def logistic_regression():
    """Return the classification of the digits by a linear model, with a weight decay that makes its minimum unique."""
    x, y = rv.data.digits()
    args = jnp.asarray(x, float), jnp.asarray(y, jnp.int32)
    start = jnp.zeros(10 * (x.shape[1] + 1))

    def fun(w, x, y):
        w = w.reshape(-1, 10)
        losses = optax.losses.softmax_cross_entropy_with_integer_labels(x @ w[:-1] + w[-1], y)
        return losses.mean() + 1e-3 * jnp.sum(w**2)

    losses = rv.minimize(fun, start, rv.bfgs(), 300, args=args, keep_path=False).losses
    return Problem(fun, start, args, float(losses.min()))


def descent(problem, optimizer):
    """Return how many steps a rule needs, and the run of so many."""
    def run(steps, tol=None):
        return rv.minimize(problem.fun, problem.start, optimizer, steps, args=problem.args, tol=tol,
                           keep_path=False).losses

    losses = np.asarray(run(MOST, tol=1e-8))  # far below what lowers the loss to `ENOUGH`
    steps = int(np.argmax(losses - problem.least <= ENOUGH))
    return steps, functools.partial(run, steps) if steps else None


def optimistix_of(problem, solver):
    """Return the same of a solver of Optimistix's: first step by step from Python, then in one program."""
    def fun(w, args):
        return problem.fun(w, *args)

    given = {"fn": lambda w, args: (fun(w, args), None), "args": problem.args, "options": {}, "tags": frozenset()}
    step, loss = eqx.filter_jit(eqx.Partial(solver.step, **given)), jax.jit(fun)
    w, steps = problem.start, 0
    state = solver.init(y=w, f_struct=jax.ShapeDtypeStruct((), w.dtype), aux_struct=None, **given)
    while loss(w, problem.args) - problem.least > ENOUGH and steps < MOST:
        w, state, _ = step(y=w, state=state)
        steps += 1

    @jax.jit
    def run(w, args):  # the data are arguments, as they are elsewhere: in a constant XLA can do part of the work ahead
        return optimistix.minimise(fun, solver, w, args, max_steps=steps, throw=False).value

    return steps, functools.partial(run, problem.start, problem.args) if steps < MOST else None


def scipy_of(problem, method, **options):
    """Return the same of a method of SciPy's."""
    value_and_grad = jax.jit(jax.value_and_grad(problem.fun))
    product = jax.jit(lambda w, v: jax.jvp(lambda w: jax.grad(problem.fun)(w, *problem.args), (w,), (v,))[1])
    start = np.asarray(problem.start)
    steps = []

    def fun(w):
        value, grad = value_and_grad(w, *problem.args)
        return float(value), np.asarray(grad)

    def low_enough(intermediate_result):
        steps.append(intermediate_result.fun)
        if steps[-1] - problem.least <= ENOUGH:
            raise StopIteration

    def run():
        steps.clear()
        hessp = {"hessp": lambda w, v: np.asarray(product(w, v))} if method == "Newton-CG" else {}
        return scipy.optimize.minimize(fun, start, jac=True, method=method, callback=low_enough,
                                       options={"maxiter": MOST, **options}, **hessp).x

    run()
    return len(steps), run if steps[-1] - problem.least <= ENOUGH else None


METHODS = {
    "BFGS": {"Ravine": lambda problem: descent(problem, rv.bfgs()),
             "Optimistix": lambda problem: optimistix_of(problem, optimistix.BFGS(**NEVER)),
             "SciPy": lambda problem: scipy_of(problem, "BFGS", gtol=0.0)},
    "L-BFGS": {"Ravine": lambda problem: descent(problem, rv.lbfgs()),
               "Optax": lambda problem: descent(problem, optax.lbfgs()),
               "Optimistix": lambda problem: optimistix_of(problem, optimistix.LBFGS(**NEVER)),
               "SciPy": lambda problem: scipy_of(problem, "L-BFGS-B", gtol=0.0, ftol=0.0, maxfun=10 * MOST)},
    "Hessian-free": {"Ravine": lambda problem: descent(problem, rv.hessian_free()),
                     "SciPy": lambda problem: scipy_of(problem, "Newton-CG", xtol=0.0)},
}
PROBLEMS = {"Rosenbrock, 100": rosenbrock, "logistic regression, 650": logistic_regression}


def evaluations(problem, build):
    """Return how often the run of a method evaluates the loss."""
    calls = itertools.count()

    def fun(w, *args):
        jax.debug.callback(lambda: next(calls) and None)
        return problem.fun(w, *args)

    _, run = build(problem._replace(fun=fun))
    jax.block_until_ready(run())  # compiled now, and has evaluated as often as it will
    jax.effects_barrier()
    before = next(calls)
    jax.block_until_ready(run())
    jax.effects_barrier()
    return next(calls) - before - 1


def evaluation(problem, times=200):
    """Return the seconds that a loss with its gradient takes, inside a compiled program."""
    @jax.jit
    def run(w, *args):
        def step(w, _):
            value, grad = jax.value_and_grad(problem.fun)(w, *args)
            return w - 1e-9 * grad, value

        return jax.lax.scan(step, w, length=times)

    return medians({"run": functools.partial(run, problem.start, *problem.args)})["run"] / times


def times(runs):
    """Return the median time of each library's run: those of compiled ones in turn, and SciPy's apart.

    A thousand calls from Python slow what runs after them, by a third, and for longer than one run.
    """
    compiled = {library: run for library, run in runs.items() if library != "SciPy"}
    groups = compiled, {library: run for library, run in runs.items() if library == "SciPy"}
    return {library: spent for group in groups if group for library, spent in medians(group, seconds=4).items()}


def measure():
    """Return the times of all methods on both problems, and what is asked of them."""
    columns = ["problem", "method", "library", "steps", "evaluations", "ms", "% for them", "of Ravine's"]
    rows, aims = [], []
    with enable_x64():
        for name, make in PROBLEMS.items():
            problem = make()
            one = evaluation(problem)
            for method, libraries in METHODS.items():
                found = {library: build(problem) for library, build in libraries.items()}
                spent = times({library: run for library, (_, run) in found.items() if run})
                for library, (steps, run) in found.items():
                    cells = [None] * 4
                    if run:
                        count = evaluations(problem, libraries[library])
                        # Products with the Hessian are counted too, and cost less than an evaluation with its gradient.
                        part = None if method == "Hessian-free" else 100 * count * one / spent[library]
                        cells = [steps, count, 1e3 * spent[library], part]
                    share = spent[library] / spent["Ravine"] if {library, "Ravine"} <= spent.keys() else None
                    rows.append([name, method, library, *cells, share])
                    print(*rows[-1], flush=True)
                if name.startswith("Rosenbrock") and {"Ravine", "Optimistix"} <= spent.keys():
                    aims.append(at_most(f"{method} on {name}, to {ENOUGH:g}: of Optimistix's time", 1.2,
                                        spent["Ravine"] / spent["Optimistix"]))
    return Part({"minimizers": table(columns, rows)}, aims)
