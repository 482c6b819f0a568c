"""Where blocks run: a function is mapped over blocks, here or elsewhere.

::

    catalogue   the engines, one entry each
    clusters    what engines on clusters of other libraries have in common
    contract    what an engine is: blocks in, their ends out
    dask        a Dask cluster                                              door: dask, distributed
    folder      whoever sees a folder: nothing but files
    local       this process, or worker processes of this machine
    machine     cores and memory of this one
    packing     values as bytes that nobody has to trust
    processes   one of these: how it is started, given a block, and ended   door: joblib
    ray         a Ray cluster                                               door: ray
"""
