"""Right answers to the exercises of chapter 8, written in other ways."""

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax import lax

import ravine as rv


def _newton_inverse(w, g, H, lam):
    return w - jnp.linalg.inv(H + jnp.diag(jnp.full_like(w, lam))) @ g


def _newton_numpy(w, g, H, lam):
    w, g, H = np.array(w), np.asarray(g), np.array(H)
    H[np.diag_indices(len(H))] += lam
    w -= np.linalg.solve(H, g)
    return w


def _newton_eigenvectors(w, g, H, lam):
    eigenvalues, Q = jnp.linalg.eigh(H)
    return w - Q @ ((Q.T @ g) / (eigenvalues + lam))


def _newton_scipy(w, g, H, lam):
    return w + scipy.linalg.solve(np.asarray(H) + lam * np.identity(3), -np.asarray(g), assume_a="sym")


def _newton_target(w, g, H, lam):
    """The minimum of the damped quadratic, in place of the step to it."""
    M = H.at[jnp.diag_indices(3)].add(lam)
    return jnp.linalg.solve(M, M @ w - g)


def _cg_while(A, b, n):
    def step(state):
        k, x, r, p, rr = state
        Ap = A @ p
        alpha = rr / jnp.vdot(p, Ap)
        r = r - alpha * Ap
        new = jnp.vdot(r, r)
        return k + 1, x + alpha * p, r, r + new / rr * p, new

    return lax.while_loop(lambda state: state[0] < n, step, (0, jnp.zeros_like(b), b, b, b @ b))[1]


@jax.jit
def _cg_traced_count(A, b, n):
    def step(_, state):
        x, r, p = state
        curvature = p @ A @ p
        x, new = x + p * (r @ p) / curvature, r - A @ p * (r @ p) / curvature
        return x, new, new - p * (new @ A @ p) / curvature  # Hestenes' and Stiefel's other α and β

    return lax.fori_loop(0, n, step, (0 * b, b, b))[0]


def _cg_polak_ribiere(A, b, n):
    """Another α and another β, equal on quadratics, and the residual anew each time."""
    A, b = np.asarray(A), np.asarray(b)
    x, r, p = np.zeros_like(b), b, b
    for _ in range(n):
        x = x + (r @ p) / (p @ (A @ p)) * p
        new = b - A @ x
        p = new + new @ (new - r) / (r @ r) * p
        r = new
    return x


def _cg_ravine(A, b, n):
    return rv.krylov.conjugate_gradient(lambda v: A @ v, b, tol=0.0, max_steps=n).x


def _cg_krylov_space(A, b, n):
    """What n steps come to: of all x in the span of b, Ab, A²b, … the one that minimizes ½xᵀAx − bᵀx."""
    A, b = np.asarray(A, float), np.asarray(b, float)
    powers = [b]
    for _ in range(n - 1):
        powers.append(A @ powers[-1])
    basis = np.linalg.qr(np.stack(powers, axis=1))[0]
    return basis @ np.linalg.solve(basis.T @ A @ basis, basis.T @ b)


def _bfgs_expanded(Hinv, s, y):
    ys, Hy = y @ s, Hinv @ y
    return Hinv + (ys + y @ Hy) * jnp.outer(s, s) / ys**2 - (jnp.outer(Hy, s) + jnp.outer(s, Hy)) / ys


def _bfgs_of_the_hessian(Hinv, s, y):
    """Update the Hessian, as BFGS is often printed, and invert."""
    Hinv, s, y = (np.asarray(array, float) for array in (Hinv, s, y))
    B = np.linalg.inv(Hinv)
    return np.linalg.inv(B + np.outer(y, y) / (y @ s) - np.outer(B @ s, B @ s) / (s @ B @ s))


def _bfgs_columns(Hinv, s, y):
    s, y = s[:, None], y[:, None]
    rho = 1 / (y.T @ s)
    V = jnp.eye(3) - rho * y @ s.T
    return V.T @ Hinv @ V + rho * s @ s.T


def _bfgs_einsum(Hinv, s, y):
    rho = 1 / np.vdot(y, s)
    left = np.eye(3) - rho * np.einsum("i,j->ij", s, y)
    return np.einsum("ij,jk,lk->il", left, Hinv, left) + rho * np.multiply.outer(np.asarray(s), np.asarray(s))


