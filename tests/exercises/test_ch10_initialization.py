"""The references of chapter 10 against the library's initializers, and the chance that their checks allow for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import ravine as rv
from ravine.exercises import ch10_initialization as ch10
from ravine.exercises import check
from ravine.exercises._exercise import find


@pytest.mark.parametrize(("name", "initializer"), [
    ("he_init", rv.initializers.kaiming_normal()), ("xavier", rv.initializers.xavier_uniform())])
def test_the_weights_are_those_of_the_librarys_initializer(name, initializer, precision):
    for seed, *fans in [(0, 30, 20), (1, 20, 30)]:
        key = jax.random.key(seed)
        np.testing.assert_allclose(find(name).reference(key, *fans), initializer(key, fans), atol=1e-7)


def test_units_are_as_many_as_gradient_descent_can_ever_tell_apart():
    """Units that begin the same stay the same, and those that differ in anything move apart."""
    W = jnp.array([[0.5, 0.5, 0.5, -0.2, 0.5], [0.1, 0.1, 0.1, 0.4, 0.1]])
    b, x = jnp.array([0.3, -0.1, 0.3, 0.0, 0.3]), jnp.array([[1.0, 2.0], [0.5, -1.0], [-0.7, 0.2]])
    run = rv.minimize(lambda layer: jnp.mean((jnp.tanh(x @ layer[0] + layer[1]).sum(axis=1) - 1.0) ** 2),
                      (W, b), rv.sgd(0.1), 20)
    weights, biases = run.params
    trained = {(*column, bias) for column, bias in zip(weights.T.tolist(), biases.tolist(), strict=True)}
    assert find("distinct_units").reference(W, b) == len(trained) == 3


SAMPLES = {"normal": scipy.stats.norm(), "uniform": scipy.stats.uniform(),
           "normal, cut off": scipy.stats.truncnorm(-2, 2), "another": scipy.stats.laplace()}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_distribution_is_known_by_its_name_and_its_moments_within_five_deviations(name):
    """The bounds are five times as large as the difference of two draws is as a rule: √2 of the spread of 40 draws."""
    draws = [ch10._moments(SAMPLES[name].rvs(100_000, random_state=seed)) for seed in range(40)]
    assert {str(distribution) for _, _, distribution in draws} == {name}
    for measured in zip(*[draw[:2] for draw in draws], strict=True):
        spread = np.std([fact.value for fact in measured], ddof=1)
        # of 40 draws the spread is known up to a tenth or so: 1/√(2 · 39); three times that is allowed
        np.testing.assert_allclose([fact.bound for fact in measured], 5 * np.sqrt(2) * spread, rtol=0.4)


def test_weights_of_another_kind_are_said_to_be_so():
    for weights, said in [
        (7.0, "W is one number, and should be an array of shape (930, 340)"),
        (np.ones((930, 340)) * np.nan, "W holds numbers that are not finite"),
        (np.zeros(316_200), "W is an array of shape (316200,), and should be an array of shape (930, 340)"),
        ([[1.0], [1.0, 2.0]], "W is 2 values, and should be an array of shape (930, 340)"),
    ]:
        result = check("he_init", lambda key, fi, fo, weights=weights: weights)
        assert (result.outcome, result.mistake) == ("structure", None)
        assert said in result.message
