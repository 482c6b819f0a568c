"""Decay types.

::

    catalogue   every decay, one entry each
    functions   the multipliers, vectorised
    plain       the same in plain Python: what exported code is made of
    resolved    the factors that those take
    turns       when a decay jumps or bends
"""
