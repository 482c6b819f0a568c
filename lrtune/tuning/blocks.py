"""Trials in blocks: what trains together, in which order, as long as there is time.

The caller says where blocks run by handing over an executor (`lrtune.engines`).
"""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence

from lrtune.engines.contract import Executor, completed
from lrtune.space.trial import Stage
from lrtune.trainers.catalogue import TRAINERS, expected_seconds
from lrtune.trainers.contract import Evaluated, Numbered, Setting, Work
from lrtune.tuning.pace import BLOCK_SECONDS, Pace


def blocks(
    trials: Sequence[Numbered], setting: Setting, *, slots: int = 1, most: float = BLOCK_SECONDS
) -> list[list[Numbered]]:
    """Cut trials into blocks: one shape each, as many lanes as train fast together, no more than `most` seconds.

    The cut is a matter of speed only: it never changes a result. The first trial's block comes first: it may be the
    default configuration, whose score a search should have when its time is over. Then the most expensive blocks, so
    that no worker is left alone with a long one at the end.
    """
    shapes: dict[object, list[Numbered]] = defaultdict(list)
    alike = TRAINERS[setting.trainer].alike
    for each in trials:
        shapes[alike(each[1])].append(each)
    cut = [block for group in shapes.values() for block in _cut(group, setting, slots, most)]
    first = min((number for number, _ in trials), default=0)
    return sorted(cut, key=lambda block: (block[0][0] != first, -_seconds(block, setting), block[0][0]))


def _cut(group: Sequence[Numbered], setting: Setting, slots: int, most: float) -> Iterator[list[Numbered]]:
    lanes = TRAINERS[setting.trainer].lanes(group[0][1], setting)
    each = expected_seconds(group[0][1], setting)
    size = max(1, min(lanes // len(setting.folds), int(most // each) if each else lanes))
    if slots > 1:  # every worker gets something to do
        size = max(1, min(size, -(-len(group) // slots)))
    pieces = -(-len(group) // size)
    ends = [len(group) * piece // pieces for piece in range(pieces + 1)]
    return (list(group[start:end]) for start, end in itertools.pairwise(ends))


def _seconds(block: Sequence[Numbered], setting: Setting) -> float:
    """Estimate the time that a block takes: a small one more for each of its lanes."""
    lanes = len(block) * len(setting.folds)
    return sum(expected_seconds(configuration, setting, lanes=lanes) for _, configuration in block)


class _Waiting:
    """Blocks in the order in which they are to start, those for which there is time; every next one is in ``begun``.

    There is time for a block if there is time for the later stages as well, of it and of all before it, shared by the
    slots. A block that failed comes back in pieces: lanes are independent, so that what is to blame fails alone,
    whatever it was in company with.
    """

    def __init__(
        self,
        cut: Sequence[list[Numbered]],
        setting: Setting,
        stage: Stage,
        pace: Pace,
        rest: float,
        *,
        in_any_case: bool,
    ) -> None:
        self.waiting = deque(cut)
        self.begun: list[list[Numbered]] = []
        self.setting = setting
        self.stage = stage
        self.pace = pace
        self.rest = rest
        self.in_any_case = in_any_case
        self.owed = 0.0

    def __iter__(self) -> Iterator[Work]:
        return self

    def __next__(self) -> Work:
        place = next((place for place, block in enumerate(self.waiting) if self.fits(block)), None)
        if place is None:
            raise StopIteration
        block = self.waiting[place]
        del self.waiting[place]
        self.owed = self.owed_with(block)
        self.begun.append(block)
        numbers, configurations = zip(*block, strict=True)
        return Work(configurations, self.stage.first, self.stage.end, numbers)

    def fits(self, block: list[Numbered]) -> bool:
        """Tell whether there is time for a block."""
        if self.in_any_case:
            return not self.pace.is_over
        return self.pace.allows(_seconds(block, self.setting) + self.owed_with(block))

    def owed_with(self, block: list[Numbered]) -> float:
        """Estimate what the later stages take of all that has begun, and of a block (seconds)."""
        return self.owed + self.rest * _seconds(block, self.setting)

    def take_apart(self, block: list[Numbered]) -> None:
        self.waiting.extendleft([each] for each in reversed(block))


def scored(
    trials: Sequence[Numbered],
    setting: Setting,
    executor: Executor,
    stage: Stage | None = None,
    pace: Pace | None = None,
    *,
    rest: float = 0.0,
    in_any_case: bool = False,
) -> Iterator[list[Evaluated]]:
    """Evaluate trials block by block; yields each block's results as it ends, in no particular order of blocks.

    What there is no time for is left out.

    Parameters
    ----------
    trials
        Numbers and complete configurations; on the stage's horizon already.
    setting
        As the executor knows it, with all folds.
    executor
        Runs blocks of the setting's trainer.
    stage
        The folds to train on; default: all of them.
    pace
        The time there is, which learns from what the blocks take; default: without end.
    rest
        What later stages take beside this one: time is kept for them.
    in_any_case
        Whether to begin as long as there is any time, even if it is not expected to suffice.

    """
    stage, pace = stage or Stage(0, len(setting.folds)), pace or Pace()
    part = setting._replace(folds=setting.folds[stage.first : stage.end])
    cut = blocks(trials, part, slots=executor.slots, most=pace.largest_block(rest))
    queue = _Waiting(cut, part, stage, pace, rest / executor.slots, in_any_case=in_any_case)
    for done in completed(executor, queue, pace.limit()):
        block = queue.begun[done.key]
        if done.overdue:
            if not pace.is_over:
                yield [Evaluated(number, None, pace.too_long()) for number, _ in block]
        elif done.failure is None:
            pace.saw(_seconds(block, part), done.seconds)
            yield [Evaluated(number, outcome) for (number, _), outcome in zip(block, done.value, strict=True)]
        elif len(block) > 1:
            queue.take_apart(block)
        else:
            yield [Evaluated(block[0][0], None, done.failure)]
