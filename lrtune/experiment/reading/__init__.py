"""From YAML to a frozen experiment, with the line of whatever is wrong.

::

    automatic       optimizers of a space: their own keys, and a learning rate that is ``auto``
    document        plain values that remember where they were written, and the problems found with them
    grouped         keys that stand together under a name, such as the rate factors
    leaves          scalars, lists and ranges of the file's `space` -> the leaves of a search space
    loading         a file, a table or a text, and overrides -> an `Experiment`, or all that is wrong with them
    nesting         configurations in the form that the estimators' parameters have, and back to flat keys
    sections        the flat sections of an experiment, frozen
    space_form      the file's `space` -> a `SearchSpace`
    trainer_form    what trains: lrtune's own networks, or code of somebody else
    trainer_options its settings: how each is read, what the JSON Schema says of it, and what it is for
    validation      values of the sections -> frozen models
    vocabulary      what may stand where in a space
    yaml_text       YAML text -> plain values that remember where they came from
"""
