"""Update rules.

::

    catalogue          every optimizer, one entry each
    gradient_descent   along the gradient or its mean
    adaptive           a rate for each parameter, from past squared gradients
    adam_family        both together, corrected for their start
    schedule_free      averaging in place of a decaying rate
    prodigy            Adam with an estimate of its own rate
    natural_gradient   the gradient times the inverse Fisher matrix; curvature: that matrix
"""
