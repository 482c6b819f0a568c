"""The engine: arrays in, arrays out, NumPy only.

Notation, the same everywhere in this package::

    T  steps (mini-batch updates)      B  rows of a mini-batch      H  units of a hidden layer
    C  configurations                  N  rows of a fold            O  outputs of the network
    K  folds                           D  features                  P  parameters of one lane

A *lane* is one (configuration, fold); a *population* is all lanes trained together, with leading axes ``(C, K)``.
``rates (T, C, K)``, ``parameters (C, K, P)``, ``scores (C, K)``. Scores are oriented: larger is better everywhere.

::

    activations    activations
    averaging      moving averages of parameters
    batches        mini-batches of several folds in lockstep, gathered a chunk of steps at a time
    costs          what training costs, estimated without measuring
    curves         learning curves
    decays         decay types
    declarations   the vocabulary in which decays, optimizers and keys are declared
    deferred       functions that are named now and imported when they are first called
    dropout        dropout
    embeddings     periodic embeddings of numbers
    encoded        rows that are encoded when they are looked at
    estimated      what an estimator predicts that is not lrtune's own
    evaluate       configurations in, fold scores and predictions out
    feedback       reduce on plateau
    horizons       the same configuration on another horizon
    losses         losses
    metrics        how predictions are scored
    networks       networks over leading axes ``(C, K)``
    numbers        how numbers become features
    optimizers     update rules
    outcomes       what becomes of a lane, from its predictions; and of a configuration, from its lanes
    population     all lanes trained together
    range_test     the engine of the learning-rate finder
    rate_factors   what multiplies the rate in each group of parameters
    registry       every name that an experiment may contain, with its factors, legal values and defaults
    runs           neighbouring configurations that ask for the same thing
    schedules      every rate of every lane, computed before the first step
    steps          one mini-batch update of all lanes
    tasks          what the engine is given and what it gives back
    treatments     what is done to the gradient and the parameters of some lanes before every update
    updates        what an update rule is, and the few operations that all of them share
    wall_clock     decay by training time
    watch          losses on the validation rows of all lanes at once, under the training loss and the class weights
"""
