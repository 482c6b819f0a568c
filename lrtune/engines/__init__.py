"""Where blocks run: a function is mapped over blocks, here or in worker processes.

::

    local   runs one function over blocks, here or in worker processes
"""
