"""How far a run is: in numbers for programs, and as a page."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrtune.reporting import tables
from lrtune.reporting.blocks import Block, Facts, Headline, Lines
from lrtune.reporting.progress import climb
from lrtune.space.trial import Trial, TrialState
from lrtune.text import formats
from lrtune.verdict.standing import larger_is_better, own_sign, standing

if TYPE_CHECKING:
    from pathlib import Path

    from lrtune.run.folder import Run

SCHEMA = 1
PICTURE = 60
"""Width of the picture of the best score."""

_ENDS = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.DIVERGED, TrialState.FAILED)


def status(run: Run) -> dict[str, Any]:
    """Say how far a run is, in JSON's types.

    ::

        schema    version of this layout
        name      of the experiment;  folder: where the run is
        state     running, stopped or finished;  finished: why the search ended, null while it goes on
        metric    its name;  larger_is_better: whether more of it is better
        trials    planned, done, running, complete, pruned, diverged, failed: how many
        best      number, mean, std, configuration: the point of the space;  null before the first complete trial
        bests     the best mean score after each complete trial, by number
        seconds   search, retrain: spent over all sessions;  left: estimated for the search, null unless it is running
        changed   when something was last written (seconds since 1970)
    """
    done = [each for each in run.trials if each.state is not TrialState.PROPOSED]
    counts = {str(each): run.study.count(each) for each in _ENDS}
    return {
        "schema": SCHEMA,
        "name": run.name,
        "folder": str(run.folder),
        "state": run.state,
        "finished": run.study.finished,
        "metric": run.metric,
        "larger_is_better": larger_is_better(run.metric),
        "trials": {"planned": planned(run), "done": len(done), "running": len(run.trials) - len(done), **counts},
        "best": _best(run),
        "bests": [own_sign(run.metric, each) for each in bests(run.trials)],
        "seconds": {
            "search": round(run.study.search_seconds, 3),
            "retrain": round(run.study.retrain_seconds, 3),
            "left": _left(run, len(done)),
        },
        "changed": run.changed,
    }


def planned(run: Run) -> int:
    """Count the trials that the search was asked for; those there are, if it is finished or nobody said how many."""
    from lrtune.experiment.searched import searched  # reading YAML takes its time

    if run.study.finished is not None or run.is_told:
        return len(run.trials)
    return max(searched(run).planned, len(run.trials))


def _best(run: Run) -> dict[str, Any] | None:
    if not run.ranked:
        return None
    shown = standing(run.ranked[0], run.metric)
    return {
        "number": shown.number,
        "mean": shown.mean,
        "std": shown.std,
        "configuration": dict(shown.configuration),
    }


def bests(trials: Sequence[Trial]) -> list[float]:
    """List the best oriented mean score after each complete trial."""
    found: list[float] = []
    for each in trials:
        if each.mean is not None:
            found.append(max(each.mean, *found[-1:]) if found else each.mean)
    return found


def _left(run: Run, done: int) -> float | None:
    if not run.running or not done:
        return None
    return round(run.study.search_seconds / done * max(0, planned(run) - done), 3)


def page(run: Run, *, called: str) -> list[Block]:
    """Say how far a run is.

    Parameters
    ----------
    run
        The run.
    called
        How commands call it.

    """
    found = status(run)
    facts = Facts("", list(_facts(run, found)))
    return [Headline(f"{called}: {sentence(found)}"), facts, *_then(run, called)]


def _then(run: Run, called: str) -> list[Block]:
    if run.is_told and not run.running:
        return [Lines("to go on", [f"lrtune.Study(..., folder={str(run.folder)!r})"])]
    return next_step(run.folder, called, run.state)


def sentence(found: Mapping[str, Any]) -> str:
    """Say in a few words how far it is.

    >>> sentence({"state": "stopped", "trials": {"done": 23, "planned": 60, "running": 0}})
    'stopped after 23 of 60 trials'
    """
    trials = found["trials"]
    if found["state"] == "finished":
        return f"finished after {formats.plural(trials['done'], 'trial')}"
    how_far = f"{formats.count(trials['done'])} of {formats.plural(trials['planned'], 'trial')}"
    return f"running, {how_far} done" if found["state"] == "running" else f"stopped after {how_far}"


def _facts(run: Run, found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    counts, best, seconds = found["trials"], found["best"], found["seconds"]
    ends = [f"{formats.count(counts[each])} {each}" for each in map(str, _ENDS) if counts[each]]
    if counts["running"]:
        ends.append(f"{formats.count(counts['running'])} {'running' if run.running else 'proposed'}")
    yield "trials", ", ".join(ends) or "none yet"
    if best is not None:
        scores = formats.score_format([best["mean"]])
        std = "" if best["std"] is None else f" ± {scores(best['std'])}"
        yield f"best {run.metric}", f"{scores(best['mean'])}{std} (trial {best['number']})"
        yield "configuration", tables.configuration_line(best["configuration"])
        if picture := climb(bests(run.trials), PICTURE):
            yield "best so far", picture
    left = "" if seconds["left"] is None else f", about {formats.duration(seconds['left'])} left"
    yield "time", f"{formats.duration(seconds['search'])} so far{left}"


def next_step(folder: Path, called: str, state: str) -> list[Block]:
    """Say how a stopped run goes on, and where a finished one is shown."""
    if state == "stopped":
        return [Lines("to go on", [go_on(folder)])]
    if state == "finished":
        return [Lines("next", [f"lrtune show {shlex.quote(called)}"])]
    return []


def go_on(folder: Path) -> str:
    """Write the command that goes on with a run, whatever it was started with."""
    return f"lrtune search {shlex.quote(str(folder / 'experiment.yaml'))} --output {shlex.quote(str(folder))}"
