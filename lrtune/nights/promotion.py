"""When a challenger takes the champion's place."""

from __future__ import annotations


def is_promoted(low: float, least: float = 0.0) -> bool:
    """Tell whether a gain is enough: the lower end of its 95 % interval is above the least that was asked for.

    A champion that is not beaten for sure stays. So luck changes the champion in one night of forty at most, and a
    challenger that is a little better is promoted once the rows can tell; two that are equal do not take turns.

    >>> is_promoted(0.001), is_promoted(0.0), is_promoted(0.001, least=0.01)
    (True, False, False)
    """
    return low > least
