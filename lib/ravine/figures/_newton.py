"""The live figure `newton`: the quadratic that a point sees of a surface, and where four methods go from there."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ravine import landscapes, notebook, optimizers, plotting
from ravine._compat import enable_x64
from ravine.figures import _figure
from ravine.figures._emit import emit, emit_objective, emit_rule
from ravine.training import minimize

SURFACES = {name: getattr(landscapes, name)
            for name in ("himmelblau", "rosenbrock", "product", "monkey_saddle", "steep_optima")}


class Method(NamedTuple):
    """A rule of the library, the settings of the figure that it takes, and its colour in the still picture."""

    rule: object
    hyper: tuple[str, ...]
    colour: str


def _damped_newton(damping):
    return optimizers.newton(damping=damping)


# The drawing knows no rule by name: any rule of these settings may stand here.
METHODS = {
    "gradient": Method(optimizers.sgd, ("learning_rate",), plotting.BLUE),
    "Newton": Method(optimizers.newton, (), plotting.ORANGE),
    "damped": Method(_damped_newton, ("damping",), plotting.PINK),
    "saddle-free": Method(optimizers.saddle_free_newton, (), plotting.GREEN),
}


class Newton(_figure.Figure):
    """The widget of `newton`: its arguments are its traits."""

    module = "newton"
    caption = ("The loss, shaded where its Hessian is indefinite, and the quadratic model of it at one point, with "
               "four steps from there. Below, both along the two eigenvectors of the Hessian: where the model curves "
               "downwards, Newton's step goes to its top.")

    surface = _figure.Choice("himmelblau", SURFACES)
    point = _figure.Point((1.0, -4.0), ["(-inf, inf)"] * 2)
    method = _figure.Choice("Newton", METHODS)
    learning_rate = _figure.Number(0.01, "[0, inf)")
    damping = _figure.Number(70.0, "[0, inf)")

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`."""
        w, matrix = np.zeros(2), np.eye(2)
        sources = [emit("analyse", _analyse, w, matrix), emit("modelled", _modelled, w, matrix, w),
                   *(emit_objective(name, surface, 2) for name, surface in SURFACES.items()),
                   *(emit_rule(f"rule{k}", method.rule, 2, method.hyper) for k, method in enumerate(METHODS.values()))]
        surfaces = ", ".join(
            f'{name}: {{ objective: {name}(), name: "{surface.name}", window: {_list(surface.window)}, '
            f"start: {_list(surface.start)} }}" for name, surface in SURFACES.items())
        rules = ", ".join(f'"{name}": rule{k}' for k, name in enumerate(METHODS))
        return _figure.namespace(sources, f"analyse, modelled, surfaces: {{ {surfaces} }}, rules: {{ {rules} }}")

    def path(self, method, steps):
        """Return the points of a run of one of the methods: float64, shape (steps + 1, 2)."""
        rule, hyper, _ = METHODS[method]
        with enable_x64():
            optimizer = rule(**{name: getattr(self, name) for name in hyper})
            return np.asarray(minimize(SURFACES[self.surface], np.array(self.point), optimizer, steps).path)

    def still(self):
        """Return the text of an `<svg>` with the surface, the model, and both along the eigenvectors."""
        return notebook.svg(_draw(self), self.caption)


def newton(surface="himmelblau", point=(1.0, -4.0), method="Newton", learning_rate=0.01, damping=70.0):
    r"""Return the live figure of Newton's method: drag the point, and see the quadratic that it sees.

    $$f(w + d) \approx f + g^\top d + \tfrac12 d^\top H d$$

    Newton's step, −H⁻¹g, goes to where this model is stationary, be that a minimum, a saddle or a maximum. Damping adds
    λ to every eigenvalue of H; saddle-free Newton takes their absolute values. The arguments are attributes of the
    figure that is returned, and follow what the reader does with it.

    Args:
        surface: "himmelblau", "rosenbrock", "product", "monkey_saddle" or "steep_optima", of `ravine.landscapes`.
        point: two numbers, where the model is made.
        method: whose step the button takes: "gradient", "Newton", "damped" or "saddle-free".
        learning_rate: η ≥ 0, of the gradient's step.
        damping: λ ≥ 0, of damped Newton.

    Raises:
        TypeError: an argument is not a number (two for `point`).
        ValueError: an argument is outside its range, or none of these words.
    """
    return Newton(surface=surface, point=point, method=method, learning_rate=learning_rate, damping=damping)


