"""The live figure `conditioning`: gradient descent in a bowl that is long and narrow, and what curvature takes back."""

import jax
import jax.numpy as jnp
import numpy as np

from ravine import curvature, landscapes, notebook, optimizers, plotting
from ravine._compat import enable_x64
from ravine.figures import _figure
from ravine.figures._emit import emit, emit_objective, emit_rule
from ravine.training import minimize

WINDOW = landscapes.quadratic().window
TOLERANCE = 1e-6  # of the loss at the start
STEPS = 60
MOST_STEPS = 3000
KAPPAS = tuple(float(f"{10 ** (k / 5):.3g}") for k in range(16))  # where the steps are counted


class Conditioning(_figure.Figure):
    """The widget of `conditioning`: its arguments are its traits."""

    module = "conditioning"
    caption = ("Gradient descent in a bowl with condition number κ, at a rate near the largest stable one: the path, "
               "and for every step the fall of the loss that the gradient promises, and what curvature takes back.")

    condition_number = _figure.Number(20.0, "[1, 1000]")
    angle = _figure.Number(25.0, "[0, 90]")
    share = _figure.Number(0.9, "[0, 1.2]")
    start = _figure.Point((-1.9, -0.3), [f"[{low}, {high}]" for low, high in WINDOW])

    @classmethod
    def library(cls):
        """Return JavaScript that defines the constant `library`."""
        w = np.zeros(2)
        sources = [emit_objective("bowl", _bowl, 2, condition_number=1.0, angle=0.0),
                   emit("eigenvalues", _eigenvalues, 1.0, 0.0), emit("diagnose", _diagnose, w, 0.0, 1.0, 0.0),
                   emit_rule("descent", optimizers.sgd, 2, ("learning_rate",))]
        return _figure.namespace(
            sources, f"bowl, eigenvalues, diagnose, descent, window: {[list(side) for side in WINDOW]}, "
                     f"tolerance: {TOLERANCE}, steps: {STEPS}, mostSteps: {MOST_STEPS}, kappas: {list(KAPPAS)}")

    def path(self, steps):
        """Return the points of the run: float64, shape (steps + 1, 2)."""
        with enable_x64():
            rate = self.share * 2 / float(_eigenvalues(self.condition_number, self.angle)[-1])
            surface = landscapes.quadratic(self.condition_number, 2, np.deg2rad(self.angle))
            return np.asarray(minimize(surface, np.array(self.start), optimizers.sgd(rate), steps).path)

    def diagnostics(self, steps):
        """Return `ravine.curvature.step_diagnostics` at the first points of the run, each of its parts an array."""
        with enable_x64():
            rate = self.share * 2 / float(_eigenvalues(self.condition_number, self.angle)[-1])
            at = jax.jit(jax.vmap(_diagnose, (0, None, None, None)))
            found = at(self.path(steps)[:-1], rate, self.condition_number, self.angle)
        return curvature.StepDiagnostics(*(np.asarray(part) for part in found)), rate

    def still(self):
        """Return the text of an `<svg>` with the path, and what each step promised and brought."""
        return notebook.svg(_draw(self), self.caption)


def conditioning(condition_number=20.0, angle=25.0, share=0.9, start=(-1.9, -0.3)):
    r"""Return the live figure of conditioning: drag the rate past 2/λ_max, and see the zigzag grow.

    $$f(w - \eta g) - f(w) = -\eta\, g^\top g + \tfrac12 \eta^2\, g^\top H g$$

    The first term is what the gradient promises, the second what curvature takes back of it. The arguments are
    attributes of the figure that is returned, and follow what the reader does with it.

    Args:
        condition_number: κ in [1, 1000].
        angle: of the long axis of the bowl with the first coordinate, 0 to 90 degrees.
        share: the learning rate as a share of 2/λ_max, 0 to 1.2; above 1 it diverges.
        start: where descent starts, within ±2.2 and ±1.6.

    Raises:
        TypeError: an argument is not a number (two for `start`).
        ValueError: an argument is outside its range.
    """
    return Conditioning(condition_number=condition_number, angle=angle, share=share, start=start)


def _bowl(w, condition_number, angle):
    return landscapes.quadratic(condition_number, 2, jnp.deg2rad(angle))(w)


def _eigenvalues(condition_number, angle):
    return jnp.linalg.eigvalsh(jax.hessian(_bowl)(jnp.zeros(2), condition_number, angle))


def _diagnose(w, learning_rate, condition_number, angle):
    return curvature.step_diagnostics(_bowl, w, learning_rate, args=(condition_number, angle))


# ---------------------------------------------------------------- the still picture


def _draw(figure):
    picture, axes = plotting.figure(2, height=3.4)
    plotting.contours(axes[0], landscapes.quadratic(figure.condition_number, 2, np.deg2rad(figure.angle)))
    plotting.path(axes[0], figure.path(STEPS), color=plotting.ORANGE)
    axes[0].set_title(f"κ = {figure.condition_number:g}, η = {figure.share:g} · 2/λ_max")
    found, rate = figure.diagnostics(STEPS)
    axes[1].plot(rate * found.gTg, color=plotting.BLUE, label="promised by the gradient, ηgᵀg")
    axes[1].plot(rate**2 * found.gTHg / 2, color=plotting.ORANGE, label="taken back by curvature, ½η²gᵀHg")
    axes[1].plot(abs(found.actual_change), ".", color=plotting.GREY, label="change of the loss")
    axes[1].set(title="What each step brings", xlabel="step", yscale="log")
    axes[1].legend(fontsize=8)
    return picture
