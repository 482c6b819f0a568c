"""From night to night: the champion that only a better one replaces, drift, its control chart, and the history.

Arithmetic on numbers, and the files of a folder of champions: no table, no training, so that thousands of nights can be
simulated (``benchmarks/nightly.py``).

::

    control     whether the champion's score has drifted, beside earlier nights
    drift       how far a score has moved since the night before, and how sure that is
    folder      a folder of champions: numbered ones, and which is the current one
    history     a line for each night
    luck        by how much more two scores differ than their rows say
    promotion   when a challenger takes the champion's place
"""
