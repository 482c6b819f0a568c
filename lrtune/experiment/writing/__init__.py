"""From an experiment back to YAML, and what describes the file.

::

    default_space   what an omitted `space` means
    first_file      a file to start from, written after looking at a table
    qualities       how much a search without a file does
    ranges          puts ranges of learning rates into the text of an experiment file
    schema          the JSON Schema of experiment files, from the tables of the validation, so that editors complete
    yaml_text       plain values -> YAML text that people like to read
"""
