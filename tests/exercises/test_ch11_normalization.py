"""The references of chapter 11 against the library's layer."""

import jax
import jax.numpy as jnp
import numpy as np

import ravine as rv
from ravine.exercises._exercise import find


def test_batch_normalization_is_the_librarys_layer_in_training_and_in_evaluation():
    layer = rv.networks.batch_norm(3, decay=0.8, eps=0.2)
    scale, shift, mean, variance = jnp.array([[1.5, 0.7, 2.0], [0.3, -0.5, 1.0], [0.4, -0.9, 1.2], [2.0, 0.7, 1.3]])
    x = jax.random.normal(jax.random.key(0), (5, 3))
    y, state = layer.apply({"scale": scale, "shift": shift}, {"mean": mean, "variance": variance}, x, True)
    np.testing.assert_allclose(find("bn_train").reference(x, scale, shift, 0.2), y, rtol=1e-12)
    plain, rm, running = find("bn_running").reference(x, mean, variance, 0.8, 0.2)
    np.testing.assert_allclose(rm, state["mean"], rtol=1e-12)
    np.testing.assert_allclose(running, state["variance"], rtol=1e-12)
    evaluated, _ = layer.apply({"scale": scale, "shift": shift}, state, x, False)
    np.testing.assert_allclose(scale * plain + shift, evaluated, rtol=1e-12)
