"""What a run takes over from others, read from where it is and mapped to tonight's space.

A run that has begun already goes on with its own copy (`lrtune.run.taken`), whatever its sources say by now.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lrtune.experiment import Experiment
from lrtune.experiment.reading.loading import load
from lrtune.run import files, taken
from lrtune.run.names import BEST, DATABASE, RESULT, ROW_SCORES, TAKEN
from lrtune.run.row_scores import as_text
from lrtune.run.taken import NOTHING, Champion, Reference, TakenOver
from lrtune.space.trial import Configuration
from lrtune.text.errors import ConfigurationError, LrtuneError, StudyError, listed
from lrtune.text.written import cell
from lrtune.trainers.catalogue import TRAINERS
from lrtune.trainers.preparation import Prepared
from lrtune.training.registry import complete
from lrtune.tuning.warming import warm_start
from lrtune.verdict.reading import from_json
from lrtune.verdict.result import Result


def taken_over(
    champions: Sequence[Path],
    experiment: Experiment,
    prepared: Prepared,
    output: Path | None = None,
    *,
    warm: Sequence[Path] = (),
    goes_on: bool = False,
) -> TakenOver:
    """Say what a run takes over.

    Parameters
    ----------
    champions
        Runs, files ``best.yaml`` or ``result.json``; the first one is the champion that drift and gain are about.
    experiment, prepared
        What is searched, and on what.
    output
        The folder of the run, where it is known: what it took over when it began is what counts.
    warm
        Earlier runs, and folders of them, for a warm start (`lrtune.tuning.warming`).
    goes_on
        Whether it is known that the run in this folder goes on, also if it took over nothing.

    Raises
    ------
    LrtuneError
        If a source cannot be read, or the copy is damaged.

    """
    begun = output is not None and (output / DATABASE).is_file()
    if output is not None and begun and (goes_on or warm or (output / TAKEN).is_file()):
        return taken.read(output)
    if not champions and not warm:
        return NOTHING
    earlier, fits = warm_start(warm, experiment, prepared, output)
    first = tuple(champion(each, experiment, prepared) for each in champions)
    return TakenOver(champions=first, earlier=earlier, fits=fits)


def champion(source: Path, experiment: Experiment, prepared: Prepared) -> Champion:
    """Read a champion, and see whether tonight's space has it.

    Raises
    ------
    LrtuneError
        If it cannot be read.

    """
    configurations, reference, unknown = _read(source, prepared.metric)
    try:
        points = tuple(_point(each, experiment) for each in configurations)
    except ConfigurationError as error:
        return Champion(str(source), refused=str(error))
    return Champion(str(source), points, "", reference, unknown)


def _read(source: Path, metric: str) -> tuple[Sequence[Configuration], Reference | None, str]:
    """Read complete configurations, and what they scored, or why that is not known."""
    if source.suffix in (".yaml", ".yml"):
        return [_only_configuration(source)], None, "an experiment file says no score"
    path = source / RESULT if source.is_dir() else source
    found = _result(path)
    configurations = [found.best.configuration]
    if found.is_mean and found.delivered is not None and found.delivered.configurations:
        configurations = list(found.delivered.configurations)
    if found.metric != metric:
        return configurations, None, f"the champion has a score by another metric ({found.metric} there, {metric} here)"
    expected = found.expected
    return (
        configurations,
        Reference(
            metric,
            expected.score,
            expected.low,
            expected.high,
            elected=found.nightly is None or found.nightly.promoted,
            data=found.data.hash,
            rows=as_text(path.with_name(ROW_SCORES)),
        ),
        "",
    )


def _result(path: Path) -> Result:
    try:
        return from_json(files.read_json(path), path)
    except FileNotFoundError:
        what = "is not there; a champion is a finished run, or its result.json or best.yaml"
        raise StudyError(f"{path}: {what}") from None
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise StudyError(f"{path}: is no JSON ({error})") from error


def _only_configuration(path: Path) -> Configuration:
    experiment = load(path, trainers=TRAINERS)
    if experiment.space.size != 1:
        raise LrtuneError(f"{path}: has more than one configuration, and a champion is one; give the {BEST} of a run")
    return experiment.configuration(experiment.space.default())


def _point(configuration: Configuration, experiment: Experiment) -> Configuration:
    """Find a complete configuration in the space of an experiment.

    Raises
    ------
    ConfigurationError
        Saying what keeps it out.

    """
    whole = configuration if experiment.trainer.is_foreign else complete(configuration)
    point = experiment.space.point(whole)
    if point is None:
        outside = [
            f"{each.name} {cell(whole[each.name])}" if each.name in whole else f"no {each.name}"
            for each in experiment.space.dimensions
            if each.point(whole) is None
        ]
        raise ConfigurationError(f"this search's space does not have it: {listed(outside)}")
    here = experiment.configuration(point)
    other = [
        f"{key} {_said(whole, key)} there and {_said(here, key)} here"
        for key in sorted({*whole, *here})
        if (key in whole, whole.get(key)) != (key in here, here.get(key))
    ]
    if other:
        raise ConfigurationError(f"this search trains in another way: {listed(other)}")
    return point


def _said(configuration: Configuration, key: str) -> str:
    return cell(configuration[key]) if key in configuration else "absent"
