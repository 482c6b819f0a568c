"""The search: one process proposes, has evaluated, records, and at the end retrains the best.

::

    allowance      what one session may do: its time, and more trials
    ask_and_tell   `lrtune.Study`
    blocks         trials in blocks
    calls          `lrtune.search` and `lrtune.search_steps`
    confirming     how the first trials of the ranking are scored again
    controlled     the controlled pair: what decay is worth, with everything else equal
    warmups        the same for warm-up, and how steep a rate it allows
    core           the loop
    demands        what is asked of a search's result, and whether it is met
    describing     what another trainer than lrtune's own says before it trains
    drifting       how far the champion's score has moved since the night before
    estimator      a search as a scikit-learn estimator
    evaluating     a model on labelled rows that it has not seen
    evening        what is there when a night begins in a folder of champions
    footprint      what a search holds in memory, estimated
    finishing      the end of a search
    horizons       the same configuration on a shorter horizon
    naming         what an experiment and its data are called
    nested         nested cross-validation: a search inside of each outer fold
    nightly        a night beside the one before it, and what is written down of it
    pace           what time allows
    places         where the blocks of a search run, and who takes part in them
    planning       what a search would do, before anything is trained
    records        what is kept of predictions, stage by stage
    remarks        what is worth saying about a search beside its numbers, in sentences
    reusing        fits that another study has made on the very same rows
    search         the use case of lrtune, from an experiment to its result
    searched       the result of a search that has a folder
    seeds          more seeds of what is delivered
    session        what one process knows of a study, and how it records more
    steps          what a search tells while it runs
    stopping       when a search is content, or has nothing to gain
    suggestions    the search strategies as a function of plain values, for other programs
    warming        a warm start: earlier studies, mapped to the space that is searched now
    taking        what a run takes over from others
"""

from lrtune.run.names import DATABASE
from lrtune.tuning.core import tune

__all__ = ["DATABASE", "tune"]
