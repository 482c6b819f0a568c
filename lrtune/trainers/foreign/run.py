"""What a function that trains is given: rows, values of parameters, and the rate of every update."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from lrtune.arrays import ORDER, WATCHED, Array, Integers, stream
from lrtune.text.errors import nearest
from lrtune.trainers.foreign.rates import Rates
from lrtune.training.declarations import Configuration, number
from lrtune.training.feedback import SHARE, Scales

Batch = TypeVar("Batch")


class FitRows(NamedTuple):
    """Some rows.

    Attributes
    ----------
    X
        Features ``(N, D)``, encoded by the training rows of the fold, float32.
    y
        Labels or values ``(N,)`` as the table has them, never scaled; None where a loader gives none.
    indices
        Row numbers in the table, from 0.

    """

    X: Any
    y: Any
    indices: Integers


def rows_of(X: Any, rows: Integers) -> Any:
    """Take some rows of an array, a data frame or a list."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    return [X[int(each)] for each in rows] if isinstance(X, list | tuple) else X[rows]


def _of(rows: FitRows, places: Integers) -> FitRows:
    """Take some of the rows of a fit."""
    y = None if rows.y is None else rows.y[places]
    return FitRows(rows_of(rows.X, places), y, rows.indices[places])


class TrainingError(Exception):
    """Something is wrong with how the code of a fit uses what it was given; says what in one sentence."""


