"""Every decay type: one entry holds what it is, its factors and functions, and its names in other libraries.

Time ``t`` is measured in epochs since the warm-up ended and ``T`` is the horizon that is left then, so the same factors
mean the same on a fold and on the full training set. Every formula is a multiplier of ``learning_rate``.
``final`` is always "the rate at the end of the horizon, divided by the peak". Where it is not a factor of the formula
it determines one, and is given in its place. Defaults do not depend on the horizon, except those of ``k`` and
``timescale``, which are speeds. The last two entries follow what happens in training: see ``lrtune.training.feedback``
and ``lrtune.training.wall_clock``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lrtune.training.decays import plain, resolved, turns
from lrtune.training.decays.resolved import Factors
from lrtune.training.declarations import Factor, Names, Range
from lrtune.training.deferred import Deferred

if TYPE_CHECKING:
    from lrtune.arrays import Array
    from lrtune.training.decays import functions
else:
    functions = Deferred("lrtune.training.decays.functions")

Followed: TypeAlias = Literal["time", "loss", "clock"]
"""The epochs, a loss on held-out training rows, or the seconds."""


class Elsewhere(NamedTuple):
    """What comes nearest in other libraries, as Markdown."""

    pytorch: str
    keras: str
    optax: str


class Momentum(NamedTuple):
    """How a decay moves the momentum against the rate, if the factor ``cycle_momentum`` says so.

    Parameters
    ----------
    function
        Like that of the decay, and gives the momentum.
    height
        In plain Python, how far up the rate is from 0 to 1; None if the momentum is that of the decays inside.

    """

    function: Callable[..., Array]
    height: Callable[..., float] | None


class Decay(NamedTuple):
    """A decay type: how the rate changes over time.

    Parameters
    ----------
    name
        In the experiment file, and of its section in the documentation.
    summary, formula, source
        What it is, without a full stop; its multiplier of the peak; who published it.
    function
        ``(epoch, horizon, *, factors) -> multiplier``, vectorised over epochs (see ``functions``).
    plain
        The same in plain Python for one epoch, of which exported code is made (see ``plain``); None if it is written
        around the formulas of the decays inside, or follows a loss.
    elsewhere
        Its names in other libraries.
    factors
        What can be set.
    resolve
        ``(given factors, horizon) -> factors`` of ``plain``.
    turns
        ``(factors of plain, horizon) -> epochs`` in which it jumps or bends, ascending.
    momentum
        None if it cannot cycle the momentum.
    inside
        The decays that it may be a part of.
    follows
        What tells it how far the training is.

    """

    name: str
    summary: str
    formula: str
    source: str
    function: Callable[..., Array]
    plain: Callable[..., float] | None
    elsewhere: Elsewhere
    factors: tuple[Factor, ...] = ()
    resolve: Callable[[Factors, float], Factors] = resolved.as_given
    turns: Callable[[Factors, float], Iterable[float]] = turns.never
    momentum: Momentum | None = None
    inside: tuple[str, ...] = ("join", "wall_clock")
    follows: Followed = "time"


def _parts(whole: str) -> Names:
    """List the decays that may be a part of another one."""
    return Names(lambda: (entry.name for entry in DECAYS.values() if whole in entry.inside))


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

_FLOOR = _fraction("floor", 0.0, "the rate never falls below this share of the peak rate", search=None)

_SHAPE = Factor("shape", "cosine", "shape of rise and fall", kind="choice", choices=("cosine", "linear"))

_CYCLED_MOMENTUM = (
    Factor("cycle_momentum", default=False, meaning="move momentum (or beta1) against the rate", kind="bool"),
    _fraction("low_momentum", 0.85, "momentum where the rate is highest", search=None, open_high=True),
    _fraction("high_momentum", 0.95, "momentum where the rate is lowest", search=None, open_high=True),
)

_ENTRIES = (
    Decay(
        "constant",
        "the rate never changes",
        "1",
        "the control that every decay has to beat",
        function=functions.constant,
        plain=plain.constant,
        elsewhere=Elsewhere("no scheduler", "a number", "`constant_schedule`"),
        inside=("join",),
    ),
    Decay(
        "linear",
        "a straight line from the peak to final",
        "1 - (1 - final) * t / T",
        "Defazio et al. 2023, arXiv 2310.07831; Bergsma et al. 2025, arXiv 2502.15938",
        function=functions.linear,
        plain=plain.linear,
        elsewhere=Elsewhere(
            "`LinearLR(start_factor=1, end_factor=final, total_iters=N)`",
            "`PolynomialDecay(power=1, end_learning_rate=final*peak)`",
            "`linear_schedule(peak, final*peak, N)`",
        ),
        factors=(_final(),),
    ),
    Decay(
        "polynomial",
        "a power of the time that is left",
        "final + (1 - final) * (1 - t / T) ^ power",
        "PyTorch PolynomialLR; optax polynomial_schedule",
        function=functions.polynomial,
        plain=plain.polynomial,
        elsewhere=Elsewhere(
            "`PolynomialLR(N, power)` if final is 0",
            "`PolynomialDecay(peak, N, final*peak, power)`",
            "`polynomial_schedule(peak, final*peak, power, N)`",
        ),
        factors=(
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
    Decay(
        "step",
        "multiplied by factor at even distances",
        "factor ^ floor(t / every)",
        "PyTorch StepLR, where factor is called gamma and every step_size",
        function=functions.step,
        plain=plain.step,
        elsewhere=Elsewhere(
            "`StepLR(step_size=every*n, gamma=factor)`",
            "`ExponentialDecay(peak, every*n, factor, staircase=True)`",
            "`exponential_decay(peak, every*n, factor, staircase=True)`",
        ),
        factors=(
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
        resolve=resolved.step,
        turns=turns.step,
    ),
    Decay(
        "multistep",
        "multiplied by factor at given times",
        "factor ^ (number of times that have passed)",
        "PyTorch MultiStepLR; optax piecewise_constant_schedule",
        function=functions.multistep,
        plain=plain.multistep,
        elsewhere=Elsewhere(
            "`MultiStepLR(milestones*n, gamma=factor)`",
            "`PiecewiseConstantDecay`, whose drops come one update later",
            "`piecewise_constant_schedule(peak, {milestone*n: factor})`",
        ),
        factors=(
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
        resolve=resolved.multistep,
        turns=turns.multistep,
    ),
    Decay(
        "exponential",
        "the same percentage less each epoch",
        "max(floor, e ^ (-k * t))",
        "PyTorch ExponentialLR with gamma = e^-k; Keras and optax with decay_rate = e^-k",
        function=functions.exponential,
        plain=plain.exponential,
        elsewhere=Elsewhere(
            "`ExponentialLR(gamma=exp(-k/n))` if floor is 0",
            "`ExponentialDecay(peak, n, exp(-k))` if floor is 0",
            "`exponential_decay(peak, n, exp(-k), end_value=floor*peak)`",
        ),
        factors=(
            Factor("k", 0.1, "decay constant, per epoch", low=0.0, scale="log", time="speed"),
            _final_instead_of("k"),
            Factor("staircase", default=False, meaning="change only at the ends of whole epochs", kind="bool"),
            _FLOOR,
        ),
        resolve=resolved.exponential,
        turns=turns.exponential,
    ),
    Decay(
        "inverse_time",
        "hyperbolic: fast at first, then ever slower",
        "max(floor, 1 / (1 + k * t))",
        "Robbins & Monro 1951; Keras InverseTimeDecay",
        function=functions.inverse_time,
        plain=plain.inverse_time,
        elsewhere=Elsewhere("`LambdaLR`", "`InverseTimeDecay(peak, n, k)` if floor is 0", "a function"),
        factors=(
            Factor("k", 0.1, "decay constant, per epoch", low=0.0, scale="log", time="speed"),
            _final_instead_of("k"),
            _FLOOR,
        ),
        resolve=resolved.inverse_time,
        turns=turns.inverse_time,
    ),
    Decay(
        "inverse_sqrt",
        "with the square root of time; Noam's schedule if timescale is the length of the warm-up",
        "1 / sqrt(1 + t / timescale)",
        "Vaswani et al. 2017, arXiv 1706.03762; Hugging Face inverse_sqrt",
        function=functions.inverse_sqrt,
        plain=plain.inverse_sqrt,
        elsewhere=Elsewhere("`LambdaLR`", "a subclass", "a function"),
        factors=(
            _epochs("timescale", 1.0, "epochs after which the rate is 0.71 of the peak"),
            _final_instead_of("timescale"),
        ),
        resolve=resolved.inverse_sqrt,
    ),
    Decay(
        "cosine",
        "half a cosine wave from the peak to final",
        "final + (1 - final) * (1 + cos(pi * t / T)) / 2",
        "Loshchilov & Hutter 2017, arXiv 1608.03983",
        function=functions.cosine,
        plain=plain.cosine,
        elsewhere=Elsewhere(
            "`CosineAnnealingLR(T_max=N, eta_min=final*peak)`, which rises again after N",
            "`CosineDecay(peak, N, alpha=final)`",
            "`cosine_decay_schedule(peak, N, alpha=final)`",
        ),
        factors=(_final(),),
    ),
    Decay(
        "cosine_restarts",
        "half a cosine wave, again and again, each time longer: SGDR",
        "final + (peak_decay ^ i - final) * (1 + cos(pi * u)) / 2, in cycle i at share u of it, after its rise",
        "Loshchilov & Hutter 2017, arXiv 1608.03983; Keras CosineDecayRestarts",
        function=functions.cosine_restarts,
        plain=plain.cosine_restarts,
        elsewhere=Elsewhere(
            "`CosineAnnealingWarmRestarts(period*n, multiplier, final*peak)` if peak_decay is 1 and rise 0",
            "`CosineDecayRestarts(peak, period*n, multiplier, peak_decay, final)` if final and rise are 0",
            "`sgdr_schedule`, whose cycles may have a warm-up each",
        ),
        factors=(
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
            _fraction(
                "rise",
                0.0,
                "share of each cycle in which the rate rises from final to its peak",
                search=None,
                open_high=True,
            ),
        ),
        resolve=resolved.cosine_restarts,
        turns=turns.cosine_restarts,
    ),
    Decay(
        "cyclical",
        "swings between low and the peak: CLR",
        "low + (1 - low) * triangle(t / period), scaled by mode: 1, 2 ^ -cycle or gamma ^ t",
        "Smith 2017, arXiv 1506.01186; PyTorch CyclicLR",
        function=functions.cyclical,
        plain=plain.cyclical,
        elsewhere=Elsewhere(
            "`CyclicLR(low*peak, peak, rise*period*n, (1-rise)*period*n, mode, gamma^(1/n))`",
            "a subclass",
            "a function",
        ),
        factors=(
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
        resolve=resolved.cyclical,
        turns=turns.cyclical,
        momentum=Momentum(functions.cyclical_momentum, plain.cyclical_height),
        inside=("join",),
    ),
    Decay(
        "one_cycle",
        "up to the peak once, then down to final",
        "from initial to 1 in rise * T, then to final; with a tail to initial first, then to final",
        "Smith & Topin 2018, arXiv 1708.07120; PyTorch OneCycleLR; fastai fit_one_cycle",
        function=functions.one_cycle,
        plain=plain.one_cycle,
        elsewhere=Elsewhere(
            "`OneCycleLR(peak, div_factor=1/initial, ...)`, whose phases end one update earlier",
            "a subclass",
            "`cosine_onecycle_schedule`, whose peak is at a whole update",
        ),
        factors=(
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
        resolve=resolved.one_cycle,
        turns=turns.one_cycle,
        momentum=Momentum(functions.one_cycle_momentum, plain.one_cycle_height),
        inside=("join",),
    ),
    Decay(
        "wsd",
        "at the peak until a short cooldown at the end: warm-up, stable, decay",
        "1, then final + (1 - final) * d(u) at share u of the cooldown: d = 1 - sqrt(u), 1 - u, (1 + cos(pi * u)) / 2",
        "Hu et al. 2024, arXiv 2404.06395; Haegele et al. 2024, arXiv 2405.18392",
        function=functions.wsd,
        plain=plain.wsd,
        elsewhere=Elsewhere("`SequentialLR`", "a subclass", "`join_schedules`"),
        factors=(
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
        turns=turns.wsd,
    ),
    Decay(
        "rex",
        "reflected exponential: slow at first and fast at the end",
        "final + (1 - final) * (1 - z) / (1 - z / 2), z = t / T",
        "Chen et al. 2022, arXiv 2107.04197",
        function=functions.rex,
        plain=plain.rex,
        elsewhere=Elsewhere("`LambdaLR`", "a subclass", "a function"),
        factors=(_final(),),
    ),
    Decay(
        "flat_cosine",
        "at the peak for a share of the horizon, then half a cosine wave to final",
        "1 until t = flat * T, then final + (1 - final) * (1 + cos(pi * u)) / 2 at share u of the rest",
        "fastai fit_flat_cos; Holzmueller et al. 2024, arXiv 2407.04491",
        function=functions.flat_cosine,
        plain=plain.flat_cosine,
        elsewhere=Elsewhere("`SequentialLR`", "a subclass", "`join_schedules`"),
        factors=(
            _fraction("flat", 0.5, "share of the horizon at the peak", search=(0.25, 0.5, 0.75), open_high=True),
            _final(search=None),
        ),
        turns=turns.flat_cosine,
    ),
    Decay(
        "coslog4",
        "up from 0 and down to 0 four times, each time for twice as long",
        "(1 - cos(2 * pi * log2(1 + 15 * t / T))) / 2",
        "Holzmueller et al. 2024, arXiv 2407.04491: RealMLP",
        function=functions.coslog4,
        plain=plain.coslog4,
        elsewhere=Elsewhere("`LambdaLR`", "a subclass", "a function"),
    ),
)


_FOLLOWING = Names(lambda: (*_parts("join"), "join"))
"""What may come second in a join: another one as well, so that there are as many parts as one likes."""

_JOIN = Decay(
    "join",
    "one decay up to a boundary, then another one, or another join, from a peak of its own",
    "first(t) on the horizon at * T, then scale * second(t - at * T) on the rest",
    "optax join_schedules; PyTorch SequentialLR",
    function=functions.join,
    plain=None,
    elsewhere=Elsewhere("`SequentialLR`", "a subclass", "`join_schedules`"),
    factors=(
        Factor("first", "constant", "decay type before the boundary", kind="decay", choices=_parts("join")),
        Factor("second", "cosine", "decay type from the boundary on", kind="decay", choices=_FOLLOWING),
        _fraction("at", 0.5, "boundary, as a share of the horizon", search=(0.25, 0.5, 0.75), open_low=True)._replace(
            open_high=True
        ),
        Factor(
            "scale",
            1.0,
            "what the peak is multiplied by from the boundary on; with a constant second one, the rate that is held",
            low=0.0,
            high=10.0,
            scale="log",
        ),
    ),
    momentum=Momentum(functions.join_momentum, None),
    inside=(),
)

_PLATEAU = Decay(
    "plateau",
    "cut whenever the loss on held-out training rows has stopped falling",
    "scale, times factor after more than patience epochs in a row without loss < best - threshold * |best|",
    "PyTorch ReduceLROnPlateau, whose counting it has; Keras and optax cut one epoch earlier",
    function=functions.plateau,
    plain=None,
    elsewhere=Elsewhere(
        "`ReduceLROnPlateau(factor, patience, threshold, cooldown, min_lr=minimum*peak, eps=0)`",
        "`ReduceLROnPlateau` with patience + 1, a cooldown that is not 0 + 1, and an absolute threshold",
        "`contrib.reduce_on_plateau` with patience + 1, told every update",
    ),
    factors=(
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
    inside=(),
    follows="loss",
)

_WALL_CLOCK = Decay(
    "wall_clock",
    "another decay, run by the training time in seconds against a budget instead of by epochs",
    "shape(T * u / budget) at u seconds, at most budget; then it stays where the shape ended",
    "Izsak et al. 2021, arXiv 2104.07705; Li et al. 2020, arXiv 1905.04753",
    function=functions.wall_clock,
    plain=None,
    elsewhere=Elsewhere("`LambdaLR` that asks a clock", "a callback", "`inject_hyperparams`"),
    factors=(
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
            choices=_parts("wall_clock"),
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
    inside=(),
    follows="clock",
)


DECAYS: dict[str, Decay] = {entry.name: entry for entry in (*_ENTRIES, _JOIN, _PLATEAU, _WALL_CLOCK)}
