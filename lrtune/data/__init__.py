"""Tables in, arrays out.

::

    tables      read a file or a frame into raw columns           -> Table
    memory      the same for what a Python program holds already  -> Table
    describe    what each column is and what becomes of it        -> Schema
    columns     raw columns as arrays                             -> Columns
    holdout     test rows                                         -> row numbers
    repeated    test rows of a file that are training rows, too   -> their number
    folds       folds, and what to say of them (`fold_notes`)     -> row numbers
    spreading   rows into folds where shuffling will not do
    encoding    impute, scale, one-hot, fitted in each fold       -> features (N, D)
    dataset     the first four in the one order without leaks     -> Dataset

Everything after `tables` is NumPy only, except that `folds` and `holdout` ask scikit-learn for its splitters. Below
`tables`: `options` is what can be said of reading; `compressed` unpacks; `decoding`, `surroundings` and `delimited`
make a text file regular, `inference` and `numerals` find out what its cells spell; `frames` and `archives` have columns
of a type.
"""
