"""The reference of chapter 1 against the library's regression, whose true risk is known."""

import jax.numpy as jnp
import numpy as np

import ravine as rv
from ravine.exercises._exercise import find


def test_risk_is_half_of_what_the_true_risk_would_be_of_the_data():
    """The true risk is a mean over x and y: here over points with mean 0 and covariance Σ, and no noise."""
    problem = rv.data.linear_problem(dimension=3, noise=0.0, condition_number=4.0)
    X = np.sqrt(3) * np.concatenate([np.diag(problem.scales), -np.diag(problem.scales)])
    w, targets = jnp.array([0.3, -1.0, 2.0]), X @ problem.weights
    np.testing.assert_allclose(2 * find("risk").reference(w, X, targets),
                               problem.risk(w, problem.bias), rtol=1e-12)
