"""The comparisons have teeth, for the rules that look at curvature: each of these wrong versions is refused.

Those of the search, which is slow to compile, are left to `make mutants` (more_slips.py).
"""

import pytest

from ravine import _products
from ravine.optimizers import _newton, _quasi_newton
from slips import put_in_place, rows

from .curvature_comparisons import error

SLIPS = (
    (_newton.newton_direction, "newton", {
        "ascent": ("-jnp.linalg", "jnp.linalg"),
        "H for its inverse": ("jnp.linalg.solve(_damped(H, damping), g)", "(_damped(H, damping) @ g)"),
        "the diagonal for H": ("_damped(H, damping), g", "jnp.diag(jnp.diag(_damped(H, damping))), g")}),
    (_newton._damped, "newton", {
        "no damping": ("H + damping * jnp.eye(len(H), dtype=H.dtype)", "H"),
        "damping in every entry": (" * jnp.eye(len(H), dtype=H.dtype)", ""),
        "damping taken away": ("H + damping", "H - damping"),
        "damping of the whole": ("H + damping * jnp.eye(len(H), dtype=H.dtype)", "(1 + damping) * H")}),
    (_newton._newton, "newton", {
        "no rate": ("learning_rate * newton_direction", "newton_direction"),
        "the rate squared": ("learning_rate * newton_direction", "learning_rate**2 * newton_direction"),
        "definite is indefinite": ("~_is_positive(H", "_is_positive(H")}),
    (_newton._newton, "newton, indefinite", {
        "no more damping": ("if searched:", "if False:"),
        "the user's damping beside it": ("_enough_damping, lambda", "lambda H: _enough_damping(H) + damping, lambda")}),
    (_newton._enough_damping, "newton, indefinite", {
        "to zero only": ("-2 * least", "-least"),
        "by the largest": ("values[0], ", "values[-1], "),
        "no floor": ("jnp.maximum(-2 * least, floor - least)", "-2 * least")}),
    (_newton.saddle_free_direction, "saddle_free_newton", {
        "eigenvalues with their signs": ("abs(values) + damping", "values + damping"),
        "damping inside": ("abs(values) + damping", "abs(values + damping)"),
        "no damping": (" + damping", ""),
        "ascent": ("-dot(vectors, along", "dot(vectors, along"),
        "eigenvectors transposed": ("vectors.T", "vectors", "dot(vectors, along", "dot(vectors.T, along"),
        "rows for columns": ("-dot(vectors, along", "-dot(vectors.T, along"),
        "the square of |H|": ("along / sizes", "along / sizes**2")}),
    (_newton._saddle_free_newton, "saddle_free_newton", {"no rate": ("learning_rate * p", "p")}),
    (_newton._gauss_newton, "gauss_newton", {
        "no damping": ("at.g, G, damping", "at.g, G, 0 * damping"),
        "the Hessian": ("G = jax.vmap(product)(jnp.eye(at.w.size, dtype=at.w.dtype))", "G = jax.hessian(at.f)(at.w)")}),
    (_newton._hessian_free, "gauss_newton", {
        "the Hessian of a loss in two parts": ("if at.predict is None", "if True")}),
    (_newton.hessian_free_direction, "hessian_free", {
        "no damping": (" + damping * v", ""),
        "ascent": ("-g, tol", "g, tol"),
        "one step more": ("max_steps=steps", "max_steps=steps + 1"),
        "silent about negative curvature": ("== krylov.Status.NEGATIVE_CURVATURE", "== 7")}),
    (_products.hessian_product, "products", {"at 0": ("(params,), (v,)", "(0 * params,), (v,)")}),
    (_quasi_newton.bfgs_inverse, "bfgs, inverse", {
        "ρ inverted": ("1 / dot(s, y), dot(B", "dot(s, y), dot(B"),
        "s and y swapped": ("(B, s, y):", "(B, y, s):"),
        "no ssᵀ": (" + rho) *", ") *"),
        "ssᵀ without ρ": (" + rho) *", " + 1) *"),
        "no curvature of B": ("rho**2 * dot(y, By) + rho", "rho"),
        "ρ for ρ²": ("rho**2 * dot", "rho * dot"),
        "one side only": ("jnp.outer(s, By) + jnp.outer(By, s)", "2 * jnp.outer(s, By)"),
        "growth for removal": ("B - rho", "B + rho")}),
    (_quasi_newton._bfgs, "bfgs", {
        "ascent": ("-dot(B, at.g)", "dot(B, at.g)"),
        "no γ": ("jnp.where(sound, _gamma(s, y), 1)", "1"),
        "γ at every step": ("at.age <= 1", "at.age >= 0"),
        "the old B": ("-dot(B, at.g)", "-dot(old, at.g)", "    s, y, sound", "    old = B\n    s, y, sound"),
        "a first step of any length": ("steepest(at.g)", "-at.g")}),
    (_quasi_newton._gamma, "bfgs", {
        "γ inverted": ("dot(s, y), dot(y, y)", "dot(y, y), dot(s, y)"),
        "the other γ": ("dot(s, y), dot(y, y)", "dot(s, s), dot(s, y)")}),
    (_quasi_newton._last_pair, "bfgs", {
        "points backwards": ("at.w - at.last_w", "at.last_w - at.w"),
        "both backwards, and let in": ("dot(s, y) > rounding", "dot(s, y) < rounding"),
        "the gradient for its change": ("at.g - at.last_g", "at.g")}),
    (_quasi_newton._lbfgs, "lbfgs", {
        "what is left of a run before": ("jnp.where(at.age > 0, old, 0)", "old"),
        "S and Y swapped": ("(pairs, s, y)", "(pairs, y, s)")}),
    (_quasi_newton.with_pair, "lbfgs", {
        "the newest first": ("[S, s]", "[s, S]", "[Y, y]", "[y, Y]"),
        "the newest kept, not the oldest left": ("pairs.S[1:], pairs.Y[1:]", "pairs.S[:-1], pairs.Y[:-1]"),
        "R⁻¹ without the newest": ("R_inverse[1:, 1:]", "R_inverse[:-1, :-1]"),
        "pairs as if conjugate": ("-rho * dot(R_inverse, dot(S, y))", "0 * dot(S, y)"),
        "a plus": ("-rho * dot", "rho * dot"),
        "R for R⁻¹": ("-rho * dot(R_inverse, dot(S, y)), rho", "dot(S, y), 1 / rho"),
        "Y s for S y": ("dot(S, y))", "dot(Y, s))"),
        "ρ inverted": ("1 / dot(s, y)", "dot(s, y)"),
        "a row for a column": ("column_stack", "vstack", "((0, 1), (0, 0))", "((0, 0), (0, 1))")}),
    (_quasi_newton.lbfgs_direction, "lbfgs", {
        "no γ": ("_gamma(S[-1], Y[-1]) if gamma is None else gamma", "1.0"),
        "γ of the oldest": ("_gamma(S[-1], Y[-1])", "_gamma(S[0], Y[0])"),
        "the last pair alone": (
            "R_inverse = pairs", "R_inverse = pairs.S[-1:], pairs.Y[-1:], pairs.R_inverse[-1:, -1:]"),
        "R⁻¹ twice": ("dot(Y, q), R_inverse)", "dot(Y, q), R_inverse.T)"),
        "R⁻ᵀ twice": ("dot(R_inverse, dot(S, g))", "dot(dot(S, g), R_inverse)"),
        "D inverted": ("ratio(a, jnp.diag(R_inverse))", "a * jnp.diag(R_inverse)"),
        "the gradient for q": ("dot(Y, q)", "dot(Y, g)"),
        "a plus": (" - gamma * dot(Y", " + gamma * dot(Y"),
        "no b": (" - dot(b, S)", ""),
        "b put in the wrong way": ("- dot(b, S)", "+ dot(b, S)"),
        "ascent": ("-gamma * q - dot", "gamma * q + dot")}),
    (_quasi_newton.lbfgs_direction, "lbfgs, γ = 1", {
        "s for y": ("g - dot(a, Y)", "g - dot(a, S)")}),
    (_quasi_newton._fletcher_reeves, "fletcher_reeves", {
        "β inverted": ("dot(g, g), dot(last_g, last_g)", "dot(last_g, last_g), dot(g, g)"),
        "norms": ("dot(g, g), dot(last_g, last_g)", "dot(g, g)**0.5, dot(last_g, last_g)**0.5")}),
    (_quasi_newton._polak_ribiere, "polak_ribiere", {
        "Fletcher and Reeves's": ("g - last_g", "g"),
        "y backwards": ("g - last_g", "last_g - g"),
        "no cut": ("jnp.maximum(0, ", "(")}),
    (_quasi_newton._hestenes_stiefel, "hestenes_stiefel", {
        "the gradient below": ("dot(last_p", "dot(last_g"), "no cut": ("jnp.maximum(0, ", "(")}),
    (_quasi_newton._dai_yuan, "dai_yuan", {"y above": ("dot(g, g)", "dot(g, g - last_g)")}),
    (_quasi_newton._nonlinear_cg, "line", {
        "no memory": ("at.age > 0", "at.age < 0"),
        "against the last direction": ("-at.g + jnp.where", "-at.g - jnp.where"),
        "no minus": ("p = -at.g + jnp", "p = at.g + jnp"),
        "the length upside down": ("-dot(at.g, p) / curvature", "-curvature / dot(at.g, p)"),
        "the scaled step for the direction": ("alpha * p, p, ", "alpha * p, alpha * p, ")}),
    (_quasi_newton._curvature_along, "conjugacy", {
        "at 0": ("jax.jvp(slope, (w,)", "jax.jvp(slope, (0 * w + 1,)", "(w,), (p,))[1]\n\n", "(w**2,), (p,))[1]\n\n")}),
)


@pytest.mark.parametrize(("function", "name", "changes"), rows(SLIPS))
def test_refused(function, name, changes, monkeypatch):
    put_in_place(function, changes, monkeypatch)
    assert not error(name) <= 1
