"""What an experiment and its data are called: their identity, its fingerprint, and the folder of the run."""

from __future__ import annotations

from pathlib import Path

from lrtune.experiment import Experiment
from lrtune.run import identity
from lrtune.run.taken import NOTHING, TakenOver
from lrtune.trainers.preparation import Prepared


def identity_of(experiment: Experiment, prepared: Prepared, taken: TakenOver = NOTHING) -> identity.Canonical:
    """Everything a result depends on (`lrtune.run.identity`)."""
    return identity.identity(
        experiment.canonical(),
        prepared.data_hash,
        prepared.folds_hash,
        code=prepared.code_hash,
        taken=taken.identity,
    )


def fingerprint_of(experiment: Experiment, prepared: Prepared, taken: TakenOver = NOTHING) -> str:
    """Hash the identity: runs with equal fingerprints give equal results."""
    return identity.fingerprint(identity_of(experiment, prepared, taken))


RUNS = Path("runs")
"""Where runs are unless somebody says otherwise."""


def run_folder(
    experiment: Experiment, prepared: Prepared, output: Path | None = None, taken: TakenOver = NOTHING
) -> Path:
    """Name the folder of the run: ``output``, or ``runs/<name>-<8 hex digits of the fingerprint>``."""
    return output or RUNS / f"{experiment.name}-{fingerprint_of(experiment, prepared, taken)[:8]}"
