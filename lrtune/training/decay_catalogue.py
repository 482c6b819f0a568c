"""Every decay type: name, formula, factors, source. The functions of the same names live in ``schedules``.

Time ``t`` is measured in epochs since the warm-up ended and ``T`` is the horizon that is left then, so the same factors
mean the same on a fold and on the full training set. Every formula is a multiplier of ``learning_rate``.
``final`` is always "the rate at the end of the horizon, divided by the peak".
"""

from __future__ import annotations

from lrtune.training.declarations import Entry, Factor, Range


def _final(default: float = 0.0, *, search: tuple[float, ...] | None = (0.0, 0.01, 0.1)) -> Factor:
    return Factor(
        "final",
        default,
        "rate at the end of the horizon, divided by the peak rate",
        low=0.0,
        high=1.0,
        search=search,
    )


def _final_instead_of(replaced: str, default: float = 0.01) -> Factor:
    return Factor(
        "final",
        default,
        f"rate at the end of the horizon, divided by the peak rate; determines {replaced}",
        low=0.0,
        high=1.0,
        open_low=True,
        scale="log",
        search=Range(0.001, 0.5),
        replaces=replaced,
    )


_DROP = Factor(
    "factor",
    0.1,
    "what the rate is multiplied by at each drop",
    low=0.0,
    high=10.0,
    open_low=True,
    scale="log",
    search=(0.1, 0.2, 0.5),
)

_ENTRIES = (
    Entry("constant", "the rate never changes", "1", "the control that every decay has to beat"),
    Entry(
        "linear",
        "a straight line from the peak to final",
        "1 - (1 - final) * t / T",
        "Defazio et al. 2023, arXiv 2310.07831; Bergsma et al. 2025, arXiv 2502.15938",
        (_final(),),
    ),
    Entry(
        "step",
        "multiplied by factor every so many epochs",
        "factor ^ floor(t / every)",
        "PyTorch StepLR",
        (
            _DROP,
            Factor(
                "drops",
                2,
                "number of drops, evenly spaced over the horizon: every = T / (drops + 1)",
                low=1,
                high=1000,
                search=(1, 2, 3, 4),
                kind="int",
            ),
            Factor("every", 10, "epochs between two drops", low=0.0, open_low=True, replaces="drops"),
            _final_instead_of("factor")._replace(search=None),
        ),
    ),
    Entry(
        "exponential",
        "the same percentage less each epoch",
        "e ^ (-k * t)",
        "Robbins-Monro practice; gamma = e^-k in PyTorch's ExponentialLR",
        (
            Factor("k", 0.1, "decay constant per epoch", low=0.0, scale="log"),
            _final_instead_of("k"),
        ),
    ),
    Entry(
        "cosine",
        "half a cosine wave from the peak to final",
        "final + (1 - final) * (1 + cos(pi * t / T)) / 2",
        "Loshchilov & Hutter 2017, arXiv 1608.03983",
        (_final(),),
    ),
)

DECAYS: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}