def _analyse(gradient, hessian):
    """Return the eigenvalues of H, ascending, its eigenvectors in columns, and the model's stationary point − w."""
    values, vectors = jnp.linalg.eigh(hessian)
    return values, vectors, -vectors @ ((vectors.T @ gradient) / values)


def _modelled(gradient, hessian, step):
    """Return by how much the quadratic model says that the loss will change."""
    return gradient @ step + 0.5 * step @ hessian @ step


def _list(numbers):
    return np.asarray(numbers).tolist()


# ---------------------------------------------------------------- the still picture


def _draw(figure):
    plotting.set_style()
    picture, axes = plotting.plt.subplot_mosaic([["loss", "model"], ["low", "high"]], figsize=(7.6, 6.2),
                                                height_ratios=(1.3, 1))
    surface, point = SURFACES[figure.surface], np.array(figure.point)
    steps = {name: figure.path(name, 1)[1] - point for name in METHODS}
    side = [np.linspace(*edge, 81) for edge in surface.window]
    nodes = np.stack(np.meshgrid(*side), -1)
    with enable_x64():
        seen = [np.asarray(part) for part in _derivatives(surface, np.vstack([point, nodes.reshape(-1, 2)]))]
        value, gradient, hessian = (part[0] for part in seen)
        values, vectors, stationary = (np.asarray(part) for part in _analyse(gradient, hessian))
    losses = seen[0][1:].reshape(nodes.shape[:2])
    curvatures = np.linalg.eigvalsh(seen[2][1:]).reshape(nodes.shape)
    away = nodes - point
    model = value + away @ gradient + 0.5 * np.einsum("...i,ij,...j", away, hessian, away)
    heights = np.unique(np.quantile(losses, np.linspace(0, 1, 18)[:-1]))

    axes["loss"].contourf(*side, np.sign(curvatures).sum(-1), [-1, 1], colors=[plotting.ORANGE], alpha=0.15)
    for name, field in (("loss", losses), ("model", model)):
        ax = axes[name]
        ax.contour(*side, field, levels=heights, colors=plotting.INK, linewidths=0.7, alpha=0.35)
        for label, step in steps.items():
            ax.annotate("", point + step, point, annotation_clip=False, arrowprops={
                "arrowstyle": "->", "color": METHODS[label].colour, "linewidth": 2, "shrinkA": 0, "shrinkB": 0})
        ax.plot(*(point + stationary), "x", color=plotting.INK, markersize=9, markeredgewidth=2)
        ax.plot(*point, "o", color=plotting.INK)
        ax.set(xlim=surface.window[0], ylim=surface.window[1], xlabel="$w_1$", ylabel="$w_2$")
    axes["loss"].set_title(f"{surface.name}; shaded: indefinite")
    axes["model"].set_title("The model at the point; ×: stationary")

    reach = 1.25 * max(np.abs(step).max() for step in [*steps.values(), stationary])
    along = np.linspace(-reach, reach, 121)
    downhill = np.where(vectors.T @ gradient > 0, -vectors, vectors).T
    with enable_x64():
        lines = np.asarray(_losses(surface, (point + np.multiply.outer(along, downhill)).reshape(-1, 2)))
    changes = lines.reshape(len(along), 2).T - value
    for name, curvature, direction, change in zip(("low", "high"), values, downhill, changes, strict=True):
        ax = axes[name]
        ax.plot(along, change, color=plotting.GREY, label="loss")
        ax.plot(along, _parabola(along, direction, gradient, curvature), "--", color=plotting.INK, label="model")
        for label, step in steps.items():
            place = step @ direction
            ax.plot(place, _parabola(place, direction, gradient, curvature), "o", label=label,
                    color=METHODS[label].colour)
        ax.set(title=f"Along the eigenvector of {curvature:.3g}", xlabel="downhill →", ylabel="change of the loss")
    picture.legend(*axes["low"].get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=9)
    return picture


@jax.jit
def _derivatives(surface, points):
    return jax.vmap(lambda w: (surface(w), jax.grad(surface)(w), jax.hessian(surface)(w)))(points)


@jax.jit
def _losses(surface, points):
    return jax.vmap(surface)(points)


def _parabola(along, direction, gradient, curvature):
    return along * (direction @ gradient) + 0.5 * curvature * along**2
