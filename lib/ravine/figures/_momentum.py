"""The live figure `momentum`: one ball, one step size α, one memory β, on a ravine with five directions."""

import jax
import jax.numpy as jnp
import numpy as np

from ravine import notebook, optimizers, plotting
from ravine._compat import enable_x64
from ravine.figures import _figure
from ravine.figures._emit import emit_objective, emit_rule
from ravine.landscapes import quadratic
from ravine.training import minimize

# The figure knows no rule by name: any rule(learning_rate, decay) with one slot may stand here.
RULES = {rule.__name__: rule for rule in (optimizers.momentum, optimizers.nesterov)}
DIRECTIONS = 5
WINDOW = quadratic(1.0).window
HUES = (plotting.BLUE, "#8468c4", plotting.PINK, "#d8506a", plotting.ORANGE)


class Momentum(_figure.Figure):
    """The widget of `momentum`: its arguments are its traits."""

    module = "momentum"
    caption = ("Momentum on a quadratic. The map shows, for every step size α and memory β, by what factor the slowest "
               "direction shrinks in a step; beside it the path of the ball, and below the error along each direction.")

    alpha = _figure.Number(0.012, "[0, inf)")
    beta = _figure.Number(0.7, "[0, 1)")
    condition_number = _figure.Number(50.0, "[1, 1000]")
    start = _figure.Point((-2.0, 1.0), [f"[{low}, {high}]" for low, high in WINDOW])
    steps = _figure.Count(80, at_most=2000)
    rule = _figure.Choice("momentum", RULES)

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`."""
        sources = [emit_objective("bowl", _bowl, DIRECTIONS, condition_number=1.0),
                   *(emit_rule(name, rule, DIRECTIONS) for name, rule in RULES.items())]
        window = [list(side) for side in WINDOW]
        return _figure.namespace(
            sources, f"bowl, rules: {{ {', '.join(RULES)} }}, directions: {DIRECTIONS}, window: {window}")

    def points(self):
        """Return the points of the run that the figure shows: float64, shape (steps + 1, directions)."""
        with enable_x64():
            start = np.ones(DIRECTIONS)
            start[[0, -1]] = self.start
            rule = RULES[self.rule](self.alpha, self.beta)
            return np.asarray(minimize(quadratic(self.condition_number, DIRECTIONS), start, rule, self.steps).path)

    def still(self):
        """Return the text of an `<svg>` with the map, the path and the error along each direction."""
        return notebook.svg(_draw(self), self.caption)


def momentum(alpha=0.012, beta=0.7, condition_number=50.0, start=(-2.0, 1.0), steps=80, rule="momentum"):
    r"""Return the live figure of momentum on a quadratic: drag (α, β), and see each direction's fate.

    $$f(w) = \tfrac12 \textstyle\sum_i \lambda_i w_i^2, \qquad \lambda_i \text{ from } 1 \text{ to } \kappa$$

    There are five directions. The path is drawn in the plane of the shallowest and the steepest; the three between them
    start at 1. The arguments are attributes of the figure that is returned, and follow what the reader does with it.

    Args:
        alpha: α ≥ 0, the learning rate.
        beta: β in [0, 1), the decay.
        condition_number: κ in [1, 1000].
        start: where the ball starts, in the shallowest and in the steepest direction: within ±2.2 and ±1.6.
        steps: how many steps it takes, 1 to 2000.
        rule: "momentum" or "nesterov".

    Raises:
        TypeError: an argument is not a number (two for `start`), or `steps` no whole number.
        ValueError: an argument is outside its range.
    """
    return Momentum(alpha=alpha, beta=beta, condition_number=condition_number, start=start, steps=steps, rule=rule)


def _bowl(w, condition_number):
    return quadratic(condition_number, DIRECTIONS)(w)


# ---------------------------------------------------------------- the still picture


def _spectral_radius(figure, alphas, betas):
    """Return max|σ| over the directions, shape (betas, alphas), from the Jacobian of one step at every (α, β)."""
    def step(w_and_slot, alpha, beta):
        w, slot = jnp.split(w_and_slot, 2)
        rule = RULES[figure.rule](alpha, beta)
        state = jax.tree.unflatten(jax.tree.structure(rule.init(w)), [slot])
        updates, state = rule.update(jax.grad(_bowl)(w, figure.condition_number), state, w)
        return jnp.concatenate([w + updates, *jax.tree.leaves(state)])

    jacobians = jax.jit(jax.vmap(jax.vmap(jax.jacobian(step), (None, 0, None)), (None, None, 0)))
    with enable_x64():
        jacobian = np.asarray(jacobians(jnp.zeros(2 * DIRECTIONS), alphas, betas))
    # Directions do not mix: each has its own 2 × 2 block of (w, slot).
    blocks = jacobian.reshape(*jacobian.shape[:2], 2, DIRECTIONS, 2, DIRECTIONS)
    blocks = np.einsum("abidjd->abdij", blocks)
    return np.abs(np.linalg.eigvals(blocks)).max((-1, -2))


def _draw(figure):
    plotting.set_style()
    picture, axes = plotting.plt.subplot_mosaic([["map", "valley"], ["errors", "errors"]], figsize=(7.6, 5.4))
    points = figure.points()

    alphas, betas = np.linspace(0, 4.2 / figure.condition_number, 141), np.linspace(0, 0.999, 101)
    radius = _spectral_radius(figure, alphas, betas)
    shades = [(*plotting.plt.matplotlib.colors.to_rgb(plotting.GREEN), share) for share in np.linspace(0.6, 0.04, 7)]
    axes["map"].contourf(alphas, betas, radius, [0, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1], colors=shades)
    axes["map"].contour(alphas, betas, radius, [1.0], colors=plotting.INK, linewidths=1.5)
    axes["map"].text(0.97, 0.06, "blows up", ha="right", transform=axes["map"].transAxes)
    axes["map"].plot(figure.alpha, figure.beta, "o", color=plotting.ORANGE, markersize=8)
    axes["map"].set(title="Every α and β", xlabel="step size α", ylabel="memory β")

    plotting.contours(axes["valley"], quadratic(figure.condition_number))
    plotting.path(axes["valley"], points[:, [0, -1]], color=plotting.ORANGE)
    axes["valley"].set(title="The path of the ball", xlabel="shallow direction", ylabel="steep direction")

    most = 1.1 * np.abs(points[0]).max()
    eigenvalues = np.diag(jax.hessian(_bowl)(jnp.zeros(DIRECTIONS), figure.condition_number))
    for error, hue, eigenvalue in zip(points.T, HUES, eigenvalues, strict=True):
        axes["errors"].plot(error, color=hue, label=f"λ = {eigenvalue:.3g}")
    axes["errors"].set(title="Direction by direction", xlabel="step", ylabel="error", ylim=(-most, most))
    axes["errors"].legend(ncols=DIRECTIONS, loc="lower right")
    return picture
