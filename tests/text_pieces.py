"""Texts parsed in pieces of several sizes, which must all give what parsing at once gives."""

from __future__ import annotations

import io

from lrtune.data import delimited
from lrtune.data.options import DataOptions
from lrtune.text.errors import DataError

SIZES = (-1, 1, 5, 200)
"""Bytes that are read at a time; -1 is all of them. Small ones are for texts of less than `LONG` bytes."""

LONG = 2_000


def parse(data, where="t.csv", options=None, layouts=()):
    """Parse bytes; the body is put together. An error is raised if all sizes have the same."""
    sizes = SIZES if len(data) < LONG else (-1, len(data) // 3)
    found = [_attempt(data, where, options or DataOptions(), layouts, size) for size in sizes]
    outcomes = [str(each) if isinstance(each, DataError) else each for each in found]
    assert all(each == outcomes[0] for each in outcomes), dict(zip(sizes, outcomes, strict=True))
    if isinstance(found[0], DataError):
        raise found[0]
    return found[0]


def _attempt(data, where, options, layouts, size):
    try:
        text = delimited.parse(io.BytesIO(data), where, options, layouts, size)
    except DataError as error:
        return error
    return text._replace(body=b"".join(text.body))
