"""References for the rules that look at curvature: the lecture's formulas in NumPy, dense and in extended precision.

Each `…_error` returns the largest difference between a formula of the library and its reference as a share of what
rounding may do: right is at most 1. They look the formulas up when called, so that wrong versions can stand in.
"""

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize
import scipy.sparse.linalg

from ravine import _products
from ravine.optimizers import _descent, _newton, _quasi_newton

EPS = np.finfo(float).eps
SIZE = 6


def symmetric(eigenvalues, seed=0):
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(eigenvalues),) * 2))
    return (turn * np.asarray(eigenvalues)) @ turn.T


POSITIVE = symmetric(np.geomspace(0.5, 20, SIZE))
MIXED = symmetric([-3.0, -0.5, 0.5, 1.0, 4.0, 10.0])
VECTORS = np.random.default_rng(1).normal(size=(8, SIZE))
G = VECTORS[0]


def rosenbrock_gradient(w):
    return scipy.optimize.rosen_der(w)


def share(seen, expected, condition):
    """Return the difference over the rounding of a system of this condition number: some n ε of the largest entry."""
    seen, expected = np.asarray(seen, float), np.asarray(expected, float)
    if not np.all(np.isfinite(seen)):
        return np.inf
    return np.max(abs(seen - expected)) / (10 * SIZE * EPS * condition * np.max(abs(expected)))


def quadratic_point(H, w=VECTORS[1], age=0, last=VECTORS[2], predict=None, loss=None):
    """Return the `Point` at w of ½ wᵀHw, having come from `last`."""
    H, w, last = map(jnp.asarray, (H, w, last))
    return _descent.Point(w, H @ w, lambda w: 0.5 * w @ H @ w, predict, loss, jnp.int32(age), last, H @ last)


# ---------------------------------------------------------------- Newton's


def newton_error():
    """Compare the step of `newton` with the inverse, for rates and dampings."""
    errors = []
    for rate, damping in ((1.0, 0.0), (0.5, 0.0), (1.0, 3.0)):
        step = _newton._newton(quadratic_point(POSITIVE), (), False, learning_rate=rate, damping=damping)
        expected = -rate * np.linalg.inv(POSITIVE + damping * np.eye(SIZE)) @ POSITIVE @ VECTORS[1]
        errors += [share(step.p, expected, 40), 2.0 * bool(step.indefinite)]
    return max(errors)


def enough_damping_error():
    """Compare the search's direction where H is indefinite with H + 2|μ|I for the most negative eigenvalue μ = −3."""
    step = _newton._newton(quadratic_point(MIXED), (), True, learning_rate=1.0, damping=0.5)
    singular = symmetric([0.0, 1.0, 1.0, 2.0, 4.0, 8.0])
    least = np.linalg.eigvalsh(singular + float(_newton._enough_damping(jnp.asarray(singular))) * np.eye(SIZE))[0]
    return max(share(step.p, -np.linalg.solve(MIXED + 6 * np.eye(SIZE), MIXED @ VECTORS[1]), 40),
               2.0 * (not step.indefinite), abs(least / (8 * EPS**0.5) - 1) * 1e6)


def saddle_free_error():
    """Compare the step of `saddle_free_newton` with |H| as the root of H²."""
    errors = []
    for rate, damping in ((1.0, 0.0), (0.5, 0.0), (1.0, 2.0)):
        step = _newton._saddle_free_newton(quadratic_point(MIXED), (), learning_rate=rate, damping=damping)
        size = scipy.linalg.sqrtm(MIXED @ MIXED) + damping * np.eye(SIZE)
        errors += [share(step.p, -rate * np.linalg.solve(size, MIXED @ VECTORS[1]), 400), 2.0 * (not step.indefinite)]
    return max(errors)


def outputs(w):
    return jnp.stack([w[0] * w[1] + w[2], jnp.sin(w[3]) + w[4] ** 2, w[5] * w[0] - w[1], w[2] * w[3] * w[4]])


def cost(out):
    return jnp.sum(jnp.cosh(out)) + out[0] * out[1]


def gauss_newton_reference(damping):
    w = jnp.asarray(VECTORS[1])
    J, H = jax.jacfwd(outputs)(w), jax.hessian(cost)(outputs(w))
    return -np.linalg.solve(np.asarray(J.T @ H @ J) + damping * np.eye(SIZE), G)


def gauss_newton_error():
    """Compare the steps of `gauss_newton` and `hessian_free` on a loss in two parts with the dense JᵀHJ + λI."""
    w = jnp.asarray(VECTORS[1])
    at = _descent.Point(w, jnp.asarray(G), lambda w: cost(outputs(w)), outputs, cost, jnp.int32(0), w, w)
    matrix = np.asarray(jax.jacfwd(outputs)(w).T @ jax.hessian(cost)(outputs(w)) @ jax.jacfwd(outputs)(w))
    condition = np.linalg.cond(matrix + 0.5 * np.eye(SIZE))
    return max(share(_newton._gauss_newton(at, (), damping=0.5).p, gauss_newton_reference(0.5), condition),
               share(_newton._hessian_free(at, (), 30, damping=0.5).p, gauss_newton_reference(0.5), condition**2))


def hessian_free_error():
    """Compare m steps of `hessian_free` with m steps of SciPy's conjugate gradient on H + λI."""
    errors, damped = [], POSITIVE + 0.5 * np.eye(SIZE)
    for steps in (1, 3, 30):
        step = _newton._hessian_free(quadratic_point(POSITIVE), (), steps, damping=0.5)
        expected, _ = scipy.sparse.linalg.cg(damped, -POSITIVE @ VECTORS[1], rtol=0, maxiter=min(steps, SIZE))
        errors += [share(step.p, expected, 41**2), 2.0 * bool(step.indefinite)]
    indefinite = _newton._hessian_free(quadratic_point(MIXED), (), 30, damping=0.5)
    return max(*errors, 2.0 * (not indefinite.indefinite), 2.0 * bool(indefinite.p @ MIXED @ VECTORS[1] > 0))


