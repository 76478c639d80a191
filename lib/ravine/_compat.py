"""The one place that knows how JAX's versions differ."""

import jax


def enable_x64(enabled=True):
    """Return a context in which JAX computes in float64 (or, with False, in float32).

    The context lives in `jax.experimental` up to JAX 0.7 and at the top of `jax` since.
    """
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(enabled)
    from jax import experimental

    return experimental.enable_x64(enabled)
