"""Gates on the result of ``lrtune search``: their options, and where the baseline comes from."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lrtune.cli.names import asked_anchors, completed
from lrtune.cli.runs import find, names
from lrtune.run.names import RESULT
from lrtune.text.errors import LrtuneError, named, nearest
from lrtune.text.paths import expanded

if TYPE_CHECKING:
    from lrtune.tuning.demands import Baseline, Demands

FailUnderOption = Annotated[
    float | None,
    typer.Option("--fail-under", metavar="SCORE", help="Exit with 3 if the score is lower; for scores like accuracy."),
]
FailOverOption = Annotated[
    float | None,
    typer.Option("--fail-over", metavar="ERROR", help="Exit with 3 if the score is higher; for errors like rmse."),
]
FailBehindOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-behind",
        metavar="WHAT",
        help="Exit with 3 unless the score beats this on the same folds: constant (the shares of the classes or the"
        " mean), linear or default; repeatable.",
        autocompletion=completed(asked_anchors),
    ),
]
BaselineOption = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="RUN",
        help="Exit with 4 if the result is worse than that of a run, or of a result.json.",
        autocompletion=names,
    ),
]
ToleranceOption = Annotated[
    float | None,
    typer.Option("--tolerance", metavar="LOSS", help="How much worse than the baseline is fine; default: 0."),
]
RemeasureOption = Annotated[
    bool,
    typer.Option("--remeasure", help="Where data or folds differ, train the baseline's configuration on these."),
]

FailIfOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        metavar="CONDITION",
        help="Exit with 3 if this holds of the night, as in 'drift < -0.02': <night numbers>; repeatable.",
    ),
]


def asked_gates(
    fail_under: float | None,
    fail_over: float | None,
    baseline: str | None,
    tolerance: float | None,
    *,
    remeasure: bool,
    fail_behind: Sequence[str],
    fail_if: Sequence[str] = (),
    is_night: bool = False,
) -> Demands:
    """Check the options, and read the baseline now: the search may write into the folder that it is in.

    Raises
    ------
    LrtuneError
        If they make no sense.

    """
    from lrtune.tuning.demands import Demands
    from lrtune.verdict.anchored import ASKED
    from lrtune.verdict.night_gates import read_condition

    for name, value in {"--fail-under": fail_under, "--fail-over": fail_over, "--tolerance": tolerance}.items():
        if value is not None and not math.isfinite(value):
            raise LrtuneError(f"{name}: expected a number, got {value}")
    if tolerance is not None and tolerance < 0:
        raise LrtuneError(f"--tolerance: expected a loss of at least 0, got {tolerance:g}")
    if baseline is None and (tolerance is not None or remeasure):
        raise LrtuneError(f"{'--remeasure' if remeasure else '--tolerance'}: needs a --baseline to compare with")
    for name in fail_behind:
        if name not in ASKED:
            raise LrtuneError(f"--fail-behind: unknown value '{name}'; {_nearest_of(name, ASKED)}")
    conditions = tuple(dict.fromkeys(map(read_condition, fail_if)))
    if conditions and not is_night:
        raise LrtuneError(f"--fail-if '{fail_if[0]}': needs a night to be compared with, by --champions or --champion")
    known = None if baseline is None else _read(baseline)
    behind = tuple(dict.fromkeys(fail_behind))
    return Demands(fail_under, fail_over, known, tolerance or 0.0, remeasure, behind, conditions)


def _nearest_of(name: str, allowed: Collection[str]) -> str:
    """Name the nearest of a few values, and all of them.

    >>> _nearest_of("linaer", ["linear", "default"])
    "did you mean 'linear'? allowed: 'linear', 'default'"
    """
    everything = f"allowed: {named(list(allowed))}"
    return " ".join(dict.fromkeys((nearest(name, allowed), everything)))


def _read(baseline: str) -> Baseline:
    """Read a baseline, or say why it cannot be read: that fails its gate, not the search."""
    from lrtune.reporting import console
    from lrtune.run import files
    from lrtune.tuning.demands import Baseline
    from lrtune.verdict.reading import from_json

    try:
        file = expanded(baseline)
        path = file if file.is_file() or baseline.endswith(".json") else find(baseline) / RESULT
        return Baseline(baseline, from_json(files.read_json(path), path))
    except FileNotFoundError:
        reason = f"{path}: there is no such file"
    except OSError as error:
        reason = f"{path}: {error.strerror or error}"
    except ValueError as error:
        reason = f"{path}: is no JSON ({error})"
    except LrtuneError as error:
        reason = str(error)
    console.warn(f"--baseline {baseline}: {reason}; the search goes on, and this gate will fail")
    return Baseline(baseline, None, reason)
