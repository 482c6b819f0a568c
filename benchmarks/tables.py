"""How good the delivered models are on real tables, beside those of others.

    python benchmarks/tables.py [--tables FOLDER] [--only NAME ...] [--splits N] [--methods NAME ...] [--save FILE]

Each table is split at random, three quarters to train (at most 8,000 rows), the rest to judge (at most 5,000). What is
fitted, each with its defaults, in a process of its own:

* ``lrtune``: `lrtune.search(data=..., target=...)` with nothing else said, one worker; ``lrtune_single`` delivers one
  trial instead of a mean, ``lrtune_best`` is ``--quality best``;
* scikit-learn's ``linear`` (LogisticRegression or Ridge) and ``mlp`` (MLPClassifier or MLPRegressor) behind the usual
  pipeline (median, standard scale, one-hot), and ``hgb`` (HistGradientBoosting); ``hgb_tuned`` is the last with 50
  random settings and three folds;
* ``xgboost``, ``lightgbm``, ``realmlp`` (pytabkit's RealMLP-TD) where they are installed.

Regression is judged by RMSE, classes by log loss; accuracy stands beside it with ``--accuracy``. ``seconds`` are those
of the processor, ``MB`` the peak memory of the process. The last lines have mean ranks, and geometric means of the
ratio to ``hgb`` (RMSE) and to the best of linear, xgboost and mlp on each table (log loss).

Tables in FOLDER are ``.csv`` or ``.csv.gz`` files; their target is the column ``class``, or the one that a line
``NAME COLUMN`` of ``--targets FILE`` names. Seven tables come with lrtune. Which tables defaults were chosen on is said
in docs/research/tables.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

ROOT = Path(__file__).parents[1]
BUNDLED = {
    "wine": "cultivar",
    "penguins": "species",
    "breast_cancer": "diagnosis",
    "digits": "digit",
    "concrete": "compressive_strength",
    "hpc_jobs": "class",
    "birdstrikes": "damaged",
}
TRAINED, JUDGED, SHARE = 8000, 5000, 0.75
USUAL = ("lrtune", "hgb", "linear", "mlp", "xgboost", "lightgbm")
RIVALS = ("linear", "xgboost", "mlp")


class Task(NamedTuple):
    """A table that is split: frames with the target, and whether it is a matter of classes."""

    train: pl.DataFrame
    test: pl.DataFrame
    target: str
    is_classes: bool


class Outcome(NamedTuple):
    """What a method reached: the loss, the accuracy (NaN for values), seconds of the processor and megabytes."""

    loss: float
    accuracy: float
    seconds: float
    megabytes: float


def main() -> None:
    """Fit every method on every table and split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--targets", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument(
        "--methods", nargs="+", choices=list(METHODS), default=[each for each in USUAL if _is_here(each)]
    )
    parser.add_argument("--accuracy", action="store_true")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--save", type=Path, help="append every outcome to this file, one JSON object in each line")
    parser.add_argument("--one", nargs=4, metavar=("PATH", "TARGET", "SPLIT", "METHOD"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        path, target, split, method = args.one
        print(json.dumps(measured(task(Path(path), target, int(split)), method, int(split), args.overrides)))
        return
    print("| table | " + " | ".join(args.methods) + " |")
    print("|---|" + "--:|" * len(args.methods))
    everything: dict[str, dict[str, list[Outcome]]] = {}
    kinds: dict[str, bool] = {}
    for name, path, target in tables(args.tables, args.targets):
        if args.only and name not in args.only:
            continue
        kinds[name] = task(path, target, 0).is_classes
        found = {
            method: [in_a_process(path, target, split, method, args.overrides) for split in range(args.splits)]
            for method in args.methods
        }
        everything[name] = found
        print(_line(name, found, accuracy=args.accuracy and kinds[name]), flush=True)
        if args.save:
            with args.save.open("a") as file:
                for method, outcomes in found.items():
                    for split, each in enumerate(outcomes):
                        said = {"table": name, "method": method, "split": split, "classes": kinds[name]}
                        file.write(json.dumps({**said, **each._asdict()}) + "\n")
    summary(everything, kinds, args.methods)


def tables(folder: Path | None, targets: Path | None) -> Iterator[tuple[str, Path, str]]:
    """Yield name, file and target of the bundled tables and of those in a folder."""
    yield from ((name, ROOT / "datasets" / f"{name}.csv", target) for name, target in BUNDLED.items())
    named = dict(line.split() for line in targets.read_text().splitlines()) if targets else {}
    for path in sorted(folder.glob("*.csv*")) if folder else ():
        name = path.name.partition(".")[0]
        target = named.get(name, "class")
        if target in pl.read_csv(path, n_rows=10).columns:
            yield name, path, target


def read(path: Path, target: str) -> tuple[pl.DataFrame, bool]:
    """Read the rows that have a target, and say whether it is a matter of classes."""
    frame = pl.read_csv(path, infer_schema_length=None, null_values=["", "?", "NA"]).filter(
        pl.col(target).is_not_null()
    )
    is_classes = not frame[target].dtype.is_numeric() or frame[target].n_unique() <= 30
    if is_classes and frame[target].dtype.is_float():  # their names are 0 and 1, not 0.0 and 1.0
        frame = frame.with_columns(pl.col(target).cast(pl.Int64))
    return frame, is_classes


def task(path: Path, target: str, split: int) -> Task:
    """Split a table."""
    frame, is_classes = read(path, target)
    order = np.random.default_rng([split, 7]).permutation(len(frame))
    count = int(SHARE * len(frame))
    train, test = frame[np.sort(order[:count][:TRAINED])], frame[np.sort(order[count:][:JUDGED])]
    if is_classes:
        test = test.filter(pl.col(target).is_in(train[target].unique().to_list()))
    return Task(train, test, target, is_classes)


def in_a_process(path: Path, target: str, split: int, method: str, overrides: list[str]) -> Outcome:
    """Run one method on one split, alone, on one thread."""
    command = [sys.executable, __file__, "--one", str(path), target, str(split), method]
    command += [part for each in overrides for part in ("--set", each)]
    threads = {f"{each}_NUM_THREADS": "1" for each in ("OMP", "OPENBLAS", "MKL", "POLARS_MAX", "NUMEXPR")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **threads, "POLARS_MAX_THREADS": "1"}
    )
    if done.returncode:
        print(f"{method} failed on {path.name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return Outcome(math.inf, math.nan, math.nan, math.nan)
    return Outcome(*json.loads(done.stdout.splitlines()[-1]))


def measured(given: Task, method: str, split: int, overrides: list[str]) -> Outcome:
    """Fit a method and judge its predictions."""
    began = time.process_time()
    found = METHODS[method](given, split, overrides)
    seconds = time.process_time() - began + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if not given.is_classes:
        truth = given.test[given.target].to_numpy().astype(float)
        return Outcome(float(np.sqrt(np.mean((found - truth) ** 2))), math.nan, seconds, megabytes)
    labels = classes(given)
    codes = (
        given.test[given.target].cast(pl.String).replace_strict(labels, list(range(len(labels))), return_dtype=pl.Int64)
    )
    truth = codes.to_numpy()
    smallest = float(np.finfo(np.float32).eps)
    hit = np.clip(found[np.arange(len(truth)), truth], smallest, 1.0)
    return Outcome(float(-np.log(hit).mean()), float((found.argmax(axis=1) == truth).mean()), seconds, megabytes)


def classes(given: Task) -> list[str]:
    """List the classes of the training rows as text, sorted."""
    return sorted(given.train[given.target].cast(pl.String).unique().to_list())


def by_lrtune(given: Task, split: int, overrides: list[str], quality: str | None = None) -> np.ndarray:
    """Search as somebody would who only has a table."""
    import lrtune

    kind = "classification" if given.is_classes else "regression"
    settings = [f"data.task={kind}", f"search.seed={split}", *overrides]
    with tempfile.TemporaryDirectory() as folder:
        found = lrtune.search(
            data=given.train, target=given.target, quality=quality, overrides=settings, workers=1, output=folder
        )
        rows = given.test.drop(given.target)
        if not given.is_classes:
            return np.asarray(found.model.predict(rows))
        own = [str(each) for each in found.model.classes_]
        return np.asarray(found.model.predict_proba(rows))[:, [own.index(each) for each in classes(given)]]


def by_lrtune_single(given: Task, split: int, overrides: list[str]) -> np.ndarray:
    """Search likewise, and take the best trial alone."""
    return by_lrtune(given, split, [*overrides, "retrain.ensemble=1"])


def by_lrtune_best(given: Task, split: int, overrides: list[str]) -> np.ndarray:
    """Search with ``--quality best``."""
    return by_lrtune(given, split, overrides, "best")


def columns(given: Task) -> tuple[list[str], list[str]]:
    """List the columns of numbers and those of categories."""
    features = given.train.drop(given.target)
    numbers = [each for each in features.columns if features[each].dtype.is_numeric()]
    return numbers, [each for each in features.columns if each not in numbers]


def coded(given: Task) -> tuple[np.ndarray, np.ndarray, list[bool]]:
    """Write both parts as numbers, categories as codes and missing as NaN; says which columns are categories."""
    numbers, texts = columns(given)
    parts: list[list[np.ndarray]] = [[], []]
    for name in (*numbers, *texts):
        train, test = given.train[name], given.test[name]
        if name in texts:
            levels = train.cast(pl.String).drop_nulls().unique().sort().to_list()
            codes = list(range(len(levels)))
            train, test = (
                each.cast(pl.String).replace_strict(levels, codes, default=None, return_dtype=pl.Float64)
                for each in (train, test)
            )
        for part, values in zip(parts, (train, test), strict=True):
            part.append(values.cast(pl.Float64).fill_null(math.nan).to_numpy())
    return np.stack(parts[0], axis=1), np.stack(parts[1], axis=1), [name in texts for name in (*numbers, *texts)]


def target_of(given: Task) -> np.ndarray:
    """Give the training targets: codes of classes, or values."""
    if not given.is_classes:
        return given.train[given.target].to_numpy().astype(float)
    labels = classes(given)
    column = given.train[given.target].cast(pl.String)
    return column.replace_strict(labels, list(range(len(labels))), return_dtype=pl.Int64).to_numpy()


def predicted(model: Any, rows: np.ndarray, *, is_classes: bool) -> np.ndarray:
    """Give probabilities, or values."""
    return np.asarray(model.predict_proba(rows) if is_classes else model.predict(rows))


def _hgb(given: Task, **more: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    train, test, texts = coded(given)
    few = [is_text and np.nanmax(train[:, place], initial=0) < 255 for place, is_text in enumerate(texts)]
    kind = HistGradientBoostingClassifier if given.is_classes else HistGradientBoostingRegressor
    return kind(categorical_features=few, random_state=0, **more), train, test


def by_hgb(given: Task, _split: int, _overrides: list[str]) -> np.ndarray:
    """Fit scikit-learn's boosted trees."""
    model, train, test = _hgb(given)
    return predicted(model.fit(train, target_of(given)), test, is_classes=given.is_classes)


def by_tuned_hgb(given: Task, split: int, _overrides: list[str]) -> np.ndarray:
    """Fit them with the best of 50 random settings on three folds."""
    from scipy.stats import loguniform, randint
    from sklearn.model_selection import RandomizedSearchCV

    model, train, test = _hgb(given, early_stopping=True, max_iter=500)
    space = {
        "learning_rate": loguniform(0.01, 0.3),
        "max_leaf_nodes": randint(8, 128),
        "min_samples_leaf": randint(2, 60),
        "l2_regularization": loguniform(1e-3, 10.0),
        "max_features": [0.5, 0.75, 1.0],
    }
    scoring = "neg_log_loss" if given.is_classes else "neg_root_mean_squared_error"
    search = RandomizedSearchCV(model, space, n_iter=50, cv=3, scoring=scoring, random_state=split, error_score=-1e9)
    return predicted(search.fit(train, target_of(given)), test, is_classes=given.is_classes)


def _piped(given: Task, model: Any) -> np.ndarray:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    train, test, texts = coded(given)
    places = np.arange(len(texts))
    encoder = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), places[~np.array(texts)]),
            ("texts", OneHotEncoder(handle_unknown="ignore", min_frequency=5), places[np.array(texts)]),
        ]
    )
    whole = make_pipeline(encoder, model)
    return predicted(whole.fit(train, target_of(given)), test, is_classes=given.is_classes)


