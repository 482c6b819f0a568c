"""A schedule for other libraries: as a value, in an optimizer, and as code that needs nothing of lrtune.

::

    schedule    its rates as an array, and where they can go           -> Schedule
    pytorch     rates in an optimizer of PyTorch                        door: PyTorch
    program     a file for PyTorch, Keras or optax
    core        its constants, formulas and ``multiplier(update)``
    feedback    the same for what follows a clock or a loss
    formulas    each decay in plain Python; `texts` are their texts
    factors     factors of a decay as its formula wants them
    jumps       when a decay jumps or bends
    templates   the ends of the files, for each library
"""
