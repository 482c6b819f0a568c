"""From columns of text to raw columns: as what all of their cells spell, or as the schema of another table says.

The type of a column is decided from all of its rows: it is a column of numbers if every cell that is not missing
spells one, and text otherwise. Two kinds of numbers stay text, because reading them as numbers loses what they say:
those with leading zeros (`007`), and whole ones too long for a float (2^53 and above).
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lrtune.data.cells import MISSING, Numbers, Raw, Texts, numbers
from lrtune.data.numerals import LARGEST_EXACT, PLAIN, SIGNS, Form, SignEvidence, candidates, decide
from lrtune.data.options import MISSING_TEXTS, DataOptions
from lrtune.data.schema import ColumnSpec, Schema
from lrtune.data.text_cells import TextCells

if TYPE_CHECKING:
    import polars as pl

_LEADING_ZERO = r"^[+-]?0\d+$"
_WHOLE = r"^[+-]?\d+$"
_FIRST = 64  # cells that tell most columns of words from columns of numbers


class Inferred(NamedTuple):
    """What was found in columns of text.

    `form` is how numbers are written where a column does not show it, `missing` which texts mean a missing cell, and
    `spelled` which of them occur, by column.
    """

    form: Form
    notes: tuple[str, ...]
    missing: tuple[str, ...]
    spelled: dict[str, tuple[str, ...]]


def infer(cells: TextCells, separator: str, options: DataOptions, columns: MutableMapping[str, Raw]) -> Inferred:
    """Find out what columns of texts hold, and put them into ``columns``."""
    missing = MISSING_TEXTS if options.missing is None else options.missing
    plain, spelled, evidence = list[str](), dict[str, tuple[str, ...]](), dict[str, SignEvidence]()
    for frame in cells.frames():
        present = _present(frame, missing)
        found = _plain(present)
        spelled |= _spelled(frame, present)
        evidence |= _odd(_frame([each for each in present.get_columns() if each.name not in found]), options)
        plain += found
        columns.update({name: replace(each, form=PLAIN) for name, each in found.items()})
    # Where there are plain numbers only, and nothing that a decimal comma usually comes with, they are what they seem.
    if evidence or separator == ";" or options.decimal == ",":
        for frame in cells.frames(plain):
            evidence |= _seen(_present(frame, missing), candidates(options))
    forms, house, notes = decide(evidence, separator, options)
    settled = {name for name in plain if name not in forms or forms[name].decimal == "."}
    for frame in cells.frames([name for name in cells.names if name not in settled]):
        present = _present(frame, missing)
        foreign = {name: forms[name] for name in present.columns if name in forms}
        found = _plain(_rewritten(present, foreign))
        for series in present.get_columns():
            read = found.get(series.name)
            columns[series.name] = factorised(series) if read is None else replace(read, form=foreign[series.name])
    for name in settled:
        form = forms.get(name, house)
        if form != PLAIN and isinstance(raw := columns[name], Numbers):  # they were set with the plain one
            columns[name] = replace(raw, form=form)
    return Inferred(house, notes, missing, spelled)


def read_by(cells: TextCells, schema: Schema, columns: MutableMapping[str, Raw]) -> None:
    """Read columns of texts as those of the same names in the table that the schema was made of."""
    specs = {each.name: each for each in schema.columns}
    unknown = ColumnSpec("", "text", "left out")
    for frame in cells.frames():
        for missing in dict.fromkeys(schema.spellings(specs.get(name, unknown)) for name in frame.columns):
            alike = [each for each in frame.get_columns() if schema.spellings(specs.get(each.name, unknown)) == missing]
            present = _present(_frame(alike), missing)
            forms = {name: specs[name].form for name in present.columns if specs.get(name, unknown).kind == "numeric"}
            found = _numbers(present, forms)
            columns.update({each.name: found.get(each.name) or factorised(each) for each in present.get_columns()})


def factorised(series: pl.Series) -> Texts:
    """Make a column of texts."""
    levels = series.drop_nulls().unique().sort()
    codes = series.rank("dense").cast(int).fill_null(0).to_numpy().astype(np.int32) - np.int32(1)
    assert MISSING == -1
    return Texts(codes, tuple(levels.to_list()))


def _frame(columns: Sequence[pl.Series]) -> pl.DataFrame:
    """Put columns together; naming them to polars instead would take some names for patterns."""
    import polars as pl

    return pl.DataFrame(list(columns))


def _present(frame: pl.DataFrame, missing: Sequence[str]) -> pl.DataFrame:
    """Take the blanks around cells away, and make null what means missing."""
    import polars as pl

    stripped = pl.all().str.strip_chars()
    return frame.select(pl.when(stripped.is_in(["", *missing])).then(None).otherwise(stripped).name.keep())


def _spelled(frame: pl.DataFrame, present: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """Find the texts that were taken for missing cells, by column."""
    found = {}
    for before, after in zip(frame.get_columns(), present.get_columns(), strict=True):
        if before.null_count() < after.null_count():
            gaps = before.filter(after.is_null()).drop_nulls().str.strip_chars().unique().sort().to_list()
            found[before.name] = tuple(text for text in gaps if text)
    return {name: texts for name, texts in found.items() if texts}


def _every(frame: pl.DataFrame, pattern: str) -> tuple[bool, ...]:
    """Say for each column whether all cells have a pattern; missing ones do not count."""
    import polars as pl

    return frame.select(pl.all().str.contains(pattern).all()).row(0) if frame.width else ()


def _any(frame: pl.DataFrame, pattern: str) -> tuple[bool, ...]:
    """Say for each column whether a cell has a pattern."""
    import polars as pl

    return frame.select(pl.all().str.contains(pattern).any()).row(0) if frame.width else ()


def _plain(frame: pl.DataFrame) -> dict[str, Numbers]:
    """Read the columns that are numbers with a decimal point, without those in which any cell is like 007."""
    cast = _cast(frame)
    columns = _frame([each for each in frame.get_columns() if each.name in cast])
    zeros = _any(columns, _LEADING_ZERO)
    kept = [each for each, zero in zip(columns.get_columns(), zeros, strict=True) if not zero]
    long = _frame([each for each in kept if _is_long(cast[each.name])])
    dropped = {name for name, whole in zip(long.columns, _every(long, _WHOLE), strict=True) if whole}
    return {each.name: cast[each.name] for each in kept if each.name not in dropped}


def _is_long(found: Numbers) -> bool:
    return bool((np.abs(found.values[np.isfinite(found.values)]) >= LARGEST_EXACT).any())


def _cast(frame: pl.DataFrame) -> dict[str, Numbers]:
    """Read the columns in which all cells are numbers as programs write them."""
    import polars as pl

    if not frame.width:
        return {}
    values = frame.select(pl.all().cast(pl.Float64, strict=False))
    unread = zip(values.null_count().row(0), frame.null_count().row(0), strict=True)
    strange = values.select(pl.all().is_nan().any()).row(0)  # the text NaN, where it does not mean missing
    return {
        series.name: numbers(series.to_numpy())
        for series, (after, before), nan in zip(values.get_columns(), unread, strange, strict=True)
        if after == before and not nan
    }


def _odd(others: pl.DataFrame, options: DataOptions) -> dict[str, SignEvidence]:
    """Look at how numbers are written that are not plain."""
    forms = candidates(options)
    likely = [_every(others.head(_FIRST), form.pattern) for form in forms]
    numeric = [each for each, *maybe in zip(others.get_columns(), *likely, strict=True) if any(maybe)]
    return {name: each for name, each in _seen(_frame(numeric), forms).items() if each.point or each.comma}


def _seen(frame: pl.DataFrame, forms: tuple[Form, Form]) -> dict[str, SignEvidence]:
    signs = [sign for sign in SIGNS if sign in {",", ".", *(form.thousands for form in forms)}]
    found = zip(*(_any(frame, SIGNS[sign]) for sign in signs), strict=True)
    point, comma = (_every(frame, form.pattern) for form in forms)
    evidence = {}
    for series, has, *allowed in zip(frame.get_columns(), found, point, comma, strict=True):
        present = "".join(sign for sign, there in zip(signs, has, strict=True) if there)
        example = series.filter(series.str.contains("[.,]")).head(1).to_list() if all(allowed) else []
        evidence[series.name] = SignEvidence(allowed[0], allowed[1], present, *example)
    return evidence


def _rewritten(frame: pl.DataFrame, forms: Mapping[str, Form]) -> pl.DataFrame:
    """Take some columns and write their numbers with a decimal point and nothing between thousands."""
    import polars as pl

    columns: list[pl.Series] = []
    for form in dict.fromkeys(forms.values()):
        alike = _frame([each for each in frame.get_columns() if forms.get(each.name) == form])
        whole = pl.all().str.replace_all(form.parting, "") if form.parting else pl.all()
        columns += alike.select(whole.str.replace(form.decimal, ".", literal=True)).get_columns()
    return _frame(columns)


def _numbers(frame: pl.DataFrame, forms: Mapping[str, Form]) -> dict[str, Numbers]:
    """Read columns of numbers in their forms; those that have a cell which is no number are left out."""
    found = _cast(_frame([each for each in frame.get_columns() if forms.get(each.name, _COMMA).decimal == "."]))
    legal: list[pl.Series] = []
    for form in dict.fromkeys(forms.values()):
        alike = [each for each in frame.get_columns() if forms.get(each.name) == form and each.name not in found]
        legal += [each for each, all_are in zip(alike, _every(_frame(alike), form.pattern), strict=True) if all_are]
    return found | _cast(_rewritten(_frame(legal), {each.name: forms[each.name] for each in legal}))


_COMMA = Form(",")
