"""A run on the disk: every file name, atomic writes, the lock, the journal, and what its events add up to.

::

    aside         puts an earlier study out of the way of a new one
    at_work       how far the blocks are that train right now
    bodies        what the events of a study say
    chosen        what a finished run chose
    database      a study's events as rows of SQLite
    disks         whether a folder is on a disk of this machine
    files         files of a run's folder
    fits          fits of somebody else's code that are at work
    folder        a run's folder as it is, finished or not
    identity      what makes two runs the same
    journal       the study's memory
    likeness      whether another machine computes the same bits
    lock          one writer for each folder
    names         what the files of a run's folder are called
    observed      what was observed in the rows whose out-of-fold predictions are kept
    out_of_fold   predictions for rows that a trial was not trained on
    pairing       whether scores of two runs may be compared fold by fold
    removal       what nobody needs any more: old runs
    row_scores    what single rows added to a score, for the next night
    study         what the events of a study add up to
    taken         what a run takes over from others
    versions      what a result was made with
"""
