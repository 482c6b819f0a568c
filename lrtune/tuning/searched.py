"""The result of a search that has a folder: its model and its trials beside its numbers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrtune.run.folder import open_run
from lrtune.text.shown import Shown, showing
from lrtune.text.written import Json
from lrtune.verdict.result import Result

if TYPE_CHECKING:
    from lrtune.model.estimator import Classifier, Regressor


@dataclass(frozen=True, kw_only=True)
class Searched(Result):
    """What a search found, and what it left in its folder.

    Attributes
    ----------
    folder
        Where everything is.
    library
        Whose data frames `trials` are: ``polars`` or ``pandas``.

    """

    folder: Path = field(default=Path(), compare=False)
    library: str = field(default="polars", compare=False)

    @cached_property
    def model(self) -> Classifier | Regressor:
        """What is delivered, trained on all training rows: an estimator that is fitted.

        What another trainer made predicts by its own code, which the search has run already.
        """
        from lrtune.trainers.loading import load

        return load(self.folder, trust=True)

    @cached_property
    def trials(self) -> Any:
        """Every trial: a data frame with the columns of ``trials.csv``, in the caller's library."""
        from lrtune.data.frames import frame_of
        from lrtune.verdict.trials_table import trials_text

        return frame_of(trials_text(open_run(self.folder).trials, self.metric), self.library)

    def plot(self, kind: str = "history") -> Shown:
        """Draw a picture of the search, as `lrtune plot` does; notebooks show it, and ``.save(path)`` writes it.

        Parameters
        ----------
        kind
            What of it: ``history``, ``rates``, ``parallel``, ``curves``, ``importance``, ``confusion`` and others that
            ``lrtune plot`` lists.

        Raises
        ------
        LrtuneError
            If there is no such kind, or this search has none of it.

        """
        return showing().of_run(self.folder, kind)

    def _repr_html_(self) -> str:
        return showing().card(self, self.folder)

    def to_json(self) -> Json:
        """Give the content of ``result.json``, in JSON's types."""
        return self.plain().to_json()

    def plain(self) -> Result:
        """Leave the folder out: what ``result.json`` holds."""
        return Result(**{each.name: getattr(self, each.name) for each in dataclasses.fields(Result)})


def searched(result: Result, folder: Path, library: str = "polars") -> Searched:
    """Say where a result's files are."""
    known = {each.name: getattr(result, each.name) for each in dataclasses.fields(Result)}
    return Searched(**known, folder=folder, library=library)
