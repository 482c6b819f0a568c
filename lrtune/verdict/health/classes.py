"""Classes that are never predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lrtune.text.errors import counted
from lrtune.verdict.findings import WARNING, Finding
from lrtune.verdict.health.core import Case
from lrtune.verdict.result import ClassCounts


def silent(classes: Sequence[ClassCounts]) -> list[ClassCounts]:
    """List the classes that occur and are never predicted."""
    return [each for each in classes if each.rows and not each.predicted]


def silent_text(classes: Sequence[ClassCounts]) -> str:
    """Name the classes that are never predicted; an empty text if there are none."""
    found = silent(classes)
    names = ", ".join(f"'{each.name}' ({counted(each.rows, 'row')})" for each in found[:3])
    return names + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def validated_text(classes: Sequence[ClassCounts], rows: int) -> str:
    """Say how many of the search's rows the folds validate, where that are not all of them."""
    validated = sum(each.rows for each in classes)
    return (
        f"{validated:,} of {counted(rows, 'row')} {'is' if validated == 1 else 'are'} validated"
        if validated < rows
        else ""
    )


def silent_classes(case: Case) -> Iterator[Finding]:
    """Notice classes that occur and that the best, or the delivered mean, never predicts."""
    names = silent_text(case.classes)
    if names:
        part = validated_text(case.classes, case.rows)
        yield Finding(
            "classes",
            WARNING,
            f"{case.handed_over if case.classes_of_mean else case.called} never predicts {names}"
            + (f"; {part}" if part else ""),
            f"{'set class_weight: balanced' if case.is_own else 'weigh the classes in the training'}, or judge by"
            " balanced_accuracy or f1_macro",
            {"classes": {each.name: each.rows for each in silent(case.classes)}},
        )
