"""A schedule for other libraries: as a value, in an optimizer, and as code that needs nothing of lrtune.

::

    adapters    callbacks for libraries that run the loop themselves
    averaging   averages of parameters, where they go with it
    core        its constants, formulas and ``multiplier(update)``
    factors     factors of a decay as its formula wants them
    feedback    the same for what follows a clock or a loss
    jumps       when a decay jumps or bends
    program     a file for PyTorch, Keras or optax
    pytorch     rates in an optimizer of PyTorch                        door: PyTorch
    schedule    its rates as an array, and where they can go           -> Schedule
    templates   the ends of the files, for each library
    texts       the text of formulas, with all that they call
"""
