"""Slices of a network's loss: along lines, over planes, along a curve between two minima.

All functions take any tree of parameters. The loss is computed at one point after another, so a slice needs no more
memory than a single loss.
"""

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from ravine import _check


def line(fun, params, direction, alphas):
    r"""Return the loss along a line through the parameters.

    $$f(\theta + \alpha_i\,d)$$

    Args:
        fun: ``fun(params) -> scalar``.
        params: θ, a tree of floating-point arrays.
        direction: d, a tree like it.
        alphas: the values of α, shape (n,).

    Returns:
        An array of shape (n,).

    Raises:
        ValueError: `direction` is no tree like `params`, or `alphas` is no vector.
        TypeError: one of the three holds other than floating-point numbers.

    Example:
        >>> import ravine as rv
        >>> rv.landscapes.line(rv.landscapes.quadratic(4.0), [0.0, 0.0], [0.0, 1.0], [-1.0, 0.0, 2.0]).tolist()
        [2.0, 0.0, 8.0]
    """
    return _slice(fun, params, {"direction": direction}, _vector("alphas", alphas)[:, None])


def plane(fun, params, d1, d2, alphas, betas):
    r"""Return the loss over a plane through the parameters.

    $$f(\theta + \alpha_i\,d_1 + \beta_j\,d_2)$$

    Args:
        fun: ``fun(params) -> scalar``.
        params: θ, a tree of floating-point arrays.
        d1: the direction of α, a tree like it.
        d2: the direction of β, a tree like it.
        alphas: the values of α, shape (n,).
        betas: the values of β, shape (m,).

    Returns:
        An array of shape (n, m), α along its rows; for Matplotlib's ``contour(alphas, betas, …)`` it is to be
        transposed.

    Raises:
        ValueError: a direction is no tree like `params`, or `alphas` or `betas` is no vector.
        TypeError: an argument holds other than floating-point numbers.

    Source: Li et al. (2018); see `filter_normalised` for the directions.
    """
    alphas, betas = _vector("alphas", alphas), _vector("betas", betas)
    pairs = jnp.stack([part.ravel() for part in jnp.meshgrid(alphas, betas, indexing="ij")], 1)
    return _slice(fun, params, {"d1": d1, "d2": d2}, pairs).reshape(alphas.size, betas.size)


def _vector(name, values):
    values = _check.number(name, jnp.asarray(values, float))
    if values.ndim != 1:
        raise ValueError(f"{name} has shape {values.shape}: must be a vector")
    return values


def _slice(fun, params, directions, coefficients):
    params = _check.float_tree("params", params)
    for name, direction in directions.items():
        directions[name] = _check.float_tree(name, direction)
        _check.same_tree("params", params, name, direction)
    return _values(_as_tree(fun), params, list(directions.values()), coefficients)


def _as_tree(fun):
    # A surface is a tree already, whose numbers are arguments of the compiled program; a plain function is static.
    return Partial(fun) if jax.tree_util.all_leaves([fun]) else fun


@jax.jit
def _values(fun, params, directions, coefficients):
    def at(row):
        def move(w, *steps):
            return w + sum(c.astype(w.dtype) * step.astype(w.dtype) for c, step in zip(row, steps, strict=True))

        return fun(jax.tree.map(move, params, *directions))

    return jax.lax.map(at, coefficients)


def random_direction(key, params):
    """Return a tree like `params` of independent standard normal numbers, drawn with a `jax.random` key.

    Raises:
        TypeError: `params` holds other than floating-point arrays.
    """
    leaves, structure = jax.tree.flatten(_check.float_tree("params", params))
    keys = jax.random.split(key, max(len(leaves), 1))
    return structure.unflatten(
        [jax.random.normal(key, w.shape, w.dtype) for key, w in zip(keys, leaves, strict=False)])


def filter_normalised(direction, params):
    r"""Return the direction with each of its filters as long as the network's own.

    $$d_{\cdot j} \leftarrow d_{\cdot j}\,\frac{\lVert \theta_{\cdot j} \rVert}{\lVert d_{\cdot j} \rVert}$$

    A network with ReLUs is unchanged when one layer is scaled up and the next one down; without the normalisation a
    slice shows that scale instead of the shape. A filter is all that feeds one output: a column of a Dense kernel
    (in, out), and of a convolution's (…, in, out) the part with one last index. Biases, and whatever else has fewer
    than two axes, stay where they are: their direction becomes 0.

    Args:
        direction: a tree, such as `random_direction` returns.
        params: θ, a tree like it.

    Returns:
        A tree like them. A filter of zeros, in either, gives zeros.

    Raises:
        ValueError: the two trees differ.
        TypeError: one holds other than floating-point arrays.

    Source: Li et al. (2018).
    """
    direction, params = _check.float_tree("direction", direction), _check.float_tree("params", params)
    _check.same_tree("direction", direction, "params", params)
    return jax.tree.map(_filter_normalised, direction, params)


