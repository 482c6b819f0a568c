"""What lies on the disk: a study's events and its out-of-fold predictions. It knows bytes, rows and JSON, no trials.

::

    database      SQLite: opened, checked, migrated, rescued          door: sqlite3
    journal       the append-only table of events
    out_of_fold   predictions for rows that a trial was not trained on
    observed      what was observed in these rows
    lock          one writer for each folder
    files         written whole or not at all
    aside         puts an earlier study out of the way
"""
