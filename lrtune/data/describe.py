"""From a table to its `Schema`: which column is what, decided from all rows, and said in notes.

The rules, where there is a choice (all of them can be overridden by naming the column in `numeric` or `categorical`):

* a column of whole numbers that counts 1, 2, 3, ... along the rows is an identifier; so is one of distinct whole
  numbers that is called `id`, `key` or `index`. Other distinct whole numbers are kept and pointed out.
* a text column with a different value in every row is an identifier, and free text if more than half of the rows
  differ; both need more than `FEW_LEVELS` levels. A text that spells a date in every row is a date.
* the column that groups or orders the rows is no feature unless `features` lists it (a group column never is).
* listing a date or an identifier of whole numbers in `features` asks for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypedDict

import numpy as np

from lrtune.data.cells import Dates, Numbers, Raw, Texts, parse_dates
from lrtune.data.numerals import Form, candidates, number_or_none
from lrtune.data.schema import FALSE_TEXTS, KEEP, TRUE_TEXTS, ColumnSpec, Schema
from lrtune.data.tables import Table
from lrtune.data.targets import describe_target, yaml_list
from lrtune.text.errors import DataError, counted, named, nearest

FEW_LEVELS = 10
"""A text column with at most this many levels is never an identifier or free text."""

MOSTLY_NUMBERS = 0.5
"""A text column is suspicious if more than this share of its cells are numbers."""

_ID_NAME = re.compile(r"(?i:(?:^|[\W_])(?:id|uuid|guid|key|index|idx)$|^(?:nr|no|row)$)|[a-z]I[dD]$")
_LEFT_OUT = {
    "constant": "left out, since they hold one value only",
    "empty": "left out, since they are empty",
    "identifier": "left out, since they look like identifiers",
    "text": "left out, since they are texts that hardly ever repeat",
}


class Meaning(TypedDict):
    """What somebody says about the columns of a table: arguments of `describe`."""

    target: str | None
    task: str | None
    positive: object
    features: Sequence[str] | None
    ignore: Sequence[str]
    categorical: Sequence[str]
    numeric: Sequence[str]
    dates: str
    group: str | None
    order: str | None
    rare: str


def describe(
    table: Table,
    *,
    target: str | None = None,
    task: str | None = None,
    positive: object = None,
    features: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    categorical: Sequence[str] = (),
    numeric: Sequence[str] = (),
    dates: str = "ignore",
    group: str | None = None,
    order: str | None = None,
    rare: str = KEEP,
) -> Schema:
    """Find out what the columns of a table are and what becomes of them.

    Parameters
    ----------
    table
        All rows, so that a type never changes because of a row far down.
    target
        The column to predict; None takes the one that the source names (`y` of an npz archive, scikit-learn's sets).
    task, positive
        See `lrtune.data.targets.describe_target`.
    features, ignore
        Use only these columns; do not use these.
    categorical, numeric
        Treat these as categories, or as numbers, whatever they look like; beside those that the table says are numbers.
    dates
        `"ignore"` (with a warning) or `"encode"`.
    group, order
        Columns that keep rows together in folds, and that order them in time.
    rare
        See `lrtune.data.targets.describe_target`.

    Raises
    ------
    DataError
        An unknown column (the nearest name is given), options that contradict each other, a target that cannot be
        predicted, or no usable column left.

    """
    target = _target_name(table, target)
    special = {"target": target, "group": group, "order": order}
    _check_names(table, special, {"features": features or (), "ignore": ignore})
    _check_names(table, special, {"categorical": categorical, "numeric": numeric})
    if dates not in {"ignore", "encode"}:
        raise DataError(f"data.dates is 'ignore' or 'encode', not {dates!r}")
    found = describe_target(table.columns[target], target, task, positive, rare, spelled=table.spelled)
    roles = {name: role for role, name in special.items() if name is not None and name not in (features or ())}
    wanted = set(table.names if features is None else features)
    columns, findings = [], _Findings(table)
    for name, raw in table.columns.items():
        spec = _spec(name, raw, categorical=name in categorical, numeric=name in numeric or name in table.numeric)
        decimal, thousands = (isinstance(raw, Numbers) and raw.form) or table.form
        spec = replace(spec, decimal=decimal, thousands=thousands)
        if name == target and found.task == "regression":
            spec = replace(spec, kind="numeric", role="target")
        elif name in roles:
            spec = replace(spec, role=roles[name])
        elif name not in wanted or name in ignore:
            spec = replace(spec, role="left out")
        else:
            spec = _decided(spec, raw, findings, asked=name in (features or ()), encode=dates == "encode")
        columns.append(spec)
    schema = Schema(
        found.task,
        target,
        found.classes,
        tuple(columns),
        group=group,
        order=order,
        missing=table.missing,
        options=table.options,
        dropped=found.dropped,
        merged=found.merged,
        other=found.other,
        notes=(*table.notes, *found.notes, *findings.notes()),
        warnings=tuple(findings.warnings),
    )
    if not schema.features:
        reasons = [*_settings(features, ignore, special), *findings.notes(), *schema.warnings]
        alone = [f"the target '{target}' is the only one"] if table.names == (target,) else []
        raise DataError(f"{table.source}: no column is left to learn from; {'; '.join([*reasons, *alone])}")
    return schema


def _settings(features: Sequence[str] | None, ignore: Sequence[str], special: Mapping[str, str | None]) -> list[str]:
    """Name the settings that leave columns out."""
    taken = [f"data.{key} takes '{special[key]}'" for key in ("group", "order") if special[key] is not None]
    chosen = [] if features is None else [f"data.features lists {named(features) or 'none'}"]
    return [*chosen, *([f"data.ignore lists {named(ignore)}"] if ignore else []), *taken]


def _target_name(table: Table, target: str | None) -> str:
    target = target if target is not None else table.target
    if target is None:
        raise DataError(f"{table.source}: say which column is the target; {named(table.names)}")
    return target


def _check_names(table: Table, special: dict[str, str | None], lists: dict[str, Collection[str]]) -> None:
    """Refuse unknown names and contradictions."""
    asked = [(f"data.{key}", name) for key, name in special.items() if name is not None]
    asked += [(f"data.{key}", name) for key, names in lists.items() for name in names]
    for key, name in asked:
        if name not in table.columns:
            raise DataError(
                f"{key}: {table.source} has no column '{name}'; {_hint(name, table.names)}{_headless(table)}"
            )
    names = [name for name in special.values() if name is not None]
    for name in names:
        if names.count(name) > 1:
            roles = " and ".join(role for role, other in special.items() if other == name)
            raise DataError(f"column '{name}' cannot be {roles} at once")
    for key, given in lists.items():
        for role in ("target",) if key == "ignore" else ("target", "group"):
            if special[role] in given:
                raise DataError(
                    f"data.{key} lists '{special[role]}', which is the {role} column and cannot be a feature"
                )
    first, second = lists
    both = sorted(set(lists[first]) & set(lists[second]))
    if both:
        raise DataError(f"data.{first} and data.{second} both list {named(both)}")


def _hint(name: str, names: Sequence[str]) -> str:
    hint = nearest(name, names)
    return hint if hint.startswith("did") else named(names)


def _headless(table: Table) -> str:
    """Ask whether a table has a header at all, if a name of its columns is a number."""
    if table.options.header is not None or all(number_or_none(name) is None for name in table.names):
        return ""
    return "; if its first line is a row, set data.header: false"


class _Findings:
    """Collects what is worth saying, so that ten constant columns make one sentence."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._grouped: dict[str, list[str]] = {}
        self.warnings: list[str] = []

    def add(self, what: str, name: str) -> None:
        self._grouped.setdefault(what, []).append(name)

    def notes(self) -> tuple[str, ...]:
        return tuple(f"{what}: {named(names)}" for what, names in self._grouped.items())


def _spec(name: str, raw: Raw, *, categorical: bool, numeric: bool) -> ColumnSpec:
    """Decide the kind of a column."""
    if categorical or numeric:
        return ColumnSpec(name, "categorical" if categorical else "numeric", "feature")
    missing = raw.missing
    if missing.all():
        return ColumnSpec(name, "empty", "feature")
    if isinstance(raw, Numbers):
        return ColumnSpec(name, _kind_of_numbers(name, raw), "feature")
    if isinstance(raw, Dates):
        return ColumnSpec(name, "date", "feature", clock=raw.clock, reading=raw.reading)
    if len(raw.levels) == 1 and not missing.any():
        return ColumnSpec(name, "constant", "feature")
    if len(raw.levels) <= FEW_LEVELS and {level.casefold() for level in raw.levels} in _BOOLEANS:
        return ColumnSpec(name, "boolean", "feature")
    parsed = parse_dates(raw.levels)
    if parsed is not None:
        return ColumnSpec(name, "date", "feature", clock=parsed[1], reading=parsed[2])
    present = int(np.count_nonzero(~missing))
    if len(raw.levels) > max(FEW_LEVELS, present / 2):
        return ColumnSpec(name, "identifier" if len(raw.levels) == present else "text", "feature")
    return ColumnSpec(name, "categorical", "feature")


_BOOLEANS = [{no, yes} for no, yes in (("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("off", "on"))]
assert all(pair <= TRUE_TEXTS | FALSE_TEXTS for pair in _BOOLEANS)


def _kind_of_numbers(name: str, raw: Numbers) -> str:
    values = raw.values
    if (values == values[0]).all():
        return "constant"
    if raw.whole and not raw.missing.any() and values.size > FEW_LEVELS:
        if (np.diff(values) == 1).all():
            return "identifier"
        if _ID_NAME.search(name) and np.unique(values).size == values.size:
            return "identifier"
    return "numeric"


def _decided(spec: ColumnSpec, raw: Raw, findings: _Findings, *, asked: bool, encode: bool) -> ColumnSpec:
    """Decide whether a column that may be a feature is one, and say why not."""
    if isinstance(raw, Texts) and spec.kind in {"categorical", "identifier", "text"}:
        _remark_texts(raw, spec.name, findings)
    if spec.kind == "date":
        return _decided_date(spec, raw, findings, used=asked or encode)
    if spec.kind == "identifier" and isinstance(raw, Numbers) and asked:
        return replace(spec, kind="numeric")
    if spec.kind in _LEFT_OUT:
        findings.add(_LEFT_OUT[spec.kind], spec.name)
        return replace(spec, role="left out")
    if isinstance(raw, Numbers):
        _remark_numbers(raw, spec.name, findings)
    return spec


def _decided_date(spec: ColumnSpec, raw: Raw, findings: _Findings, *, used: bool) -> ColumnSpec:
    if not used:
        findings.warnings.append(f"the date column '{spec.name}' is ignored; set data.dates: encode to use it")
        return replace(spec, role="left out")
    if isinstance(raw, Texts) and spec.reading == "day.month.year" and not any("." in level for level in raw.levels):
        findings.add("dates read as day, month, year", spec.name)
    return spec


def _remark_numbers(raw: Numbers, name: str, findings: _Findings) -> None:
    if np.isinf(raw.values).any():
        findings.add("infinite numbers are treated as missing", name)
    values = raw.values[np.isfinite(raw.values)]
    if raw.whole and values.size > FEW_LEVELS and np.ptp(values) + 1 == values.size == np.unique(values).size:
        findings.add("used, but every row has a whole number of its own (an identifier? then ignore it)", name)


def _remark_texts(raw: Texts, name: str, findings: _Findings) -> None:
    """Say why numbers are text; warn if it is because of a few cells, or of what parts thousands."""
    forms = candidates(findings.table.options)[: 2 if any("," in level for level in raw.levels) else 1]
    codes = min((_odd(raw.levels, form) for form in forms), key=len)
    counts = raw.counts
    strays = int(counts[codes].sum())
    if strays == 0:
        findings.add("kept as text, since numbers with leading zeros or very many digits are identifiers", name)
        return
    odd = [raw.levels[code] for code in codes]
    if _parting(odd) or strays < MOSTLY_NUMBERS * counts.sum():
        row = int(np.flatnonzero(np.isin(raw.codes, codes))[0])
        odd_ones = "is no number" if strays == 1 else "are no numbers"
        findings.warnings.append(
            f"column '{name}' is read as text, because {strays} of its {counted(int(counts.sum()), 'cell')} {odd_ones} "
            f"(first: {raw.levels[raw.codes[row]]!r} in row {row + 1}); {_remedy(odd, findings.table)}"
        )


def _odd(levels: Sequence[str], form: Form) -> list[int]:
    """List the positions of texts that are no numbers in a form."""
    return [code for code, level in enumerate(levels) if form.number(level) is None]


def _parting(texts: Sequence[str]) -> str | None:
    """Find what parts thousands in texts that are numbers but for that."""
    forms = [Form(decimal, sign) for sign in (" ", "'") for decimal in ".,"]
    parted = (form for form in forms if all(re.search(form.parting, text) for text in texts))
    return next((form.thousands for form in parted if not _odd(texts, form)), None)


def _remedy(texts: Sequence[str], table: Table) -> str:
    """Propose the setting by which the odd texts of a column are numbers, or mean missing."""
    parting = _parting(texts)
    if parting:
        return f"if that is one, set data.thousands: {json.dumps(parting)}"
    if any(not _odd(texts, form) for form in candidates(table.options)):
        return "decimal points and decimal commas are mixed in it: write all of its numbers one way"
    if len(texts) > FEW_LEVELS:
        return "if they mean missing, list all texts that do under data.missing"
    every = dict.fromkeys([*(text for each in table.spelled.values() for text in each), *texts])
    return f"if that means missing, set data.missing: {yaml_list(every)}"
