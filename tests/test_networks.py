"""The networks against the same sums in NumPy, their symmetries, and their types."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ravine import networks

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(size=(6, 4, 3))  # batch, time, features
TOKENS = np.random.default_rng(1).integers(0, 7, (6, 4))


def plain(network):
    return network.init, network.apply


def normalised(network):
    """Return init and apply of a network with state, in training, as if it had none."""
    return (lambda key, dtype=float: network.init(key, dtype)[0],
            lambda params, x: network.apply(params, network.init(KEY, x.dtype)[1], x, True)[0])


CASES = {"mlp": (*plain(networks.mlp((3, 5, 2), jnp.tanh)), X),
         "batch_norm_mlp": (*normalised(networks.batch_norm_mlp((3, 5, 2), jnp.tanh)), X),
         "recurrent": (*plain(networks.recurrent(3, 5, 2)), X),
         "transformer": (*plain(networks.transformer(7, 5, width=8, layers=1)), TOKENS)}
each_network = pytest.mark.parametrize(("init", "apply", "x"), CASES.values(), ids=CASES)


@each_network
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_shapes_types_and_gradients(init, apply, x, dtype):
    params = init(KEY, dtype)
    x = x.astype(dtype) if x.dtype == float else x

    @jax.jit
    def run(params, x):
        outputs = apply(params, x)
        return jnp.mean(outputs**2), outputs

    with jax.numpy_dtype_promotion("strict"):
        (_, outputs), grads = jax.value_and_grad(run, has_aux=True)(params, x)
    assert outputs.shape == (6, 4, 7 if x.dtype == int else 2)
    assert {leaf.dtype for leaf in jax.tree.leaves((params, outputs, grads))} == {jnp.dtype(dtype)}
    for leaf in jax.tree.leaves(grads):
        assert np.isfinite(leaf).all()


@pytest.mark.parametrize("name", ["mlp", "recurrent", "transformer"])
def test_under_vmap_over_examples_and_over_seeds(name):
    init, apply, x = CASES[name]
    params = init(KEY)
    one_by_one = jax.jit(jax.vmap(apply, (None, 0)))(params, x)
    np.testing.assert_allclose(one_by_one, jax.jit(apply)(params, x), rtol=1e-12, atol=1e-14)
    many = jax.jit(jax.vmap(init))(jax.random.split(KEY, 3))
    jax.tree.map(lambda seeds, w: np.testing.assert_array_equal(seeds.shape, (3, *w.shape)), many, params)


def test_an_mlp_is_its_formula():
    network = networks.mlp((3, 5, 4, 2), jnp.tanh, bias_init=jax.nn.initializers.normal(1.0))
    params = network.init(KEY)
    (a, p), (b, q), (c, r) = [(np.asarray(layer["kernel"]), np.asarray(layer["bias"])) for layer in params]
    expected = np.tanh(np.tanh(X @ a + p) @ b + q) @ c + r
    np.testing.assert_allclose(network.apply(params, X), expected, rtol=1e-12)
    assert [kernel.shape for kernel in (a, b, c)] == [(3, 5), (5, 4), (4, 2)]
    assert min(abs(np.concatenate([p, q, r]))) > 0


def test_any_initializer_will_do_and_each_layer_has_its_own_key():
    asked = []

    def initializer(key, shape, dtype):
        asked.append((jax.random.key_data(key).tolist(), shape, dtype))
        return jnp.ones(shape, dtype)

    params = networks.mlp((3, 3, 3), weight_init=initializer).init(KEY, jnp.float32)
    assert [call[1:] for call in asked] == [((3, 3), jnp.float32)] * 2
    assert asked[0][0] != asked[1][0]
    np.testing.assert_array_equal(params[0]["kernel"], np.ones((3, 3)))


def test_hidden_units_may_change_places():
    network = networks.mlp((3, 5, 2), bias_init=jax.nn.initializers.normal(1.0))
    first, last = network.init(KEY)
    order = np.array([3, 0, 4, 1, 2])
    shuffled = [{"kernel": first["kernel"][:, order], "bias": first["bias"][order]}, last]
    assert not np.allclose(network.apply(shuffled, X), network.apply([first, last], X))
    shuffled[1] = {"kernel": last["kernel"][order], "bias": last["bias"]}
    np.testing.assert_allclose(network.apply(shuffled, X), network.apply([first, last], X), rtol=1e-12, atol=1e-14)


def test_batch_norm_in_training_and_evaluation():
    norm = networks.batch_norm(3, decay=0.8, eps=1e-3)
    params, state = norm.init(KEY)
    params = {"scale": np.array([1.0, 2.0, 3.0]), "shift": np.array([0.0, -1.0, 1.0])}
    mean, variance = np.zeros(3), np.ones(3)
    for batch in (X, 2 * X + 1):
        y, state = norm.apply(params, state, jnp.asarray(batch), True)
        rows = batch.reshape(-1, 3)
        expected = params["scale"] * (batch - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-3) + params["shift"]
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-13)
        mean, variance = 0.8 * mean + 0.2 * rows.mean(0), 0.8 * variance + 0.2 * rows.var(0)
    np.testing.assert_allclose(state["mean"], mean, rtol=1e-13)
    np.testing.assert_allclose(state["variance"], variance, rtol=1e-13)
    y, same = norm.apply(params, state, jnp.asarray(X), False)
    np.testing.assert_allclose(y, params["scale"] * (X - mean) / np.sqrt(variance + 1e-3) + params["shift"], rtol=1e-12)
    jax.tree.map(np.testing.assert_array_equal, same, state)


def test_in_evaluation_an_example_does_not_depend_on_its_batch():
    network = networks.batch_norm_mlp((3, 5, 2))
    params, state = network.init(KEY)
    _, state = network.apply(params, state, X[0], True)
    many, alone = (network.apply(params, state, x, False)[0] for x in (X[0], X[0, :1]))
    np.testing.assert_allclose(many[:1], alone, rtol=1e-12)
    many, some = (network.apply(params, state, x, True)[0] for x in (X[0], X[0, :2]))
    assert not np.allclose(many[:2], some)


def test_a_recurrent_network_is_its_loop():
    network = networks.recurrent(3, 5, 2)
    params = network.init(KEY)
    h, expected = np.zeros((6, 5)), []
    for t in range(4):
        h = np.tanh(X[:, t] @ params["input"]["kernel"] + h @ params["recurrent"] + params["input"]["bias"])
        expected.append(h @ params["output"]["kernel"] + params["output"]["bias"])
    np.testing.assert_allclose(network.apply(params, X), np.stack(expected, 1), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(params["recurrent"] @ params["recurrent"].T, np.eye(5), atol=1e-14)


def test_a_transformer_sees_the_past_and_not_the_future():
    network = networks.transformer(7, 5, width=8, weight_init=jax.nn.initializers.normal(0.5))
    params = network.init(KEY)
    changed = TOKENS.copy()
    changed[:, 2] = (changed[:, 2] + 1) % 7
    before, after = network.apply(params, TOKENS), network.apply(params, changed)
    np.testing.assert_array_equal(before[:, :2], after[:, :2])
    assert (abs(before - after)[:, 2:].max((0, 2)) > 1e-3).all()


def test_attention_is_its_formula():
    mixed = np.random.default_rng(2).normal(size=(4, 12))
    query, key, value = mixed[:, :4], mixed[:, 4:8], mixed[:, 8:]
    expected = np.zeros((4, 4))
    for head in (slice(0, 2), slice(2, 4)):
        for t in range(4):
            weights = np.exp(key[:t + 1, head] @ query[t, head] / np.sqrt(2))
            expected[t, head] = weights @ value[:t + 1, head] / weights.sum()
    np.testing.assert_allclose(networks._attention(2, mixed), expected, rtol=1e-12)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: networks.mlp((3,)), ValueError, r"^sizes = \(3,\)"),
    (lambda: networks.mlp(3), TypeError, "^sizes = 3"),
    (lambda: networks.mlp((3, 0)), ValueError, r"^sizes\[1\] = 0"),
    (lambda: networks.mlp((3, 2.0)), TypeError, r"^sizes\[1\] = 2\.0"),
    (lambda: networks.mlp((3, 2), activation="relu"), TypeError, "^activation = 'relu'"),
    (lambda: networks.mlp((3, 2), weight_init=0.1), TypeError, r"^weight_init = 0\.1"),
    (lambda: CASES["mlp"][1](CASES["mlp"][0](KEY), np.ones((5, 4))), ValueError, r"^x has shape \(5, 4\)"),
    (lambda: networks.batch_norm(3, decay=1.0), ValueError, r"^decay = 1\.0"),
    (lambda: networks.batch_norm(3, eps=0), ValueError, r"^eps = 0\.0"),
    (lambda: networks.recurrent(3, 0, 2), ValueError, "^hidden = 0"),
    (lambda: networks.transformer(7, 5, width=8, heads=3), ValueError, "^heads = 3: must divide width = 8"),
    (lambda: CASES["transformer"][1](CASES["transformer"][0](KEY), X), TypeError, "^tokens has dtype float64"),
    (lambda: CASES["transformer"][1](CASES["transformer"][0](KEY), np.ones(6, int)), ValueError, "^tokens has shape")])
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