class FitRun:
    """One fit of one configuration on one fold.

    ``run["width"]`` is the value of a parameter.

    Attributes
    ----------
    train, validation
        The rows to train on, and those that are scored; at the end, ``validation`` has the test rows, possibly none.
    monitor
        Rows whose loss a decay that watches one is told: a tenth of those to train on, which are not among ``train``;
        empty for other decays.
    epochs
        The horizon: how often the training rows are seen. It is lrtune's, because races and the finder shorten it.
    seed
        Of everything random.
    device
        ``"cpu"``, or ``"cuda:0"`` where the experiment asks for a graphics card.
    folder
        For files of this fit. A fit that was interrupted finds what it has left there.
    final
        Whether this is the training on all rows, at the end.
    fold, trial
        Their numbers; the fold counts from 1, and is 0 at the end.
    task, classes
        ``"binary"``, ``"multiclass"`` or ``"regression"``; the classes in the order of columns of probabilities.
    update
        How many updates are over: it moves in `batches` and `updates` alone.

    """

    def __init__(
        self,
        configuration: Configuration,
        train: FitRows,
        validation: FitRows,
        *,
        seed: int,
        stream_seed: int,
        index: int,
        folder: Path,
        task: str,
        classes: Sequence[Any],
        fold: int,
        trial: int,
        final: bool = False,
        device: str = "cpu",
        scales: Scales = (),
        scheduled: bool = True,
    ) -> None:
        self._configuration = dict(configuration)
        self._has_rates = scheduled and "learning_rate" in configuration  # a rate may be an estimator's own
        self._address = stream_seed, index
        self._scales = tuple(scales)
        self._rates: Rates | None = None
        self._counted = False
        self._groups: tuple[float, ...] = ()
        self.seed, self.folder, self.task, self.classes = seed, folder, task, list(classes)
        self.fold, self.trial, self.final, self.device = fold, trial, final, device
        self.update = 0
        self.validation = validation
        self.train, self.monitor = self._held_out(train)

    def _held_out(self, train: FitRows) -> tuple[FitRows, FitRows]:
        """Set the rows apart that a decay watches, if it is one that does."""
        rows, nothing = len(train.indices), _of(train, np.empty(0, dtype=np.int64))
        if not self._has_rates or rows < 2 or not self._new_rates(1).watches:
            return train, nothing
        order = stream(self._address[0], WATCHED, self._address[1]).permutation(rows)
        count = min(max(round(SHARE * rows), 1), rows - 1)
        held, kept = np.sort(order[:count]), np.sort(order[count:])
        return _of(train, kept), _of(train, held)

    def __getitem__(self, key: str) -> Any:
        if key not in self._configuration:
            names = nearest(key, sorted(self._configuration), "the experiment has")
            raise TrainingError(f"run[{key!r}]: there is no such parameter; {names}")
        return self._configuration[key]

    def __contains__(self, key: object) -> bool:
        return key in self._configuration

    def get(self, key: str, default: Any = None) -> Any:
        """Give the value of a parameter, or a default where this configuration has none."""
        return self._configuration.get(key, default)

    @property
    def configuration(self) -> Mapping[str, Any]:
        """All parameters."""
        return dict(self._configuration)

    @property
    def epochs(self) -> int:
        """The horizon."""
        if "epochs" not in self._configuration:
            raise TrainingError("run.epochs: the experiment says none; set training.epochs")
        return int(number(self._configuration["epochs"]))

    @property
    def rate(self) -> float:
        """The rate of the update that comes, or is at work; reading it moves nothing."""
        return self._known_rates("run.rate").at(self.update)

    @property
    def momentum(self) -> float | None:
        """The momentum of this update, where the decay moves it; else None."""
        return self._known_rates("run.momentum").momentum(self.update)

    @property
    def rates(self) -> Array:
        """All rates of this fit (T,), as far as they are known before it."""
        return self._known_rates("run.rates").all()

    @property
    def scales(self) -> Scales:
        """What the rates of each epoch were multiplied by; empty unless the decay watches a loss."""
        return () if self._rates is None else self._rates.scales

    @property
    def watches(self) -> bool:
        """Whether every report must have ``monitor``, the loss on `monitor`."""
        return self._rates is not None and self._rates.watches

    def set_rate(self, optimizer: Any) -> float:
        """Give an optimizer the rate of this update.

        Parameters
        ----------
        optimizer
            Of PyTorch: groups of parameters keep the ratio of their rates to that of the first. Of Keras: its
            ``learning_rate`` is assigned.

        Returns
        -------
        float
            The rate.

        """
        rate = self.rate
        groups = getattr(optimizer, "param_groups", None)
        if groups is not None:
            if len(self._groups) != len(groups):
                first = float(groups[0]["lr"])
                self._groups = tuple(float(each["lr"]) / first if first else 1.0 for each in groups)
            for group, ratio in zip(groups, self._groups, strict=True):
                group["lr"] = rate * ratio
        elif hasattr(optimizer, "learning_rate"):
            optimizer.learning_rate = rate
        else:
            raise TrainingError(
                f"run.set_rate: {type(optimizer).__name__} is no optimizer of PyTorch or Keras; read run.rate instead"
            )
        return rate

    def batches(self, size: int | None = None) -> Iterator[Integers]:
        """Walk through an epoch: places ``(B,)`` in ``train`` of each mini-batch, in an order of its own every epoch.

        Parameters
        ----------
        size
            Rows of a mini-batch; None: ``batch_size`` of the experiment.

        """
        rows = len(self.train.indices)
        wanted = int(number(self._configuration.get("batch_size", 64))) if size is None else size
        if wanted < 1:
            raise TrainingError(f"run.batches: expected at least 1 row, got {size!r}")
        wanted = min(wanted, rows)
        epoch = self.update // math.ceil(rows / wanted)
        order = stream(self._address[0], ORDER, self._address[1], epoch).permutation(rows)
        return self._counting([order[start : start + wanted] for start in range(0, rows, wanted)])

    def updates(self, loader: Iterable[Batch]) -> Iterator[Batch]:
        """Walk through a loader of one's own, once an epoch, and count the updates.

        Parameters
        ----------
        loader
            Anything with a length that gives one mini-batch for each update.

        """
        if not isinstance(loader, Sized):
            raise TrainingError(
                f"run.updates: {type(loader).__name__} has no length, so that the rates of its updates are not known; "
                "give a loader or a list"
            )
        if not len(loader):
            raise TrainingError("run.updates: the loader is empty")
        return self._counting(loader)

    def _counting(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        self._settle(len(batches))  # type: ignore[arg-type]
        self._counted = True
        for each in batches:
            yield each
            self.update += 1

    def epoch_of(self, reports: int) -> int:
        """Say how many epochs are over, after so many reports."""
        steps = None if self._rates is None or not self._counted else self._rates.steps
        return reports if steps is None else max(1, math.ceil(self.update / steps))

    def watch(self, loss: float, epoch: int) -> None:
        """Take the loss that the decay watches, after so many epochs."""
        assert self._rates is not None
        self._rates.watch(loss, min(epoch, self.epochs) - 1)

    def _settle(self, steps: int) -> None:
        """Tabulate the rates, now that the updates of an epoch are known."""
        if not self._has_rates:
            return
        if self._rates is None or self._rates.steps != steps:
            if self._counted and self.update:
                raise TrainingError(
                    f"run.updates: an epoch had {self._rates.steps if self._rates else 0} updates and has {steps} now; "
                    "the rates were tabulated for the first number"
                )
            self._rates = self._new_rates(steps)

    def _new_rates(self, steps: int) -> Rates:
        return Rates(self._configuration, self.epochs, steps, scales=self._scales)

    def _known_rates(self, called: str) -> Rates:
        if not self._has_rates:
            raise TrainingError(f"{called}: the experiment has no rate; search learning_rate")
        if self._rates is None:
            self._settle(math.ceil(len(self.train.indices) / number(self._configuration["batch_size"])))
        assert self._rates is not None
        return self._rates
