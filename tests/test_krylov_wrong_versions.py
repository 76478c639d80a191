"""The comparisons of `krylov_cases` have teeth: each wrong version, one slip away from the method, is refused."""

import numpy as np
import pytest

from krylov_cases import EPS, OUTLIERS, SIZE, cg_error, geometric, lanczos_error, matrix, product, vector
from ravine.krylov import Lanczos, lanczos


def cg(A, b, alpha=lambda rr, pr, p, Ap: rr / (p @ Ap), beta=lambda new, rr: new / rr, keep=1.0):
    """Yield six iterates of conjugate gradient written as a loop; each argument is a place for a slip."""
    x, r, p = np.zeros_like(b), b, b
    for _ in range(6):
        Ap = A @ p
        step = alpha(r @ r, p @ r, p, Ap)
        x, new = x + step * p, r - step * keep * Ap
        p = new + beta(new @ new, r @ r) * p
        r = new
        yield x


WRONG_CG = {
    "β = 0, steepest descent": {"beta": lambda new, rr: 0.0},
    "β upside down": {"beta": lambda new, rr: rr / new},
    "β of the wrong sign": {"beta": lambda new, rr: -new / rr},
    "β without the square": {"beta": lambda new, rr: np.sqrt(new / rr)},
    "β off by 1e-6": {"beta": lambda new, rr: new / rr * (1 + 1e-6)},
    "α of the direction's length": {"alpha": lambda rr, pr, p, Ap: (p @ p) / (p @ Ap)},
    "α of the residual's curvature": {"alpha": lambda rr, pr, p, Ap: rr / (Ap @ Ap)},
    "α off by 1e-8": {"alpha": lambda rr, pr, p, Ap: rr / (p @ Ap) * (1 + 1e-8)},
    "half a residual update": {"keep": 0.5},
}


def test_the_loop_without_a_slip_is_accepted():
    A, b = np.asarray(matrix(geometric(100.0))), np.asarray(vector())
    assert cg_error(A, b, np.array(list(cg(A, b)))) <= 1


@pytest.mark.parametrize("slip", WRONG_CG)
def test_wrong_conjugate_gradient_is_refused(slip):
    A, b = np.asarray(matrix(geometric(100.0))), np.asarray(vector())
    assert cg_error(A, b, np.array(list(cg(A, b, **WRONG_CG[slip])))) > 1


def loop(A, v0, passes=2, recurrence=1.0, reach=SIZE):
    """Lanczos as a loop: `passes` of reorthogonalisation, against the last `reach` vectors."""
    q, before, beta = v0 / np.linalg.norm(v0), 0 * v0, v0.dtype.type(0)
    Q, alphas, betas = [], [], []
    for _ in range(20):
        Q.append(q)
        w = A @ q
        alphas.append(q @ w)
        w = w - alphas[-1] * q - v0.dtype.type(recurrence) * beta * before
        for _ in range(passes):
            basis = np.array(Q[-reach:])
            w = w - (basis @ w) @ basis
        beta = np.linalg.norm(w)
        betas.append(beta)
        q, before = w / beta, q
    return Lanczos(np.array(Q), np.array(alphas), np.array(betas[:-1]), beta * q, np.int32(20))


WRONG_LANCZOS = {
    "no reorthogonalisation": lambda A, v0: loop(A, v0, passes=0),
    "against two vectors only": lambda A, v0: loop(A, v0, reach=2),
    "no β of the vector before": lambda A, v0: loop(A, v0, passes=0, recurrence=0.0),
}
WRONG_RESULT = {
    "residual of length 1": lambda found: found._replace(residual=found.residual / np.linalg.norm(found.residual)),
    "no residual": lambda found: found._replace(residual=0 * found.residual),
    "β squared": lambda found: found._replace(beta=found.beta**2),
    "β one early": lambda found: found._replace(beta=np.roll(found.beta, -1)),
    "α one late": lambda found: found._replace(alpha=np.roll(found.alpha, 1)),
    "a vector twice": lambda found: found._replace(vectors=found.vectors.at[3].set(found.vectors[2])),
    "vectors not of length 1": lambda found: found._replace(vectors=found.vectors * (1 + 1e-4)),
    "rank one short": lambda found: found._replace(rank=found.rank - 1),
}


@pytest.mark.parametrize("dtype", EPS)
def test_lanczos_as_a_loop_is_accepted(dtype):
    A, v0 = np.asarray(matrix(OUTLIERS, dtype=dtype)), np.asarray(vector(dtype=dtype))
    assert lanczos_error(A, loop(A, v0)) <= 1


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize("slip", WRONG_LANCZOS)
def test_wrong_lanczos_is_refused(slip, dtype):
    A, v0 = np.asarray(matrix(OUTLIERS, dtype=dtype)), np.asarray(vector(dtype=dtype))
    assert lanczos_error(A, WRONG_LANCZOS[slip](A, v0)) > 1


@pytest.mark.parametrize("dtype", EPS)
@pytest.mark.parametrize("slip", WRONG_RESULT)
def test_wrong_result_of_lanczos_is_refused(slip, dtype):
    A = matrix(geometric(100.0), dtype=dtype)
    found = lanczos(product(A), vector(dtype=dtype), 10)
    assert lanczos_error(A, found) <= 1
    assert lanczos_error(A, WRONG_RESULT[slip](found)) > 1
