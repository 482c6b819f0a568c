"""Durations as people write them: ``90s``, ``10m``, ``1h30m``, or a number of seconds."""

from __future__ import annotations

import math
import re

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
LONGEST = 1e9
"""Seconds, some thirty years: what is longer is a mistake."""

_NUMBER = r"(?:\d+\.?\d*|\.\d+)"
_ALONE = re.compile(_NUMBER, re.ASCII)
_PART = re.compile(rf"({_NUMBER})\s*([a-z]+)\s*", re.ASCII)
_PARTS = re.compile(rf"(?:{_NUMBER}\s*[a-z]+\s*)+", re.ASCII)


def seconds(value: object) -> float:
    """Read a duration; units are d, h, m and s, the larger one first, and each at most once.

    >>> [seconds(each) for each in (90, "90", "90s", "10m", "1h30m", "1 m 12 s", "1.5h", "2d")]
    [90.0, 90.0, 90.0, 600.0, 5400.0, 72.0, 5400.0, 172800.0]

    Raises
    ------
    ValueError
        With what was expected, if it is none.

    """
    if isinstance(value, str):
        found = _read(value.strip().lower())
    else:
        found = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if found is None or math.isnan(found):
        raise ValueError(f"expected a duration such as 90s, 10m or 1h30m, or a number of seconds, got {_shown(value)}")
    if not 0 < found <= LONGEST:
        raise ValueError(f"expected a duration above 0 and up to {LONGEST:.0g} seconds, got {_shown(value)}")
    return found


def _read(text: str) -> float | None:
    if _ALONE.fullmatch(text):
        return float(text)
    parts = _PART.findall(text) if _PARTS.fullmatch(text) else []
    units = [unit for _, unit in parts]
    if not parts or units != [unit for unit in UNITS if unit in units]:
        return None
    return sum(float(amount) * UNITS[unit] for amount, unit in parts)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
