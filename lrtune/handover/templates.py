"""The ends of exported files: how each library is told the rates, and the check, without or with `DONE`."""

from __future__ import annotations

DONE = """    print("all rates are those of lrtune")


if __name__ == "__main__":
    check()
"""

MOMENTUM_CHECK = """    for step, expected in EXPECTED_MOMENTA:
        assert abs(momentum(step) - expected) <= 1e-9, (step, momentum(step), expected)
"""

OPTAX_MOMENTUM_CHECK = """    for step, expected in EXPECTED_MOMENTA:
        found = float(momentum_schedule(step))
        assert abs(found - expected) <= 1e-6, (step, found, expected)
"""

_PYTORCH_RATES = '''
def set_rates(optimizer):
    """Let the rate that the optimizer was made with be PEAK; groups with a rate of their own keep their ratio to it.

    If no group has that rate, one that has PEAK keeps it; if there is none, the largest rate becomes PEAK.
    """
    rates = [group.get("initial_lr", group["lr"]) for group in optimizer.param_groups]
    reference = next((each for each in (optimizer.defaults["lr"], PEAK) if each in rates), max(rates))
    for group, rate in zip(optimizer.param_groups, rates):
        group["lr"] = group["initial_lr"] = PEAK * (rate / reference)

'''

_PYTORCH_OPTIMIZER = """    parameters = [[torch.nn.Parameter(torch.zeros(1))] for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": parameters[0]}, {"params": parameters[1], "lr": 0.0001}], lr=0.01)
"""

PYTORCH = (
    _PYTORCH_RATES
    + '''
def scheduler(optimizer):
    """Make the scheduler. Call its ``step()`` after every ``optimizer.step()``, not once an epoch."""
    set_rates(optimizer)
    return torch.optim.lr_scheduler.LambdaLR(optimizer, multiplier)


def check():
    """Run the scheduler, with a group that has a hundredth of the rate, and compare."""
'''
    + _PYTORCH_OPTIMIZER
    + """    made, rates = scheduler(optimizer), []
    for _ in range(TOTAL_STEPS):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        made.step()
    for step, rate in EXPECTED:
        for share, found in zip((1.0, 0.01), rates[step]):
            assert abs(found - share * rate) <= 1e-9 * rate + 1e-14 * PEAK, (step, found, share * rate)
"""
)

PYTORCH_MOMENTUM = '''
def set_momentum(optimizer, step):
    """Set the momentum of update ``step``, which is that of all groups; call it before ``optimizer.step()``."""
    for group in optimizer.param_groups:
        if "betas" in group:
            group["betas"] = (momentum(step), *group["betas"][1:])
        else:
            group["momentum"] = momentum(step)

'''

PYTORCH_CLOCK = (
    _PYTORCH_RATES
    + '''
def scheduler(optimizer, clock=multiplier):
    """Make the scheduler; the clock starts now. Call its ``step()`` after every ``optimizer.step()``."""
    set_rates(optimizer)
    return torch.optim.lr_scheduler.LambdaLR(optimizer, clock)


def check():
    """Run the scheduler, with a group that has a hundredth of the rate, on a clock turned by hand, and compare."""
    now = EXPECTED[0][1]
'''
    + _PYTORCH_OPTIMIZER
    + """    made = scheduler(optimizer, WallClock(lambda: now))
    for (step, _, rate), following in zip(EXPECTED, (*EXPECTED[1:], None)):
        for share, group in zip((1.0, 0.01), optimizer.param_groups):
            found = group["lr"]
            assert abs(found - share * rate) <= 1e-9 * PEAK, (step, found, share * rate)
        if following is not None:
            now = following[1]
            made.last_epoch = following[0] - 1
            optimizer.step()
            made.step()
"""
    + DONE
)

