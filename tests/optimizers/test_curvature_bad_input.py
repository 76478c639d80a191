"""What the rules that look at curvature refuse, in a sentence that names the argument."""

import jax.numpy as jnp
import numpy as np
import pytest

import ravine as rv


def model(w, x, y):
    return jnp.tanh(x @ w)


def squares(out, x, y):
    return jnp.sum((out - y) ** 2)


@pytest.mark.parametrize("rule", [rv.newton, rv.saddle_free_newton, rv.gauss_newton, rv.hessian_free])
@pytest.mark.parametrize(("damping", "error"), [
    (-0.1, ValueError), (np.nan, ValueError), (np.inf, ValueError), (np.ones(2), ValueError), ("0.1", TypeError),
    (None, TypeError), (True, TypeError)], ids=str)
def test_damping(rule, damping, error):
    with pytest.raises(error, match=r"^damping "):
        rule(damping=damping)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: rv.newton(-1.0), ValueError, r"^learning_rate = -1\.0"),
    (lambda: rv.newton("0.1"), TypeError, "^learning_rate = "),
    (lambda: rv.saddle_free_newton(np.ones(2)), ValueError, "^learning_rate has shape"),
    (lambda: rv.newton(line_search=1), TypeError, "^line_search = 1: must be True or False"),
    (lambda: rv.saddle_free_newton(line_search="yes"), TypeError, "^line_search = 'yes'"),
    (lambda: rv.gauss_newton(line_search=None), TypeError, "^line_search = None"),
    (lambda: rv.lbfgs(0), ValueError, "^memory_size = 0: must be at least 1"),
    (lambda: rv.lbfgs(2.5), TypeError, r"^memory_size = 2\.5: must be a whole number"),
    (lambda: rv.hessian_free(cg_steps=0), ValueError, "^cg_steps = 0: must be at least 1"),
    (lambda: rv.hessian_free(cg_steps=None), TypeError, "^cg_steps = None"),
    (lambda: rv.nonlinear_cg("newton"), ValueError, "^beta = 'newton': must be one of 'fletcher_reeves'"),
    (lambda: rv.nonlinear_cg(0.5), ValueError, r"^beta = 0\.5: must be one of"),
    (lambda: rv.split(model, 3.0), TypeError, r"^loss = 3\.0: must be a function"),
    (lambda: rv.split(None, squares), TypeError, "^predict = None: must be a function"),
    (lambda: rv.minimize(rv.landscapes.saddle, np.ones(2), rv.gauss_newton(), 1), TypeError,
     r"^gauss_newton: needs a loss in two parts, such as ravine\.split"),
    (lambda: rv.bfgs().init(jnp.arange(2)), TypeError, "^params has dtype int"),
    (lambda: rv.bfgs().init({}), ValueError, "^params = {}: must hold at least one number"),
    (lambda: rv.bfgs().update(jnp.ones(2), rv.bfgs().init(jnp.ones(2)), jnp.ones(2)), TypeError,
     "^bfgs: update needs params, value=, grad= and value_fn="),
    (lambda: rv.bfgs().update(jnp.ones(2), rv.bfgs().init(jnp.ones(2)), jnp.ones(3), value=0.0, grad=jnp.ones(3),
                              value_fn=jnp.sum), ValueError, r"^grads has shape \(2,\), params has shape \(3,\)"),
    (lambda: rv.bfgs().update(jnp.ones(3), rv.bfgs().init(jnp.ones(2)), jnp.ones(3), value=0.0, grad=jnp.ones(3),
                              value_fn=jnp.sum), ValueError, "^params has 3 entries, state has 2"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