def _lbfgs_matrix(g, S, Y):
    """BFGS's matrix itself, from γI."""
    g, S, Y = np.asarray(g), np.asarray(S), np.asarray(Y)
    Hinv = (S[-1] @ Y[-1]) / (Y[-1] @ Y[-1]) * np.eye(len(g))
    for s, y in zip(S, Y, strict=True):
        Hinv = np.asarray(_bfgs_expanded(Hinv, s, y))
    return -Hinv @ g


def _lbfgs_negative(g, S, Y):
    """The loops on −g, with lists."""
    q, alphas = -np.asarray(g), []
    pairs = list(zip(np.asarray(S), np.asarray(Y), strict=True))
    for s, y in pairs[::-1]:
        alphas.append((s @ q) / (y @ s))
        q = q - alphas[-1] * y
    s, y = pairs[-1]
    r = q * (y @ s) / (y @ y)
    for (s, y), alpha in zip(pairs, alphas[::-1], strict=True):
        r = r + s * (alpha - (y @ r) / (y @ s))
    return r


@jax.jit
def _lbfgs_scans(g, S, Y):
    rho = 1 / jnp.sum(S * Y, axis=1)

    def take_out(q, pair):
        s, y, rho = pair
        alpha = rho * jnp.dot(s, q)
        return q - alpha * y, alpha

    def put_in(d, pair):
        s, y, rho, alpha = pair
        return d + s * (alpha - rho * jnp.dot(y, d)), None

    q, alpha = lax.scan(take_out, g, (S, Y, rho), reverse=True)
    return -lax.scan(put_in, q / (rho[-1] * jnp.sum(Y[-1] ** 2)), (S, Y, rho, alpha))[0]


def _lbfgs_recursion(g, S, Y):
    """H_k g in terms of H_{k−1}, down to γI."""
    gamma = S[-1] @ Y[-1] / (Y[-1] @ Y[-1])

    def apply(v, m):
        if m == 0:
            return gamma * v
        s, y = S[m - 1], Y[m - 1]
        inner = apply(v - (s @ v) / (s @ y) * y, m - 1)
        return inner - (y @ inner) / (s @ y) * s + (s @ v) / (s @ y) * s

    return -apply(g, len(S))


def _hessian_free_ravine(f, w, lam, n):
    gradient = jax.grad(f)
    found = rv.krylov.conjugate_gradient(lambda v: rv.curvature.hvp(f, w, v) + lam * v, gradient(w), tol=0.0,
                                         max_steps=n)
    return w - found.x


def _hessian_free_dense(f, w, lam, n):
    g, H = jax.grad(f)(w), jax.hessian(f)(w)
    return w + _cg_polak_ribiere(np.asarray(H) + lam * np.eye(len(w)), -np.asarray(g), n)


def _hessian_free_reverse(f, w, lam, n):
    """Products as the gradient of gᵀp, in a loop of JAX, on the damped model f(w + d) + ½ λ dᵀd."""
    def slope(d):
        return jax.grad(f)(w) @ d

    def product(p):
        return jax.grad(lambda w: jax.grad(f)(w) @ p)(w) + lam * p

    r = -jax.grad(slope)(jnp.zeros_like(w))
    start = jnp.zeros_like(w), r, r

    def step(_, state):
        d, r, p = state
        Ap = product(p)
        alpha = jnp.dot(r, r) / jnp.dot(p, Ap)
        new = r - alpha * Ap
        return d + alpha * p, new, new + jnp.dot(new, new) / jnp.dot(r, r) * p

    return w + lax.fori_loop(0, n, step, start)[0]


def _hessian_free_linearized(f, w, lam, n):
    g, product = jax.linearize(jax.grad(f), w)
    return w + jax.scipy.sparse.linalg.cg(lambda p: product(p) + p * lam, -g, tol=0.0, maxiter=n)[0]


EQUIVALENTS = {
    "newton": [_newton_inverse, _newton_numpy, _newton_eigenvectors, _newton_scipy, _newton_target],
    "cg": [_cg_while, _cg_traced_count, _cg_polak_ribiere, _cg_ravine, _cg_krylov_space],
    "bfgs": [_bfgs_expanded, _bfgs_of_the_hessian, _bfgs_columns, _bfgs_einsum],
    "lbfgs": [_lbfgs_matrix, _lbfgs_negative, _lbfgs_scans, _lbfgs_recursion],
    "hessian_free": [_hessian_free_ravine, _hessian_free_dense, _hessian_free_reverse, _hessian_free_linearized],
}
