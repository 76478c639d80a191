"""References for the rules that learn curvature from gradients: the dense formulas, in extended precision, and SciPy's.

Each `…_error` is as in `newton_loops`: right is at most 1.
"""

import jax.numpy as jnp
import numpy as np
import optax
import scipy.optimize

from ravine.optimizers import _descent, _quasi_newton

from .newton_loops import EPS, POSITIVE, SIZE, VECTORS, G, quadratic_point, share


def rosenbrock_gradient(w):
    return scipy.optimize.rosen_der(w)


def scipy_run():
    """Return SciPy's BFGS on Rosenbrock in six dimensions: the pairs (s, y) and its inverse Hessian."""
    points = [np.linspace(-1, 1, SIZE)]
    result = scipy.optimize.minimize(scipy.optimize.rosen, points[0], jac=rosenbrock_gradient, method="BFGS",
                                     options={"maxiter": 12}, callback=lambda x: points.append(x.copy()))
    S = np.diff(points, axis=0)
    return S, np.diff([rosenbrock_gradient(w) for w in points], axis=0), result.hess_inv


S, Y, HESS_INV = scipy_run()


def dense_bfgs(B, pairs):
    """Return what the update makes of B, as the lecture has it, in extended precision."""
    B, identity = np.asarray(B, np.longdouble), np.eye(SIZE, dtype=np.longdouble)
    for s, y in pairs:
        rho = 1 / np.longdouble(s @ y)
        left = identity - rho * np.outer(s, y)
        B = left @ B @ left.T + rho * np.outer(s, s)
    return B


TRUE_INVERSE = dense_bfgs(np.eye(SIZE), zip(S, Y, strict=True))
# Rounding in each of the updates is carried on by those after it; SciPy's own error shows how far.
BFGS_ROUNDING = 10 * float(np.max(abs(HESS_INV - TRUE_INVERSE))) + 100 * EPS * np.max(abs(HESS_INV))


def bfgs_inverse_error():
    """Compare the update, folded over SciPy's pairs, with SciPy's inverse Hessian; and B y = s, and symmetry."""
    B = jnp.eye(SIZE)
    for s, y in zip(S, Y, strict=True):
        B = _quasi_newton.bfgs_inverse(B, jnp.asarray(s), jnp.asarray(y))
    secant = np.max(abs(B @ Y[-1] - S[-1])) / (BFGS_ROUNDING * np.sum(abs(Y[-1])))
    return max(np.max(abs(B - HESS_INV)) / BFGS_ROUNDING, secant, np.max(abs(B - B.T)) / BFGS_ROUNDING)


def directions(method, memory, points, static=()):
    """Return the directions with which a method answers the points of a run, one a row, and what it said of each."""
    last, answers, refused = points[0], [], []
    for age, w in enumerate(points):
        at = _descent.Point(*map(jnp.asarray, (w, rosenbrock_gradient(w))), None, None, None, jnp.int32(age),
                            *map(jnp.asarray, (last, rosenbrock_gradient(last))))
        p, memory, indefinite = method(at, memory, *static)
        answers.append(p)
        refused.append(bool(indefinite))
        last = w
    return np.array(answers), refused


POINTS = np.cumsum([np.linspace(-1, 1, SIZE), *S], axis=0)
GRADIENTS = np.array([rosenbrock_gradient(w) for w in POINTS])


def first_step():
    return -GRADIENTS[0] / max(1, np.linalg.norm(GRADIENTS[0]))


def bfgs_error():
    """Compare the directions of `bfgs` along SciPy's run with the dense update, begun at γI."""
    seen, refused = directions(_quasi_newton._bfgs, jnp.full((SIZE, SIZE), jnp.nan), POINTS)
    B, expected = S[0] @ Y[0] / (Y[0] @ Y[0]) * np.eye(SIZE), [first_step()]
    for s, y, g in zip(S, Y, GRADIENTS[1:], strict=True):
        B = dense_bfgs(B, [(s, y)])
        expected.append(-B @ g)
    return path_error(seen, expected, refused)


def pairs_of(S, Y, memory_size=None):
    """Return what L-BFGS remembers of the pairs in the rows of S and Y; of all of them without a memory's size."""
    S, Y = jnp.asarray(S), jnp.asarray(Y)
    pairs = _quasi_newton.no_pairs(S[0], memory_size or len(S))
    for s, y in zip(S, Y, strict=True):
        pairs = _quasi_newton.with_pair(pairs, s, y)
    return pairs


