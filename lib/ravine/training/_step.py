"""One step of any rule, with everything that an update may ask for; shared by the loops."""

import optax

from ravine.optimizers import Split


def bind(fun, args):
    """Return ``fun(params, *args)`` as a function of the parameters alone; a loss in two parts stays one."""
    if isinstance(fun, Split):
        return Split(lambda params: fun.predict(params, *args), lambda outputs: fun.loss(outputs, *args))

    def objective(params):
        return fun(params, *args)

    return objective


def take(optimizer, objective, params, state, value, grad):
    """Return parameters and state after one step from where `objective` has this value and this gradient."""
    optimizer = optax.with_extra_args_support(optimizer)
    parts = {"predict": objective.predict, "loss": objective.loss} if isinstance(objective, Split) else {}

    def value_fn(params, *, predict=None, loss=None):
        # Optax's line searches hand on to the loss whatever else `update` was given, and insist that it takes it.
        return objective(params)

    updates, state = optimizer.update(grad, state, params, value=value, grad=grad, value_fn=value_fn, **parts)
    return optax.apply_updates(params, updates), state
