"""The Hessian of a loss: products with it, its spectrum, critical points, and what it does to a step.

A loss is ``fun(params, *args) -> scalar``, the parameters any tree of floating-point arrays. `hessian`, `eigenvalues`
and what is made of them hold n × n numbers; everything else is made of products and needs a few times the memory of
the parameters. Each call runs one compiled program, which another point or other `args` find ready.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from ravine import _check, _program, krylov
from ravine._products import gauss_newton_product, hessian_product


class StepDiagnostics(NamedTuple):
    """What one step of gradient descent does, and what the quadratic model says that it does; all scalars.

    Attributes:
        gTg: gᵀg, the squared norm of the gradient.
        gTHg: gᵀHg, the curvature along it.
        predicted_change: −η gᵀg + ½ η² gᵀHg, of the loss.
        actual_change: f(w − ηg) − f(w).
        ill_conditioned: whether ½ η² gᵀHg > η gᵀg: the model then says that the loss rises.
    """

    gTg: jax.Array
    gTHg: jax.Array
    predicted_change: jax.Array
    actual_change: jax.Array
    ill_conditioned: jax.Array


class Spectrum(NamedTuple):
    """A spectral density as point masses: Σ weight · δ(t − node) stands for (1/n) Σᵢ δ(t − λᵢ).

    Attributes:
        nodes: where the masses are, shape (probes × steps,), not sorted.
        weights: the masses, not negative, of the same shape; their sum is 1.
    """

    nodes: jax.Array
    weights: jax.Array


class Estimate(NamedTuple):
    """The mean over random probes, and how far it may be off.

    Attributes:
        value: the mean.
        standard_error: the standard deviation of the probes / √probes, of the same shape.
    """

    value: Any
    standard_error: Any


def hessian(fun, params, *, args=()):
    r"""Return the matrix of second derivatives, $H_{ij} = \partial^2 f / \partial w_i \partial w_j$.

    Args:
        fun: ``fun(params, *args) -> scalar``.
        params: a tree of floating-point arrays with n numbers in all.
        args: a tuple of arrays, the data.

    Returns:
        An array of shape (n, n), exactly symmetric, rows and columns in the order of
        `jax.flatten_util.ravel_pytree`.

    Raises:
        TypeError: `fun` is no function, `params` holds other than real floating-point arrays, `args` is no tuple.
        ValueError: `fun` does not return one real number, or `params` is empty.

    Example:
        >>> import jax.numpy as jnp, ravine as rv
        >>> rv.curvature.hessian(lambda w: w[0] ** 2 + 3 * w[0] * w[1], jnp.ones(2)).tolist()
        [[2.0, 3.0], [3.0, 0.0]]
    """
    return _run(_hessian, fun, params, args)


def hvp(fun, params, v, *, args=()):
    r"""Return the Hessian-vector product $Hv = \partial_\varepsilon \nabla f(w + \varepsilon v)$ at ε = 0.

    The gradient is differentiated forward along v: about the cost of two gradients, and no matrix.

    Args:
        fun: ``fun(params, *args) -> scalar``.
        params: the point w, a tree of floating-point arrays.
        v: a tree like `params`.
        args: a tuple of arrays, the data.

    Returns:
        A tree like `params`, in its types.

    Raises:
        TypeError: `params` or `v` holds other than real floating-point arrays, …
        ValueError: `v` is not a tree like `params`, `fun` does not return one real number, …

    Source: Pearlmutter, Fast exact multiplication by the Hessian, 1994.

    Example:
        >>> import jax.numpy as jnp, ravine as rv
        >>> rv.curvature.hvp(lambda w: w[0] ** 2 + 3 * w[0] * w[1], jnp.ones(2), jnp.array([0.0, 1.0])).tolist()
        [3.0, 0.0]
    """
    return _run(_hvp, fun, params, args, _direction(v, params))


def gauss_newton_vp(predict, loss, params, v, *, args=()):
    r"""Return the product of v with the generalized Gauss-Newton matrix $J^\top H_L J$.

    J is the Jacobian of the outputs by the parameters, $H_L$ the Hessian of the loss by the outputs. For a loss
    convex in the outputs the matrix is positive semidefinite, and it is the Hessian where `predict` is linear.

    Args:
        predict: ``predict(params, *args) -> outputs``, a tree of floating-point arrays.
        loss: ``loss(outputs, *args) -> scalar``.
        params: a tree of floating-point arrays.
        v: a tree like `params`.
        args: a tuple of arrays, the data; both functions are given all of them.

    Returns:
        A tree like `params`, in its types.

    Raises:
        TypeError, ValueError: as `hvp`.

    Source: Schraudolph, Fast curvature matrix-vector products for second-order gradient descent, 2002.

    Example:
        >>> import jax.numpy as jnp, ravine as rv
        >>> v = jnp.array([1.0, -1.0])
        >>> rv.curvature.gauss_newton_vp(lambda w: w[0] * w[1], lambda out: out**2, jnp.array([2.0, 1.0]), v).tolist()
        [-2.0, -4.0]
    """
    _check.function("loss", loss)
    return _run(_gauss_newton_vp, predict, params, args, loss, _direction(v, params), name="predict")


def eigenvalues(fun, params, *, args=()):
    """Return the eigenvalues of the Hessian, ascending: shape (n,), from the whole matrix.

    Arguments and errors are those of `hessian`.

    Example:
        >>> import ravine as rv
        >>> rv.curvature.eigenvalues(rv.landscapes.quadratic(10.0), [0.0, 0.0]).tolist()
        [1.0, 10.0]
    """
    return _run(_eigenvalues, fun, params, args)


def condition_number(fun_or_matrix, params=None, *, args=()):
    r"""Return $\max_{i,j} |\lambda_i / \lambda_j|$ of a symmetric matrix, or of the Hessian of a function.

    It is infinite where the least |λ| is at most n ε of the greatest: rounding cannot tell it from zero.

    Args:
        fun_or_matrix: a symmetric matrix, shape (n, n), or ``fun(params, *args) -> scalar``.
        params: for a function, the point: a tree of floating-point arrays.
        args: for a function, a tuple of arrays, the data.

    Returns:
        A scalar array, at least 1.

    Raises:
        TypeError: the matrix is not of real floating-point numbers, or has `params` beside it; or as `hessian`.
        ValueError: the matrix is empty, not square or not symmetric; or as `hessian`.

    Example:
        >>> import jax.numpy as jnp, ravine as rv
        >>> float(rv.curvature.condition_number(jnp.diag(jnp.array([1.0, -8.0, 2.0]))))
        8.0
    """
    if callable(fun_or_matrix):
        return _run(_condition_number, fun_or_matrix, params, args)
    matrix = _check.symmetric("fun_or_matrix", fun_or_matrix)
    if params is not None:
        raise TypeError(f"params = {params!r}: a matrix has none")
    return _program.run(_matrix_condition_number, matrix)


def classify_critical_point(fun, params, tol=None, *, args=()):
    """Say what kind of critical point `params` is, by the eigenvalues of the Hessian.

    Everything is measured against the largest |λ|, so that c·f is of the same kind as f for c > 0. The point is
    critical where ‖g‖ ≤ tol · max|λ|, which is to say within about tol of where the gradient vanishes, and an
    eigenvalue is zero where |λ| ≤ tol · max|λ|. Signs that differ make a saddle, whatever else is zero; else a zero
    leaves the kind to higher derivatives, and the point is degenerate.

    Args:
        fun: ``fun(params, *args) -> scalar``.
        params: a tree of floating-point arrays.
        tol: what counts as zero; None: √ε of the parameters' type, 1.5e-8 in float64 and 3.5e-4 in float32.
        args: a tuple of arrays, the data.

    Returns:
        "minimum", "maximum", "saddle", "degenerate" or "not critical". A gradient or Hessian that is not finite is
        "not critical".

    Raises:
        TypeError: `tol` is no number; or as `hessian`.
        ValueError: `tol` is negative; or as `hessian`.

    Example:
        >>> import jax.numpy as jnp, ravine as rv
        >>> rv.curvature.classify_critical_point(lambda w: w[0] * w[1], jnp.zeros(2))
        'saddle'
    """
    if tol is not None:
        tol = _check.number("tol", tol, "[0, inf)", scalar=True)
    slope, values = _run(_slope_and_eigenvalues, fun, params, args)
    if tol is None:
        tol = float(jnp.finfo(values.dtype).eps) ** 0.5
    zero = tol * jnp.max(abs(values))
    if not slope <= zero:
        return "not critical"
    below, above = bool(jnp.any(values < -zero)), bool(jnp.any(values > zero))
    if below and above:
        return "saddle"
    if jnp.any(abs(values) <= zero):
        return "degenerate"
    return "minimum" if above else "maximum"


def step_diagnostics(fun, params, learning_rate, *, args=()):
    r"""Compare a step of gradient descent with the quadratic model of the loss.

    $$f(w - \eta g) - f(w) \approx -\eta\, g^\top g + \tfrac12 \eta^2\, g^\top H g$$

    Args:
        fun: ``fun(params, *args) -> scalar``.
        params: the point w, a tree of floating-point arrays.
        learning_rate: η, a number that is not negative.
        args: a tuple of arrays, the data.

    Returns:
        A `StepDiagnostics`.

    Raises:
        TypeError: `learning_rate` is no number; or as `hvp`.
        ValueError: `learning_rate` is negative; or as `hvp`.

    Source: Goodfellow, Bengio and Courville, Deep Learning, sections 4.3.1 and 8.2.1.

    Example:
        >>> import ravine as rv
        >>> step = rv.curvature.step_diagnostics(rv.landscapes.quadratic(10.0), [0.0, 1.0], 0.25)
        >>> float(step.gTg), float(step.gTHg), float(step.actual_change), bool(step.ill_conditioned)
        (100.0, 1000.0, 6.25, True)
    """
    learning_rate = _check.number("learning_rate", learning_rate, "[0, inf)", scalar=True)
    return _run(_step_diagnostics, fun, params, args, learning_rate)


def sharpness(fun, params, *, steps=32, restarts=10, key=None, args=()):
    """Return the largest eigenvalue of the Hessian (in sign, not in size), by the Lanczos method.

    A round takes `steps` products and memory for as many copies of the parameters. The next one starts from the
    eigenvector found so far. They end where ‖Hv − λv‖ ≤ √ε · max|λ|; the error of λ is then about ε · (max|λ|)² over
    the gap to the next eigenvalue. It is never above the true one, rounding apart. Of two largest eigenvalues that
    hardly differ, a short round may end at the second. Where the spectrum crowds at its upper end, more steps help more
    than more restarts.

    Args:
        fun: ``fun(params, *args) -> scalar``.
        params: a tree of floating-point arrays.
        steps: Lanczos steps a round, at least 2.
        restarts: the most rounds after the first.
        key: of the normal start vector; None: always the same.
        args: a tuple of arrays, the data.

    Returns:
        A scalar array.

    Raises:
        TypeError: `steps` or `restarts` is no whole number, `key` no random key; or as `hvp`.
        ValueError: `steps` is below 2 or `restarts` below 0; or as `hvp`.

    Example:
        >>> import ravine as rv
        >>> round(float(rv.curvature.sharpness(rv.landscapes.rosenbrock, [1.0, 1.0])), 1)
        1001.6
    """
    steps, restarts = _check.count("steps", steps, 2), _check.count("restarts", restarts, 0)
    key = jax.random.key(0) if key is None else _check.key("key", key)
    return _run(_sharpness, fun, params, args, key, restarts, steps=steps)


def spectral_density(fun, params, *, key, probes=8, steps=32, args=()):
    r"""Estimate how the Hessian's eigenvalues are distributed, by stochastic Lanczos quadrature.

    Each random probe z with entries ±1 starts a Lanczos run. The eigenvalues θ of its tridiagonal matrix are the
    nodes, the squared first entries of the eigenvectors their weights: the Gauss quadrature of
    $z^\top f(H) z / n$, which on average over z is $\tfrac1n \operatorname{tr} f(H)$.

    For the Wasserstein distance to eigenvalues that are known:
    ``scipy.stats.wasserstein_distance(spectrum.nodes, eigenvalues, spectrum.weights)``. Quadrature adds at most
    π (λ_max − λ_min) / (4 steps) to it, the chance of the probes about (λ_max − λ_min) / √(2 n probes). For a picture:
    ``plt.hist(spectrum.nodes, weights=spectrum.weights)``.

    Args:
        fun: ``fun(params, *args) -> scalar``.
        params: a tree of floating-point arrays with n numbers in all.
        key: a random key.
        probes: how many probes, at least 1; they run one after another.
        steps: Lanczos steps a probe, at least 1; each takes a product, and memory for a copy of the parameters.
        args: a tuple of arrays, the data.

    Returns:
        A `Spectrum` of probes × steps nodes. Where a Lanczos run is complete early, some weights are 0.

    Raises:
        TypeError: `key` is no random key, `probes` or `steps` no whole number; or as `hvp`.
        ValueError: `probes` or `steps` is below 1; or as `hvp`.

    Source: Golub and Meurant, Matrices, moments and quadrature, 1994; Ghorbani, Krishnan and Xiao, An investigation
    into neural net optimization via Hessian eigenvalue density, 2019.

    Example:
        >>> import jax, jax.numpy as jnp, ravine as rv
        >>> saddle = lambda w: 2 * w[0] ** 2 - w[1] ** 2
        >>> spectrum = rv.curvature.spectral_density(saddle, jnp.zeros(2), key=jax.random.key(0), probes=1, steps=2)
        >>> spectrum.nodes.round(4).tolist(), spectrum.weights.round(4).tolist()
        ([-2.0, 4.0], [0.5, 0.5])
    """
    _check.key("key", key)
    probes, steps = _check.count("probes", probes), _check.count("steps", steps)
    return _run(_spectral_density, fun, params, args, key, probes=probes, steps=steps)


def hessian_trace(fun, params, *, key, probes=32, args=()):
    r"""Estimate the trace of the Hessian by Hutchinson's method: the mean of $z^\top H z$ over random z = ±1.

    Its variance is $2 \sum_{i \neq j} H_{ij}^2$ a probe, so for a diagonal Hessian one probe is exact.

    Args:
        fun: ``fun(params, *args) -> scalar``.
        params: a tree of floating-point arrays.
        key: a random key.
        probes: how many probes, at least 2; they run one after another.
        args: a tuple of arrays, the data.

    Returns:
        An `Estimate` of two scalars.

    Raises:
        TypeError: `key` is no random key, `probes` no whole number; or as `hvp`.
        ValueError: `probes` is below 2, which leaves no standard error; or as `hvp`.

    Source: Hutchinson, A stochastic estimator of the trace of the influence matrix, 1990.

    Example:
        >>> import jax, ravine as rv
        >>> bowl = rv.landscapes.quadratic(10.0)
        >>> [float(number) for number in rv.curvature.hessian_trace(bowl, [0.0, 0.0], key=jax.random.key(0))]
        [11.0, 0.0]
    """
    _check.key("key", key)
    return _run(_hessian_trace, fun, params, args, key, probes=_check.count("probes", probes, 2))


def hessian_diagonal(fun, params, *, key, probes=32, args=()):
    r"""Estimate the diagonal of the Hessian without the matrix: the mean of $z \odot H z$ over random z = ±1.

    The variance of entry i is $\sum_{j \neq i} H_{ij}^2$ a probe. Arguments and errors are those of `hessian_trace`.

    Returns:
        An `Estimate` of two trees like `params`.

    Source: Bekas, Kokiopoulou and Saad, An estimator for the diagonal of a matrix, 2007.

    Example:
        >>> import jax, ravine as rv
        >>> bowl = rv.landscapes.quadratic(10.0)
        >>> found = rv.curvature.hessian_diagonal(bowl, [0.0, 0.0], key=jax.random.key(0))
        >>> [float(entry) for entry in found.value]
        [1.0, 10.0]
    """
    _check.key("key", key)
    return _run(_hessian_diagonal, fun, params, args, key, probes=_check.count("probes", probes, 2))


def _run(program, fun, params, args, *others, name="fun", **static):
    _check.function(name, fun)
    _check.data("args", args)
    return _program.run(program, fun, _check.filled_tree("params", params), args, *others, **static)


def _direction(v, params):
    v, params = _check.float_tree("v", v), _check.filled_tree("params", params)
    _check.same_tree("v", v, "params", params)
    return jax.tree.map(lambda v, w: v.astype(w.dtype), v, params)


def _objective(fun, params, args, name="fun"):
    """Return the loss as a function of the parameters alone."""
    def objective(params):
        return fun(params, *args)

    _check.scalar_loss(objective, params, name)
    return objective


def _hessian(fun, params, args):
    objective = _objective(fun, params, args)
    flat, unravel = ravel_pytree(params)
    matrix = jax.hessian(lambda w: objective(unravel(w)))(flat)
    return (matrix + matrix.T) / 2  # they differ by rounding


def _hvp(fun, params, args, v):
    return hessian_product(_objective(fun, params, args), params)(v)


def _gauss_newton_vp(predict, params, args, loss, v):
    def outputs(params):
        return predict(params, *args)

    cost = _objective(loss, jax.eval_shape(outputs, params), args, "loss")
    return gauss_newton_product(outputs, cost, params)(v)


def _eigenvalues(fun, params, args):
    return jnp.linalg.eigvalsh(_hessian(fun, params, args))


def _condition_number(fun, params, args):
    return _matrix_condition_number(_hessian(fun, params, args))


def _matrix_condition_number(matrix):
    sizes = abs(jnp.linalg.eigvalsh(matrix))
    least, greatest = jnp.min(sizes), jnp.max(sizes)
    singular = least <= len(sizes) * jnp.finfo(sizes.dtype).eps * greatest
    return jnp.where(singular, jnp.inf, greatest / least)


def _slope_and_eigenvalues(fun, params, args):
    grad = jax.grad(_objective(fun, params, args))(params)
    return jnp.linalg.norm(ravel_pytree(grad)[0]), _eigenvalues(fun, params, args)


def _step_diagnostics(fun, params, args, learning_rate):
    objective = _objective(fun, params, args)
    value, grad = jax.value_and_grad(objective)(params)
    gTg, gTHg = _vdot(grad, grad), _vdot(grad, hessian_product(objective, params)(grad))
    rate = jnp.asarray(learning_rate, gTg.dtype)
    moved = jax.tree.map(lambda w, g: w - rate.astype(w.dtype) * g, params, grad)
    fall, rise = rate * gTg, rate**2 * gTHg / 2
    return StepDiagnostics(gTg, gTHg, rise - fall, objective(moved) - value, rise > fall)


def _vdot(a, b):
    return jnp.dot(ravel_pytree(a)[0], ravel_pytree(b)[0], precision="highest")


def _sharpness(fun, params, args, key, restarts, *, steps):
    flat, unravel = ravel_pytree(params)
    product = hessian_product(_objective(fun, params, args), params)

    def search(at):
        start, _, _, rounds = at
        basis = krylov.lanczos(product, unravel(start), steps)
        # T ends where the basis does. What is left of its diagonal must not be the largest eigenvalue.
        alpha = jnp.where(jnp.arange(steps, dtype=jnp.int32) < basis.rank, basis.alpha, basis.alpha[0])
        values, vectors = jnp.linalg.eigh(krylov.tridiagonal(alpha, basis.beta))
        top = vectors[:, -1]
        found = ravel_pytree(jax.tree.map(lambda q: jnp.tensordot(top, q, 1, precision="highest"), basis.vectors))[0]
        residual = jnp.linalg.norm(ravel_pytree(basis.residual)[0]) * abs(top[-1])
        done = residual <= jnp.sqrt(jnp.finfo(flat.dtype).eps) * jnp.max(abs(values))
        return found, values[-1], done, rounds + 1

    def goes_on(at):
        _, _, done, rounds = at
        return ~done & (rounds <= restarts)

    start = jax.random.normal(key, flat.shape, flat.dtype), jnp.zeros([], flat.dtype), jnp.asarray(False), 0
    return jax.lax.while_loop(goes_on, search, start)[1]


def _spectral_density(fun, params, args, key, *, probes, steps):
    flat, unravel = ravel_pytree(params)
    product = hessian_product(_objective(fun, params, args), params)

    def quadrature(key):
        basis = krylov.lanczos(product, unravel(jax.random.rademacher(key, flat.shape, flat.dtype)), steps)
        nodes, vectors = jnp.linalg.eigh(krylov.tridiagonal(basis.alpha, basis.beta))
        return nodes, vectors[0] ** 2 / probes

    nodes, weights = jax.lax.map(quadrature, jax.random.split(key, probes))
    return Spectrum(nodes.ravel(), weights.ravel())


def _hessian_trace(fun, params, args, key, *, probes):
    return _hutchinson(fun, params, args, key, probes, lambda z, Hz: jnp.dot(z, Hz, precision="highest"))


def _hessian_diagonal(fun, params, args, key, *, probes):
    unravel = ravel_pytree(params)[1]
    return Estimate(*map(unravel, _hutchinson(fun, params, args, key, probes, jnp.multiply)))


def _hutchinson(fun, params, args, key, probes, sample):
    """Average ``sample(z, Hz)``, one probe after another, with the running mean and deviations of Welford."""
    flat, unravel = ravel_pytree(params)
    product = hessian_product(_objective(fun, params, args), params)

    def probe(key):
        z = jax.random.rademacher(key, flat.shape, flat.dtype)
        return sample(z, ravel_pytree(product(unravel(z)))[0])

    def step(so_far, numbered):
        mean, squares = so_far
        number, key = numbered
        x = probe(key)
        new = mean + (x - mean) / number
        return (new, squares + (x - mean) * (x - new)), None

    zero = jnp.zeros_like(sample(flat, flat))
    numbers = jnp.arange(1, probes + 1, dtype=flat.dtype)
    (mean, squares), _ = jax.lax.scan(step, (zero, zero), (numbers, jax.random.split(key, probes)))
    return Estimate(mean, jnp.sqrt(squares / (probes - 1) / probes))
