"""Marks of rows that stay the same from table to table, whatever other rows or levels there are."""

from __future__ import annotations

import hashlib

import numpy as np

from lrtune.arrays import Array
from lrtune.data.columns import Columns
from lrtune.data.compact import column_of
from lrtune.data.conversion import Marks
from lrtune.data.schema import Schema
from lrtune.data.targets import label_text

FACTOR = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def row_marks(columns: Columns, schema: Schema) -> Marks:
    """Mix the features and the target of each row into 64 bits (N,).

    Columns count by their names, categories by their texts, so that two tables whose rows are equal have equal marks;
    rare categories, which have no feature of their own, count as one. A column more or less changes all of them.
    """
    names = [f"{column.name}/{part}" for column, part in schema.numeric]
    parts = [(name, _bits(column_of(columns.numeric, place))) for place, name in enumerate(names)]
    for place, column in enumerate(schema.categorical):
        known = np.array([*map(_hashed, column.levels), _hashed("/other"), _hashed("/missing")], dtype=np.uint64)
        parts.append((column.name, known[columns.codes[:, place]]))  # -2 other, -1 missing: counted from the end
    assert columns.target is not None
    classes = np.array([_hashed(label_text(each)) for each in schema.classes], dtype=np.uint64)
    target = classes[columns.target.astype(np.int64)] if len(classes) else _bits(columns.target.astype(np.float64))
    mixed = np.zeros(columns.rows, dtype=np.uint64)
    for name, marks in (*sorted(parts, key=lambda each: each[0]), (f"{schema.target}/target", target)):
        mixed = scrambled(mixed * FACTOR + scrambled(marks + _hashed(name)))
    return mixed


def _hashed(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "little"))


def _bits(values: Array) -> Marks:
    """Take the bits of floats; zeros of both signs, and all that is no number, are the same."""
    plain = np.where(np.isnan(values), np.nan, values + 0.0).astype(np.float64)
    return np.ascontiguousarray(plain).view(np.uint64)


def scrambled(marks: Marks) -> Marks:
    """Let each bit change all others: the finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    marks = (marks ^ marks >> _SHIFTS[0]) * _FACTORS[0]
    marks = (marks ^ marks >> _SHIFTS[1]) * _FACTORS[1]
    return marks ^ marks >> _SHIFTS[2]
