"""Experiments and tables that are odd but legal, and every command on what comes of them.

Most broken files are refused early and say little about what lies behind. These are made to be accepted: the space from
what the registry calls legal, ends included; tables with rare classes, gaps, duplicates, groups, times, huge and tiny
numbers, names that nobody would choose. A case follows from its number alone.
"""

import json
import os
import shutil
import signal
from collections import Counter
from pathlib import Path

import numpy as np
import yaml
from patience import PATIENCE
from typer.testing import CliRunner

from lrtune.cli import app
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.training.registry import DECAYS, METRICS, MODEL_KEYS, OPTIMIZERS, TRAINING_KEYS

ALLOWED = {
    "search": {0, 2, 5},
    "finder": {0, 2, 5},
    "check": {0, 2},
    "init": {0, 2},
    "importance": {0, 2},
    "health": {0},
    "retrain": {0, 5},  # a configuration may diverge on all rows although it did not on the folds
    "predict": {0},
}
NAMES = [
    "x",
    "a b",
    "größe",
    "::error title=x::y",
    "na\tme",
    "\x01",
    "'",
    '"q"',
    "~",
    "#",
    "[red]x[/]",
    "</script>",
    "y" * 300,
    "1e5",
    "None",
    "🙂",
    "data.path",
    "=1+1",
    "%s{0}",
    "-x",
]
LABELS = [
    ["no", "yes"],
    ["a", "b", "c"],
    ["0", "1"],
    ["1", "2", "3", "4"],
    ["+", "minus"],
    ["<b>", "::error::", "🙂"],
    ["true", "false"],
]


def column(rng, rows):
    """One feature, as texts."""
    kind = rng.integers(11)
    if kind == 0:
        values = rng.normal(0, 10.0 ** rng.integers(-8, 9), rows).tolist()
    elif kind == 1:
        values = [f"{each:.2f}".replace(".", ",") for each in rng.normal(0, 100, rows)]
    elif kind == 2:
        values = rng.integers(0, rng.integers(1, 6), rows).tolist()
    elif kind == 3:
        values = [f"c{each}" for each in rng.integers(0, rng.integers(1, 40), rows)]
    elif kind == 4:
        values = [f"2024-{1 + each % 12:02d}-{1 + each % 28:02d}" for each in rng.integers(0, 1000, rows)]
    elif kind == 5:
        values = ["constant"] * rows
    elif kind == 6:
        values = list(range(rows))
    elif kind == 7:
        values = [["yes", "no"][each] for each in rng.integers(0, 2, rows)]
    elif kind == 8:
        values = [f"{int(each):,}" for each in rng.integers(0, 10**7, rows)]
    elif kind == 9:
        values = [f"{each:05d}" for each in rng.integers(0, 30, rows)]
    else:
        values = rng.choice(["inf", "-inf", "1e300", "1e-300", "0", "-0.0", "5e-324", "3"], rows).tolist()
    texts = [str(each) for each in values]
    if rng.random() < 0.3:
        gaps = rng.random(rows) < rng.choice([0.02, 0.5, 0.97])
        texts = [rng.choice(["", "NA", "?", "-"]) if gap else each for gap, each in zip(gaps, texts, strict=True)]
    return texts


def target(rng, rows):
    """Classes, some of them rare, or values."""
    kind = rng.integers(5)
    if kind < 3:
        names = LABELS[rng.integers(len(LABELS))]
        share = rng.dirichlet(np.full(len(names), rng.choice([0.7, 2.0, 10.0])))
        return [str(each) for each in rng.choice(names, rows, p=share)]
    values = rng.normal(0, 10.0 ** rng.integers(-3, 6), rows)
    if kind == 4:
        values = np.round(values)
    return [repr(float(each)) for each in values]


def table(rng):
    """A table as text, its separator, and what its columns are called."""
    rows = int(rng.choice([8, 15, 30, 60, 90]))
    count = int(rng.integers(1, 6))
    names = [*rng.choice(NAMES, count, replace=False).tolist(), "group", "when", "target"]
    groups = [f"g{each}" for each in rng.integers(0, rng.integers(2, 12), rows)]
    times = [str(each) for each in np.sort(rng.integers(0, rng.choice([3, 1000]), rows))]
    columns = [*(column(rng, rows) for _ in range(count)), groups, times, target(rng, rows)]
    separator = str(rng.choice([",", ";", "\t"]))
    lines = [names, *map(list, zip(*columns, strict=True))]
    if rng.random() < 0.2:
        lines += lines[1:6]
    text = "\n".join(separator.join(quoted(each, separator) for each in line) for line in lines) + "\n"
    return text, names[:count]