# ---------------------------------------------------------------- quasi-Newton and conjugate gradient


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


def lbfgs_error(memory_size=3):
    """Compare the directions of `lbfgs` along SciPy's run with those of the dense update by the last pairs alone."""
    memory = (jnp.full((memory_size, SIZE), 7.0),) * 2  # what is left of a run before
    seen, refused = directions(_quasi_newton._lbfgs, memory, POINTS, (memory_size,))
    expected = [first_step()]
    for k in range(1, len(POINTS)):
        pairs = list(zip(S[:k], Y[:k], strict=True))[-memory_size:]
        gamma = S[k - 1] @ Y[k - 1] / (Y[k - 1] @ Y[k - 1])
        expected.append(-dense_bfgs(gamma * np.eye(SIZE), pairs) @ GRADIENTS[k])
    return path_error(seen, expected, refused)


def path_error(seen, expected, refused):
    if any(refused) or not np.all(np.isfinite(seen)):
        return np.inf
    scale = np.max(abs(GRADIENTS), axis=1, keepdims=True) * np.max(abs(HESS_INV))
    rounding = BFGS_ROUNDING / np.max(abs(HESS_INV)) * scale
    return float(np.max(abs(seen - np.array(expected, float)) / rounding))


def two_loops_error():
    """Compare the two loops from γ = 1 over all pairs with the inverse Hessian of SciPy's BFGS."""
    seen = _quasi_newton.lbfgs_direction(jnp.asarray(G), jnp.asarray(S), jnp.asarray(Y), gamma=1.0)
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


def product_error():
    """Compare both products with the dense matrices."""
    w, v = jnp.asarray(VECTORS[1]), jnp.asarray(G)
    J = jax.jacfwd(outputs)(w)
    return max(share(_products.hessian_product(lambda w: cost(outputs(w)), w)(v),
                     jax.hessian(lambda w: cost(outputs(w)))(w) @ v, 100),
               share(_products.gauss_newton_product(outputs, cost, w)(v),
                     J.T @ (jax.hessian(cost)(outputs(w)) @ (J @ v)), 100))


# ---------------------------------------------------------------- the search


def bowl(w):
    return jnp.sum(w**2)


def domain(w):
    return jnp.sum(w - jnp.log(w))


@jax.custom_jvp
def backwards(w):
    """Return a function whose gradient is wrong in sign, so that no search along it can succeed."""
    return jnp.sum(w**2)


@backwards.defjvp
def _backwards_jvp(primals, tangents):
    return backwards(*primals), -2 * primals[0] @ tangents[0]



STATUS = _descent.StepStatus
START = np.array([1.0, 2.0])
LOSSES = (bowl, domain, backwards, lambda w: jnp.nan * bowl(w))
# What a method answers, as a multiple of the gradient; the number of the loss; where; what must become of the step.
PROMISES = {
    "downhill": (-0.5, 0, START, STATUS.STEPPED),
    "too short": (-0.01, 0, START, STATUS.STEPPED),
    "too long": (-3.0, 0, START, STATUS.STEPPED),
    "uphill": (1.0, 0, START, STATUS.STEEPEST),
    "no direction": (np.nan, 0, START, STATUS.STEEPEST),
    "out of the domain": (-20.0, 1, 2 * START, STATUS.STEPPED),
    "at rest": (-1.0, 0, 0 * START, STATUS.STATIONARY),
    "no lower loss": (-1.0, 2, START, STATUS.SEARCH_FAILED),
    "no loss": (-1.0, 3, START, STATUS.NOT_FINITE),
}


def _multiple(at, factor):
    return _descent.Direction(factor * at.g, factor)


def broken_promises():
    """Return what a search does that it must not, uphill, in failure, at rest and at the edge of a domain."""
    factors, which, starts, expected = map(jnp.array, zip(*PROMISES.values(), strict=True))
    rule = _descent.descend("trial", _multiple, lambda w: 0.0, search=0.9)

    @jax.jit
    @jax.vmap
    def trial(factor, which, w, before):
        def loss(w):
            return jax.lax.switch(which, LOSSES, w)

        value, grad = jax.value_and_grad(loss)(w)
        state = rule.init(w)._replace(memory=factor, status=before)
        updates, state = rule.update(grad, state, w, value=value, grad=grad, value_fn=loss)
        reached, slope = jax.value_and_grad(loss)(w + updates)
        lower = reached < value + 1e-4 * grad @ updates
        flatter = abs(slope @ updates) <= 0.9 * abs(grad @ updates)
        handed_on = jnp.allclose(state.value, reached, equal_nan=True) & jnp.allclose(state.grad, slope, equal_nan=True)
        return state, jnp.where(state.status >= STATUS.STATIONARY, jnp.all(updates == 0), lower & flatter), handed_on

    broken = []
    for before in (STATUS.STEPPED, STATUS.SEARCH_FAILED):
        if before == STATUS.SEARCH_FAILED:  # then −g is tried, whatever the method says
            expected = jnp.where(expected == STATUS.STEPPED, STATUS.STEEPEST, expected)
        state, kept, handed_on = trial(factors, which, starts, jnp.full(len(which), before, jnp.int32))
        age = jnp.where(expected == STATUS.SEARCH_FAILED, 0, 1)
        kept &= handed_on & (state.status == expected) & (state.age == age)
        broken += [name for name, good in zip(PROMISES, kept, strict=True) if not good]
    return broken
