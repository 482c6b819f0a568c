"""What to try next: functions of the space and the history, without any state of their own.

::

    acquisition        how much a point promises
    bayesian           bayesian search
    candidates         points near a given one, on continuous, ordered and unordered dimensions of a conditional space
    catalogue          every strategy, one entry each
    encoding           points of a conditional space as points of a Euclidean one
    gaussian_process   gaussian process regression
    grid               every configuration once
    posterior          what the Gaussian process thinks of the trials themselves, and how that depends on their scores
    prior              what earlier studies know, on the scale of what is known now
    quasirandom        a scrambled Sobol sequence over the whole conditional tree
    random_search      independent draws that never repeat a configuration while there is another one left
    regret             what a search may still gain, against what its folds can tell apart
    scores             what is known of the trials, one number each
    surrogate          what a study has learned about its space
    tpe                tree-structured Parzen estimator
"""