def quoted(cell, separator):
    """Write a cell so that it is one."""
    return '"' + cell.replace('"', '""') + '"' if any(each in cell for each in (separator, '"', "\n", "#")) else cell


def legal(rng, factor):
    """Draw a legal value, its ends more often than by chance."""
    if factor.kind in ("choice", "decay"):
        return list(factor.choices)[rng.integers(len(factor.choices))]
    if factor.kind == "bool":
        return bool(rng.integers(2))
    if factor.kind == "widths":
        return rng.integers(1, 12, rng.integers(1, 4)).tolist()
    low = max(factor.low, 0.0 if factor.low == -np.inf else factor.low)
    high = min(factor.high, max(low, 1e-6) * 100 if factor.kind == "float" else low + 8)
    ends = [low] * (not factor.open_low) + [high] * int(not factor.open_high and factor.high < np.inf)
    value = rng.choice(ends) if ends and rng.random() < 0.3 else rng.uniform(low, high)
    if factor.kind == "numbers":
        return sorted({round(float(rng.uniform(low, high)), 3) for _ in range(3)})
    return round(value) if factor.kind == "int" else float(f"{value:.4g}")


def dimension(rng, factor, *, finite=False):
    """Fix a factor, list some of its values, or give a range, which is countable for a grid."""
    kind = rng.integers(3 if finite else 4)
    if factor.kind == "widths":
        return [legal(rng, factor)]
    if kind == 0 or factor.kind in ("choice", "decay", "bool", "numbers"):
        return legal(rng, factor) if factor.kind != "numbers" else [legal(rng, factor)]
    values = sorted({legal(rng, factor) for _ in range(3)})
    if kind == 1 or len(values) < 2:
        return values
    ends = {"low": values[0], "high": values[-1]}
    if kind == 2:
        ends["points"] = int(rng.integers(2, 5))
    if values[0] <= 0 and factor.scale == "log":
        ends["scale"] = "linear"
    elif values[0] > 0 and rng.random() < 0.5:
        ends["scale"] = "log"
    return ends


def branches(rng, entries, count, *, finite):
    """Some decays or optimizers, each with some of its factors."""
    chosen = rng.choice(list(entries), min(count, len(entries)), replace=False).tolist()
    items = []
    for name in chosen:
        factors = [each for each in entries[name].factors if rng.random() < 0.4]
        replaced = {each.replaces for each in factors}
        inner = {each.name: dimension(rng, each, finite=finite) for each in factors if each.name not in replaced}
        if getattr(entries[name], "rate", None) is not None and rng.random() < 0.4:
            inner["learning_rate"] = dimension(rng, entries[name].rate._replace(low=1e-4, high=1.0), finite=finite)
        items.append({name: inner} if inner else name)
    return items


def experiment(rng, names):
    """An experiment that is legal as far as its keys can tell."""
    strategy = str(rng.choice(list(STRATEGIES)))
    finite = strategy == "grid"
    rates = [[1e-3, 1e-1, 10.0], 0.01, {"low": 1e-3, "high": 1.0, "scale": "log"}]
    space = {
        "learning_rate": rates[rng.integers(2 if finite else 3)],
        "optimizer": branches(rng, OPTIMIZERS, int(rng.integers(1, 4)), finite=finite),
        "decay": branches(rng, DECAYS, int(rng.integers(1, 5)), finite=finite),
    }
    further = {**TRAINING_KEYS, **MODEL_KEYS}
    for key in ("warmup", "warmup_shape", "batch_size", "weight_decay", "dropout", "activation", "hidden", "clip_norm"):
        if rng.random() < 0.25:
            space[key] = dimension(rng, further[key], finite=finite)
    data = {"path": "table.csv", "target": "target"}
    options = {
        ["group", "order"][rng.integers(2)]: ["group", "when"][rng.integers(2)],
        "test_size": [0, 0.2, 0.5, 0.9][rng.integers(4)],
        "dates": "encode",
        "ignore": [names[0]],
        "task": ["classification", "regression"][rng.integers(2)] if rng.random() < 0.3 else None,
        "numeric": [names[-1]],
        "categorical": [names[-1]],
    }
    data |= {key: value for key, value in options.items() if rng.random() < 0.15}
    search = {
        "strategy": strategy,
        "trials": int(rng.integers(1, 12)),
        "folds": int(rng.integers(2, 6)),
        "seed": int(rng.integers(1000)),
        "round": int(rng.integers(1, 9)),
        "workers": 1,
        "timeout": "10m",
    }
    more = {
        "pruning": ["none", "race", "futility", "halving"][rng.integers(4)],
        "metric": str(rng.choice([*METRICS, *["auto"] * 5])),
        "select": ["one_se", "posterior_mean", {"within": "5%"}][rng.integers(3)],
        "repeats": 2,
        "confirm": int(rng.integers(1, 4)),
        "nested": 2,
        "stop": "no_gain",
        "splitter": ["kfold", "stratified", "group", "time_series"][rng.integers(4)] if rng.random() < 0.2 else "auto",
        "target": float(rng.normal()),
    }
    search |= {key: value for key, value in more.items() if rng.random() < 0.2}
    training = {"epochs": int(rng.integers(1, 6))}
    if "batch_size" not in space:
        training["batch_size"] = int(rng.choice([1, 4, 16, 64, 1000]))
    if rng.random() < 0.2:
        training["dtype"] = "float64"
    model = {} if "hidden" in space else {"hidden": [int(rng.integers(1, 9))]}
    if rng.random() < 0.3:
        model = {"type": "linear"}
        space = {key: value for key, value in space.items() if key not in ("dropout", "activation", "hidden")}
    return {"data": data, "model": model, "training": training, "search": search, "space": space}