def by_linear(given: Task, _split: int, _overrides: list[str]) -> np.ndarray:
    """Fit scikit-learn's linear models."""
    from sklearn.linear_model import LogisticRegression, Ridge

    return _piped(given, LogisticRegression(max_iter=5000) if given.is_classes else Ridge())


def by_mlp(given: Task, split: int, _overrides: list[str]) -> np.ndarray:
    """Fit scikit-learn's networks."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    if given.is_classes:
        return _piped(given, MLPClassifier(random_state=split))
    return _piped(given, TransformedTargetRegressor(MLPRegressor(random_state=split), transformer=StandardScaler()))


def by_xgboost(given: Task, split: int, _overrides: list[str]) -> np.ndarray:
    """Fit XGBoost."""
    from xgboost import XGBClassifier, XGBRegressor

    train, test, _ = coded(given)
    kind = XGBClassifier if given.is_classes else XGBRegressor
    model = kind(n_jobs=1, random_state=split).fit(train, target_of(given))
    return predicted(model, test, is_classes=given.is_classes)


def by_lightgbm(given: Task, split: int, _overrides: list[str]) -> np.ndarray:
    """Fit LightGBM."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    train, test, _ = coded(given)
    kind = LGBMClassifier if given.is_classes else LGBMRegressor
    model = kind(n_jobs=1, random_state=split, verbose=-1).fit(train, target_of(given))
    return predicted(model, test, is_classes=given.is_classes)


