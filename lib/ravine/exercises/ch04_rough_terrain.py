"""The exercises of chapter 4, rough terrain."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from ravine.exercises._exercise import Exercise


def clip(tree, c):
    """Clip a gradient by its norm.

    tree  the gradient, a tree of arrays such as {"W": ..., "b": ...}
    c     the largest length that passes, positive

    The gradient counts as one vector, over all of its arrays: if it is
    longer than c it is shortened to length c; else it stays as it is.
    Returns a tree like the one given.
    """
    norm = jnp.sqrt(sum(jnp.sum(g**2) for g in jax.tree.leaves(tree)))
    scale = jnp.where(norm > c, c / norm, 1.0)
    return jax.tree.map(lambda g: scale * g, tree)


def _norm(tree):
    return np.sqrt(sum((np.asarray(g)**2).sum() for g in jax.tree.leaves(tree)))


def _scaled(tree, scale):
    return jax.tree.map(lambda g: scale * np.asarray(g), tree)


def _clipped(tree, c, norm):
    """The gradient, clipped by what is taken for its norm."""
    return _scaled(tree, c / norm if norm > c else 1.0)


def _divided(tree, factor):
    """Divide the gradient by its norm, as NumPy does it: 0/0 is NaN."""
    with np.errstate(invalid="ignore"):
        return jax.tree.map(lambda g: np.asarray(g) * factor / _norm(tree), tree)


_clip = Exercise(
    reference=clip,
    returns="clipped",
    probes=[
        ({"W": np.array([[3.0, -1.0], [2.0, 0.5]]), "b": np.array([1.0, -4.0])}, 2.0),
        ({"W": np.array([[0.9, 0.4], [-0.8, 1.1]]), "b": np.array([0.6, -0.7])}, 2.5),  # ‖g‖ < c < ‖g‖²
        ({"W": np.array([[4e6, 1e6], [3e6, -2e6]]), "b": np.array([5e6, 7e6])}, 0.6),
        ({"W": np.array([[2e-6, 7e-6], [-4e-6, 3e-6]]), "b": np.array([-6e-6, 1e-6])}, 0.4),
        ({"W": np.zeros((2, 2)), "b": np.zeros(2)}, 1.5),
    ],
    concept="Measure the gradient as one long vector, with all of its arrays in it. If it is too long, multiply every "
            "array by the same number: then the direction stays. If it is short enough, leave it; it may be zero.",
    formula="‖g‖ = √(Σ over all arrays and entries of g²),   g ← c g/‖g‖  if ‖g‖ > c",
    blank="c / norm",
    mistakes={
        "per_array": (
            lambda tree, c: jax.tree.map(lambda g: _clipped(g, c, _norm(g)), tree),
            "each array is clipped by itself. That turns the direction: all arrays make one vector, with one norm."),
        "per_value": (
            lambda tree, c: jax.tree.map(lambda g: np.clip(g, -c, c), tree),
            "each entry is clipped by itself. That turns the direction: shorten the gradient as a whole."),
        "always_rescaled": (
            lambda tree, c: _divided(tree, c),
            "short gradients are made longer, and a zero one NaN. Rescale only where ‖g‖ > c."),
        "zero_by_zero": (
            lambda tree, c: _divided(tree, min(c, _norm(tree))),
            "a zero gradient becomes 0/0. Divide only where ‖g‖ > c, or see to it that a zero stays zero."),
        "unit_length": (
            lambda tree, c: _clipped(tree, 1.0, _norm(tree)) if _norm(tree) > c else tree,
            "long gradients come out with length 1. Their length should be c: multiply by c/‖g‖."),
        "multiplied": (
            lambda tree, c: _scaled(tree, c if _norm(tree) > c else 1.0),
            "long gradients are multiplied by c. Divide by ‖g‖ as well, so that the length becomes c."),
        "norm_by_c": (
            lambda tree, c: _scaled(tree, _norm(tree) / c if _norm(tree) > c else 1.0),
            "the factor is upside down. A gradient that is too long is multiplied by c/‖g‖, which is below 1."),
        "wrong_way": (
            lambda tree, c: tree if _norm(tree) >= c else _divided(tree, c),
            "short gradients are rescaled, and long ones pass. It is the other way round: rescale where ‖g‖ > c."),
        "no_root": (
            lambda tree, c: _clipped(tree, c, _norm(tree)**2),
            "the norm is not rooted. ‖g‖ is the root of the sum of squares."),
        "square_compared": (
            lambda tree, c: _scaled(tree, c / _norm(tree) if _norm(tree)**2 > c else 1.0),
            "the square of the norm is compared with c. Compare its root: rescale where ‖g‖ > c."),
        "norms_added": (
            lambda tree, c: _clipped(tree, c, sum(map(_norm, jax.tree.leaves(tree)))),
            "the norms of the arrays are added. Add their squares, and take the root of that."),
        "largest_norm": (
            lambda tree, c: _clipped(tree, c, max(map(_norm, jax.tree.leaves(tree)))),
            "the longest array decides. All arrays make one vector: add their squares."),
        "largest_entry": (
            lambda tree, c: _clipped(tree, c, max(np.max(np.abs(g)) for g in jax.tree.leaves(tree))),
            "the largest entry is taken for the norm. The length is the root of the sum of squares."),
        "sum_of_sizes": (
            lambda tree, c: _clipped(tree, c, sum(np.sum(np.abs(g)) for g in jax.tree.leaves(tree))),
            "the sizes of the entries are added. The length is the root of the sum of squares."),
        "mean": (
            lambda tree, c: _clipped(tree, c, _norm(tree) / sum(g.size for g in jax.tree.leaves(tree))**0.5),
            "the root of the mean square is taken for the norm. Sum the squares: a mean forgets how many there are."),
        "dropped": (
            lambda tree, c: _scaled(tree, 0.0 if _norm(tree) > c else 1.0),
            "a gradient that is too long is dropped. Shorten it to length c; its direction is of use."),
        "list": (
            lambda tree, c: jax.tree.leaves(clip(tree, c)),
            "a list of the arrays comes back. Return a tree like the one given: jax.tree.map keeps its form."),
        "norm_too": (
            lambda tree, c: (clip(tree, c), _norm(tree)),
            "the norm comes back too. Return the clipped tree alone."),
    },
)


def jac_norm(Ws, x):
    """How much a deep tanh network can magnify a small change of its input.

    Ws  the weights of its layers, a list of arrays of shape (d, d)
    x   the input, shape (d,)

    A layer is h -> tanh(h @ W), the last one too; there are no biases.
    Returns the largest singular value of the Jacobian of the output by the
    input, at x.
    """
    def network(h):
        for W in Ws:
            h = jnp.tanh(h @ W)
        return h

    return jnp.linalg.norm(jax.jacobian(network)(x), ord=2)


def _jacobian(Ws, x, slope=lambda before, after: 1 - after**2):
    """The Jacobian by the chain rule, with what is taken for the slope of tanh."""
    jacobian, h = np.eye(len(x), dtype=np.asarray(x).dtype), np.asarray(x)
    for W in map(np.asarray, Ws):
        before, h = h @ W, np.tanh(h @ W)
        jacobian = slope(before, h)[:, None] * (W.T @ jacobian)
    return jacobian


def _largest(matrix):
    return np.linalg.norm(matrix, ord=2)


def _slopes(Ws, x):
    """The slopes of tanh in each layer."""
    for W in map(np.asarray, Ws):
        x = np.tanh(np.asarray(x) @ W)
        yield 1 - x**2


def _other_order(Ws, x):
    """The layers' Jacobians, multiplied the wrong way round."""
    return functools.reduce(lambda product, layer: product @ (layer[1][:, None] * np.asarray(layer[0]).T),
                            zip(Ws, _slopes(Ws, x), strict=True), np.eye(len(x)))


