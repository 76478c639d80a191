"""The references of chapter 2 against the library's step, and against all batches that there are."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax

import ravine as rv
from ravine.exercises import check
from ravine.exercises._exercise import find


def test_an_epoch_of_single_batches_is_gradient_descent_of_the_library():
    X, y, w = jnp.array([[1.0, 2.0], [0.5, -1.0], [2.0, 1.0]]), jnp.array([1.0, -2.0, 0.5]), jnp.array([0.3, -0.4])
    run = rv.minimize(find("risk").reference, w, rv.sgd(0.1), 5, args=(X, y))
    for_everything = jnp.tile(jnp.arange(3), (5, 1))
    np.testing.assert_allclose(find("sgd_epoch").reference(w, X, y, for_everything, 0.1), run.params, rtol=1e-12)


def test_the_noise_is_the_spread_over_all_batches():
    G = np.array([[1.0, -2.0], [0.5, 3.0], [2.0, 0.7], [-1.0, 0.4]])
    for nb in (1, 2, 3):
        means = [G[list(batch)].mean(axis=0) for batch in itertools.product(range(4), repeat=nb)]
        np.testing.assert_allclose(find("noise_std").reference(G, nb), np.std(means, axis=0), rtol=1e-12)


def test_the_batches_of_an_epoch_sum_to_the_whole_gradient():
    X, w = jax.random.normal(jax.random.key(0), (10, 3)), jnp.ones(3)
    loss = jax.grad(lambda w, X: optax.losses.l2_loss(X @ w).sum())
    batches = find("minibatches").reference(jax.random.key(1), 10, 4)
    np.testing.assert_allclose(sum(loss(w, X[batch]) for batch in batches), loss(w, X), rtol=1e-12)


def test_batches_of_another_kind_are_said_to_be_so():
    for batches, said in [
        (7, "batches is one number, and should be a list of arrays of whole numbers"),
        ({0: [1]}, "batches is a dict with the keys 0, and should be a list of arrays of whole numbers"),
        ([[0, 1], [0.5, 1.5]], "batches[1] is 2 values, and should be an array of whole numbers"),
        ([[[1], [2]]], "batches[0] is 2 values, and should be an array of whole numbers"),
        ([np.ones(4)], "batches[0] is an array of shape (4,), and should be an array of whole numbers"),
        (["a"], "batches[0] is the text 'a', and should be an array of whole numbers"),
    ]:
        result = check("minibatches", lambda key, n, b, batches=batches: batches)
        assert (result.outcome, result.mistake) == ("structure", None)
        assert said in result.message