def by_realmlp(given: Task, split: int, _overrides: list[str]) -> np.ndarray:
    """Fit RealMLP with the defaults that its authors tuned."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    train, test, _ = coded(given)
    kind = RealMLP_TD_Classifier if given.is_classes else RealMLP_TD_Regressor
    model = kind(device="cpu", random_state=split, n_threads=1).fit(np.nan_to_num(train), target_of(given))
    return predicted(model, np.nan_to_num(test), is_classes=given.is_classes)


METHODS: dict[str, Callable[[Task, int, list[str]], np.ndarray]] = {
    "lrtune": by_lrtune,
    "lrtune_single": by_lrtune_single,
    "lrtune_best": by_lrtune_best,
    "hgb": by_hgb,
    "hgb_tuned": by_tuned_hgb,
    "linear": by_linear,
    "mlp": by_mlp,
    "xgboost": by_xgboost,
    "lightgbm": by_lightgbm,
    "realmlp": by_realmlp,
}
_MODULES = {"xgboost": "xgboost", "lightgbm": "lightgbm", "realmlp": "pytabkit"}


def _is_here(method: str) -> bool:
    from importlib.util import find_spec

    return method not in _MODULES or find_spec(_MODULES[method]) is not None


def _line(name: str, found: dict[str, list[Outcome]], *, accuracy: bool) -> str:
    cells = []
    for outcomes in found.values():
        losses, hits = ([getattr(each, key) for each in outcomes] for key in ("loss", "accuracy"))
        shown = f"{np.mean(losses):.4g}" + (f" ({np.mean(hits):.3f})" if accuracy else "")
        seconds, megabytes = (np.mean([getattr(each, key) for each in outcomes]) for key in ("seconds", "megabytes"))
        cells.append(f"{shown}, {seconds:.1f} s, {megabytes:.0f} MB")
    return f"| {name} | " + " | ".join(cells) + " |"


def summary(found: dict[str, dict[str, list[Outcome]]], kinds: dict[str, bool], methods: list[str]) -> None:
    """Write mean ranks and ratios; each split of each table counts once."""
    ranks: dict[str, list[float]] = {method: [] for method in methods}
    ratios: dict[str, dict[bool, list[float]]] = {method: {True: [], False: []} for method in methods}
    for name, outcomes in found.items():
        for split in range(len(outcomes[methods[0]])):
            losses = {method: outcomes[method][split].loss for method in methods}
            for method in methods:
                ranks[method].append(1 + sum(other < losses[method] for other in losses.values()))
                others = RIVALS if kinds[name] else ("hgb",)
                base = min((losses[each] for each in others if each in losses), default=math.nan)
                ratios[method][kinds[name]].append(math.log(max(losses[method], 1e-12) / max(base, 1e-12)))
    print("| mean rank | " + " | ".join(f"{np.mean(ranks[each]):.2f}" for each in methods) + " |")
    for is_classes, words in ((False, "RMSE beside hgb"), (True, "log loss beside the best of " + ", ".join(RIVALS))):
        means = [
            math.exp(np.mean(ratios[each][is_classes])) if ratios[each][is_classes] else math.nan for each in methods
        ]
        print(f"| {words} | " + " | ".join(f"{each:.3f}" for each in means) + " |")


if __name__ == "__main__":
    main()
