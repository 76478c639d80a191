"""The exercises of chapter 8 on BFGS and L-BFGS."""

import jax.numpy as jnp
import numpy as np

from ravine.exercises._exercise import Exercise


def bfgs(Hinv, s, y):
    """BFGS's update of its approximation to the inverse of the Hessian.

    Hinv  the approximation so far, a symmetric matrix of shape (d, d)
    s     the last step, w_new - w_old, shape (d,)
    y     the change of the gradient over it, g_new - g_old, shape (d,);
          sᵀy > 0

    Returns Hinv, the new approximation, which takes y to s.
    """
    rho = 1 / (y @ s)
    left = jnp.eye(len(s)) - rho * jnp.outer(s, y)
    return left @ Hinv @ left.T + rho * jnp.outer(s, s)


def _left(s, y, rho):
    return np.eye(len(s)) - rho * np.outer(s, y)


def _bfgs_with(rho=lambda s, y: 1 / (y @ s), left=_left, right=lambda s, y, rho: _left(s, y, rho).T,
               added=lambda s, y, rho: rho * np.outer(s, s), multiply=np.matmul):
    """Return `bfgs` with some of its parts replaced."""
    def changed(Hinv, s, y):
        factor = rho(s, y)
        return multiply(multiply(left(s, y, factor), Hinv), right(s, y, factor)) + added(s, y, factor)
    return changed


def _dfp(Hinv, s, y):
    return Hinv - np.outer(Hinv @ y, Hinv @ y) / (y @ Hinv @ y) + np.outer(s, s) / (s @ y)


def _rank_one(Hinv, s, y):
    rest = s - Hinv @ y
    return Hinv + np.outer(rest, rest) / (rest @ y)


