"""Experiment files and tables that went wrong: what hypothesis makes of good ones."""

import string

import yaml
from hypothesis import strategies as st

TABLE = "x,y,letter,kind\n" + "".join(
    f"{i * 37 % 11 / 7:.3f},{i * 53 % 13 - 6},{'abc'[i % 3]},{'no' if i * 37 % 11 > 5 else 'yes'}\n" for i in range(60)
)

EXPERIMENT = {
    "data": {"path": "table.csv", "target": "kind", "test_size": 0.2},
    "model": {"type": "mlp", "hidden": [4]},
    "training": {"epochs": 1, "batch_size": 16},
    "search": {"strategy": "random", "trials": 2, "folds": 2, "workers": 1, "timeout": "1m", "pruning": "none"},
    "space": {
        "learning_rate": {"low": 1e-3, "high": 0.1, "scale": "log"},
        "optimizer": ["adam", {"momentum": {"momentum": [0.8, 0.9]}}],
        "decay": ["constant", {"exponential": {"k": 0.1}}],
    },
}

ODD_NUMBERS = [0, -1, 1, 2, 1e-300, 1e300, float("inf"), float("-inf"), float("nan"), 2**40, 0.5, True]
ODD_TEXTS = ["", " ", "~", "auto", "none", "🙂", "\u202e", "a" * 500, "1e-3", "0x10", "-", "../x", "10m"]
WORDS = ["data", "target", "space", "decay", "cosine", "adam", "folds", "low", "scale", "group", "order", "nope"]

scalars = (
    st.sampled_from([*ODD_NUMBERS, *ODD_TEXTS, *WORDS, None])
    | st.integers(-5, 70)
    | st.floats()
    | st.text(string.printable, max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | scalars, inner, max_size=3),
    max_leaves=6,
)


def _paths(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield from _paths(each, (*path, key))


def _changed(value, path, change):
    if not path:
        return change(value)
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _changed(copy[path[0]], path[1:], change)
    return copy


@st.composite
def experiments(draw):
    """An experiment file with one to three mistakes in its values, its keys, or its text."""
    tree = EXPERIMENT
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([each for each in _paths(tree) if each]))
        what = draw(st.sampled_from(["replace", "replace", "drop", "rename", "add"]))
        if what == "replace" or not isinstance(_at(tree, path[:-1]), dict):
            new = draw(values)
            tree = _changed(tree, path, lambda _, new=new: new)
        else:
            name = draw(st.sampled_from(WORDS))
            new = draw(values)
            tree = _changed(tree, path[:-1], lambda old, p=path, w=what, n=name, v=new: _edited(old, p[-1], w, n, v))
    text = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)
    return _garbled(draw, text) if draw(st.integers(0, 3)) == 0 else text


def _at(tree, path):
    for key in path:
        tree = tree[key]
    return tree


def _edited(old, key, what, name, value):
    if what == "drop":
        return {each: kept for each, kept in old.items() if each != key}
    if what == "rename":
        return {name if each == key else each: kept for each, kept in old.items()}
    return {**old, name: value}


def _garbled(draw, text):
    """Cut, double or replace a piece of a text."""
    place = draw(st.integers(0, len(text)))
    length = draw(st.integers(0, 12))
    piece = draw(
        st.sampled_from(["", "\t", "\0", "}", "- ", ": ", "&a", "*a", "!!python/object:os.system", "\n\n", "é"])
    )
    return draw(
        st.sampled_from(
            [text[:place], text[:place] + piece + text[place + length :], text[:place] + text, piece + text]
        )
    )


ODD_CELLS = [
    "",
    "NA",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "0",
    "1,5",
    "x",
    '"',
    "2024-01-01",
    "true",
    "é",
    "\0",
    " ",
    "9" * 20,
]
CELLS = st.sampled_from(ODD_CELLS) | st.text(string.printable, max_size=6)


def _with_column(rows, column, cell, every):
    """Put a cell into every so many rows of a column, the header apart."""
    return [
        [cell if place == column and number % every == 0 else old for place, old in enumerate(each)] if number else each
        for number, each in enumerate(rows)
    ]


@st.composite
def tables(draw):
    """A table, as bytes, with odd cells, lines or columns."""
    rows = [line.split(",") for line in TABLE.splitlines()]
    for _ in range(draw(st.integers(1, 4))):
        what = draw(st.sampled_from(["cell", "column", "cut", "double", "header", "constant", "few"]))
        row = draw(st.integers(0, len(rows) - 1))
        column = draw(st.integers(0, 3))
        cell = draw(CELLS)
        if what == "cell":
            rows[row] = [cell if place == column else each for place, each in enumerate(rows[row])]
        elif what in ("column", "constant"):
            rows = _with_column(rows, column, cell, 1 if what == "constant" else 2)
        elif what == "cut":
            rows[row] = rows[row][:column]
        elif what == "double":
            rows.append(rows[row])
        elif what == "header":
            rows[0] = [cell if place == column else each for place, each in enumerate(rows[0])]
        else:
            rows = rows[: max(1, row % 12)]
    separator = draw(st.sampled_from([",", ",", ",", ";", "\t", "|"]))
    text = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])).join(separator.join(each) for each in rows)
    if draw(st.integers(0, 4)) == 0:
        text = _garbled(draw, text)
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"])), errors="replace")
