"""A loss whose two parts are known: what the model answers, and what that costs."""

import dataclasses
from collections.abc import Callable

import jax

from ravine import _check


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Split:
    """The loss ``loss(predict(params, *args), *args)``; what `split` returns.

    Attributes:
        predict: ``predict(params, *args) -> outputs``.
        loss: ``loss(outputs, *args) -> scalar``.
    """

    predict: Callable
    loss: Callable

    def __call__(self, params, *args):
        """Return the loss, a scalar."""
        return self.loss(self.predict(params, *args), *args)


def split(predict, loss):
    r"""Return an objective that tells its two parts apart: $L(w) = \ell(f(w))$.

    It is called like any other, and `ravine.minimize` hands its parts to the rules that use them: `gauss_newton`,
    which asks for the Jacobian of the first and the Hessian of the second, and `hessian_free`.

    Args:
        predict: ``predict(params, *args) -> outputs``, a tree of floating-point arrays.
        loss: ``loss(outputs, *args) -> scalar``; convex in the outputs, if the rules are to go downhill.

    Returns:
        A function ``(params, *args) -> scalar``; both parts are given all `args`.

    Raises:
        TypeError: `predict` or `loss` is no function.

    Example:
        A straight line through two points; Gauss-Newton needs one step.

        >>> import jax.numpy as jnp, ravine as rv
        >>> line = rv.split(lambda w, x, y: w[0] + w[1] * x, lambda out, x, y: jnp.sum((out - y) ** 2))
        >>> data = jnp.array([0.0, 1.0]), jnp.array([1.0, 3.0])
        >>> rv.minimize(line, jnp.zeros(2), rv.gauss_newton(damping=0.0), 1, args=data).params.round(4).tolist()
        [1.0, 2.0]
    """
    _check.function("predict", predict)
    _check.function("loss", loss)
    return Split(predict, loss)
