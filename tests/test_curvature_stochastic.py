"""What `curvature` estimates by products alone: sharpness, spectral density, trace, diagonal; and at a million."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ravine as rv
from curvature_cases import (
    MIXED,
    NETWORK,
    STAIRS,
    X,
    Y,
    calibration_error,
    density_error,
    exact_density_error,
    mixed,
    network_loss,
    stairs,
    trace_spread_error,
)
from ravine import curvature

KEY = jax.random.key(0)
KEYS = jax.random.split(jax.random.key(7), 400)


def bowl(w, matrix):
    return w @ matrix @ w / 2


TURN = np.linalg.qr(np.random.default_rng(4).normal(size=(60, 60)))[0]


@pytest.mark.parametrize("eigenvalues", [
    np.linspace(-1, 1, 60), np.geomspace(1e-6, 1, 60), -np.geomspace(1, 100, 60), np.r_[-1000.0, np.linspace(0, 1, 59)],
    np.ones(60), np.zeros(60), np.r_[np.zeros(58), 3.0, 3.0], np.repeat([-3.0, -1.0], 30)])
@pytest.mark.parametrize("seed", [None, 5])
def test_sharpness(eigenvalues, seed):
    key = None if seed is None else jax.random.key(seed)
    found = curvature.sharpness(bowl, np.zeros(60), key=key, args=((TURN * eigenvalues) @ TURN.T,))
    # The guarantee is √ε; that ‖Hv − λv‖ is so small makes the error of λ its square over the gap.
    np.testing.assert_allclose(found, np.max(eigenvalues), rtol=0, atol=1e-10 * np.max(abs(eigenvalues)))


def test_sharpness_of_a_network_in_both_precisions():
    expected = curvature.eigenvalues(network_loss, NETWORK, args=(X, Y))[-1]
    np.testing.assert_allclose(curvature.sharpness(network_loss, NETWORK, steps=12, args=(X, Y)), expected, rtol=1e-12)
    single = jax.tree.map(np.float32, (NETWORK, (X, Y)))
    found = curvature.sharpness(network_loss, single[0], steps=12, args=single[1])
    np.testing.assert_allclose(found, expected, rtol=3e-6)


def test_restarts_bring_it_nearer():
    matrix = (TURN * np.linspace(-1, 1, 60)) @ TURN.T
    short, long = (float(curvature.sharpness(bowl, np.zeros(60), steps=4, restarts=restarts, args=(matrix,)))
                   for restarts in (0, 10))
    assert short < long <= 1 + 1e-14


def signed(w, sign):
    return sign * stairs(w)


def test_a_diagonal_hessian_is_resolved_exactly():
    assert exact_density_error() <= 1
    for sign in (1, -1):
        trace = curvature.hessian_trace(signed, np.zeros(20), key=KEY, probes=2, args=(sign,))
        np.testing.assert_allclose(trace, [sign * np.sum(STAIRS), 0], atol=1e-14)
        diagonal = curvature.hessian_diagonal(signed, np.zeros(20), key=KEY, probes=2, args=(sign,))
        np.testing.assert_allclose(diagonal, [sign * STAIRS, 0 * STAIRS], atol=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_density_of_a_network(seed):
    spectrum = curvature.eigenvalues(network_loss, NETWORK, args=(X, Y))
    error = density_error(curvature.spectral_density, lambda w: network_loss(w, X, Y), NETWORK, spectrum, 8, 8,
                          jax.random.key(seed))
    assert error <= 1


def test_density_of_a_full_matrix():
    spectrum = np.linalg.eigvalsh(MIXED)
    for probes, steps in ((10, 5), (1000, 20)):
        assert density_error(curvature.spectral_density, mixed, np.zeros(20), spectrum, probes, steps, KEY) <= 1
    found = curvature.spectral_density(mixed, np.zeros(20), key=KEY, probes=10, steps=5)
    assert found.nodes.shape == found.weights.shape == (50,)
    assert np.all(found.weights >= 0)
    np.testing.assert_allclose(np.sum(found.weights), 1, rtol=1e-14)
    # The quadrature carries the mean of each probe, zᵀHz / n, exactly.
    spread = 4 * np.sqrt(2 * np.sum((MIXED - np.diag(np.diag(MIXED))) ** 2) / 10) / 20
    assert abs(found.nodes @ found.weights - np.mean(spectrum)) <= spread


@pytest.mark.parametrize("estimate", [curvature.hessian_trace, curvature.hessian_diagonal], ids=["trace", "diagonal"])
def test_errors_are_as_large_as_they_say(estimate):
    truth = np.trace(MIXED) if estimate is curvature.hessian_trace else np.diag(MIXED)
    assert calibration_error(estimate, mixed, jnp.zeros(20), truth, KEYS, 40) <= 1


def test_the_standard_error_is_that_of_signs():
    assert trace_spread_error() <= 1


def test_keys_decide():
    for tool in (curvature.hessian_trace, curvature.hessian_diagonal, curvature.spectral_density):
        one, again, other = (np.asarray(tool(mixed, np.zeros(20), key=key, probes=2)[1]) for key in (KEY, KEY, KEYS[0]))
        np.testing.assert_array_equal(one, again)
        assert not np.allclose(one, other)
    old = curvature.hessian_trace(mixed, np.zeros(20), key=jax.random.PRNGKey(0), probes=2)
    assert old.value == curvature.hessian_trace(mixed, np.zeros(20), key=KEY, probes=2).value


MILLION = 1_000_000


def wide(w):
    """Return a loss with Hessian diag(d) + 10 uuᵀ, d from 1 to 2 and u of length 1."""
    d = jnp.linspace(1, 2, w["w"].size, dtype=w["w"].dtype)
    return jnp.sum(d * w["w"] ** 2) / 2 + 5 * jnp.sum(w["w"]) ** 2 / w["w"].size


def test_a_million_parameters():
    w = {"w": np.zeros(MILLION, np.float32)}
    v = {"w": np.ones(MILLION, np.float32)}
    np.testing.assert_allclose(curvature.hvp(wide, w, v)["w"], 10 + np.linspace(1, 2, MILLION), rtol=1e-5)
    # The eigenvalue outside [1, 2] solves 1 = 10 ∫ 1 / (λ − t) dt over [1, 2].
    root = np.exp(0.1)
    np.testing.assert_allclose(curvature.sharpness(wide, w, steps=8), (2 * root - 1) / (root - 1), rtol=1e-4)
    nodes, weights = curvature.spectral_density(wide, w, key=KEY, probes=2, steps=6)
    np.testing.assert_allclose([np.sum(weights), nodes @ weights, nodes**2 @ weights], [1, 1.5, 7 / 3], rtol=1e-3)
    trace = curvature.hessian_trace(wide, w, key=KEY, probes=4)
    assert abs(trace.value - (1.5 * MILLION + 10)) <= 6 * trace.standard_error + 1e-6 * trace.value
    diagonal = curvature.hessian_diagonal(wide, w, key=KEY, probes=4).value["w"]
    np.testing.assert_allclose(diagonal, np.linspace(1, 2, MILLION), atol=0.1)


@pytest.mark.parametrize("tool", [curvature.hessian_trace, curvature.spectral_density], ids=["trace", "density"])
def test_probes_run_one_after_another(tool):
    def memory(probes):
        def call(w):
            return tool(wide, {"w": w}, key=KEY, probes=probes)

        compiled = jax.jit(call).lower(jax.ShapeDtypeStruct((100_000,), np.float32)).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    assert memory(40) < memory(2) + 100_000


GOOD = {"fun": rv.landscapes.rosenbrock, "params": np.ones(2), "key": KEY}


@pytest.mark.parametrize(("tool", "change", "error", "message"), [
    ("hessian", {"fun": 3.0}, TypeError, r"^fun = 3\.0: must be a function"),
    ("hessian", {"fun": lambda w: w}, ValueError, "^fun must return a scalar loss"),
    ("hessian", {"params": np.arange(2)}, TypeError, "^params has dtype int64"),
    ("hessian", {"params": []}, ValueError, r"^params = \[\]: must hold at least one number"),
    ("hessian", {"args": [1.0]}, TypeError, r"^args = \[1\.0\]: must be a tuple"),
    ("classify_critical_point", {"fun": lambda w: w}, ValueError, "^fun must return a scalar loss"),
    ("hvp", {"v": np.ones(3)}, ValueError, r"^v has shape \(3,\), params has shape \(2,\)"),
    ("hvp", {"v": {"w": np.ones(2)}}, ValueError, "^v and params are trees of different structure"),
    ("hvp", {"v": np.ones(2, int)}, TypeError, "^v has dtype int64"),
    ("condition_number", {"fun_or_matrix": np.ones((2, 3))}, ValueError, r"^fun_or_matrix has shape \(2, 3\)"),
    ("condition_number", {"fun_or_matrix": np.ones(4)}, ValueError, r"^fun_or_matrix has shape \(4,\)"),
    ("condition_number", {"fun_or_matrix": np.array([[1.0, 2.0], [0.0, 1.0]])}, ValueError, "symmetric"),
    ("condition_number", {"fun_or_matrix": np.eye(2, dtype=int)}, TypeError, "^fun_or_matrix has dtype int"),
    ("condition_number", {"fun_or_matrix": "A"}, TypeError, "^fun_or_matrix = 'A'"),
    ("condition_number", {"fun_or_matrix": np.eye(2), "params": np.ones(2)}, TypeError, "^params = .*matrix has none"),
    ("classify_critical_point", {"tol": -1.0}, ValueError, r"^tol = -1\.0"),
    ("step_diagnostics", {"learning_rate": -0.1}, ValueError, r"^learning_rate = -0\.1"),
    ("step_diagnostics", {"learning_rate": abs}, TypeError, "^learning_rate = <built-in"),
    ("sharpness", {"steps": 1}, ValueError, "^steps = 1: must be at least 2"),
    ("sharpness", {"restarts": -1}, ValueError, "^restarts = -1"),
    ("sharpness", {"key": 0}, TypeError, "^key = 0: must be one random key"),
    ("spectral_density", {"key": KEYS}, TypeError, "(?s)^key = .*must be one random key"),
    ("spectral_density", {"probes": 0}, ValueError, "^probes = 0"),
    ("spectral_density", {"steps": 2.0}, TypeError, r"^steps = 2\.0"),
    ("hessian_trace", {"probes": 1}, ValueError, "^probes = 1: must be at least 2"),
    ("hessian_diagonal", {"key": None}, TypeError, "^key = None: must be one random key"),
    ("gauss_newton_vp", {"predict": 1, "loss": jnp.sum, "v": np.ones(2)}, TypeError, "^predict = 1"),
    ("gauss_newton_vp", {"predict": jnp.sin, "loss": 1, "v": np.ones(2)}, TypeError, "^loss = 1"),
    ("gauss_newton_vp", {"predict": jnp.sin, "loss": jnp.sin, "v": np.ones(2)}, ValueError, "^loss must return a")])
def test_bad_input(tool, change, error, message):
    function = getattr(curvature, tool)
    asked = GOOD | change
    if "fun_or_matrix" in change or "predict" in change:
        asked = {"params": None if tool == "condition_number" else GOOD["params"]} | change
    elif tool not in ("sharpness", "spectral_density", "hessian_trace", "hessian_diagonal"):
        asked.pop("key")
    with pytest.raises(error, match=message):
        function(**asked)
