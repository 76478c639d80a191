"""What a surface is: a function of a vector, and what is known of it."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

Point = tuple[float, ...]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Surface:
    """A function of a vector, and what is known of it.

    Call it as the function that it is: ``surface(w)`` is a scalar for a vector `w`, in the type of `w`. For many
    points there is `jax.vmap`.

    Attributes:
        fun: the function, as a `jax.tree_util.Partial` over its own parameters. So a surface may be an argument of a
            jitted function, and two quadratics share one compiled program.
        name: what a picture calls it.
        minima: the points of the window where it is locally least, as tuples, the lowest first; empty if there is none.
        window: ((left, right), (bottom, top)), the part worth drawing of a surface over the plane.
        start: a point from which descent is instructive.
    """

    fun: Callable[[Any], Any]
    name: str = dataclasses.field(metadata={"static": True})
    minima: tuple[Point, ...] = dataclasses.field(metadata={"static": True})
    window: tuple[Point, Point] = dataclasses.field(metadata={"static": True})
    start: Point = dataclasses.field(metadata={"static": True})

    def __call__(self, w):
        """Return the height over the point `w`, a vector of floats (a tuple or list of them will do)."""
        w = jnp.asarray(w)
        if w.ndim != 1:
            raise ValueError(f"w has shape {w.shape}: {self.name} takes one point, a vector; jax.vmap takes it to many")
        return self.fun(w if jnp.issubdtype(w.dtype, jnp.floating) else w.astype(float))
