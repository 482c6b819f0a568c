"""Where blocks run: a function is mapped over blocks, here or elsewhere.

::

    catalogue   the engines, one entry each
    contract    what an engine is: blocks in, their ends out
    local       this process, or worker processes of this machine
    processes   one of these: how it is started, given a block, and ended
"""
