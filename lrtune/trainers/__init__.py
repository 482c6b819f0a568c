"""What trains and scores a configuration: an experiment's data prepared, and the built-in trainer as a function.

::

    anchors       what a sceptic compares a tuned network with: no feature needed, and a linear model
    arguments     what a Python program gives to a function that trains
    catalogue     the trainers, one entry each
    at_work       how far a block is, told while it trains
    calibration   the speed of the virtual clock
    code          which files an experiment names as what trains
    contract      what whoever trains is given, and what comes back
    foreign       code of somebody else: estimators, functions, commands       doors: scikit-learn, skops
    loaded        rows that a function loads, as a table
    loading       a saved model, ready to predict
    partition     which folds a search is judged on
    population    the built-in trainer as a function that workers run
    preparation   from an experiment to everything its study needs
"""
