"""Configurations and metrics in words, for people who have trained a model once; rates are decimals."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from lrtune.reporting.tables import canonical_heads, is_unused, key_name, value_text
from lrtune.text import formats
from lrtune.training.metrics.catalogue import plain_name
from lrtune.training.registry import DECAYS, KEYS, OPTIMIZERS
from lrtune.verdict.controlled import CONSTANT
from lrtune.verdict.standing import larger_is_better

if TYPE_CHECKING:
    from lrtune.space.trial import Configuration, Value
    from lrtune.training.declarations import Factor

_LEADING = ("optimizer", "learning_rate", "decay")
"""Said in any case: they are what a search is about."""

_SPELLED, _ACRONYMS = ("f1", "mae", "mse", "r2", "rmse"), ("auc", "roc")
"""Names in capitals: those of which the letters are spoken, each beginning with a vowel, and the others."""

_IN_UNITS = ("rmse", "mae")
"""Metrics that are measured in what the target is measured in."""


def metric_name(metric: str) -> str:
    """Say a metric's name.

    >>> metric_name("log_loss"), metric_name("roc_auc"), metric_name("perplexity (smaller is better)")
    ('log loss', 'ROC AUC', 'perplexity')
    """
    words = plain_name(metric).replace("_", " ").split(" ")
    capitals = (*_SPELLED, *_ACRONYMS)
    return formats.printable(" ".join(each.upper() if each in capitals else each for each in words))


def a_metric(metric: str) -> str:
    """Say a metric's name with its article.

    >>> a_metric("accuracy"), a_metric("rmse"), a_metric("log_loss"), a_metric("roc_auc")
    ('an accuracy', 'an RMSE', 'a log loss', 'a ROC AUC')
    """
    is_spelled = metric.partition("_")[0] in _SPELLED
    return f"{'an' if is_spelled or metric[:1].lower() in tuple('aeiou') else 'a'} {metric_name(metric)}"


def units(metric: str) -> str:
    """Say in which units a score is, where these are the target's."""
    return ", in the units of the target," if metric in _IN_UNITS else ""


def better(metric: str) -> str:
    """Say which way is better where that is down, and nothing where it is up."""
    return "" if larger_is_better(metric) else "lower is better"


def decimal_rate(value: float) -> str:
    """Write a learning rate as people say it, with the digits of `formats.rate`.

    >>> decimal_rate(0.02231), decimal_rate(3e-4), decimal_rate(0.05), decimal_rate(12.0), decimal_rate(4e-9)
    ('0.022', '0.0003', '0.05', '12', '4.0e-9')
    """
    text = formats.rate(value)
    return f"{Decimal(text).normalize():f}" if 1e-7 <= value < 1e7 else text


def configuration_words(whole: Configuration, searched: Collection[str]) -> str:
    """Write a configuration in words: what was searched of it, with optimizer, rate and decay in any case.

    Parameters
    ----------
    whole
        Flat configuration, complete.
    searched
        Keys of its point of the space.

    >>> configuration_words({"optimizer": "adam", "learning_rate": 0.02231, "decay": "step", "decay.factor": 0.3,
    ...                      "decay.every": 10.0, "warmup": 0.05, "epochs": 25},
    ...                     {"learning_rate", "decay.factor", "decay.every", "warmup"})
    'adam, learning rate 0.022, step decay (factor 0.3, every 10 epochs), warm-up 5 %'
    """
    return ", ".join(_parts(whole, searched))


def _parts(whole: Configuration, searched: Collection[str]) -> Iterator[str]:
    heads = canonical_heads(whole)
    first = [key for key in _LEADING if key in heads]
    for key in dict.fromkeys([*first, *heads]):
        if key == "optimizer":
            yield _optimizer(whole, searched)
        elif key == "decay":
            yield decay_words(whole, searched)
        elif key == "learning_rate":
            yield f"learning rate {_rate(whole[key])}"
        elif key in searched and not is_unused(key, whole[key]):
            yield _setting(key, whole[key])


def _rate(value: Value) -> str:
    return decimal_rate(value) if isinstance(value, int | float) else value_text("learning_rate", value)


def _setting(key: str, value: Value) -> str:
    if key == "warmup" and isinstance(value, int | float):
        return f"warm-up {formats.share(value)}"
    return f"{key_name(key) if key in KEYS else key} {value_text(key, value)}"


def _optimizer(whole: Configuration, searched: Collection[str]) -> str:
    name = str(whole["optimizer"])
    entry = OPTIMIZERS.get(name)
    said = [] if entry is None else list(_factors(whole, searched, "optimizer", entry.factors))
    return " ".join([name, *([f"({', '.join(said)})"] if said else [])])


def decay_words(whole: Configuration, searched: Collection[str]) -> str:
    """Write a decay with those of its factors that were searched or are not as usual.

    >>> decay_words({"decay": "constant"}, ()), decay_words({"decay": "cosine", "decay.final": 0.1}, ())
    ('constant rate', 'cosine decay (final 0.1)')
    """
    if whole["decay"] == CONSTANT:
        return "constant rate"
    return _decay(whole, searched, "decay", " decay")


def _decay(whole: Configuration, searched: Collection[str], key: str, noun: str) -> str:
    name = str(whole[key])
    entry = DECAYS.get(name)
    said = [] if entry is None else list(_factors(whole, searched, key, entry.factors))
    return f"{key_name(name)}{noun}" + (f" ({', '.join(said)})" if said else "")


def _factors(whole: Configuration, searched: Collection[str], head: str, factors: tuple[Factor, ...]) -> Iterator[str]:
    for each in factors:
        key = f"{head}.{each.name}"
        if key not in whole:
            continue
        if each.kind == "decay":
            yield f"{key_name(each.name)} {_decay(whole, searched, key, '')}"
        elif key in searched or whole[key] != each.default:
            yield f"{key_name(each.name)} {value_text(key, whole[key])}{_unit(each, whole[key])}"


def _unit(factor: Factor, value: Value) -> str:
    if factor.time == "speed":
        return " per epoch"
    if factor.time != "duration":
        return ""
    noun = "second" if "in seconds" in factor.meaning else "epoch"
    return f" {noun}" if value == 1 else f" {noun}s"
