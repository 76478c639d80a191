"""An objective that tracing does not look into: its value, gradient and Hessian are calls, not arithmetic.

A rule traced over `value` mentions nothing of any surface, so its JavaScript is written once and runs on all of them.
The differentiation rules are value → gradient → Hessian; so `jax.grad`, `jax.hessian` and Hessian-vector products of
`value` come out as calls too. There is no third derivative.
"""

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive


def _primitive(name, rank):
    primitive = Primitive(name)
    primitive.def_abstract_eval(lambda w: jax.core.ShapedArray(w.shape * rank, w.dtype))
    return primitive


_value, _gradient, _hessian = (_primitive(f"objective_{name}", rank)
                               for rank, name in enumerate(["value", "gradient", "hessian"]))


@jax.custom_jvp
def value(w):
    """Return the opaque objective at the vector `w`, a scalar."""
    return _value.bind(w)


@jax.custom_jvp
def gradient(w):
    """Return its gradient, a vector."""
    return _gradient.bind(w)


@value.defjvp
def _value_jvp(primals, tangents):
    return value(*primals), jnp.dot(gradient(*primals), *tangents)


@gradient.defjvp
def _gradient_jvp(primals, tangents):
    return gradient(*primals), jnp.dot(_hessian.bind(*primals), *tangents)
