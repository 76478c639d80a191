"""Parameters or data spread over eight devices stay where they are, and a run comes out as on one device."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ravine as rv

from .cases import RULES

PROGRAM = """
import jax, jax.numpy as jnp, numpy as np, optax
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from optimizers.cases import RULES, slots

mesh = jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,))
placed = NamedSharding(mesh, PartitionSpec("data"))
assert len(jax.devices()) == 8
alone = jnp.linspace(-1.0, 1.0, 32).reshape(16, 2)
spread = jax.device_put(alone, placed)

def loss(w):
    return jnp.sum(w**4)

def step(optimizer, state, w):
    optimizer = optax.with_extra_args_support(optimizer)
    grad = jax.grad(loss)(w)
    updates, state = optimizer.update(grad, state, w, value=0.0, grad=grad, value_fn=loss)
    return optax.apply_updates(w, updates), state

for name, rule in RULES.items():
    optimizer = rule(0.1)
    for step_ in (step, jax.jit(step)):
        one, many = alone, spread
        one_state, many_state = optimizer.init(one), optimizer.init(many)
        for _ in range(3):
            one, one_state = step_(optimizer, one_state, one)
            many, many_state = step_(optimizer, many_state, many)
        np.testing.assert_allclose(many, one, rtol=1e-6, err_msg=name)
        for leaf in jax.tree.leaves((many, slots(many_state))):
            assert leaf.sharding.is_equivalent_to(placed, 2), (name, leaf.sharding)
    print(name)
"""


# The rules that look at curvature: every device holds all parameters, and a part of the data.
CURVATURE = """
import jax, jax.numpy as jnp, numpy as np, ravine as rv
from jax.sharding import AxisType, NamedSharding, PartitionSpec

jax.config.update("jax_enable_x64", True)
mesh = jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,))
placed, everywhere = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in (("data",), ()))
x = jnp.sin(jnp.arange(48.0)).reshape(16, 3)
data = x, jnp.tanh(x @ jnp.array([0.5, -1.0, 0.3]))
start = {"w": jnp.zeros(3)}

objective = rv.split(lambda params, x, y: jnp.tanh(x @ params["w"]), lambda out, x, y: jnp.mean((out - y) ** 2))
rules = {"newton": rv.newton(damping=0.5), "gauss_newton": rv.gauss_newton(), "lbfgs": rv.lbfgs(),
         "hessian_free": rv.hessian_free()}
for name, rule in rules.items():
    one = rv.minimize(objective, start, rule, 3, args=data)
    many = rv.minimize(objective, jax.device_put(start, everywhere), rule, 3, args=jax.device_put(data, placed))
    np.testing.assert_allclose(many.path["w"], one.path["w"], rtol=1e-9, err_msg=name)
    np.testing.assert_allclose(many.losses, one.losses, rtol=1e-9, err_msg=name)
    assert len(many.params["w"].sharding.device_set) == 8
    assert many.params["w"].sharding.is_fully_replicated, name
    print(name)
"""


@pytest.mark.parametrize(("program", "rules"), [
    (PROGRAM, list(RULES)), (CURVATURE, ["newton", "gauss_newton", "lbfgs", "hessian_free"])],
    ids=["first order", "curvature"])
def test_eight_devices(program, rules):
    eight = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    environment = {**os.environ, "XLA_FLAGS": eight, "JAX_PLATFORMS": "cpu",
                   "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), str(Path(rv.__file__).parents[1])])}
    command = [sys.executable, "-W", "error", "-c", program]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split("\n")[:-1] == rules