def lbfgs_error(memory_size=3):
    """Compare the directions of `lbfgs` along SciPy's run with those of the dense update by the last pairs alone."""
    memory = pairs_of(S[:memory_size] + 7, Y[:memory_size])  # what is left of a run before
    seen, refused = directions(_quasi_newton._lbfgs, memory, POINTS, (memory_size,))
    expected = [first_step()]
    for k in range(1, len(POINTS)):
        pairs = list(zip(S[:k], Y[:k], strict=True))[-memory_size:]
        gamma = S[k - 1] @ Y[k - 1] / (Y[k - 1] @ Y[k - 1])
        expected.append(-dense_bfgs(gamma * np.eye(SIZE), pairs) @ GRADIENTS[k])
    return path_error(seen, expected, refused)


def lbfgs_optax_error(memory_size=3):
    """Compare the directions of `lbfgs` along SciPy's run with those of Optax's."""
    none = _quasi_newton.no_pairs(POINTS[0], memory_size)
    seen, refused = directions(_quasi_newton._lbfgs, none, POINTS, (memory_size,))
    rule, expected = optax.scale_by_lbfgs(memory_size), []
    state = rule.init(jnp.asarray(POINTS[0]))
    for w, g in zip(map(jnp.asarray, POINTS), map(jnp.asarray, GRADIENTS), strict=True):
        uphill, state = rule.update(g, state, w)
        expected.append(-uphill)
    return path_error(seen, expected, refused)


def path_error(seen, expected, refused):
    if any(refused) or not np.all(np.isfinite(seen)):
        return np.inf
    scale = np.max(abs(GRADIENTS), axis=1, keepdims=True) * np.max(abs(HESS_INV))
    rounding = BFGS_ROUNDING / np.max(abs(HESS_INV)) * scale
    return float(np.max(abs(seen - np.array(expected, float)) / rounding))


def all_pairs_error():
    """Compare the direction from γ = 1 by all pairs with the inverse Hessian of SciPy's BFGS."""
    seen = _quasi_newton.lbfgs_direction(jnp.asarray(G), pairs_of(S, Y), gamma=1.0)
    return np.max(abs(seen + HESS_INV @ G)) / (BFGS_ROUNDING * np.sum(abs(G)))


def beta_error(name):
    """Compare a β with its formula; and its rule's direction with −g + βp, cut off at 0 where it must be."""
    errors = []
    for g, last_g, last_p in (VECTORS[:3], VECTORS[3:6], (G, 2 * G, VECTORS[2]), (G, 2 * G, -G)):
        y = g - last_g
        beta = {"fletcher_reeves": g @ g / (last_g @ last_g), "polak_ribiere": max(0, g @ y / (last_g @ last_g)),
                "hestenes_stiefel": max(0, g @ y / (last_p @ y)), "dai_yuan": g @ g / (last_p @ y)}[name]
        formula = getattr(_quasi_newton, f"_{name}")
        errors.append(abs(formula(*map(jnp.asarray, (g, last_g, last_p))) - beta) / (100 * EPS * max(1, abs(beta))))
    return max(errors)


def line_error():
    """Compare a step of `nonlinear_cg` on a quadratic with −g + βp, to the minimum of the line."""
    at = quadratic_point(POSITIVE, age=1)
    g, last_g = np.asarray(at.g), np.asarray(at.last_g)
    step = _quasi_newton._nonlinear_cg(at, jnp.asarray(-last_g), _quasi_newton._fletcher_reeves)
    p = -g - g @ g / (last_g @ last_g) * last_g
    exact = -g @ p / (p @ POSITIVE @ p) * p
    return max(share(step.p, exact, 40), share(step.memory, p, 40), 2.0 * bool(step.indefinite))


def conjugacy_error():
    """Go down a quadratic by the directions of `nonlinear_cg`: they are conjugate, and after six of them it is done.

    A gradient is H w with w nearly 0, so it carries an error of ε of the first one, the least the largest share;
    and a direction carries on the errors of those before it, of SIZE at most.
    """
    w, last, p, taken, slopes = VECTORS[1], VECTORS[1], jnp.zeros(SIZE), [], []
    for age in range(SIZE):
        at = quadratic_point(POSITIVE, w, age, last)
        step = _quasi_newton._nonlinear_cg(at, p, _quasi_newton._polak_ribiere)
        w, last, p = w + step.p, w, step.memory
        taken.append(p / np.linalg.norm(p))
        slopes.append(np.linalg.norm(at.g))
    products = np.array(taken) @ POSITIVE @ np.array(taken).T
    errors = max(np.max(abs(products - np.diag(np.diag(products)))) / 20, np.max(abs(w)))
    return errors / (10 * SIZE**2 * EPS * slopes[0] / min(slopes))
