"""One step of any rule, with everything that an update may ask for; shared by the loops."""

import optax


def bind(fun, args):
    """Return ``fun(params, *args)`` as a function of the parameters alone."""
    def objective(params):
        return fun(params, *args)

    return objective


def take(optimizer, objective, params, state, value, grad):
    """Return parameters and state after one step from where `objective` has this value and this gradient."""
    optimizer = optax.with_extra_args_support(optimizer)
    updates, state = optimizer.update(grad, state, params, value=value, grad=grad, value_fn=objective)
    return optax.apply_updates(params, updates), state
