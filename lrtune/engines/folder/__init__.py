"""Blocks by way of a folder that every worker sees: nothing but files, each written whole and renamed.

::

    layout   what stands where, how a file is put there, and how a counter is watched
    parent   who gives out the blocks: one process
    worker   who takes them: as many processes as anybody starts, on any machine

A block lies in ``ready``. A worker takes it by renaming it into ``taken``, which only one can do, and puts its result
into ``done``. It rewrites a counter in ``workers`` all the time; no clock of one machine is compared with that of
another: who has not seen a counter change for so long, by its own clock, takes its process for dead. A block of a dead
worker is given out once more. What all blocks share lies in ``shared`` under the hash of its content.
"""
