"""From an experiment back to YAML, and what describes the file.

::

    default_space   what an omitted `space` means
    first_file      a file to start from, written after looking at a table
    qualities       how much a search without a file does
    ranges          puts ranges of learning rates into the text of an experiment file
    seen            what is seen in a table before a file is written for it
    schema          the JSON Schema of experiment files, from the tables of the validation, so that editors complete
    sizes           how large a search suits a table: folds, epochs, trials, and what of a network is tried
    yaml_text       plain values -> YAML text that people like to read
"""
