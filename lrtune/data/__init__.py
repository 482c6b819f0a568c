"""Tables in, arrays out.

::

    archives       arrays in
    cells          columns as they were read, before anybody has decided what they mean
    columns        raw columns as arrays                             -> Columns
    compact        large tables as arrays, kept once, as narrow as they may be
    compressed     compressed tables, known by their content and never by their name
    conversion     from one raw column to one array, as its `ColumnSpec` wants it
    dataset        the first four in the one order without leaks     -> Dataset
    decoding       from the bytes of a text file to UTF-8 with plain line ends
    delimited      from the bytes of a text file to a regular table of text
    describe       what each column is and what becomes of it        -> Schema
    drawing        rows drawn for folds and for the test, as scikit-learn draws them
    encoding       impute, scale, one-hot, fitted in each fold       -> features (N, D)
    fold_notes     what is worth saying of folds
    folds          folds, and what to say of them (`fold_notes`)     -> row numbers
    formats        the formats of tables, each once
    frames         data frames of polars, and Parquet files by way of them
    holdout        test rows                                         -> row numbers
    inference      from columns of text to raw columns
    kept           columns that go along with predictions as they are
    mapped         arrays in files that several processes of a machine see at once
    marks          what tells equal rows of two tables
    memory         the same for what a Python program holds already  -> Table
    numerals       how numbers are written
    options        how to read a table where looking at it is not enough
    raw_frames     the columns of a table as a data frame, neither scaled nor one-hot
    rare           carries out what a schema says of dropped classes, on the table that it was made of and on every
    records        the lines of a table of text, where a field may span several of them
    repeated       test rows of a file that are training rows, too   -> their number
    schema         what a table's columns are and what becomes of them
    scratch        temporary files for what is too large for the memory
    spreading      rows into folds where shuffling will not do
    stored         the columns of a table that is too large for the memory
    surroundings   what stands around a table in a text file
    tables         read a file or a frame into raw columns           -> Table
    text_cells     the cells of a text file, by column, as they stand there
    targets        what is to be predicted
    values         the rows of a table told apart by what stands in a column
"""
