"""All comparisons of the directions of the rules that look at curvature, by name."""

import functools

import jax

from . import newton_loops as newton
from . import quasi_newton_loops as quasi_newton

COMPARISONS = {
    "newton": newton.newton_error, "newton, indefinite": newton.enough_damping_error,
    "saddle_free_newton": newton.saddle_free_error, "gauss_newton": newton.gauss_newton_error,
    "hessian_free": newton.hessian_free_error, "products": newton.product_error,
    "bfgs, inverse": quasi_newton.bfgs_inverse_error, "bfgs": quasi_newton.bfgs_error,
    "lbfgs": quasi_newton.lbfgs_error, "lbfgs, Optax": quasi_newton.lbfgs_optax_error,
    "lbfgs, γ = 1": quasi_newton.all_pairs_error, "conjugacy": quasi_newton.conjugacy_error,
    "line": quasi_newton.line_error,
    **{name: functools.partial(quasi_newton.beta_error, name)
       for name in ("fletcher_reeves", "polak_ribiere", "hestenes_stiefel", "dai_yuan")},
}


def error(name):
    """Return the error of a comparison: right is at most 1.

    Operation by operation: every wrong version is a new program, and to compile it takes longer than to run it.
    """
    with jax.disable_jit():
        return COMPARISONS[name]()
