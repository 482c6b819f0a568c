"""The ends of exported files: how each library is told the rates, and the check."""

from __future__ import annotations

_DONE = """    print("all rates are those of lrtune")


if __name__ == "__main__":
    check()
"""

PYTORCH = (
    '''
def scheduler(optimizer):
    """Make the scheduler. Call its ``step()`` after every ``optimizer.step()``, not once an epoch."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] = PEAK
    return torch.optim.lr_scheduler.LambdaLR(optimizer, multiplier)


def check():
    """Run the scheduler and compare."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    made, rates = scheduler(optimizer), []
    for _ in range(TOTAL_STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        made.step()
    for step, rate in EXPECTED:
        assert abs(rates[step] - rate) <= 1e-9 * PEAK, (step, rates[step], rate)
'''
    + _DONE
)

PYTORCH_MOMENTUM = '''
def set_momentum(optimizer, step):
    """Set the momentum of update ``step``; call it before ``optimizer.step()``."""
    for group in optimizer.param_groups:
        if "betas" in group:
            group["betas"] = (momentum(step), *group["betas"][1:])
        else:
            group["momentum"] = momentum(step)


'''

PYTORCH_CLOCK = (
    '''
def scheduler(optimizer):
    """Make the scheduler; the clock starts now. Call its ``step()`` after every ``optimizer.step()``."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] = PEAK
    return torch.optim.lr_scheduler.LambdaLR(optimizer, multiplier)


def check():
    """Run the scheduler on a clock that is turned by hand, and compare."""
    now = EXPECTED[0][1]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    made = torch.optim.lr_scheduler.LambdaLR(optimizer, WallClock(lambda: now))
    for (step, _, rate), following in zip(EXPECTED, (*EXPECTED[1:], None)):
        found = optimizer.param_groups[0]["lr"]
        assert abs(found - rate) <= 1e-9 * PEAK, (step, found, rate)
        if following is not None:
            now = following[1]
            made.last_epoch = following[0] - 1
            optimizer.step()
            made.step()
'''
    + _DONE
)

PYTORCH_PLATEAU = (
    '''
def scheduler(optimizer):
    """Make the scheduler. Call ``step(loss)`` at the end of every epoch, with a loss on rows that are not trained on.

    ``min_lr`` is a rate and ``minimum`` a share of the peak; with ``eps = 0`` no cut is too small to be made.
    """
    for group in optimizer.param_groups:
        group["lr"] = PEAK
    return torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode="min",
        factor=FACTOR,
        patience=PATIENCE,
        threshold=THRESHOLD,
        threshold_mode="rel",
        cooldown=COOLDOWN,
        min_lr=MINIMUM * PEAK,
        eps=0.0,
    )


def check():
    """Show the scheduler some losses and compare."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    made = scheduler(optimizer)
    for epoch, loss, scale in EXPECTED:
        optimizer.step()
        made.step(loss)
        rate = optimizer.param_groups[0]["lr"]
        assert abs(rate - PEAK * scale) <= 1e-9 * PEAK, (epoch, rate, PEAK * scale)
'''
    + _DONE
)

KERAS = (
    '''
@keras.saving.register_keras_serializable(package="schedules")
class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Give it to an optimizer: ``keras.optimizers.SGD(learning_rate=Schedule())``."""

    def __call__(self, step):
        return ops.cast(PEAK * multiplier(ops.cast(step, "float32")), "float32")

    def get_config(self):
        return {}


def check():
    """Compare; Keras computes rates with seven digits."""
    schedule = Schedule()
    for step, rate in EXPECTED:
        found = float(schedule(step))
        assert abs(found - rate) <= 2e-6 * PEAK, (step, found, rate)
'''
    + _DONE
)

KERAS_CLOCK = (
    '''
class Schedule(keras.callbacks.Callback):
    """Give it to ``model.fit(callbacks=[Schedule()])``: it sets the rate before every update."""

    step = 0

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate = PEAK * multiplier(self.step)
        self.step += 1


def check():
    """Compare on a clock that is turned by hand."""
    now = 0.0
    schedule = WallClock(lambda: now)
    for step, now, rate in EXPECTED:
        found = PEAK * schedule(step)
        assert abs(found - rate) <= 1e-9 * PEAK, (step, found, rate)
'''
    + _DONE
)

_PLATEAU_CHECK = (
    '''
def check():
    """Show the rule some losses and compare."""
    rule = Plateau()
    for epoch, loss, scale in EXPECTED:
        rule.see(loss)
        assert abs(rule.scale - scale) <= 1e-9, (epoch, rule.scale, scale)
'''
    + _DONE
)

KERAS_PLATEAU = (
    '''
class Schedule(keras.callbacks.Callback):
    """Give it to ``model.fit(validation_data=..., callbacks=[Schedule()])``.

    Keras' own ReduceLROnPlateau compares by an absolute difference and cuts one epoch earlier.
    """

    step = 0

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate = PEAK * multiplier(self.step) * plateau.scale
        self.step += 1

    def on_epoch_end(self, epoch, logs=None):
        plateau.see(logs["val_loss"])

'''
    + _PLATEAU_CHECK
)

OPTAX = (
    '''
def schedule(count):
    """Give the rate of update ``count``; ``optax.sgd(schedule)``."""
    return PEAK * multiplier(count)


def check():
    """Compare with what the optimizer is told; JAX computes with seven digits unless it is told otherwise."""
    rule = optax.scale_by_learning_rate(schedule)
    state = rule.init(jnp.zeros(1))
    for step, rate in EXPECTED:
        updates, _ = rule.update(jnp.ones(1), state._replace(count=jnp.asarray(step)))
        found = -float(updates[0])
        assert abs(found - rate) <= 2e-6 * PEAK, (step, found, rate)
'''
    + _DONE
)

_OPTAX_USE = '''
def optimizer(make=optax.sgd, **factors):
    """Make an optimizer whose rate can be set between updates."""
    return optax.inject_hyperparams(make)(learning_rate=PEAK, **factors)

'''

OPTAX_CLOCK = (
    _OPTAX_USE
    + '''
def set_rate(state, step):
    """Set the rate of update ``step`` in the optimizer's state; call it before every ``update``, outside of ``jit``."""
    state.hyperparams["learning_rate"] = jnp.asarray(PEAK * multiplier(step))


def check():
    """Compare on a clock that is turned by hand."""
    now = 0.0
    schedule = WallClock(lambda: now)
    for step, now, rate in EXPECTED:
        found = PEAK * schedule(step)
        assert abs(found - rate) <= 1e-9 * PEAK, (step, found, rate)
'''
    + _DONE
)

OPTAX_PLATEAU = (
    _OPTAX_USE
    + '''
def set_rate(state, step):
    """Set the rate of update ``step`` in the optimizer's state; call it before every ``update``.

    At the end of every epoch call ``plateau.see(loss)``, with a loss on rows that are not trained on. optax' own
    ``reduce_on_plateau`` counts updates and cuts one earlier.
    """
    state.hyperparams["learning_rate"] = jnp.asarray(PEAK * multiplier(step) * plateau.scale)

'''
    + _PLATEAU_CHECK
)