def changed_rows(rng, text):
    """The table with its rows in another order, and fewer of them: what new rows look like."""
    header, *rows = text.rstrip("\n").split("\n")
    kept = rng.permutation(len(rows))[: max(1, len(rows) // 2)]
    return "\n".join([header, *(rows[each] for each in kept)]) + "\n"


def commands(rng, finished):
    """What is tried on a case, in this order; the first decides whether there is a run."""
    yield ("search", "odd.yaml", "--output", "out")
    if rng.random() < 0.2:
        yield ("finder", "odd.yaml", "--output", "rates", "--plot", "rates.html", "--updates", "12")
    if rng.random() < 0.2:
        yield ("init", "table.csv", "--target", "target", "--output", "made.yaml")
    if rng.random() < 0.2:
        yield ("check", "odd.yaml", "--json")
    if not finished():
        return
    yield from (("show", "out"), ("health", "out"), ("importance", "out", "--slices"), ("trials", "out", "--csv"))
    yield ("predict", "out", "new.csv")
    yield from (
        ("status", "out", "--json"),
        ("list", "."),
        ("compare", "out", "out:0"),
        ("export", "out", "--to", "json"),
    )
    for library in ("pytorch", "keras", "optax"):
        yield ("schedules", "export", "--run", "out", "--to", library)
    yield ("retrain", "out", "--trial", "0", "--output", "again")
    yield ("search", "odd.yaml", "--output", "out", "--json")


def _late(number, frame):
    del number, frame
    raise TimeoutError("the command hangs")


def wrong_with(words, result):
    """Say what is wrong with the end of a command; None if nothing is."""
    allowed = ALLOWED.get(words[0], {0, 2})
    said = result.stderr.strip().splitlines()
    if result.exit_code not in allowed:
        return f"{' '.join(words)}: ended with {result.exit_code}: {result.stderr[-600:] or result.exception!r}"
    if "Traceback" in result.output or "defect of lrtune" in result.output:
        return f"{' '.join(words)}: {result.output[-600:]}"
    if result.exit_code and not (said and said[-1].startswith("lrtune: ")):
        return f"{' '.join(words)}: ended with {result.exit_code} and without a sentence: {result.stderr!r}"
    if "--json" in words and result.exit_code == 0:
        json.loads(result.stdout, parse_constant=lambda text: 1 / 0 if text else None)
    return None


def attempt(number, folder, seen):
    """Try a case; counts the ends of commands in ``seen`` and returns what was wrong with any."""
    rng = np.random.default_rng(number)
    text, names = table(rng)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "table.csv").write_text(text, encoding="utf-8")
    (folder / "new.csv").write_text(changed_rows(rng, text), encoding="utf-8")
    (folder / "odd.yaml").write_text(yaml.safe_dump(experiment(rng, names), allow_unicode=True, sort_keys=False))
    here, before = Path.cwd(), signal.signal(signal.SIGALRM, _late)
    os.chdir(folder)
    try:
        for words in commands(rng, lambda: Path("out/result.json").is_file()):
            signal.alarm(PATIENCE)
            result = CliRunner().invoke(app, list(words), prog_name="lrtune")
            seen[words[0], result.exit_code] += 1
            if found := wrong_with(words, result):
                return f"case {number}: {found}"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        os.chdir(here)
    return None


def attempts(folder, numbers):
    """Try many cases: the ends of their commands, and what was wrong."""
    seen = Counter()
    wrong = [found for number in numbers if (found := attempt(number, folder, seen))]
    return seen, wrong
