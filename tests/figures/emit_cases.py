"""One table of cases for the compiler, name -> (function, arguments), that together meet every primitive it knows."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

_draw = np.random.default_rng(0).normal
S = 0.7                                             # a scalar
X, Y = _draw(size=3), _draw(size=3)                 # small: entries become scalars
A, B = _draw(size=(5, 7)), _draw(size=(5, 7))       # large: loops
EDGES = np.array([-np.inf, -1.5, -0.0, 0.0, 0.5, 2.0, np.inf, np.nan])
MANY = np.concatenate([np.linspace(-6, 6, 40), EDGES, A[0]])
TIES = np.array([-2.5, -1.5, -0.5, -0.2, 0.0, 0.49999999999999994, 0.5, 1.5, 2.5, 3.7, 2.0**52 + 1])
INTS = np.array([-7, -4, 0, 3, 5, 2**30], np.int32)
DIVISORS = np.array([2, -3, 5, 0, -1, 3], np.int32)
SPD = np.eye(3) + np.outer(X, X)
CUBE, BRICK = _draw(size=(2, 3, 4)), _draw(size=(2, 4, 3))


def _map(function, *rows):
    return [function(*row) for row in rows]


def _with_wide(function, *xs):
    return [function(*xs), function(*(x.astype(int) for x in xs))]


def _with_bool(function, *xs):
    return [function(*xs), function(*(x > 0 for x in xs))]


def _each(names, how, *arguments, prefix=""):
    return {f"{prefix}{name}": (functools.partial(how, getattr(lax, name)), arguments) for name in names.split()}


_COMPARISONS = "eq ne lt le gt ge"
CASES = {
    # Entry by entry
    **_each("neg square abs sign floor ceil exp exp2 expm1 logistic sin cos tan asinh atan sinh cosh tanh cbrt erf "
            "erfc is_finite", _map, (S,), (X,), (MANY,)),
    **_each("sqrt rsqrt log log1p acosh", _map, (1.7,), (1 + X**2,), (1 + A**2,)),
    **_each("asin acos atanh", _map, (S,), (np.tanh(X),), (np.tanh(A),)),
    **_each(f"add sub mul div rem max min atan2 {_COMPARISONS}", _map, (S, 1.3), (X, Y), (MANY, MANY[::-1])),
    **_each(f"add sub mul div rem max min {_COMPARISONS}", _with_wide, INTS, DIVISORS, prefix="int "),
    **_each("bitwise_and bitwise_or bitwise_xor", _with_bool, INTS, DIVISORS),
    **_each("bitwise_not", _with_bool, INTS),
    **_each("neg abs sign square", _with_wide, INTS // 3, prefix="int "),
    "int clamp": (lambda x: _with_wide(lambda z: lax.clamp(z - z, z, z + 1), x), (INTS,)),
    "int wraps": (lambda x: x * x + x, (np.int32(2**31 - 1),)),
    "shifts": (lambda x: [x << 3, x >> 1, lax.shift_right_logical(x, jnp.int32(2))], (INTS,)),
    "bool": (lambda x: [(x > 0) == (x < 1), (x > 0) != (x < 1), jnp.where(x > 0, x > 1, x < -1)], (A,)),
    "clamp": (lambda e, a: [lax.clamp(-0.5, e, 0.5), lax.clamp(-0.5, a, 0.5), jnp.clip(a, e[1:2], 1.0)], (EDGES, A)),
    "pow": (lambda x, y, e: [x**0.3, jnp.abs(y) ** y, e ** e[::-1], 0.9 ** jnp.int32(7)], (S, A, EDGES)),
    "integer_pow": (lambda x, y, n: [*(z**k for z in (x, y) for k in (-2, 0, 1, 2, 3, 7)), n**3, n.astype(int) ** 2],
                    (S, A, INTS)),
    "round": (lambda x: [jnp.round(x), lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO)], (TIES,)),
    "floor_divide, remainder": (lambda x, n: [x // 0.3, x % 0.3, n // 3, n % 3, n // -3], (A, INTS)),
    "convert": (lambda x, e, n: [x.astype(int), x.astype(jnp.int32), e[:7].astype(jnp.int32), e.astype(bool),
                                 n.astype(float), n.astype(int), n.astype(bool), n.astype(int).astype(jnp.int32),
                                 n.astype(int).astype(bool), (x > 0).astype(int), (x > 0).astype(jnp.int32),
                                 (x > 0) * 1.5], (3 * A, 1e10 * EDGES, INTS)),
    "select": (lambda n, x: lax.select_n(n, x, 2 * x, 3 * x), (np.arange(3, dtype=np.int32), X)),
    "weak and integer arguments": (lambda x, n, flag: [n * x, n / 2, jnp.where(flag, x, -x)], (X, 3, True)),
    "activations": (lambda a: [f(a) for f in (jax.nn.relu, jax.nn.gelu, jax.nn.silu, jax.nn.softplus)], (A,)),

    # Axes of length 1 are repeated
    "size-1 axes": (lambda a, x: [a - a[:, :1], a * a[:1] + x[0], x[:, None] * x, (a[:, :3] + x)[:, :, None] + x],
                    (A, X)),
    "size-1 axes of small arrays": (lambda a, b: [a[:, None] + b, b[None, :] / (a[:, None] + b)],
                                    (np.arange(6.0), np.arange(1.0, 8.0))),
    "softmax": (lambda a: [jax.nn.log_softmax(a), jax.nn.log_softmax(a[:2, :3]), jax.nn.softmax(a, 0)], (A,)),
    "broadcast": (lambda x, s: [jnp.broadcast_to(x, (2, 3)), jnp.broadcast_to(x[:, None], (3, 9)), jnp.full((4, 5), s)],
                  (X, S)),

    # Layout
    "views": (lambda a: [a.T, a.reshape(7, 5), a.ravel(), a[::2, 1:6:3], a[::-1], jnp.flip(a[:2, :2]),
                         a.T.reshape(5, 7)], (A,)),
    "squeeze": (lambda a, x: [a[1], a[:, -1], a[:, None, 2:3].squeeze(1), x[1], x.reshape(1, 3, 1).squeeze()], (A, X)),
    "concatenate": (lambda a, x: [jnp.concatenate([a, 2 * a[:2]]), jnp.concatenate([a, a], 1), jnp.append(x, x),
                                  jnp.concatenate([x > 0, x < 0])], (A, X)),
    "stack, split": (lambda a, x: [jnp.stack([x, x]), jnp.stack([a, -a], 1), jnp.stack([x[0], x[2]]), *jnp.split(x, 3),
                                   *jnp.split(2 * a, [2, 3], axis=1), *jnp.unstack(2 * a, axis=1)[:2], *(3 * x)],
                     (A, X)),
    "tile, repeat": (lambda a, x: [jnp.tile(x, 2), jnp.tile(a, (2, 2)), jnp.repeat(x, 2), jnp.roll(a, 2, 1)], (A, X)),
    "pad": (lambda a, x: [*(lax.pad(x, 1.5, [axis]) for axis in [(1, 2, 1), (-1, 0, 0), (-1, -1, 2)]),
                          lax.pad(a, S, [(1, 0, 0), (0, 2, 1)]), lax.pad(a, x[0], [(-1, 2, 0), (1, -2, 1)])], (A, X)),
    "iota": (lambda x: [jnp.arange(3) + x, jnp.arange(40.0), jnp.eye(3), jnp.eye(5),
                        jnp.arange(30).reshape(5, 6)[:, 1]], (X,)),
    "constants": (lambda x: [x + X, jnp.asarray(A) * x[0], jnp.ones((5, 5)) + x[0], jnp.asarray([True, False]),
                             x * -np.inf, jnp.where(x > 0, np.nan, x), jnp.asarray([-0.0, 1e-300])], (X,)),
    "copy": (lambda x, a: [jnp.array(x, copy=True), lax.stop_gradient(a), x, x], (X, A)),
    "a tree": (lambda tree: {"b": tree["a"] + 1, "a": tree["b"][0] * tree["a"]}, ({"a": X, "b": (2.0, A)},)),

    # Indices
    "indexing": (lambda a, x, i: [x[0], x[1:], x[i], a[i], a[:, i], a[i, 2:4], a[jnp.array([0, 3])],
                                  a[:, jnp.array([1, -1])], a[jnp.array([0, 1]), jnp.array([2, 3])],
                                  x[jnp.array([2, 0])], x[jnp.array([i, 0])]], (A, X, 2)),
    "indexing out of range": (lambda a, i: [*(jnp.take(z, i + 9, axis=0) for z in (a, a.astype(int), a > 0)),
                                            jnp.take(a[0], jnp.array([1, 9])), jnp.take(a, i + 9, axis=0, mode="clip"),
                                            a.at[i + 9].set(1.0), a[0].at[jnp.array([1, 9])].set(0.0)], (A, 2)),
    "indexing row by row": (jax.vmap(lambda row, i: [row[i], row.at[i].set(0.0)]), (A, np.array([1, 0, 6, 2, 3]))),
    "at": (lambda a, x, i: [getattr(z.at[at], how)(2.0) for how in ("set", "add", "multiply", "min", "max")
                            for z, at in [(x, 0), (x, i), (a, 1), (a, (slice(None), i)), (x, slice(1, None))]],
           (A, X, 2)),
    "at, many": (lambda a, x, i: [a.at[jnp.array([0, 0, 4])].add(1.0), a.at[0].subtract(x[0]),
                                  x.at[jnp.array([i, i])].add(x[:2]), a.at[1:3, i].set(x[:2])], (A, X, 2)),
    "dynamic_slice": (lambda a, x, i: [lax.dynamic_slice(x, (i,), (2,)), lax.dynamic_slice(x, (-i,), (2,)),
                                       lax.dynamic_slice(a, (i, 9), (2, 3)), lax.dynamic_slice(a, (-3, 1), (4, 6))],
                      (A, X, 2)),
    "dynamic_update_slice": (lambda a, x, i: [lax.dynamic_update_slice(x, x[:1], (i,)),
                                              lax.dynamic_update_slice(x, x[:2] + 1, (0,)),
                                              lax.dynamic_update_slice(a, 2 * a[:2], (9, i))], (A, X, 1)),

    # Sums and products
    "sums": (lambda a, x: [a.sum(), a.sum(0), a.sum(1), x.sum(), a.reshape(5, 7, 1).sum((0, 2)), a[:2, :2].sum(1),
                           jnp.zeros((0, 3)).sum(0) + x], (A, X)),
    "reductions": (lambda *xs: [f(x) for f in (jnp.prod, jnp.max, jnp.min) for x in xs] + [xs[0].max(0)],
                   (A, X, INTS, INTS.astype(int), EDGES)),
    "any, all": (lambda a, x: [(a > 2).any(), (a > -9).all(1), (x > 0).any(), (x > 0).all()], (A, X)),
    "argmax": (lambda a, e, x: [f(z, axis=k) for f in (jnp.argmax, jnp.argmin)
                                for z, k in [(a, 0), (a, 1), (e, 0), (x, 0), (a.round(), 1)]], (A, EDGES, X)),
    "cumulate": (lambda a, x: [f(z, k) for f in (lax.cumsum, lax.cumprod, lax.cummax, lax.cummin)
                               for z, k in [(a, 0), (a, 1), (x, 0)]] + [lax.cumsum(a, 1, reverse=True)], (A, X)),
    "dot": (lambda a, b, x: [a @ b.T, a.T @ b, jnp.dot(x, x), SPD @ x, x @ SPD, jnp.outer(x, x), a @ b[0],
                             jnp.outer(x, a), (a > 0).astype(int) @ jnp.arange(7)], (A, B, X)),
    "dot_general": (lambda a, b: [jnp.einsum(axes, a, z) for axes, z in
                                  [("bij,bjk->bik", b), ("bij,bkj->bik", a), ("ijk,ljk->il", a), ("bij,bij->b", a)]],
                    (CUBE, BRICK)),
    "sort": (lambda e, a: [jnp.sort(e), jnp.argsort(e), jnp.sort(a.ravel()), jnp.argsort(-a[0])], (EDGES, A)),
    "solve": (lambda x: [jnp.linalg.solve(SPD - 2 * jnp.arange(9.0).reshape(3, 3), x), jnp.linalg.inv(SPD + x),
                         jnp.linalg.det(jnp.eye(5) + x[0] * A[:, :5]), jnp.linalg.solve(A[:5, :5] + x[0], A)], (X,)),
    "gradient of solve": (jax.grad(lambda x: jnp.sum(jnp.linalg.solve(SPD + jnp.diag(x**2), x) ** 2)), (X,)),
    "cholesky": (lambda x: jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(SPD + jnp.diag(x**2)), True), x), (X,)),

    "qr": (lambda a: [part for z in (a, a.T, a[:3, :3], jnp.eye(4)) for part in jnp.linalg.qr(z)], (A,)),
    "diagonal": (lambda a: jnp.diagonal(jnp.linalg.qr(a)[1]), (A,)),

    # Control flow and derivatives
    "scan": (lambda x, a: lax.scan(lambda c, row: ((c[0] + row[:3], c[1] * 0.5 + c[0][0]), (row * c[1], c[0])),
                                   (x, 1.0), a), (X, A)),
    "scan, reversed, large": (lambda a: lax.scan(lambda c, row: (c[::-1] + row.sum(), c[0]), a, a, reverse=True), (A,)),
    "scan that swaps": (lambda x: lax.scan(lambda c, _: ((c[1], c[0], c[2] + 1), None), (x[0], x[1], 0), length=5)[0],
                        (X,)),
    "scan of one round, of none": (lambda x: [lax.scan(lambda c, _: (2 * c, c), x, length=n) for n in (1, 0)], (X,)),
    "fori_loop": (lambda x, n: lax.fori_loop(0, n, lambda i, c: c * 0.9 + i, x), (X, 7)),
    "map": (lambda a: lax.map(lambda row: row @ row, a), (A,)),
    "while": (lambda x, a: lax.while_loop(lambda c: (c[0] ** 2).sum() < 50,
                                          lambda c: (c[0] * 1.5, c[1] + 1, c[2].T @ c[2]), (x, 0, a[:5, :5])), (X, A)),
    "cond": (lambda x, a: [lax.cond(x[0] > t, lambda z, y: (z * 2, y), lambda z, y: (z - 1, y[::-1]), x, a)
                           for t in (-9.0, 9.0)], (X, A)),
    "switch": (lambda x, n: [lax.switch(n + k, [jnp.sin, jnp.cos, jnp.square], x) for k in (-3, 0, 1, 5)], (X, 0)),
    "nested control flow": (lambda x: lax.scan(
        lambda c, i: (lax.cond(i % 2 == 0, lambda z: lax.fori_loop(0, i, lambda _, y: y * 1.1, z), jnp.sin, c), c[0]),
        x, jnp.arange(6)), (X,)),
    "custom derivatives": (jax.grad(lambda x: jax.nn.silu(x).sum() + jax.nn.logsumexp(x) + jnp.linalg.norm(x)), (X,)),
    "checkpoint": (jax.grad(lambda x: jax.checkpoint(lambda z: jnp.sin(z).sum())(x)), (X,)),
    "hessian": (jax.hessian(lambda x: jnp.sum(jnp.tanh(SPD @ x)) ** 2 + jnp.prod(x)), (X,)),
    "vmap": (jax.vmap(jax.grad(lambda x: jnp.sum(x[1:] * x[:-1] ** 2))), (A,)),
}
