"""What exercises with random answers share: NumPy's numbers for a key, and what an answer makes of its keys."""

import jax
import numpy as np


def generator(key):
    """Return NumPy's generator for a key: JAX would compile every draw of another size."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))


def use_of_keys(one, other, again):
    """Say what became of the keys, from what was drawn with one key, with another, and with the first again."""
    if not np.array_equal(one, again):
        return "another draw in each call"
    return "one draw for all" if np.array_equal(one, other) else "each its own"
