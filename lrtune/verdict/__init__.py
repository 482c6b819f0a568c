"""What to make of the scores: which trial is chosen, how good it is, what is odd; nothing here trains.

::

    anchored       how the chosen trial stands beside what was not tuned
    choice         which trial is chosen, and whether it is better than another or good enough
    comparison     whether one configuration is better than another, from scores on the same folds
    conditions     what became of a condition that a result must meet (a *gate*)
    confirmation   a second opinion before the choice
    contest        champion against challenger
    controlled     what decay is worth, from the controlled pair
    warmups        what warm-up is worth, and which rates it allows
    correction     scores corrected for having been chosen
    ensembles      what is delivered: one trial, or the mean of the best ones
    evaluated      what a model is worth on labelled rows that it has not seen
    examination    from a run's folder to the findings of its health report
    explanation    what a study says about its space
    findings       what a look at a search found, and how to look without losing what was trained
    gates          whether a result is good enough
    health         what a finished search says about itself
    interval       a score and how sure it is
    judging        what a finished search comes to
    making         from a study to its `Result`
    night_gates    gates on what a night came to
    nightly        a night beside the one before it, as values
    picking        how the rules of selection pick
    pruning        what spares bad configurations some of their training: one entry for each kind
    races          which configurations go no further
    reading        reads ``result.json`` of any age, and describes it for programs
    recorded       the out-of-fold predictions of some trials
    result         what a search came to, as one frozen value
    stages         which part of a training comes first, and which trials go on after it
    standing       scores as people see them
    stored         the result of a run
    student        Student's t without a library
    terms          what a search was asked for, as far as its judges go by it
    trials_table   the table of all trials, ``trials.csv``
"""
