"""Hypothesis strategies for legal experiments: forms of spaces made from the registry's declarations."""

import math

from hypothesis import strategies as st

from lrtune.experiment.reading.grouped import together
from lrtune.training.registry import DECAYS, KEYS, OPTIMIZERS


def values(factor):
    """Legal values of a factor, as YAML would give them."""
    if factor.kind in ("choice", "decay"):
        legal = st.sampled_from(list(factor.choices))
    elif factor.kind == "bool":
        legal = st.booleans()
    elif factor.kind == "widths":
        legal = st.lists(st.integers(1, 200), min_size=1, max_size=3)
    elif factor.kind == "numbers":
        legal = st.lists(numbers(factor), min_size=1, max_size=3).map(sorted)
    else:
        legal = numbers(factor)
    return st.none() | legal if factor.optional else legal


def numbers(factor):
    low, high = max(factor.low, -1e3), min(factor.high, 1e3)
    if factor.kind == "int":
        return st.integers(math.ceil(low), int(high))
    return st.floats(low, high, exclude_min=factor.open_low, exclude_max=factor.open_high)


@st.composite
def leaves(draw, factor, finite):
    """A scalar, a list, or a range."""
    kinds = (
        ["list"]
        + ["scalar"] * (factor.kind not in ("widths", "numbers"))
        + ["range"] * (factor.kind in ("float", "int"))
    )
    kind = draw(st.sampled_from(kinds))
    if kind == "scalar":
        return draw(values(factor))
    if kind == "list":
        return draw(st.lists(values(factor), min_size=1, max_size=3, unique_by=lambda each: str(_as_number(each))))
    low, high = sorted(draw(st.lists(numbers(factor), min_size=2, max_size=2, unique=True)))
    form = {"low": low, "high": high, "scale": draw(st.sampled_from(legal_scales(low, high)))}
    return form | ({"points": draw(st.integers(2, 4))} if finite else {})


def _as_number(value):
    return float(value) + 0.0 if isinstance(value, int | float) and not isinstance(value, bool) else value


def legal_scales(low, high):
    return ["linear"] + ["log"] * (low > 0) + ["reversed_log"] * (high < 1 and 1 - low > 1 - high)


@st.composite
def branches(draw, table, names, finite):
    """Options of an optimizer or a decay: names alone, or with some of their factors."""
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    items = [draw(_branch(table, name, finite)) for name in chosen]
    return items[0] if len(items) == 1 and draw(st.booleans()) else items


@st.composite
def _branch(draw, table, name, finite):
    factors = [each for each in table[name].factors if draw(st.booleans())]
    replaced = {each.replaces for each in factors}
    form = {each.name: draw(_factor(each, finite)) for each in factors if each.name not in replaced}
    if table is OPTIMIZERS and draw(st.booleans()):
        form["learning_rate"] = draw(leaves(table[name].rate, finite))
    return {name: form or None} if form or draw(st.booleans()) else name


def _factor(factor, finite):
    if factor.kind == "decay":
        return branches(DECAYS, list(factor.choices), finite)
    return leaves(factor, finite)


@st.composite
def spaces(draw, *, finite=False, without=()):
    """A legal `space` in the form of the file."""
    form = {}
    keys = [each for each in KEYS if each not in without and not draw(st.integers(0, 2))]
    if {"warmup_shape", "warmup_start"} <= set(keys):
        keys.remove("warmup_start")  # not all of their combinations are legal
    for key in keys:
        factor = KEYS[key]
        if key == "optimizer":
            form[key] = draw(branches(OPTIMIZERS, list(OPTIMIZERS), finite))
        elif key == "decay":
            form[key] = draw(branches(DECAYS, list(DECAYS), finite))
        elif key == "model":
            form[key] = draw(
                st.sampled_from(["mlp", ["linear", "mlp"], [{"mlp": {"hidden": [[3], [4, 4]]}}, "linear"]])
            )
        else:
            form[key] = draw(leaves(factor, finite))
    return together(form)