_jac_norm = Exercise(
    reference=jac_norm,
    returns="norm",
    probes=[
        ([np.array([[0.8, -0.5], [0.3, 1.2]]), np.array([[1.1, 0.4], [-0.7, 0.6]]),
          np.array([[0.5, 0.9], [1.3, -0.2]])],
         np.array([0.7, -0.4])),
        ([np.array([[-0.6, 1.4], [0.9, 0.2]]), np.array([[0.3, -1.1], [1.5, 0.8]]),
          np.array([[1.2, -0.6], [0.4, 0.7]])],
         np.array([0.5, 1.1])),
        ([np.array([[1.3, 0.6], [-0.4, 0.7]]), np.array([[0.9, 0.3], [-1.2, 1.1]]),
          np.array([[0.8, -1.3], [0.5, 1.6]])],
         np.array([3e-6, 5e-6])),
        ([np.array([[6e-7, -2e-7], [4e-7, 9e-7]]), np.array([[1.4, 0.2], [0.7, -0.9]]),
          np.array([[-0.5, 1.1], [0.6, 0.8]])],
         np.array([1e6, -5e5])),
    ],
    concept="A small change δ of the input changes the output by J δ. Of all directions of δ, the one that is "
            "stretched most is stretched by the largest singular value of J, which is its spectral norm.",
    formula="J = ∂h_L/∂x = D_L W_Lᵀ ⋯ D_1 W_1ᵀ,   D_i = diag(1 − h_i²),   ‖J‖₂ = σ_max(J)",
    blank="jax.jacobian(network)(x)",
    mistakes={
        "no_slope": (
            lambda Ws, x: _largest(_jacobian(Ws, x, lambda before, after: np.ones_like(after))),
            "the slope of tanh is missing. Each layer also multiplies by 1 − h², which is at most 1."),
        "slope_not_squared": (
            lambda Ws, x: _largest(_jacobian(Ws, x, lambda before, after: 1 - after)),
            "the slope of tanh is taken as 1 − h. It is 1 − h²."),
        "slope_at_sum": (
            lambda Ws, x: _largest(_jacobian(Ws, x, lambda before, after: 1 - before**2)),
            "the slope is 1 minus the square of what goes into tanh. Square what comes out: 1 − tanh²."),
        "slope_twice": (
            lambda Ws, x: _largest(_jacobian(Ws, x, lambda before, after: 1 - np.tanh(after)**2)),
            "tanh is taken twice in the slope. With h = tanh(z) the slope is 1 − h²."),
        "bound": (
            lambda Ws, x: np.prod([_largest(np.asarray(W)) for W in Ws]),
            "the norms of the weights are multiplied. That is only a bound: the layers' directions need not line up, "
            "and tanh is flatter than 1. Take the norm of the whole Jacobian."),
        "bound_with_slopes": (
            lambda Ws, x: np.prod([_largest(slope[:, None] * np.asarray(W).T)
                                   for W, slope in zip(Ws, _slopes(Ws, x), strict=True)]),
            "the norms of the layers' Jacobians are multiplied. That is only a bound, since their directions need not "
            "line up: multiply the matrices, then take the norm."),
        "frobenius": (
            lambda Ws, x: np.linalg.norm(_jacobian(Ws, x)),
            "this is the Frobenius norm, the root of the sum of squares. For a matrix jnp.linalg.norm gives that "
            "unless it is told ord=2."),
        "squared": (
            lambda Ws, x: _largest(_jacobian(Ws, x))**2,
            "this is the largest eigenvalue of JᵀJ. The singular value is its root."),
        "eigenvalue": (
            lambda Ws, x: np.max(np.abs(np.linalg.eigvals(_jacobian(Ws, x)))),
            "this is the largest eigenvalue of J. Where the eigenvectors are not orthogonal a change can grow by more: "
            "take the largest singular value."),
        "smallest": (
            lambda Ws, x: np.linalg.norm(_jacobian(Ws, x), ord=-2),
            "this is the smallest singular value. The largest is asked for."),
        "largest_entry": (
            lambda Ws, x: np.max(np.abs(_jacobian(Ws, x))),
            "this is the largest entry of J. Entries work together: take the largest singular value."),
        "column_sums": (
            lambda Ws, x: np.linalg.norm(_jacobian(Ws, x), ord=1),
            "this is the 1-norm, the largest sum over a column. The largest singular value is asked for."),
        "row_sums": (
            lambda Ws, x: np.linalg.norm(_jacobian(Ws, x), ord=np.inf),
            "this is the ∞-norm, the largest sum over a row. The largest singular value is asked for."),
        "transposed": (
            lambda Ws, x: _largest(_jacobian([np.asarray(W).T for W in Ws], x)),
            "the weights are transposed. A layer is tanh(h @ W), with h on the left."),
        "linear_last": (
            lambda Ws, x: _largest(np.asarray(Ws[-1]).T @ _jacobian(Ws[:-1], x)),
            "the last layer has no tanh. Here it has one too."),
        "outputs_added": (
            lambda Ws, x: np.linalg.norm(_jacobian(Ws, x).sum(axis=0)),
            "the outputs are added up before they are differentiated. That is the gradient of their sum: take the "
            "Jacobian, a row for each output."),
        "last_layer_only": (
            lambda Ws, x: _largest(list(_slopes(Ws, x))[-1][:, None] * np.asarray(Ws[-1]).T),
            "only the last layer is differentiated. Go back to the input, through all layers."),
        "backwards": (
            lambda Ws, x: _largest(_jacobian(Ws[::-1], x)),
            "the layers are applied in reverse. Ws[0] comes first."),
        "other_order": (
            lambda Ws, x: _largest(_other_order(Ws, x)),
            "the layers' Jacobians are multiplied in the wrong order. The first layer stands on the right, next to "
            "the change of the input."),
        "jacobian": (
            lambda Ws, x: _jacobian(Ws, x),
            "the Jacobian itself comes back. Return its largest singular value, one number."),
        "all_values": (
            lambda Ws, x: np.linalg.svd(_jacobian(Ws, x), compute_uv=False),
            "all singular values come back. Return the largest."),
    },
)


EXERCISES = (_clip, _jac_norm)