PYTORCH_PLATEAU = (
    _PYTORCH_RATES
    + '''
def scheduler(optimizer):
    """Make the scheduler. Call ``step(loss)`` at the end of every epoch, with a loss on rows that are not trained on.

    ``min_lr`` is a rate and ``minimum`` a share of the peak; with ``eps = 0`` no cut is too small to be made.
    """
    set_rates(optimizer)
    return torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode="min",
        factor=FACTOR,
        patience=PATIENCE,
        threshold=THRESHOLD,
        threshold_mode="rel",
        cooldown=COOLDOWN,
        min_lr=[MINIMUM * group["lr"] for group in optimizer.param_groups],
        eps=0.0,
    )


def check():
    """Show some losses to the scheduler, with a group that has a hundredth of the rate, and compare."""
'''
    + _PYTORCH_OPTIMIZER
    + """    made = scheduler(optimizer)
    for epoch, loss, scale in EXPECTED:
        optimizer.step()
        made.step(loss)
        for share, group in zip((1.0, 0.01), optimizer.param_groups):
            found, rate = group["lr"], share * PEAK * scale
            assert abs(found - rate) <= 1e-9 * PEAK, (epoch, found, rate)
"""
    + DONE
)

KERAS = '''
RATES = np.array([PEAK * multiplier(update) for update in range(TOTAL_STEPS + 1)], dtype="float32")


@keras.saving.register_keras_serializable(package="schedules")
class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Give it to an optimizer: ``keras.optimizers.SGD(learning_rate=Schedule())``.

    Keras computes with single precision. Here that rounds a rate to the nearest number of seven digits, but never
    changes when it comes: rates are computed in double precision and looked up by the number of the update. After
    TOTAL_STEPS updates the rate stays as it is.

    SGD with momentum is not the same in all libraries. Keras multiplies a gradient by the rate when it enters the
    velocity (v = m * v - rate * g, w += v); lrtune, PyTorch and optax multiply the whole velocity by the rate of the
    update (v = m * v + g, w -= rate * v). While the rate stays the same there is no difference. After it has changed,
    Keras still makes use of the earlier rates for about 1 / (1 - m) updates: a drop comes smoothed, and so does the
    start of a warm-up. RMSprop with momentum is alike; Adam and its relatives have the rate outside.
    """

    def __call__(self, step):
        return ops.take(RATES, ops.clip(ops.cast(step, "int32"), 0, TOTAL_STEPS))

    def get_config(self):
        return {}


def check():
    """Compare."""
    updates, rates = zip(*EXPECTED)
    found = ops.convert_to_numpy(Schedule()(np.array(updates)))
    for step, one, rate in zip(updates, found.tolist(), rates):
        assert abs(one - rate) <= 1e-7 * rate + 1e-14 * PEAK, (step, one, rate)
'''

KERAS_MOMENTUM = """
# Keras has no schedules for the momentum. In a training loop that is not compiled (run_eagerly=True), set
# optimizer.momentum, or beta_1 of Adam, to momentum(update) before every update.

"""

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
    + DONE
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
    + DONE
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

OPTAX = '''
RATES = np.array([PEAK * multiplier(update) for update in range(TOTAL_STEPS + 1)])


def schedule(count):
    """Give the rate of update ``count``; ``optax.sgd(schedule)``.

    JAX computes with single precision unless it is told otherwise. Here that rounds a rate to the nearest number of
    seven digits, but never changes when it comes: rates are computed in double precision and looked up by the number of
    the update. After TOTAL_STEPS updates the rate stays as it is.
    """
    return jnp.take(jnp.asarray(RATES), count, mode="clip")


def check():
    """Compare with what an optimizer is told, compiled."""
    rule = optax.scale_by_learning_rate(schedule)
    state = rule.init(jnp.zeros(1))
    told = jax.jit(jax.vmap(lambda count: rule.update(jnp.ones(1), state._replace(count=count))[0][0]))
    updates, rates = zip(*EXPECTED)
    for step, found, rate in zip(updates, told(jnp.array(updates)).tolist(), rates):
        assert abs(-found - rate) <= 1e-7 * rate + 1e-14 * PEAK, (step, -found, rate)
'''

OPTAX_MOMENTUM = '''
MOMENTA = np.array([momentum(update) for update in range(TOTAL_STEPS + 1)])


def momentum_schedule(count):
    """Give the momentum; ``optax.inject_hyperparams(optax.sgd)(learning_rate=schedule, momentum=momentum_schedule)``.

    For Adam it is ``b1=momentum_schedule``.
    """
    return jnp.take(jnp.asarray(MOMENTA), count, mode="clip")

'''

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
    + DONE
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
