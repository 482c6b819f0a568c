"""Update rules.

::

    adam_family        mean and mean square of the gradient together, corrected for their start
    adaptive           a rate for each parameter, from past squared gradients
    catalogue          every optimizer, one entry each
    curvature          fisher matrices of mini-batches
    gradient_descent   along the gradient or its mean
    muon               momentum whose matrices are made orthogonal, and adam for the rest
    natural_gradient   the gradient times the inverse Fisher matrix
    prodigy            adam with an estimate of its own rate
    schedule_free      averaging in place of a decaying rate
"""
