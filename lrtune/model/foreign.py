"""Members of a model that another trainer made: an estimator, or what a function or a command has saved.

An estimator is written by skops, without pickle: reading one that consists of scikit-learn's and NumPy's own types runs
nothing of the file, and any other is read for those who say that they trust it. What a function saved, only that
function can read; it is run for those who say so, too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrtune.arrays import Floats
from lrtune.data.encoding import Encoder
from lrtune.data.raw_frames import FrameShape, RawRows
from lrtune.space.trial import Configuration
from lrtune.text.errors import ModelError, named
from lrtune.training.estimated import predicted
from lrtune.training.tasks import Problem

HARMLESS = ("functools.partial",)
"""Types beyond scikit-learn's and those that skops knows that only hold what is made of other types."""


@dataclass(frozen=True, eq=False)
class TrainedEstimator:
    """A fitted estimator of a model.

    Attributes
    ----------
    encoder
        Turns the cells of a table into ``D`` features, or takes them as they are.
    configuration
        How it was trained.
    content
        What skops wrote.
    called
        Its class, as the experiment names it.
    seed
        That it was trained with.
    trusted
        Whether types beyond scikit-learn's own may be made of it, which may run code of the file.
    folder
        Where a module of one's own lies that has its class, as long as the search goes on; else it must be importable.

    """

    encoder: Encoder | FrameShape
    configuration: Configuration
    content: bytes
    called: str
    seed: int = 0
    trusted: bool = False
    folder: str = ""

    @cached_property
    def estimator(self) -> Any:
        """The estimator.

        Raises
        ------
        ModelError
            If it consists of types that nobody has said to trust, or cannot be read.

        """
        import skops.io

        try:
            types = skops.io.get_untrusted_types(data=self.content)
        except Exception as error:
            raise ModelError(f"the {self.called} of the model is damaged: {error}") from error
        foreign = [each for each in types if not each.startswith("sklearn.") and each not in HARMLESS]
        if foreign and not self.trusted:
            raise ModelError(
                f"the model is a {self.called}, and reading {named(sorted(foreign))} in it may run code of the file; "
                "add --trust, or trust=True, if you know where it comes from"
            )
        try:
            with _importable(self.folder):
                return skops.io.loads(self.content, trusted=types)
        except Exception as error:
            raise ModelError(f"the {self.called} of the model cannot be read here: {error}") from error

    @property
    def is_bare(self) -> bool:
        """Whether it says labels, and no probabilities."""
        return not hasattr(self.estimator, "predict_proba")

    def outputs(self, features: Floats | RawRows, problem: Problem) -> npt.NDArray[np.float64]:
        """Compute probabilities ``(N, classes)``, or values ``(N, 1)`` in the target's units, of encoded rows."""
        if isinstance(features, RawRows):
            assert isinstance(self.encoder, FrameShape)
            seen = self.encoder.frame(features)
        else:
            seen = features.astype(np.float32)
        found, kind = predicted(self.estimator, seen, problem.classes)
        if not problem.classes:
            return found[:, None]
        return found if kind == "outputs" else np.eye(problem.classes)[found.astype(np.int64)]


@contextmanager
def _importable(folder: str) -> Iterator[None]:
    """Let modules of a folder be imported for a moment."""
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


@dataclass(frozen=True, eq=False)
class TrainedProgram:
    """What a function or a command has made of all rows, in files of its own.

    Attributes
    ----------
    encoder
        Turns the cells of a table into ``D`` features, or takes them as they are.
    configuration
        How it was trained.
    kind, said, base
        What trained it, and the folder that its paths start from.
    called
        How sentences call it.
    task, classes
        What is predicted.
    folder
        Where its files are.
    seed
        That it was trained with.
    loader
        The function that loaded the rows, where they are no table.
    predict
        Computes what `outputs` does, and whether these are bare labels; None: the code has not been started, because
        nobody has said to trust it.
    said_labels
        Whether what it said each time were bare labels.

    """

    encoder: Encoder | FrameShape
    configuration: Configuration
    kind: str
    said: dict[str, Any]
    base: str
    called: str
    task: str
    classes: tuple[Any, ...]
    folder: Path
    seed: int = 0
    loader: str = ""
    predict: Callable[[Floats | RawRows, Problem], tuple[npt.NDArray[np.float64], bool]] | None = field(
        default=None, repr=False
    )
    said_labels: list[bool] = field(default_factory=list, repr=False)

    def refuse_tables(self) -> None:
        """Refuse to predict the rows of a table where it was trained on rows of another kind.

        Raises
        ------
        ModelError
            If it was.

        """
        if self.loader:
            raise ModelError(
                f"the model was trained on rows that {self.loader} loaded, and not on a table; predict with the files "
                f"in {self.folder} in a program of your own"
            )

    def outputs(self, features: Floats | RawRows, problem: Problem) -> npt.NDArray[np.float64]:
        """Let the code predict encoded rows; as `TrainedEstimator.outputs`.

        Raises
        ------
        ModelError
            If the code was not started, or has no way to predict.

        """
        if self.predict is None:
            raise ModelError(
                f"the model is what {self.called} saved, and predicting runs its code; add --trust, or trust=True, if "
                "you know where it comes from"
            )
        found, bare = self.predict(features, problem)
        self.said_labels.append(bare)
        return found

    @property
    def is_bare(self) -> bool:
        """Whether what it said last were labels, and no probabilities."""
        return self.said_labels[-1:] == [True]
