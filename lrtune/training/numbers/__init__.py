"""How numbers become features; fitted on the training rows of a fold.

::

    catalogue   every encoder, one entry each
    functions   what they fit and compute
"""

BINS = 8
"""Bins between quantiles of a number, at most."""
