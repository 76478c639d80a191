"""Newton's method and what is made of it: rules that solve a linear system with a matrix of curvature at every step."""

import jax
import jax.numpy as jnp

from ravine import _check, krylov
from ravine._products import gauss_newton_product, hessian_product
from ravine.optimizers._descent import Direction, descend, dot
from ravine.optimizers._lift import static_unless_tree


def newton(learning_rate=1.0, damping=0.0, line_search=False):
    r"""Newton's method: step to where the local quadratic model is stationary.

    $$w \leftarrow w - \eta\,(H + \lambda I)^{-1} g$$

    With η = 1 and λ = 0 it lands on the minimum of a quadratic in one step. A rate η < 1 *damps* it, λ > 0
    *regularizes* it: from Newton's step at λ = 0 towards a short step along −g. Plain, it is drawn to any stationary
    point, a saddle as well. With the line search it always goes downhill: where H + λI is not positive definite, λ is
    raised for this step to twice the most negative eigenvalue's size, so that this eigenvalue's sign is flipped.

    Args:
        learning_rate: η, a number ≥ 0, or a schedule ``step -> number``, which begins anew with the method after a
            failed search; with the line search, the first step that it tries.
        damping: λ, a number ≥ 0, in units of the Hessian.
        line_search: whether to search along the direction for a step that satisfies the strong Wolfe conditions.

    Returns:
        An `optax.GradientTransformationExtraArgs` with a `DescentState`. It holds the whole Hessian, n × n numbers,
        and takes about n³ operations. ``indefinite`` says that H + λI was not positive definite; a singular one gives
        the status ``NOT_FINITE`` and no step.

    Raises:
        ValueError: a negative rate or damping, or an array of them.
        TypeError: they are not numbers, or `line_search` not True or False; or update is called without ``params``,
            ``value``, ``grad`` and ``value_fn``, which `ravine.minimize` passes.

    Source: Nocedal & Wright, Numerical Optimization (2006), sections 3.3 and 3.4.

    Example:
        One step on a quadratic.

        >>> import jax.numpy as jnp, ravine as rv
        >>> bowl = rv.landscapes.quadratic(condition_number=100.0)
        >>> float(rv.minimize(bowl, jnp.array([-2.0, 1.0]), rv.newton(), steps=1).losses[-1])
        0.0
    """
    return descend("newton", _newton, search=_if_asked(line_search), static=(bool(line_search),),
                   learning_rate=_rate(learning_rate), damping=_damping(damping))


def _newton(at, memory, searched, *, learning_rate, damping):
    H = jax.hessian(at.f)(at.w)
    indefinite = ~_is_positive(H, damping)
    if searched:
        damping = jax.lax.cond(indefinite, _enough_damping, lambda H: damping, H)
    return Direction(learning_rate * newton_direction(at.g, H, damping), (), indefinite)


def newton_direction(g, H, damping):
    """Return −(H + λI)⁻¹g for a gradient, shape (n,), and a Hessian, shape (n, n)."""
    return -jnp.linalg.solve(_damped(H, damping), g)


def _damped(H, damping):
    return H + damping * jnp.eye(len(H), dtype=H.dtype)


def _is_positive(H, damping):
    return jnp.all(jnp.isfinite(jnp.linalg.cholesky(_damped(H, damping))))  # it has NaN where H has no factor


def _enough_damping(H):
    """Return the λ that makes the least eigenvalue μ of H into |μ|, or into what rounding can tell from zero."""
    values = jnp.linalg.eigvalsh(H)
    least, floor = values[0], float(jnp.finfo(H.dtype).eps) ** 0.5 * jnp.max(abs(values))
    return jnp.maximum(-2 * least, floor - least)


def saddle_free_newton(learning_rate=1.0, damping=0.0, line_search=False):
    r"""Newton's method with every eigenvalue taken positive: it runs away from saddles instead of into them.

    $$w \leftarrow w - \eta\,(|H| + \lambda I)^{-1} g, \qquad |H| = Q\,\mathrm{diag}(|\mu_i|)\,Q^\top$$

    Along an eigenvector of negative curvature Newton's step leads uphill; here it leads down, as far.

    Args:
        learning_rate: η, a number ≥ 0, or a schedule ``step -> number``, which begins anew with the method after a
            failed search; with the line search, the first step that it tries.
        damping: λ, a number ≥ 0, in units of the Hessian.
        line_search: whether to search along the direction for a step that satisfies the strong Wolfe conditions.

    Returns:
        An `optax.GradientTransformationExtraArgs` with a `DescentState`. It holds the whole Hessian, n × n numbers,
        and its eigenvectors. ``indefinite`` says that an eigenvalue was at most −λ.

    Raises:
        ValueError, TypeError: as `newton`.

    Source: Dauphin et al., Identifying and attacking the saddle point problem in high-dimensional non-convex
    optimization (2014).

    Example:
        On x² − y², one step to the valley's floor, and away from the saddle.

        >>> import jax.numpy as jnp, ravine as rv
        >>> saddle = lambda w: w[0] ** 2 - w[1] ** 2
        >>> rv.minimize(saddle, jnp.array([1.0, 0.5]), rv.saddle_free_newton(), steps=1).params.tolist()
        [0.0, 1.0]
        >>> rv.minimize(saddle, jnp.array([1.0, 0.5]), rv.newton(), steps=1).params.tolist()
        [0.0, 0.0]
    """
    return descend("saddle_free_newton", _saddle_free_newton, search=_if_asked(line_search),
                   learning_rate=_rate(learning_rate), damping=_damping(damping))


