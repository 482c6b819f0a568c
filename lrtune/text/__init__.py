"""Words: errors, numbers, times and names as people read them, and paths as they write them.

::

    durations   durations as people write them
    errors      what can go wrong, as a tree
    formats     numbers, times and names as people read them
    paths       names of files and folders as people write them
    shown       what a result looks like, which reporting knows
    written     files for programs as text
"""
