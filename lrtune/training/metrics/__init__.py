"""How predictions are scored.

::

    catalogue   every metric, one entry each
    functions   the metrics themselves
    rows        those that are means over rows, row by row
    weighted    the metrics as functions of how often each row was drawn
    scoring     scores by the name of the metric, oriented: what everybody else calls
"""
