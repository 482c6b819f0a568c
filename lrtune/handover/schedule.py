"""A schedule as a value: its rates as an array, for a loop, and in an optimizer of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self, overload

import numpy as np
import numpy.typing as npt

from lrtune.experiment.reading.document import Values
from lrtune.experiment.reading.nesting import Branch, flattened, nested, python_value
from lrtune.handover.program import TARGETS, export
from lrtune.handover.pytorch import scheduler
from lrtune.run.chosen import chosen_configuration, updates_in_epoch
from lrtune.text.errors import ConfigurationError, LrtuneError, nearest
from lrtune.text.paths import expanded
from lrtune.training.averaging import is_averaged
from lrtune.training.declarations import Configuration, Value, check_value, number
from lrtune.training.feedback import is_watched
from lrtune.training.registry import DECAYS, OPTIMIZERS, TRAINING_KEYS, complete, problems
from lrtune.training.schedules import fixed_momentum as momentum_without_decay
from lrtune.training.schedules import multipliers, tabulate_momentum
from lrtune.training.wall_clock import follows_clock

MOST_UPDATES = 10**8
"""A schedule is a table; a longer one would take gigabytes."""

_KEYWORDS = (
    "learning_rate",
    "epochs",
    "steps_per_epoch",
    "warmup",
    "warmup_shape",
    "warmup_start",
    "fixed_momentum",
    "ema",
)
_WARMUP = ("warmup", "warmup_shape", "warmup_start")
_SHAPING = ("decay", *_WARMUP)
"""Keys of a configuration that shape its rates, with those behind a dot."""


class _Length(NamedTuple):
    """How long a training is to take, as it was given."""

    epochs: Any
    steps_per_epoch: Any

    def problems(self) -> Iterator[str]:
        """Say what is wrong with it."""
        whole = TRAINING_KEYS["epochs"]
        wrong = [
            f"{name}: {problem}" for name, value in self._asdict().items() if (problem := check_value(whole, value))
        ]
        yield from wrong
        if not wrong and self.epochs * self.steps_per_epoch > MOST_UPDATES:
            yield (
                f"epochs, steps_per_epoch: {self.epochs * self.steps_per_epoch:,} updates are more than a table holds; "
                f"at most {MOST_UPDATES:,}"
            )


class Schedule:
    """The learning rate of every update of a training, known before it begins.

    It is a sequence of ``T = epochs * steps_per_epoch`` rates: it has a length, and update ``t``, counted from 0, has
    the rate ``schedule[t]``.

    Parameters
    ----------
    decay
        A name, such as ``"cosine"``, or a mapping with one key that carries its factors, as in the experiment file:
        ``{"exponential": {"k": 0.1}}``. `lrtune schedules` lists all of them with formulas and sources.
    learning_rate
        The peak, which everything multiplies. None: the rates are multiples of a peak of 1, and an optimizer of PyTorch
        keeps the rates that it was made with as its peaks.
    epochs, steps_per_epoch
        The horizon, and the number of updates in an epoch. Times of a decay are epochs.
    warmup, warmup_shape, warmup_start
        Share of the horizon in which the rate rises; ``"linear"`` or ``"exponential"``; first rate divided by the peak
        (None: one divided by the updates of the warm-up).
    fixed_momentum
        Where only one part of a ``join`` moves the momentum, what it is in the other part.
    ema
        Half-life, in epochs, of the moving average of the parameters that goes with the rates; it changes none, and is
        part of the code that is written. 0: none.
    factors
        Of the decay, such as ``final=0.01``.

    Raises
    ------
    ConfigurationError
        With all that is wrong, or why the rates of this decay are not known before the training.

    >>> schedule = Schedule("cosine", learning_rate=0.1, epochs=2, steps_per_epoch=2)
    >>> schedule.rates.round(4)
    array([0.1   , 0.0854, 0.05  , 0.0146])
    >>> len(schedule), schedule[2]
    (4, 0.05)
    >>> Schedule("step", drops=3, factor=0.5, epochs=4, steps_per_epoch=1).rates
    array([1.   , 0.5  , 0.25 , 0.125])
    >>> Schedule({"join": {"first": "constant", "second": "linear"}}, epochs=8, steps_per_epoch=1).rates
    array([1.  , 1.  , 1.  , 1.  , 1.  , 0.75, 0.5 , 0.25])
    >>> Schedule("cosin", epochs=2, steps_per_epoch=2)
    Traceback (most recent call last):
    lrtune.text.errors.ConfigurationError: decay: unknown decay 'cosin'; did you mean 'cosine'?

    """

    def __init__(
        self,
        decay: Branch,
        *,
        learning_rate: float | None = None,
        epochs: int,
        steps_per_epoch: int,
        warmup: float = 0.0,
        warmup_shape: str = "linear",
        warmup_start: float | None = None,
        fixed_momentum: float = 0.9,
        ema: float = 0.0,
        **factors: Any,
    ) -> None:
        shape = {"warmup": warmup, "warmup_shape": warmup_shape, "warmup_start": warmup_start}
        optimizer = {"momentum": {"momentum": fixed_momentum}}
        rest = {"learning_rate": learning_rate, **shape, "optimizer": optimizer, "ema": ema}
        configuration, wrong = _read(decay, factors, rest)
        length = _Length(*map(python_value, (epochs, steps_per_epoch)))
        wrong += length.problems()
        if not wrong:
            configuration = complete({"learning_rate": 1.0, **configuration, "epochs": length.epochs})
            wrong += _why_unknown(configuration)
        if wrong:
            raise ConfigurationError("; ".join(wrong))
        self._configuration = configuration
        self._length = length
        self._peak = None if learning_rate is None else number(configuration["learning_rate"])

    @classmethod
    def of(cls, configuration: Values, *, steps_per_epoch: int, epochs: int | None = None) -> Self:
        """Take the schedule out of a flat configuration, such as that of a trial.

        Parameters
        ----------
        configuration
            With keys such as ``"decay"``, ``"decay.final"``, ``"learning_rate"``, ``"warmup"``. What is missing has its
            default; without a learning rate, the rates are multiples of a peak of 1. Other keys are passed over.
        steps_per_epoch
            Updates in an epoch.
        epochs
            The horizon; None takes that of the configuration.

        Raises
        ------
        ConfigurationError
            As for the class.

        >>> Schedule.of({"decay": "linear", "learning_rate": 0.4, "depth": 3}, epochs=4, steps_per_epoch=1).rates
        array([0.4, 0.3, 0.2, 0.1])

        """
        heads = (
            *_SHAPING,
            "learning_rate",
            "ema",
            *(("optimizer",) if configuration.get("optimizer") in OPTIMIZERS else ()),
        )
        known = {key: python_value(each) for key, each in configuration.items() if key.partition(".")[0] in heads}
        length = _Length(configuration.get("epochs") if epochs is None else epochs, steps_per_epoch)
        wrong = [*problems(known), *length.problems()]
        if wrong:
            raise ConfigurationError("; ".join(wrong))
        chosen = complete(known)
        given: Values = {"learning_rate": known.get("learning_rate"), **{key: chosen[key] for key in (*_WARMUP, "ema")}}
        return cls(_nested_decay(chosen), **given, **length._asdict(), fixed_momentum=momentum_without_decay(chosen))

    @classmethod
    def of_run(cls, folder: str | Path, *, epochs: int | None = None, steps_per_epoch: int | None = None) -> Self:
        """Take the schedule of the configuration that a finished run chose.

        Parameters
        ----------
        folder
            Of the run.
        epochs, steps_per_epoch
            None: those of the run's final training.

        Raises
        ------
        StudyError
            If there is no finished run.
        ConfigurationError
            As for the class.

        """
        path = expanded(folder)
        configuration = chosen_configuration(path)
        steps = updates_in_epoch(path, configuration) if steps_per_epoch is None else steps_per_epoch
        return cls.of(configuration, steps_per_epoch=steps, epochs=epochs)

    @property
    def configuration(self) -> Configuration:
        """Everything, flat and complete; keys that begin with ``decay`` and ``warmup`` shape the rates."""
        return dict(self._configuration)

    @property
    def learning_rate(self) -> float | None:
        """The peak; None where it is left to whoever uses the schedule."""
        return self._peak

    @property
    def epochs(self) -> int:
        """The horizon."""
        return int(self._length.epochs)

    @property
    def steps_per_epoch(self) -> int:
        """Updates in an epoch."""
        return int(self._length.steps_per_epoch)

    @cached_property
    def multipliers(self) -> npt.NDArray[np.float64]:
        """The rate of each update over the peak (T,); read only."""
        return _kept(multipliers(self._configuration, self.steps_per_epoch, self.epochs))

    @cached_property
    def rates(self) -> npt.NDArray[np.float64]:
        """The rate of each update (T,); read only."""
        return _kept(self.multipliers * number(self._configuration["learning_rate"]))

    @cached_property
    def momentum(self) -> npt.NDArray[np.float64] | None:
        """The momentum, or Adam's beta1, of each update (T,), where the decay moves it; read only; else None."""
        table = tabulate_momentum([self._configuration], [self.steps_per_epoch], self.epochs)
        return None if table is None else _kept(table[:, 0, 0].copy())

    def torch(self, optimizer: Any) -> Any:
        """Put the schedule into an optimizer of PyTorch.

        Parameters
        ----------
        optimizer
            The rate that it was made with becomes the peak, unless this schedule has none, and groups of parameters
            with rates of their own keep their ratio to it. Where the decay moves the momentum, it is that of all
            groups; of Adam and its relatives it is beta1.

        Returns
        -------
        torch.optim.lr_scheduler.LambdaLR
            Call its ``step()`` after every ``optimizer.step()``, not once an epoch. After T updates the rate stays
            where the decay ends.

        Raises
        ------
        LrtuneError
            If PyTorch is not installed, this is none of its optimizers, or it has no momentum to move.

        """
        values, momenta = np.append(self.multipliers, self._end), self.momentum
        return scheduler(
            optimizer,
            peak=self._peak,
            multiplier=lambda update: float(values[min(update, len(self))]),
            momentum=None if momenta is None else lambda update: float(momenta[min(update, len(self) - 1)]),
        )

    @property
    def _end(self) -> float:
        """The rate after the last update, over the peak: where the decay ends."""
        steps, epochs = self.steps_per_epoch, self.epochs
        return float(multipliers(self._configuration, steps, epochs, start=epochs, stop=epochs + 1)[0])

    def code(self, library: str) -> str:
        """Write the schedule as a Python file that needs nothing of lrtune, and checks itself when it is run.

        Parameters
        ----------
        library
            ``"pytorch"``, ``"keras"`` or ``"optax"``.

        Raises
        ------
        LrtuneError
            If it is another one, or the schedule has no learning rate.

        """
        if library not in TARGETS:
            raise LrtuneError(f"unknown library {library!r}; {nearest(str(library), TARGETS)}")
        if self._peak is None:
            raise LrtuneError("code needs the peak; make the schedule with learning_rate=...")
        return export(self._configuration, self.steps_per_epoch, self.epochs, library)

    def __len__(self) -> int:
        return self.epochs * self.steps_per_epoch

    @overload
    def __getitem__(self, update: int) -> float: ...

    @overload
    def __getitem__(self, update: slice) -> npt.NDArray[np.float64]: ...

    def __getitem__(self, update: int | slice) -> float | npt.NDArray[np.float64]:
        found = self.rates[update]
        return found if isinstance(update, slice) else float(found)

    def __iter__(self) -> Iterator[float]:
        return iter(self.rates.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @property
    def _content(self) -> tuple[Any, ...]:
        return (*sorted(self._configuration.items()), self._length, self._peak)

    def __repr__(self) -> str:
        warming = _WARMUP if self._configuration["warmup"] else ()
        named = {
            "learning_rate": self._peak,
            **self._length._asdict(),
            **{key: self._configuration[key] for key in warming},
            **({"ema": self._configuration["ema"]} if is_averaged(self._configuration) else {}),
        }
        words = [repr(_nested_decay(self._configuration)), *(f"{key}={each!r}" for key, each in named.items())]
        return f"Schedule({', '.join(words)})"


def _kept(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    values.flags.writeable = False
    return values


def _read(decay: Any, factors: Values, rest: Values) -> tuple[dict[str, Value], list[str]]:
    """Read what shapes the rates as a flat configuration; with all that is wrong."""
    known = {factor.name for entry in DECAYS.values() for factor in entry.factors}
    misspelt = {key: hint for key in factors if key not in known and (hint := nearest(key, _KEYWORDS))[:3] == "did"}
    wrong = [f"{key}: unknown keyword; {hint}" for key, hint in misspelt.items()]
    own = {key: each for key, each in factors.items() if key not in misspelt}
    if own and not isinstance(decay, str):
        wrong.append(f"{', '.join(own)}: a decay with a mapping has all of its factors there")
    configuration, found = flattened({"decay": {decay: own} if isinstance(decay, str) else decay, **rest})
    return configuration, [*wrong, *(each.replace("optimizer.momentum:", "fixed_momentum:") for each in found)]


def _nested_decay(configuration: Configuration) -> Any:
    """Give the decay of a complete configuration as a name, or a mapping with one key that carries its factors."""
    return nested({key: each for key, each in configuration.items() if key.partition(".")[0] == "decay"})["decay"]


def _why_unknown(configuration: Configuration) -> Iterator[str]:
    """Say why the rates of a decay are not known before the training, and what to do."""
    name = configuration["decay"]
    if is_watched(configuration):
        yield (
            f"decay: '{name}' cuts the rate when a loss has stopped falling, so its rates are not known before the "
            f"training; `lrtune schedules export {name} --to pytorch` writes it as code that is shown the losses"
        )
    if follows_clock(configuration):
        yield (
            f"decay: '{name}' follows the seconds of the training, so its rates are not known before it; give "
            "step_seconds, the seconds that each update counts as, or write it as code that asks the clock with "
            f"`lrtune schedules export {name} --to pytorch`"
        )
