"""The default experiment: what is run without a file, what an omitted `space` means, and a file to start from."""

from __future__ import annotations

import json
from typing import Any

from lrtune.data.formats import listed
from lrtune.experiment.reading.document import Values
from lrtune.experiment.reading.sections import usual_metrics
from lrtune.experiment.writing.yaml_text import plain, yaml_text
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.training.registry import DECAYS, OPTIMIZERS, Factor, Range

DEFAULT_OPTIMIZERS = ("adam", "momentum")
DEFAULT_DECAYS = ("linear", "cosine", "exponential", "step", "constant")
"""One of each kind: to zero, smooth, steady, in drops, and the control that the others have to beat."""

_TEXT = """\
# An experiment of lrtune. What stands under `space` is searched, everything else is fixed.

data:
  path: {path:<16}  # {formats}, relative to this file
  target: {target:<14}  # the column to predict
  test_size: 0.2          # share of the rows that the search never sees; the winner is scored on them once

model:
  type: mlp               # or linear
  hidden: [64]            # units of each hidden layer
  activation: relu        # or tanh, gelu

training:
  epochs: 30
  batch_size: 64

search:
  strategy: random        # or {strategies}
  trials: 50
  metric: auto            # {metrics}
  # folds: 5              # parts of the cross-validation; fewer by itself where a class is rare
  seed: 0

# A scalar is fixed, a list means pick one, {{low, high}} is a range. An item with a colon is a branch with factors
# of its own.
{space}"""


def default_space() -> Values:
    """Give the space that an experiment without one has, in the form of the file.

    Each optimizer has a learning rate of its own, over its documented range; each decay has its documented factors.
    """
    optimizers = [{name: {"learning_rate": _dimension(OPTIMIZERS[name].rate)}} for name in DEFAULT_OPTIMIZERS]
    decays = [_searched(name, DECAYS[name].factors) for name in DEFAULT_DECAYS]
    return {"optimizer": optimizers, "decay": decays}


def starter(path: str, target: str | None) -> str:
    """Write the default experiment on a table, with comments; `target` may be None if the table names it."""
    text = _TEXT.format(
        path=quoted(path),
        formats=listed("or"),
        target=quoted(target or ""),
        strategies=", ".join(each for each in STRATEGIES if each != "random"),
        metrics=usual_metrics(),
        space=yaml_text({"space": default_space()}),
    )
    if target is not None:
        return text
    return "\n".join(line for line in text.splitlines() if not line.startswith("  target:")) + "\n"


def _searched(name: str, factors: tuple[Factor, ...]) -> Any:
    dimensions = {each.name: _dimension(each) for each in factors if each.search is not None}
    for each in factors:
        if each.name in dimensions:
            dimensions.pop(each.replaces, None)
    return {name: dimensions} if dimensions else name


def _dimension(factor: Factor) -> Any:
    """Write a factor's documented dimension in the form of the file."""
    if isinstance(factor.search, Range):
        return {"low": factor.search.low, "high": factor.search.high, "scale": factor.scale}
    return plain(factor.search)


def quoted(text: str) -> str:
    """Write a text on one line, in quotes if YAML needs them; JSON's strings are YAML's."""
    written = yaml_text({"text": text}).removeprefix("text: ").rstrip("\n")
    return json.dumps(text, ensure_ascii=False) if "\n" in written else written