def _saddle_free_newton(at, memory, *, learning_rate, damping):
    values, vectors = jnp.linalg.eigh(jax.hessian(at.f)(at.w))
    p = saddle_free_direction(at.g, values, vectors, damping)
    return Direction(learning_rate * p, (), values[0] + damping <= 0)


def saddle_free_direction(g, values, vectors, damping):
    """Return −(|H| + λI)⁻¹g, by the eigenvalues and eigenvectors (columns) of H."""
    along = dot(vectors.T, g)
    sizes = jnp.where(along == 0, 1, abs(values) + damping)  # where there is no slope, no step: not 0/0
    return -dot(vectors, along / sizes)


def gauss_newton(damping=1e-3, line_search=False):
    r"""Newton's method with the Gauss-Newton matrix, which is never indefinite, in place of the Hessian.

    $$w \leftarrow w - (J^\top H_\ell J + \lambda I)^{-1} g$$

    For a loss ℓ(f(w)), J is the Jacobian of the model f, and $H_\ell$ the Hessian of ℓ by the model's outputs. What it
    leaves out of the Hessian, the curvature of f itself, is small where the outputs are nearly right. On linear least
    squares it is Newton's method. More parameters than outputs make the matrix singular; that is what λ is for.

    Args:
        damping: λ, a number ≥ 0, in units of the Hessian.
        line_search: whether to search along the direction for a step that satisfies the strong Wolfe conditions.

    Returns:
        An `optax.GradientTransformationExtraArgs` with a `DescentState`, for an objective made by `split`. It holds
        the whole matrix, n × n numbers.

    Raises:
        ValueError: a negative damping, or an array of them.
        TypeError: it is not a number, or `line_search` not True or False; or the objective is not `split`, so that
            update is called without ``predict`` and ``loss``.

    Source: Schraudolph, Fast curvature matrix-vector products for second-order gradient descent (2002).
    """
    return descend("gauss_newton", _gauss_newton, search=_if_asked(line_search), split=True, damping=_damping(damping))


def _gauss_newton(at, memory, *, damping):
    product = gauss_newton_product(at.predict, at.loss, at.w)
    G = jax.vmap(product)(jnp.eye(at.w.size, dtype=at.w.dtype))
    return Direction(newton_direction(at.g, G, damping), (), ~_is_positive(G, damping))


def hessian_free(damping=1e-3, cg_steps=50):
    r"""Newton's method without the Hessian: conjugate gradient on products with it, then a line search.

    $$(H + \lambda I)\,p = -g \quad\text{by at most } m \text{ steps of conjugate gradient from } p = 0,
      \qquad w \leftarrow w + \alpha p$$

    Each step of conjugate gradient takes one product Hv, the work of about two gradients. Every iterate leads
    downhill. Where H + λI shows negative curvature the solver ends and the iterate so far is used; if that is none, −g.
    For a loss made by `split` the Gauss-Newton matrix stands for H.

    Args:
        damping: λ, a number ≥ 0, in units of the Hessian.
        cg_steps: m, at least 1, the most products in one step.

    Returns:
        An `optax.GradientTransformationExtraArgs` with a `DescentState`. It needs memory for a few vectors.

    Raises:
        ValueError: a negative damping, or `cg_steps` below 1.
        TypeError: `damping` is not a number, `cg_steps` no whole one; or update is called without ``params``,
            ``value``, ``grad`` and ``value_fn``.

    Source: Martens, Deep learning via Hessian-free optimization (2010).

    Example:
        As many products as there are distinct eigenvalues solve a quadratic.

        >>> import jax.numpy as jnp, ravine as rv
        >>> bowl = rv.landscapes.quadratic(condition_number=100.0, dimension=3)
        >>> rule = rv.hessian_free(damping=0.0, cg_steps=3)
        >>> float(rv.minimize(bowl, jnp.ones(3), rule, steps=1).losses[-1]) < 1e-8
        True
    """
    return descend("hessian_free", _hessian_free, search=0.9, static=(_check.count("cg_steps", cg_steps),),
                   damping=_damping(damping))


def _hessian_free(at, memory, cg_steps, *, damping):
    product = hessian_product(at.f, at.w) if at.predict is None else gauss_newton_product(at.predict, at.loss, at.w)
    p, negative = hessian_free_direction(product, at.g, damping, cg_steps)
    return Direction(p, (), negative)


def hessian_free_direction(product, g, damping, steps):
    """Solve (H + λI) p = −g with products v → Hv; also say whether H + λI has shown curvature ≤ 0."""
    solved = krylov.conjugate_gradient(lambda v: product(v) + damping * v, -g, tol=0.0, max_steps=steps)
    return solved.x, solved.status == krylov.Status.NEGATIVE_CURVATURE


def _rate(learning_rate):
    if callable(learning_rate):
        return static_unless_tree(learning_rate)
    return _check.number("learning_rate", learning_rate, "[0, inf)", scalar=True)


def _damping(damping):
    return _check.number("damping", damping, "[0, inf)", scalar=True)


def _if_asked(line_search):
    return 0.9 if _check.flag("line_search", line_search) else None
