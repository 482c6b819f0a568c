"""The engine: arrays in, arrays out, NumPy only.

Notation, the same everywhere in this package::

    T  steps (mini-batch updates)      B  rows of a mini-batch      H  units of a hidden layer
    C  configurations                  N  rows of a fold            O  outputs of the network
    K  folds                           D  features                  P  parameters of one lane

A *lane* is one (configuration, fold); a *population* is all lanes trained together, with leading axes ``(C, K)``.
``rates (T, C, K)``, ``parameters (C, K, P)``, ``scores (C, K)``. Scores are oriented: larger is better everywhere.
"""
