"""From an experiment back to YAML, and what describes the file.

::

    ranges      puts ranges of learning rates into the text of an experiment file
    schema      the JSON Schema of experiment files, from the same tables as the validation, so that editors complete
    starter     the default experiment
    yaml_text   plain values -> YAML text that people like to read
"""