_bfgs = Exercise(
    reference=bfgs,
    returns="Hinv",
    probes=[
        (np.array([[2.0, 0.5, -0.3], [0.5, 1.0, 0.4], [-0.3, 0.4, 3.0]]), np.array([1.0, -2.0, 0.5]),
         np.array([2.0, -1.0, 3.0])),
        (np.array([[0.8, -0.2, 0.1], [-0.2, 1.6, 0.3], [0.1, 0.3, 0.5]]), np.array([0.2, 1.5, -0.7]),
         np.array([0.9, 0.7, -1.2])),
        (np.array([[3e-6, 1e-6, -1e-6], [1e-6, 4e-6, 2e-6], [-1e-6, 2e-6, 5e-6]]), np.array([3e-6, -1e-6, 4e-6]),
         np.array([0.5, -2.0, 1.0])),
        (np.array([[2e7, 5e6, -3e6], [5e6, 4e7, 1e6], [-3e6, 1e6, 6e7]]), np.array([20.0, 50.0, -30.0]),
         np.array([4e-7, 3e-7, -2e-6])),
    ],
    concept="A step s changed the gradient by y, so the inverse of the Hessian should take y to s. Change the "
            "approximation as little as that allows, and keep it symmetric and positive definite: first take out of it "
            "what it says about y, from both sides, then put in s sᵀ.",
    formula="ρ = 1 / (yᵀs),   H⁻¹ ← (I − ρ s yᵀ) H⁻¹ (I − ρ y sᵀ) + ρ s sᵀ",
    blank="jnp.outer(s, y)",
    mistakes={
        "pair_swapped": (
            lambda Hinv, s, y: _bfgs_with()(Hinv, y, s),
            "s and y are swapped. So the Hessian itself is updated (DFP); its inverse takes y to s."),
        "rho_inverted": (
            _bfgs_with(rho=lambda s, y: y @ s),
            "ρ is upside down. It is 1 / (yᵀs)."),
        "rho_of_steps": (
            _bfgs_with(rho=lambda s, y: 1 / (s @ s)),
            "ρ is 1 / (sᵀs). It is 1 / (yᵀs): the product of the two."),
        "rho_of_changes": (
            _bfgs_with(rho=lambda s, y: 1 / (y @ y)),
            "ρ is 1 / (yᵀy). It is 1 / (yᵀs): the product of the two."),
        "transposed": (
            _bfgs_with(left=lambda s, y, rho: _left(y, s, rho), right=lambda s, y, rho: _left(s, y, rho)),
            "the two factors are transposed. I − ρ s yᵀ stands on the left, I − ρ y sᵀ on the right."),
        "same_twice": (
            _bfgs_with(right=_left),
            "the same factor stands on both sides. The right one is the transpose, I − ρ y sᵀ: the result should be "
            "symmetric."),
        "left_only": (
            _bfgs_with(right=lambda s, y, rho: np.eye(len(s))),
            "the right factor is missing. I − ρ y sᵀ stands on the right: the result should be symmetric."),
        "right_only": (
            _bfgs_with(left=lambda s, y, rho: np.eye(len(s))),
            "the left factor is missing. I − ρ s yᵀ stands on the left: the result should be symmetric."),
        "no_new_term": (
            _bfgs_with(added=lambda s, y, rho: 0.0),
            "the term ρ s sᵀ is missing. Without it the new matrix takes y to 0; it should take y to s."),
        "new_term_without_rho": (
            _bfgs_with(added=lambda s, y, rho: np.outer(s, s)),
            "the last term lacks ρ. It is ρ s sᵀ."),
        "new_term_of_changes": (
            _bfgs_with(added=lambda s, y, rho: rho * np.outer(y, y)),
            "the last term is made of y. It is ρ s sᵀ: the new matrix takes y to s."),
        "new_term_subtracted": (
            _bfgs_with(added=lambda s, y, rho: -rho * np.outer(s, s)),
            "the last term is subtracted. Add ρ s sᵀ: then the new matrix takes y to s."),
        "plus_in_factors": (
            _bfgs_with(left=lambda s, y, rho: _left(s, y, -rho), right=lambda s, y, rho: _left(s, y, -rho).T),
            "the factors have a plus. They take something out: I − ρ s yᵀ and I − ρ y sᵀ."),
        "inner_product": (
            _bfgs_with(left=lambda s, y, rho: np.eye(len(s)) - rho * (s @ y),
                       right=lambda s, y, rho: np.eye(len(s)) - rho * (s @ y)),
            "s yᵀ is taken for a number. It is a matrix, the outer product, whose entries are s_i y_j."),
        "inner_product_in_new_term": (
            _bfgs_with(added=lambda s, y, rho: rho * (s @ s)),
            "s sᵀ is taken for a number. It is a matrix, the outer product, whose entries are s_i s_j."),
        "inner_products": (
            _bfgs_with(left=lambda s, y, rho: np.eye(len(s)) - rho * (s @ y),
                       right=lambda s, y, rho: np.eye(len(s)) - rho * (s @ y), added=lambda s, y, rho: rho * (s @ s)),
            "s yᵀ and s sᵀ are taken for numbers. For arrays of shape (d,), .T changes nothing and @ is the inner "
            "product: write jnp.outer(s, y)."),
        "no_identity": (
            _bfgs_with(left=lambda s, y, rho: 1 - rho * np.outer(s, y),
                       right=lambda s, y, rho: 1 - rho * np.outer(y, s)),
            "1 stands where I belongs. 1 minus a matrix takes each of its entries from 1: write jnp.eye(d)."),
        "entry_by_entry": (
            _bfgs_with(multiply=np.multiply),
            "matrices are multiplied entry by entry. Between matrices write @."),
        "forgets": (
            lambda Hinv, s, y: _bfgs_with()(np.eye(len(s)), s, y),
            "the old approximation is replaced by I. Update the one that was given."),
        "dfp": (
            _dfp,
            "this is the update of DFP. It takes y to s too, but BFGS's multiplies from both sides by I − ρ s yᵀ."),
        "rank_one": (
            _rank_one,
            "this is the update of rank one, SR1. It takes y to s too, but need not stay positive definite."),
    },
)


