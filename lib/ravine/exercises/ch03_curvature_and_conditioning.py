"""The exercises of chapter 3, curvature and conditioning."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from ravine.exercises._exercise import Exercise


def hvp(f, w, v):
    """The product of a Hessian with a vector.

    f     a function: f(w) is a number
    w, v  the point and the vector, arrays of one shape (n,)

    Returns H v, shape (n,), where H is the Hessian of f at w; exact, not by
    differences of gradients.
    """
    return jax.jvp(jax.grad(f), (w,), (v,))[1]


def _surface(w):
    return jnp.sum(jnp.tanh(w)) * jnp.sum(w**2)


@functools.partial(jax.jit, static_argnums=0)
def _derivatives(f, w):
    return jax.grad(f)(w), jax.hessian(f)(w)


def _derivative(f, w, order):
    with jax.disable_jit(False):  # compiled once, for all the points that the mistakes ask for
        return np.asarray(_derivatives(f, w)[order - 1])


def _gradient(f, w):
    return _derivative(f, w, 1)


def _hessian(f, w):
    return _derivative(f, w, 2)


_hvp = Exercise(
    reference=hvp,
    returns="Hv",
    probes=[
        (_surface, np.array([1.0, -0.5, 0.4]), np.array([0.3, 2.0, -1.0])),
        (_surface, np.array([0.6, 1.1, -0.3]), np.array([1.0, -0.7, 0.2])),
        (_surface, np.array([-8e-6, 3e-6, 1e-6]), np.array([2e-6, 5e-6, -3e-6])),
        (_surface, np.array([0.2, -0.9, 0.7]), np.array([4e5, 3e5, 8e5])),
    ],
    concept="H v says how the gradient changes when w moves along v. So differentiate the gradient once more, along v "
            "alone: jax.jvp of jax.grad(f). The matrix is never made.",
    formula="H v = d/dε ∇f(w + ε v)  at ε = 0",
    blank="(w,), (v,)",
    mistakes={
        "diagonal": (
            lambda f, w, v: np.diag(_hessian(f, w)) * v,
            "only the diagonal of the Hessian is used. The other entries mix the coordinates of v."),
        "entry_by_entry": (
            lambda f, w, v: _hessian(f, w) * v,
            "the Hessian is multiplied entry by entry. The product of a matrix and a vector is H @ v."),
        "hessian": (
            lambda f, w, v: _hessian(f, w),
            "the whole Hessian comes back. Return its product with v."),
        "row_sums": (
            lambda f, w, v: _hessian(f, w).sum(axis=1),
            "v is not used. This is the product with a vector of ones."),
        "slope": (
            lambda f, w, v: _gradient(f, w) @ v,
            "this is gᵀv, the slope of f along v. Differentiate the gradient along v, not f."),
        "gradient_times_v": (
            lambda f, w, v: _gradient(f, w) * v,
            "the gradient is multiplied by v. Differentiate the gradient along v."),
        "outer_product": (
            lambda f, w, v: _gradient(f, w) * (_gradient(f, w) @ v),
            "this is g gᵀ v. The Hessian holds second derivatives, not products of first ones."),
        "curvature": (
            lambda f, w, v: v @ _hessian(f, w) @ v,
            "this is vᵀHv, the curvature of f along v. Return the vector H v."),
        "at_v": (
            lambda f, w, v: _hessian(f, v) @ v,
            "the Hessian is that at v. Take it at w, and multiply it by v."),
        "exchanged": (
            lambda f, w, v: _hessian(f, v) @ w,
            "w and v have changed places. The point is w, the direction is v."),
        "one_difference": (
            lambda f, w, v: _gradient(f, w + v) - _gradient(f, w),
            "this is the change of the gradient from w to w + v. H v is its rate of change at w, and differs where the "
            "Hessian is not constant: use jax.jvp."),
        "gradient_there": (
            lambda f, w, v: _gradient(f, w + v),
            "this is the gradient at w + v. H v is its rate of change along v, at w."),
        "unit_vector": (
            lambda f, w, v: _hessian(f, w) @ v / np.linalg.norm(v),
            "v is made a unit vector. Use it as it is: the product is linear in v."),
        "inverse": (
            lambda f, w, v: np.linalg.solve(_hessian(f, w), v),
            "this is H⁻¹v, as in Newton's step. Multiply by H."),
        "both": (
            lambda f, w, v: (_gradient(f, w), _hessian(f, w) @ v),
            "the gradient comes back too. jax.jvp returns a pair: the value, and then its derivative along v, which is "
            "H v."),
    },
)


def max_lr(H):
    """How large a step gradient descent bears, and how ill-conditioned it is.

    H  the Hessian of a quadratic, symmetric and positive definite, (n, n)

    Returns (lr, kappa): the rate below which gradient descent converges from
    every start, and the condition number, at least 1.
    """
    eigenvalues = jnp.linalg.eigvalsh(H)
    return 2 / eigenvalues[-1], eigenvalues[-1] / eigenvalues[0]


def _limits(values):
    """The rate and the condition number, from what is taken for eigenvalues."""
    return 2 / np.max(values), np.max(values) / np.min(values)


def _values(H):
    return np.linalg.eigvalsh(H)


_max_lr = Exercise(
    reference=max_lr,
    returns="lr, kappa",
    probes=[
        (np.array([[2.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 4.0]]),),
        (np.array([[5.0, -3.0, 1.0], [-3.0, 6.0, -2.0], [1.0, -2.0, 1.5]]),),
        (np.array([[3e-6, 2e-6, 1e-6], [2e-6, 4e-6, 2e-6], [1e-6, 2e-6, 5e-6]]),),
        (np.array([[7e6, 1e6, 2e6], [1e6, 2e6, -1e6], [2e6, -1e6, 9e6]]),),
    ],
    concept="Along an eigenvector with eigenvalue λ, a step multiplies the distance from the minimum by 1 − ηλ. It "
            "shrinks while that is between −1 and 1, and the largest λ is the first to break this.",
    formula="η < 2/λ_max,   κ = λ_max/λ_min",
    blank="2 / eigenvalues[-1]",
    mistakes={
        "half_of_it": (
            lambda H: (1 / _values(H)[-1], _limits(_values(H))[1]),
            "the rate is 1/λ_max. That one lands in the steepest direction's minimum at once; up to 2/λ_max it still "
            "converges, from side to side."),
        "smallest": (
            lambda H: (2 / _values(H)[0], _limits(_values(H))[1]),
            "the rate is 2/λ_min. The steepest direction is the first to diverge: 2/λ_max."),
        "best_rate": (
            lambda H: (2 / (_values(H)[0] + _values(H)[-1]), _limits(_values(H))[1]),
            "the rate is 2/(λ_min + λ_max). That is the one that converges fastest; the limit is 2/λ_max."),
        "rate_inverted": (
            lambda H: (_values(H)[-1] / 2, _limits(_values(H))[1]),
            "the rate is λ_max/2. The larger the curvature, the smaller the step: 2/λ_max."),
        "inverted": (
            lambda H: (2 / _values(H)[-1], _values(H)[0] / _values(H)[-1]),
            "the condition number is upside down. It is λ_max/λ_min, at least 1."),
        "difference": (
            lambda H: (2 / _values(H)[-1], _values(H)[-1] - _values(H)[0]),
            "λ_min is subtracted. The condition number is the ratio λ_max/λ_min."),
        "largest_alone": (
            lambda H: (2 / _values(H)[-1], _values(H)[-1]),
            "λ_max is returned for the condition number. Divide it by λ_min."),
        "root": (
            lambda H: (2 / _values(H)[-1], _limits(_values(H))[1]**0.5),
            "the root of the condition number comes back. Return λ_max/λ_min itself."),
        "squared": (
            lambda H: (2 / _values(H)[-1], _limits(_values(H))[1]**2),
            "the condition number is squared. The eigenvalues of H are asked for, not those of HᵀH."),
        "diagonal": (
            lambda H: _limits(np.diag(H)),
            "the diagonal is taken for the eigenvalues. That is right only where all else is zero: "
            "jnp.linalg.eigvalsh."),
        "row_sums": (
            lambda H: _limits(np.sum(np.abs(H), axis=1)),
            "sums over the rows are taken for the eigenvalues. They bound the largest one, and no more: "
            "jnp.linalg.eigvalsh."),
        "trace": (
            lambda H: (2 / np.trace(H), _limits(_values(H))[1]),
            "the rate is 2 over the trace. The trace is the sum of the eigenvalues; the largest alone is the limit."),
        "frobenius": (
            lambda H: (2 / np.linalg.norm(H), _limits(_values(H))[1]),
            "the rate is 2/‖H‖, with the root of the sum of squares for a norm. The largest eigenvalue is the limit."),
        "ends_exchanged": (
            lambda H: (2 / _values(H)[0], _values(H)[0] / _values(H)[-1]),
            "the smallest eigenvalue is taken for the largest. eigvalsh sorts them upwards: the largest comes last."),
        "swapped_return": (
            lambda H: _limits(_values(H))[::-1],
            "κ comes back before the rate. Return (lr, kappa)."),
        "rate_only": (
            lambda H: _limits(_values(H))[0],
            "only the rate comes back. Return (lr, kappa)."),
        "all_rates": (
            lambda H: (2 / _values(H), _limits(_values(H))[1]),
            "a rate for every eigenvalue comes back. All directions must converge, so the smallest of them is the "
            "limit: 2/λ_max."),
    },
)


def classify(H):
    """What kind of critical point has this Hessian.

    H  the Hessian at a point where the gradient is zero, symmetric, (n, n)

    An eigenvalue counts as zero if it is at most 1e-4 of the largest one,
    both in absolute value.
    Returns "minimum", "maximum", "saddle", or "degenerate", when second
    derivatives cannot tell.
    """
    eigenvalues = jnp.linalg.eigvalsh(H)
    zero = 1e-4 * jnp.max(jnp.abs(eigenvalues))
    if jnp.any(eigenvalues < -zero) and jnp.any(eigenvalues > zero):
        return "saddle"
    if jnp.any(jnp.abs(eigenvalues) <= zero):
        return "degenerate"
    return "minimum" if eigenvalues[0] > 0 else "maximum"


def _rotated(*eigenvalues):
    """Return a matrix with these eigenvalues, none of whose eigenvectors lies along an axis."""
    mirror = np.eye(3) - 2 / 3
    return mirror @ np.diag(eigenvalues) @ mirror


def _kind(values, zero):
    """The kind, from what is taken for eigenvalues and for zero."""
    values = np.asarray(values)
    if np.any(values < -zero) and np.any(values > zero):
        return "saddle"
    if np.any(abs(values) <= zero):
        return "degenerate"
    return "minimum" if values[0] > 0 else "maximum"


def _zero(H):
    return 1e-4 * abs(_values(H)).max()


def _by_determinant(H):
    sign = np.sign(np.linalg.det(H))
    return "saddle" if sign < 0 else "degenerate" if sign == 0 else "minimum" if H[0, 0] > 0 else "maximum"


def _by_trace(H):
    return "minimum" if np.trace(H) > 0 else "maximum" if np.trace(H) < 0 else "saddle"


def _by_entries(H):
    return "minimum" if np.all(np.asarray(H) > 0) else "maximum" if np.all(np.asarray(H) < 0) else "saddle"


def _ignores_zeros(H):
    values, zero = _values(H), _zero(H)
    return "minimum" if values[0] >= -zero else "maximum" if values[-1] <= zero else "saddle"


def _zeros_first(H):
    return "degenerate" if np.any(abs(_values(H)) <= _zero(H)) else _kind(_values(H), 0.0)


_OPPOSITE = {"minimum": "maximum", "maximum": "minimum", "saddle": "saddle", "degenerate": "degenerate"}


_classify = Exercise(
    reference=classify,
    returns="kind",
    probes=[  # no eigenvalue is exactly zero, where rounding would decide about its sign
        (_rotated(9.0, 18.0, 36.0),),
        (_rotated(-9.0, -27.0, -18.0),),
        (_rotated(36.0, -9.0, 18.0),),
        (_rotated(-36.0, 18.0, -9.0),),
        (_rotated(-2e-4, 18.0, 9.0),),
        (_rotated(-9.0, 2e-4, -18.0),),
        (_rotated(27.0, 2e-4, -18.0),),
        (_rotated(9e-8, 36e-8, 18e-8),),
        (_rotated(1e9, 1e4, 5e8),),
        (_rotated(0.09, 36.0, 27.0),),
        (np.array([[4.0, 5.0, 3.0], [5.0, 3.0, 2.0], [3.0, 2.0, 6.0]]),),
        (np.array([[2.0, -1.0, 0.5], [-1.0, 3.0, -1.0], [0.5, -1.0, 2.0]]),),
    ],
    concept="Along each eigenvector the surface curves by its eigenvalue: upwards if it is positive, downwards if "
            "negative. Ask first whether both signs occur: no zero can undo that. If not, a zero leaves the matter "
            "open.",
    formula="some λ < 0 and some λ > 0: saddle;   else some λ = 0: degenerate;   all λ > 0: minimum;   all λ < 0: "
            "maximum   (zero: |λ| ≤ 10⁻⁴ max |λ|)",
    blank="1e-4 * jnp.max(jnp.abs(eigenvalues))",
    mistakes={
        "determinant": (
            _by_determinant,
            "the sign of the determinant decides. That is a rule for two dimensions; in three, two negative "
            "eigenvalues give a positive determinant: look at the signs of all eigenvalues."),
        "trace": (
            _by_trace,
            "the sign of the trace decides. The trace is the sum of the eigenvalues; look at each of them."),
        "diagonal": (
            lambda H: _kind(np.diag(H), 1e-4 * abs(np.diag(H)).max()),
            "the diagonal is taken for the eigenvalues. That is right only where all else is zero: "
            "jnp.linalg.eigvalsh."),
        "entries": (
            _by_entries,
            "the signs of the entries decide. A matrix of positive numbers can have negative eigenvalues: "
            "jnp.linalg.eigvalsh."),
        "ignores_zeros": (
            _ignores_zeros,
            "zeros are let pass as if they had the sign of the others. Along such a direction higher derivatives "
            "decide: the point is degenerate."),
        "zeros_as_saddle": (
            lambda H: _kind(_values(H), _zero(H)).replace("degenerate", "saddle"),
            "whatever is no minimum and no maximum is called a saddle. Without both signs a zero leaves the matter "
            "open: the point is degenerate."),
        "zeros_first": (
            _zeros_first,
            "a zero is asked for first. Where both signs occur the point is a saddle, whatever else is zero."),
        "exact_zero": (
            lambda H: _kind(_values(H), 0.0),
            "next to nothing counts as zero. Rounding leaves small numbers in place of zeros, in proportion to the "
            "largest: count |λ| ≤ 10⁻⁴ max |λ|."),
        "absolute_zero": (
            lambda H: _kind(_values(H), 1e-4),
            "what counts as zero does not depend on H. A tiny Hessian would be all zeros, and a large one never: "
            "count |λ| ≤ 10⁻⁴ max |λ|."),
        "signed_largest": (
            lambda H: _kind(_values(H), 1e-4 * _values(H)[-1]),
            "zero is measured by the largest λ, sign and all. Where the others are negative that is the smallest in "
            "size: take the largest |λ|."),
        "opposite": (
            lambda H: _OPPOSITE[_kind(_values(H), _zero(H))],
            "minimum and maximum are swapped. Where all eigenvalues are positive the surface curves upwards: a "
            "minimum."),
        "any_positive": (
            lambda H: _kind(_values(H)[-1:], _zero(H)),
            "the largest eigenvalue alone decides. A minimum has no other sign anywhere: look at all."),
        "smallest_only": (
            lambda H: _kind(_values(H)[:1], _zero(H)),
            "the smallest eigenvalue alone decides. A maximum has no other sign anywhere: look at all."),
        "capitals": (
            lambda H: classify(H).capitalize(),
            "the word begins with a capital. Write it as asked for: \"minimum\", \"maximum\", \"saddle\" or "
            "\"degenerate\"."),
        "no_maximum": (
            lambda H: _kind(_values(H), _zero(H)).replace("maximum", "saddle"),
            "every negative eigenvalue is taken for a saddle's. Where all are negative the point is a maximum."),
    },
)


EXERCISES = (_hvp, _max_lr, _classify)
