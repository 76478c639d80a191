"""BFGS and L-BFGS beside those of Optimistix and Optax, in one run: `python benchmarks/quasi_newton.py [DIMENSION]`.

Rosenbrock's valley from (−1.2, 1, −1.2, …), in double precision, until the loss is at most 1e-8. A step of Ravine's or
Optax's is a search with as many evaluations as it takes; one of Optimistix's is one evaluation, accepted or not. So
beside the steps stand the milliseconds of a compiled run of so many, the least of five, and their share of Ravine's.
"""

import bisect
import functools
import sys
import time

import jax
import numpy as np
import optax
import optimistix

import ravine as rv

ENOUGH = 1e-8
MOST = 2000
FUN = rv.landscapes.rosenbrock
NEVER = {"rtol": 0.0, "atol": 0.0}  # Optimistix is to run on, whatever it thinks of its progress


def descent(optimizer):
    """Return two functions of a rule: run(start, steps), which returns the last loss, and the steps it needs."""
    def run(w, steps):
        return rv.minimize(FUN, w, optimizer, steps, keep_path=False).losses[-1]

    def needed(w):
        return int(np.argmax(rv.minimize(FUN, w, optimizer, MOST, keep_path=False).losses <= ENOUGH))

    return run, needed


def optimistix_of(solver):
    """Return the same of a solver of Optimistix's, whose loss never rises: so the steps are found by bisection."""
    @functools.partial(jax.jit, static_argnums=1)
    def run(w, steps):
        found = optimistix.minimise(lambda w, _: FUN(w), solver, w, max_steps=steps, throw=False)
        return FUN(found.value)

    def needed(w):
        return bisect.bisect_left(range(MOST), True, lo=1, key=lambda steps: bool(run(w, steps) <= ENOUGH))

    return run, needed


METHODS = {
    "BFGS": {"Ravine": descent(rv.bfgs()), "Optimistix": optimistix_of(optimistix.BFGS(**NEVER))},
    "L-BFGS": {"Ravine": descent(rv.lbfgs()), "Optax": descent(optax.lbfgs()),
               "Optimistix": optimistix_of(optimistix.LBFGS(**NEVER))},
}


def milliseconds(run, w, steps):
    """Return the time of a run that is compiled already, the least of five."""
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        jax.block_until_ready(run(w, steps))
        taken.append(1000 * (time.perf_counter() - start))
    return min(taken)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    start = np.resize([-1.2, 1.0], int(sys.argv[1]) if len(sys.argv) > 1 else 100)
    print(f"Rosenbrock in {start.size} dimensions, to a loss of {ENOUGH}")
    print(f"{'':20} steps       ms    share")
    for method, runs in METHODS.items():
        unit = None
        for name, (run, needed) in runs.items():
            steps = needed(start)
            loss, spent = run(start, steps), milliseconds(run, start, steps)
            unit = unit or spent
            print(f"{method:8} {name:10} {steps:6} {spent:8.2f} {spent / unit:8.2f}   loss {loss:.1e}", flush=True)