def lbfgs(g, S, Y):
    """L-BFGS's direction from the last m steps, by the two loops.

    g  the gradient, shape (d,)
    S  the last steps, one a row, shape (m, d); the newest is the last row
    Y  the changes of the gradient over them, shape (m, d)

    The approximation of the inverse Hessian begins as γI, with γ = sᵀy / yᵀy
    of the newest pair, and takes up the pairs from the oldest to the newest.
    Returns d, the direction of descent: minus the approximation times g.
    """
    q, alpha = g, {}
    for i in reversed(range(len(S))):
        alpha[i] = S[i] @ q / (S[i] @ Y[i])
        q = q - alpha[i] * Y[i]
    d = S[-1] @ Y[-1] / (Y[-1] @ Y[-1]) * q
    for i in range(len(S)):
        d = d + (alpha[i] - Y[i] @ d / (S[i] @ Y[i])) * S[i]
    return -d


def _lbfgs_with(first=lambda m: reversed(range(m)), second=range, rho=lambda s, y: 1 / (s @ y),
                take_out=lambda q, alpha, y: q - alpha * y, scale=lambda S, Y: S[-1] @ Y[-1] / (Y[-1] @ Y[-1]),
                put_in=lambda alpha, beta: alpha - beta, project=lambda s, y, d: y @ d, of_pair=lambda i, m: i):
    """Return `lbfgs` with some of its parts replaced."""
    def changed(g, S, Y):
        q, alpha = g, {}
        for i in first(len(S)):
            alpha[i] = rho(S[i], Y[i]) * (S[i] @ q)
            q = take_out(q, alpha[i], Y[i])
        d = scale(S, Y) * q
        for i in second(len(S)):
            d = d + put_in(alpha[of_pair(i, len(S))], rho(S[i], Y[i]) * project(S[i], Y[i], d)) * S[i]
        return -d
    return changed


_STEPS = np.array([[1.0, -0.6, 0.4, 0.9], [-0.3, 1.1, 0.7, -0.5], [0.6, 0.2, -0.8, 0.5]])
_CHANGES = np.array([[3.1, -1.0, 0.7, 1.4], [-0.5, 2.6, 0.6, -1.3], [1.2, 0.9, -2.9, 0.4]])
_MORE_STEPS = np.array([[0.2, 0.7, -0.9, 0.3], [1.2, -0.4, 0.1, 0.6], [-0.5, 0.8, 0.3, 1.0]])
_MORE_CHANGES = np.array([[0.6, 0.9, -0.7, 0.8], [0.9, -1.1, 0.5, 0.4], [-1.4, 0.7, 0.9, 0.3]])