def _filter_normalised(d, w):
    if d.ndim < 2:
        return jnp.zeros_like(d)
    axes = tuple(range(d.ndim - 1))
    length, own = (jnp.sqrt(jnp.sum(x**2, axes)) for x in (d, w))
    return d * jnp.where(length > 0, own / jnp.where(length > 0, length, 1), 0).astype(d.dtype)


def bezier(theta1, control, theta2, t):
    r"""Return the point at t of the quadratic Bézier curve between two trees of parameters.

    $$\varphi(t) = (1 - t)^2\,\theta_1 + 2t(1 - t)\,c + t^2\,\theta_2$$

    Args:
        theta1: θ₁, where the curve begins (t = 0).
        control: c, the tree that the curve bends towards; with the midpoint of θ₁ and θ₂ it is the straight line.
        theta2: θ₂, where it ends (t = 1).
        t: a number in [0, 1].

    Returns:
        A tree like the three.

    Raises:
        ValueError: the three trees differ, or t is outside [0, 1] or no scalar.
        TypeError: one holds other than floating-point arrays, or t is no number.

    Source: Garipov et al. (2018).
    """
    theta1, control, theta2 = (_check.float_tree(name, tree) for name, tree in (
        ("theta1", theta1), ("control", control), ("theta2", theta2)))
    _check.same_tree("theta1", theta1, "control", control)
    _check.same_tree("theta1", theta1, "theta2", theta2)
    t = _check.number("t", t, "[0, 1]", scalar=True)

    def point(start, middle, end):
        s = jnp.asarray(t, start.dtype)
        return (1 - s) ** 2 * start + 2 * s * (1 - s) * middle + s**2 * end

    return jax.tree.map(point, theta1, control, theta2)


def curve_loss(fun, theta1, theta2, points=10):
    r"""Return the mean loss along the Bézier curve as a function of its control point: what to train it by.

    $$c \mapsto \frac1n \sum_{i=1}^{n} f(\varphi_c(t_i)), \qquad t_i = (i - \tfrac12) / n$$

    Args:
        fun: ``fun(params) -> scalar``.
        theta1: θ₁, one minimum.
        theta2: θ₂, another.
        points: n, at least 1.

    Returns:
        A function ``control -> scalar``, a `jax.tree_util.Partial` over the two minima: minimized from their midpoint,
        with any rule, it lays the curve where the loss stays low. (Garipov et al. draw t at random instead.)

    Raises:
        ValueError: the two trees differ, or `points` is below 1.
        TypeError: a tree holds other than floating-point arrays, or `points` is no whole number.

    Source: Garipov et al. (2018).

    Example:
        Two minima of (x² + y² − 1)² face each other across a hill; the curve learns to go round it.

        >>> import jax.numpy as jnp, ravine as rv
        >>> ring = lambda w: (w @ w - 1) ** 2
        >>> ends = jnp.array([-1.0, 0.0]), jnp.array([1.0, 0.0])
        >>> loss = rv.landscapes.curve_loss(ring, *ends)
        >>> control = rv.minimize(loss, jnp.array([0.0, 0.1]), rv.sgd(0.2), steps=100).params
        >>> heights = [ring(rv.landscapes.bezier(ends[0], c, ends[1], 0.5)) for c in (jnp.zeros(2), control)]
        >>> [round(float(height), 1) for height in heights]
        [1.0, 0.0]
    """
    theta1, theta2 = _check.float_tree("theta1", theta1), _check.float_tree("theta2", theta2)
    _check.same_tree("theta1", theta1, "theta2", theta2)
    points = _check.count("points", points)
    return Partial(_curve_loss, _as_tree(fun), theta1, theta2, (jnp.arange(points) + 0.5) / points)


def _curve_loss(fun, theta1, theta2, times, control):
    return jnp.mean(jax.lax.map(lambda t: fun(bezier(theta1, control, theta2, t)), times))
