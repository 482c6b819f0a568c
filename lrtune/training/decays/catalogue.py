"""Every decay type: name, formula, factors, source. The functions of the same names live in ``decays``.

Time ``t`` is measured in epochs since the warm-up ended and ``T`` is the horizon that is left then, so the same factors
mean the same on a fold and on the full training set. Every formula is a multiplier of ``learning_rate``.
``final`` is always "the rate at the end of the horizon, divided by the peak". Where it is not a factor of the formula
it determines one, and is given in its place. Defaults do not depend on the horizon, except those of ``k`` and
``timescale``, which are speeds. The last two entries follow what happens in training: see ``feedback`` and
``wall_clock``.
"""

from __future__ import annotations

from lrtune.training.declarations import Entry, Factor, Range


def _final(default: float = 0.0, *, search: tuple[float, ...] | None = (0.0, 0.01, 0.1)) -> Factor:
    meaning = "rate at the end of the horizon, divided by the peak rate"
    return Factor("final", default, meaning, low=0.0, high=1.0, search=search)


_FINAL = Range(0.001, 0.5)


def _final_instead_of(replaced: str, *, search: Range | None = _FINAL) -> Factor:
    return Factor(
        "final",
        0.01,
        f"rate at the end of the horizon, divided by the peak rate; determines {replaced}",
        low=0.0,
        high=1.0,
        open_low=True,
        scale="log",
        search=search,
        replaces=replaced,
    )


def _epochs(name: str, default: float, meaning: str, *, replaces: str = "", low: float = 0.0) -> Factor:
    return Factor(name, default, meaning, low=low, open_low=low == 0.0, scale="log", replaces=replaces, time="duration")


def _fraction(
    name: str,
    default: float,
    meaning: str,
    *,
    search: tuple[float, ...] | None,
    open_low: bool = False,
    open_high: bool = False,
) -> Factor:
    return Factor(name, default, meaning, low=0.0, high=1.0, open_low=open_low, open_high=open_high, search=search)


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

_SHAPE = Factor("shape", "cosine", "shape of rise and fall", kind="choice", choices=("cosine", "linear"))