_lbfgs = Exercise(
    reference=lbfgs,
    returns="d",
    probes=[
        (np.array([2.0, -1.0, 3.0, 0.5]), _STEPS, _CHANGES),
        (np.array([0.3, 0.8, -0.4, 0.7]), _MORE_STEPS, _MORE_CHANGES),
        (np.array([3e-6, -1e-6, 4e-6, 2e-6]), 0.01 * _MORE_STEPS, 0.03 * _MORE_CHANGES),
        (np.array([2e7, 5e7, -3e7, 1e7]), 100.0 * _STEPS, 20.0 * _CHANGES),
    ],
    concept="BFGS's matrix is a product of factors, a pair of them for each step, so it can be applied without being "
            "made. On the way in, from the newest pair to the oldest, take out of g what each pair knows. Scale what "
            "is left. On the way out, from the oldest to the newest, put each pair's own answer in.",
    formula="newest to oldest: α_i = sᵢᵀq / sᵢᵀyᵢ,  q ← q − α_i yᵢ;   d = γ q;   "
            "oldest to newest: d ← d + (α_i − yᵢᵀd / sᵢᵀyᵢ) sᵢ;   return −d",
    blank="S[-1] @ Y[-1] / (Y[-1] @ Y[-1])",
    mistakes={
        "no_gamma": (
            _lbfgs_with(scale=lambda S, Y: 1.0),
            "the scale γ is missing. Between the loops multiply by γ = sᵀy / yᵀy, of the newest pair."),
        "gamma_inverted": (
            _lbfgs_with(scale=lambda S, Y: Y[-1] @ Y[-1] / (S[-1] @ Y[-1])),
            "γ is upside down. It is the size of the inverse Hessian: sᵀy / yᵀy."),
        "gamma_of_steps": (
            _lbfgs_with(scale=lambda S, Y: S[-1] @ S[-1] / (S[-1] @ Y[-1])),
            "γ is sᵀs / sᵀy. That has the right unit too, but here it is sᵀy / yᵀy."),
        "gamma_of_oldest": (
            _lbfgs_with(scale=lambda S, Y: S[0] @ Y[0] / (Y[0] @ Y[0])),
            "γ is made of the oldest pair. Take the newest, the last row."),
        "last_pair_only": (
            lambda g, S, Y: _lbfgs_with()(g, S[-1:], Y[-1:]),
            "only the newest pair is used. Both loops go over all rows."),
        "forwards_twice": (
            _lbfgs_with(first=range),
            "both loops go from the oldest pair to the newest. The first one goes the other way."),
        "backwards_twice": (
            _lbfgs_with(second=lambda m: reversed(range(m))),
            "both loops go from the newest pair to the oldest. The second one goes the other way."),
        "loops_swapped": (
            _lbfgs_with(first=range, second=lambda m: reversed(range(m))),
            "both loops go the wrong way. The first goes from the newest pair, the last row, to the oldest."),
        "newest_first": (
            lambda g, S, Y: _lbfgs_with()(g, S[::-1], Y[::-1]),
            "the rows are read with the newest first. The newest pair is the last row."),
        "alphas_in_first_order": (
            _lbfgs_with(of_pair=lambda i, m: m - 1 - i),
            "the second loop takes the α of other pairs. A list from the first loop begins with the newest: read it "
            "from its end."),
        "no_second_loop": (
            _lbfgs_with(second=lambda m: ()),
            "the second loop is missing. After the scaling, put each pair's own answer in, oldest to newest."),
        "not_taken_out": (
            _lbfgs_with(take_out=lambda q, alpha, y: q),
            "the first loop does not change q. Take out what each pair knows: q ← q − α y."),
        "put_in_twice": (
            _lbfgs_with(put_in=lambda alpha, beta: alpha + beta),
            "the second loop adds β to α. Subtract it: d ← d + (α − β) s."),
        "order_of_difference": (
            _lbfgs_with(put_in=lambda alpha, beta: beta - alpha),
            "the second loop has β − α. It is d ← d + (α − β) s."),
        "alpha_alone": (
            _lbfgs_with(put_in=lambda alpha, beta: alpha),
            "the second loop lacks β. Take out again what d says along y: d ← d + (α − β) s, with β = yᵀd / sᵀy."),
        "beta_along_s": (
            _lbfgs_with(project=lambda s, y, d: s @ d),
            "β is made with s. It is yᵀd / sᵀy."),
        "rho_inverted": (
            _lbfgs_with(rho=lambda s, y: s @ y),
            "α and β are multiplied by sᵀy. Divide by it: ρ = 1 / (sᵀy)."),
        "pair_swapped": (
            lambda g, S, Y: _lbfgs_with()(g, Y, S),
            "steps and changes are swapped. S holds the steps, Y the changes of the gradient."),
        "no_minus": (
            lambda g, S, Y: -_lbfgs_with()(g, S, Y),
            "the minus is missing. The direction should go downhill: return −d."),
        "gradient_scaled": (
            _lbfgs_with(first=lambda m: (), second=lambda m: ()),
            "this is the gradient times γ. γI is only the beginning; the loops take up what the pairs know."),
    },
)


EXERCISES = (_bfgs, _lbfgs)
