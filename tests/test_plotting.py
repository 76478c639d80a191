"""The style reads on both themes, and the recurring pictures show what they are given."""

import itertools

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest

import ravine as rv
from ravine import plotting

PAPERS = {"light": "#ffffff", "dark": "#14181e"}


# What the colour-blind see of linear RGB, after Viénot, Brettel & Mollon (1999).
EYES = {
    "trichromat": np.eye(3),
    "deuteranope": np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
    "protanope": np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
}


def linear(colour):
    channels = np.array([int(colour[i:i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    low, high = sorted(linear(colour) @ [0.2126, 0.7152, 0.0722] for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb):
    """CIE L*a*b* of linear RGB: distances in it are about as large as differences look; 2 is just visible."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    f = np.cbrt(xyz / [0.9505, 1, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("colour", plotting.COLOURS)
@pytest.mark.parametrize("paper", PAPERS)
def test_lines_stand_out_on_both_themes(colour, paper):
    assert contrast(colour, PAPERS[paper]) >= 3


@pytest.mark.parametrize("eye", EYES)
def test_every_eye_can_tell_the_lines_apart(eye):
    seen = [lab(EYES[eye] @ linear(colour)) for colour in plotting.COLOURS]
    assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) > 10


@pytest.mark.parametrize("surface", [rv.landscapes.quadratic(), rv.landscapes.himmelblau], ids=lambda s: s.name)
def test_contours_fill_the_window_and_star_the_minima(surface):
    figure, ax = plotting.figure()
    plotting.contours(ax, surface)
    assert (ax.get_xlim(), ax.get_ylim()) == surface.window
    stars = np.concatenate([line.get_xydata() for line in ax.lines])
    np.testing.assert_allclose(stars, surface.minima)
    plt.close(figure)


def test_a_path_shows_every_point():
    figure, ax = plotting.figure()
    points = rv.minimize(rv.landscapes.quadratic(), jnp.array([-2.0, 1.0]), rv.sgd(0.1), 20).path
    plotting.path(ax, points, color=plotting.BLUE)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), points)
    plt.close(figure)