_CYCLED_MOMENTUM = (
    Factor("cycle_momentum", default=False, meaning="move momentum (or beta1) against the rate", kind="bool"),
    _fraction("low_momentum", 0.85, "momentum where the rate is highest", search=None, open_high=True),
    _fraction("high_momentum", 0.95, "momentum where the rate is lowest", search=None, open_high=True),
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
        "polynomial",
        "a power of the time that is left",
        "final + (1 - final) * (1 - t / T) ^ power",
        "PyTorch PolynomialLR; optax polynomial_schedule",
        (
            Factor(
                "power",
                2.0,
                "exponent; 1 is linear, more falls earlier, less falls later",
                low=0.0,
                high=100.0,
                open_low=True,
                scale="log",
                search=Range(0.5, 2.0),
            ),
            _final(),
        ),
    ),
    Entry(
        "step",
        "multiplied by factor at even distances",
        "factor ^ floor(t / every)",
        "PyTorch StepLR, where factor is called gamma and every step_size",
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
            _epochs("every", 10.0, "epochs between two drops", replaces="drops"),
            _final_instead_of("factor", search=None),
        ),
    ),
    Entry(
        "multistep",
        "multiplied by factor at given times",
        "factor ^ (number of times that have passed)",
        "PyTorch MultiStepLR; optax piecewise_constant_schedule",
        (
            _DROP,
            Factor(
                "at",
                (0.5, 0.75),
                "times of the drops, as shares of the horizon",
                low=0.0,
                high=1.0,
                search=((0.5,), (0.5, 0.75), (0.3, 0.6, 0.9)),
                kind="numbers",
            ),
            Factor(
                "milestones",
                (10, 20),
                "times of the drops, in epochs",
                low=0.0,
                kind="numbers",
                replaces="at",
                time="duration",
            ),
            _final_instead_of("factor", search=None),
        ),
    ),
    Entry(
        "exponential",
        "the same percentage less each epoch",
        "e ^ (-k * t)",
        "PyTorch ExponentialLR with gamma = e^-k; Keras and optax with decay_rate = e^-k",
        (
            Factor("k", 0.1, "decay constant, per epoch", low=0.0, scale="log", time="speed"),
            _final_instead_of("k"),
            Factor("staircase", default=False, meaning="change only at the ends of whole epochs", kind="bool"),
        ),
    ),
    Entry(
        "inverse_time",
        "hyperbolic: fast at first, then ever slower",
        "1 / (1 + k * t)",
        "Robbins & Monro 1951; Keras InverseTimeDecay",
        (Factor("k", 0.1, "decay constant, per epoch", low=0.0, scale="log", time="speed"), _final_instead_of("k")),
    ),
    Entry(
        "inverse_sqrt",
        "with the square root of time; Noam's schedule if timescale is the length of the warm-up",
        "1 / sqrt(1 + t / timescale)",
        "Vaswani et al. 2017, arXiv 1706.03762; Hugging Face inverse_sqrt",
        (_epochs("timescale", 1.0, "epochs after which the rate is 0.71 of the peak"), _final_instead_of("timescale")),
    ),
    Entry(
        "cosine",
        "half a cosine wave from the peak to final",
        "final + (1 - final) * (1 + cos(pi * t / T)) / 2",
        "Loshchilov & Hutter 2017, arXiv 1608.03983",
        (_final(),),
    ),
    Entry(
        "cosine_restarts",
        "half a cosine wave, again and again, each time longer: SGDR",
        "final + (peak_decay ^ i - final) * (1 + cos(pi * u)) / 2, in cycle i at share u of it",
        "Loshchilov & Hutter 2017, arXiv 1608.03983; Keras CosineDecayRestarts",
        (
            Factor(
                "cycles",
                3,
                "number of cycles, so long that the last one ends with the horizon",
                low=1,
                high=1000,
                search=(2, 3, 4),
                kind="int",
            ),
            _epochs("period", 5.0, "length of the first cycle, in epochs", replaces="cycles", low=1e-3),
            Factor(
                "multiplier",
                2.0,
                "each cycle is so many times longer than the one before",
                low=1.0,
                high=100.0,
                search=(1.0, 2.0),
            ),
            Factor(
                "peak_decay",
                1.0,
                "each peak is so much of the one before",
                low=0.0,
                high=1.0,
                open_low=True,
                search=(0.5, 1.0),
            ),
            _final(),
        ),
    ),
    Entry(
        "cyclical",
        "swings between low and the peak: CLR",
        "low + (1 - low) * triangle(t / period), scaled by mode: 1, 2 ^ -cycle or gamma ^ t",
        "Smith 2017, arXiv 1506.01186; PyTorch CyclicLR",
        (
            _fraction("low", 0.1, "lowest rate divided by the peak rate", search=(0.01, 0.1, 0.25)),
            Factor(
                "cycles",
                4.0,
                "number of cycles in the horizon",
                low=0.0,
                high=1000.0,
                open_low=True,
                search=(1, 2, 4, 8),
            ),
            _epochs("period", 10.0, "length of a cycle, in epochs", replaces="cycles", low=1e-3),
            _fraction("rise", 0.5, "share of a cycle in which the rate rises", search=None),
            Factor(
                "mode",
                "triangular",
                "all peaks alike, halved after each cycle, or falling exponentially",
                kind="choice",
                choices=("triangular", "triangular2", "exp_range"),
                search=("triangular", "triangular2"),
            ),
            _fraction("gamma", 0.95, "factor per epoch of the mode exp_range", search=None, open_low=True)._replace(
                time="base"
            ),
            *_CYCLED_MOMENTUM,
        ),
    ),
    Entry(
        "one_cycle",
        "up to the peak once, then down to final",
        "from initial to 1 in rise * T, then to final; with a tail to initial first, then to final",
        "Smith & Topin 2018, arXiv 1708.07120; PyTorch OneCycleLR; fastai fit_one_cycle",
        (
            _fraction("initial", 0.04, "first rate divided by the peak rate", search=None),
            _fraction("rise", 0.3, "share of the horizon in which the rate rises", search=(0.1, 0.3, 0.5)),
            _fraction(
                "tail",
                0.0,
                "share of the fall that leads from initial to final; 0: straight to final",
                search=None,
                open_high=True,
            ),
            _SHAPE._replace(search=("cosine", "linear")),
            _final(1e-5, search=None),
            *_CYCLED_MOMENTUM,
        ),
    ),
    Entry(
        "wsd",
        "at the peak until a short cooldown at the end: warm-up, stable, decay",
        "1, then final + (1 - final) * d(u) at share u of the cooldown: d = 1 - sqrt(u), 1 - u, (1 + cos(pi * u)) / 2",
        "Hu et al. 2024, arXiv 2404.06395; Haegele et al. 2024, arXiv 2405.18392",
        (
            _fraction("cooldown", 0.2, "share of the horizon that cools down", search=(0.1, 0.2, 0.5), open_low=True),
            Factor(
                "shape",
                "1-sqrt",
                "shape of the cooldown",
                kind="choice",
                choices=("1-sqrt", "linear", "cosine"),
                search=("1-sqrt", "linear"),
            ),
            _final(search=None),
        ),
    ),
    Entry(
        "rex",
        "reflected exponential: slow at first and fast at the end",
        "final + (1 - final) * (1 - z) / (1 - z / 2), z = t / T",
        "Chen et al. 2022, arXiv 2107.04197",
        (_final(),),
    ),
)


