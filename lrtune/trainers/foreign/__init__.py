"""Code of somebody else as a trainer: estimators, functions and commands, each fit in a process of its own.

A worker has one such process at a time, which goes from fit to fit, so that whatever happens in it costs one fit.

::

    blocks      what workers run: fits of a block, one after the other, and what comes of them
    child       the process: what it is asked, and by whom it is answered
    commands    there: a program that is told by files and variables, and tells by lines
    devices     there: graphics cards, each to one process
    estimators  there: scikit-learn's estimators and their relatives
    fits        one fit: its folder, what is kept of it, when it is tried again
    ending      there: what a fit ends with
    functions   there: a Python function that yields reports
    loading     there: rows of any shape that a function loads
    messages    what goes to and fro: JSON and arrays
    predictions from what a fit predicts to what metrics take
    processes   the process, seen from the worker: started, asked, ended
    rates       the rate of every update
    retraining  a fit on all rows, and the model that comes of it
    run         what a function is given
    surroundings  there: generators, memory, output
    sweeping    many fits at once, outside of a search
    telling     there: what a program tells
"""
