"""The references of chapter 4 against the library's clipping and its networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ravine as rv
from ravine.exercises._exercise import find


@pytest.mark.parametrize("c", [0.5, 3.0, 100.0])
def test_clip_is_clip_by_norm_of_the_library(c):
    tree = {"a": [jnp.array([3.0, -4.0]), jnp.array([[1.0], [2.0]])], "b": jnp.array(0.5)}
    rule = rv.clip_by_norm(c)
    expected, _ = rule.update(tree, rule.init(tree))
    jax.tree.map(lambda *pair: np.testing.assert_allclose(*pair, rtol=1e-14), find("clip").reference(tree, c), expected)


def test_jac_norm_is_that_of_a_network_of_the_library():
    network = rv.networks.mlp([3, 3, 3, 3], activation=jnp.tanh)
    params, x = network.init(jax.random.key(0)), jnp.array([0.3, -1.0, 0.7])
    Ws = [layer["kernel"] for layer in params]
    jacobian = jax.jacobian(lambda x: jnp.tanh(network.apply(params, x)))(x)
    np.testing.assert_allclose(find("jac_norm").reference(Ws, x), np.linalg.svd(jacobian)[1][0], rtol=1e-12)