def _join() -> Entry:
    """Declare the join of any two of the others, each with its own factors: ``decay.first.k``."""
    names = tuple(entry.name for entry in _ENTRIES)
    return Entry(
        "join",
        "one decay up to a boundary, then another from its own peak",
        "first(t) on the horizon at * T, then second(t - at * T) on the rest",
        "optax join_schedules; PyTorch SequentialLR",
        (
            Factor("first", "constant", "decay type before the boundary", kind="decay", choices=names),
            Factor("second", "cosine", "decay type from the boundary on", kind="decay", choices=names),
            _fraction(
                "at", 0.5, "boundary, as a share of the horizon", search=(0.25, 0.5, 0.75), open_low=True
            )._replace(open_high=True),
        ),
    )


_PLATEAU = Entry(
    "plateau",
    "cut whenever the loss on held-out training rows has stopped falling",
    "scale, times factor after more than patience epochs in a row without loss < best - threshold * |best|",
    "PyTorch ReduceLROnPlateau, whose counting it has; Keras and optax cut one epoch earlier",
    (
        _DROP._replace(meaning="what the rate is multiplied by at each cut", high=1.0, open_high=True),
        Factor(
            "patience",
            3,
            "bad epochs in a row that are borne; the next one cuts",
            low=0,
            high=10**6,
            search=(1, 2, 3, 5),
            kind="int",
            time="duration",
        ),
        Factor(
            "cooldown",
            0,
            "epochs after a cut in which bad ones do not count",
            low=0,
            high=10**6,
            kind="int",
            time="duration",
        ),
        _fraction("minimum", 0.0, "the rate is never cut below this share of the peak rate", search=None),
        _fraction(
            "threshold",
            1e-4,
            "an epoch is good if its loss is below the best by more than this share of the best's size",
            search=None,
            open_high=True,
        ),
    ),
)

_SHAPES = (
    "linear",
    "polynomial",
    "step",
    "multistep",
    "exponential",
    "inverse_time",
    "inverse_sqrt",
    "cosine",
    "cosine_restarts",
    "wsd",
    "rex",
)

_WALL_CLOCK = Entry(
    "wall_clock",
    "another decay, run by the training time in seconds against a budget instead of by epochs",
    "shape(T * u / budget) at u seconds, at most budget; then it stays where the shape ended",
    "Izsak et al. 2021, arXiv 2104.07705; Li et al. 2020, arXiv 1905.04753",
    (
        Factor(
            "budget",
            10.0,
            "training time after which the decay has ended, in seconds",
            low=0.0,
            open_low=True,
            scale="log",
            time="duration",
        ),
        Factor(
            "shape",
            "linear",
            "decay type that the clock runs",
            kind="decay",
            choices=_SHAPES,
            search=("linear", "cosine"),
        ),
        Factor(
            "step_seconds",
            None,
            "seconds that each update counts as; null: measured, and the final retraining follows the real clock",
            low=0.0,
            open_low=True,
            scale="log",
            optional=True,
        ),
    ),
)


DECAYS: dict[str, Entry] = {entry.name: entry for entry in (*_ENTRIES, _join(), _PLATEAU, _WALL_CLOCK)}
