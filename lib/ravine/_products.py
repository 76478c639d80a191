"""Products of curvature matrices with vectors: derivatives along a direction, and never a matrix."""

import jax


def hessian_product(fun, params):
    r"""Return the function v → Hv, $Hv = \partial_\varepsilon \nabla f(w + \varepsilon v)$, for trees like `params`."""
    return lambda v: jax.jvp(jax.grad(fun), (params,), (v,))[1]


def gauss_newton_product(predict, loss, params):
    r"""Return the function v → $J^\top H_L J v$, with J of `predict` at `params` and $H_L$ of `loss` at its outputs."""
    def product(v):
        outputs, Jv = jax.jvp(predict, (params,), (v,))
        return jax.vjp(predict, params)[1](hessian_product(loss, outputs)(Jv))[0]

    return product
