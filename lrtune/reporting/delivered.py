"""What the page of a search says of the model that is handed over, where that is more than the best trial alone."""

from __future__ import annotations

from lrtune.text.formats import Show
from lrtune.verdict.result import Result

SHOWN = 5
"""Members of a mean that are named."""


def rows(result: Result, scores: Show) -> list[tuple[str, str]]:
    """Say of what the model is made, if of more than one trial and one seed, and what that is worth on the folds."""
    found = result.delivered
    if found is None or (len(found.trials) == 1 and found.seeds == 1 and not found.bag):
        return []
    said = [found.called]
    if found.is_mean:
        numbers = ", ".join(map(str, found.trials[:SHOWN])) + (", ..." if len(found.trials) > SHOWN else "")
        said[0] += f" ({numbers})"
        said.append(f"{scores(found.mean)} on the folds, where the best alone has {scores(result.best.mean)}")
    if found.bag:
        said.append("scores on the folds are of one of them: their mean has none of its own")
    if found.of_seeds is not None:
        said.append(f"with all seeds {scores(found.of_seeds)} instead of {scores(found.mean)}")
    elif found.seeds > 1:
        said.append("what all seeds have on the folds is not known")
    if found.diverged:
        said.append(f"without {trials(found.diverged)}, which diverged on all rows")
    return [("delivered", "; ".join(said))]


def trials(numbers: tuple[int, ...]) -> str:
    """Name some trials.

    >>> trials((4,)), trials((4, 7))
    ('trial 4', 'trials 4, 7')
    """
    return ("trial " if len(numbers) == 1 else "trials ") + ", ".join(map(str, numbers))


def tested(result: Result) -> str:
    """Say that the test is of a model without these rows, where the one that is handed over has them."""
    if result.delivered is None or result.delivered.rows == "search":
        return ""
    test = result.test
    if test is None or not test.repeated:
        return " (scored before these rows joined the training of the model that is handed over)"
    if test.repeated == test.rows:
        return " (the model that is handed over was trained on them once more)"
    return " (scored before the others joined the training of the model that is handed over)"
