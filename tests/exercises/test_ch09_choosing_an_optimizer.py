"""The reference of chapter 9 against SciPy, one method at a time, and on noise that holds no difference."""

import numpy as np
import scipy.stats

from ravine.exercises._exercise import find


def test_each_method_is_compared_at_the_rate_that_validation_chose():
    random = np.random.default_rng(0)
    validation, test = random.uniform(size=(2, 4, 6, 5))
    mean, error = find("fair_comparison").reference(validation, test, 4)
    for method in range(4):
        scores = [sum(validation[method, rate]) for rate in range(4)]
        losses = test[method, scores.index(min(scores))]
        np.testing.assert_allclose(mean[method], losses.mean(), rtol=1e-12)
        np.testing.assert_allclose(error[method], scipy.stats.sem(losses), rtol=1e-12)


def test_its_mean_is_no_luckier_than_any_other_and_the_best_on_test_is():
    """Losses of noise alone, with mean 0 and variance 1: of 3000 methods, each with 8 rates and 4 seeds."""
    validation, test = np.random.default_rng(1).standard_normal((2, 3000, 8, 4))
    fair, error = find("fair_comparison").reference(validation, test, 8)
    chance = 5 / np.sqrt(3000 * 4)  # five deviations of the mean of as many numbers
    assert abs(fair.mean()) < chance
    assert find("fair_comparison").reference(test, test, 8)[0].mean() < -chance
    np.testing.assert_allclose(np.mean(error**2), 1 / 4, rtol=5 * np.sqrt(2 / 3 / 3000))
