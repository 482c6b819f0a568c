"""The part of exported code that averages the parameters, where the configuration asks for that.

It is the average of `lrtune.training.averaging`. PyTorch and optax have a function that takes the share of the newest
parameters; Keras, whose own ``use_ema`` has a fixed one, gets a callback.
"""

from __future__ import annotations

from collections.abc import Mapping

from lrtune.handover.core import SchedulePlan
from lrtune.training.averaging import is_averaged
from lrtune.training.declarations import number

_SHARE = '''
def share(count):
    """Give the weight of the newest parameters in the average over them and ``count`` earlier ones."""
    return max(1.0 - KEPT, 10.0 / (count + 10))

'''

_PYTORCH = (
    _SHARE
    + '''
def averaged(model):
    """Make the model to score and to keep; call its ``update_parameters(model)`` after every ``optimizer.step()``."""
    return torch.optim.swa_utils.AveragedModel(
        model, avg_fn=lambda mean, newest, count: mean + share(int(count)) * (newest - mean)
    )
'''
)

_KERAS = (
    _SHARE
    + '''
class Average(keras.callbacks.Callback):
    """Give it to ``model.fit(callbacks=[Average()])``: after the training, the model has the averaged weights.

    The ``use_ema`` of Keras' optimizers has a fixed share: there the first weights count for longer.
    """

    def on_train_begin(self, logs=None):
        self.count, self.means = 0, [0.0 for _ in self.model.trainable_variables]

    def on_train_batch_end(self, batch, logs=None):
        newest = [ops.convert_to_numpy(each.value) for each in self.model.trainable_variables]
        self.means = [mean + share(self.count) * (each - mean) for mean, each in zip(self.means, newest)]
        self.count += 1

    def on_train_end(self, logs=None):
        for variable, mean in zip(self.model.trainable_variables, self.means):
            variable.assign(mean)
'''
)

_OPTAX = '''
def averaged(mean, newest, count):
    """Advance the mean, which is to be scored and kept; call it after every update, ``count`` being those before it.

    The first mean may be anything, such as the initial parameters.
    """
    return optax.incremental_update(newest, mean, jnp.maximum(1.0 - KEPT, 10.0 / (count + 10)))
'''

_TEXTS: Mapping[str, str] = {"torch": _PYTORCH, "keras": _KERAS, "optax": _OPTAX}


def averaging_text(plan: SchedulePlan, library: str) -> list[str]:
    """Define what averages the parameters; nothing where the configuration does not ask for it."""
    if not is_averaged(plan.configuration):
        return []
    half_life = number(plan.configuration["ema"])
    constants = (
        f"HALF_LIFE = {half_life!r}  # epochs after which parameters weigh half as much in the average (lrtune: ema)\n"
        "KEPT = 0.5 ** (1.0 / (HALF_LIFE * STEPS_PER_EPOCH))  # for each update"
    )
    return [f"{constants}\n\n{_TEXTS[library].rstrip()}"]
