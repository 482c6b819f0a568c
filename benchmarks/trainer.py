"""How fast the population trainer is, beside others on the same grid: ``python benchmarks/trainer.py [--quick]``.

All contenders run in this process on one BLAS thread, in turns, so that a busy machine disturbs them alike. Times are
CPU seconds; a ratio is the median over the turns of the ratios within a turn. A lane-step is one mini-batch update of
one configuration on one fold. What is measured of lrtune is `evaluate`, the function that searches call: tabulated
rates, weights for padded rows, divergence checks and the scores on the validation rows are all in it.

PyTorch takes part if it is installed; to measure it without installing it beside lrtune::

    python -m venv torch-venv && torch-venv/bin/pip install torch numpy scikit-learn threadpoolctl
    PYTHONPATH=. torch-venv/bin/python benchmarks/trainer.py
"""

from __future__ import annotations

import argparse
import csv
import gc
import importlib.util
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from lrtune.training.batches import steps_per_epoch
from lrtune.training.evaluate import Fold, Problem, block_lanes, cost_seconds, evaluate
from lrtune.training.population import plan, start, train
from lrtune.training.registry import complete

DATASETS = Path(__file__).resolve().parents[1] / "datasets"
HIDDEN, BATCH = 64, 64
RATES = np.geomspace(1e-4, 1e-1, 32)
SPLITTER = StratifiedKFold(5, shuffle=True, random_state=0)
DIGITS, BREAST_CANCER = Problem("softmax", 10, 10), Problem("logistic", 1, 2)


class Data:
    """A table, standardised and in single precision for everybody, with its folds."""

    def __init__(self, name: str, problem: Problem) -> None:
        with (DATASETS / f"{name}.csv").open() as lines:
            cells = list(csv.reader(lines))[1:]
        features = np.array([[float(cell) for cell in row[:-1]] for row in cells])
        self.labels = np.unique([row[-1] for row in cells], return_inverse=True)[1]
        spread = features.std(axis=0)
        self.features = ((features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).astype(np.float32)
        self.problem = problem
        self.folds = [
            Fold(index, self.features[a], self.labels[a], np.ones(len(a)), self.features[b], self.labels[b])
            for index, (a, b) in enumerate(SPLITTER.split(features, self.labels))
        ]

    def lane_steps(self, configurations: int, epochs: int, batch: int = BATCH) -> int:
        """Count the updates of so many configurations on all folds."""
        return configurations * epochs * sum(steps_per_epoch(batch, len(fold.features)) for fold in self.folds)


Contender = Callable[[], object]


def turns(contenders: dict[str, Contender], repetitions: int) -> dict[str, list[float]]:
    """Run everybody in turns; CPU seconds of each run."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repetitions):
        for name, contender in contenders.items():
            gc.collect()
            began = time.process_time()
            contender()
            found[name].append(time.process_time() - began)
    return found


def ratio(slow: list[float], fast: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(slow, fast, strict=True))


def search(data: Data, configurations: list[dict], metric: str = "accuracy", lanes: int | None = None) -> Contender:
    """Evaluate one round, cut into blocks as searches do."""
    filled = [complete(each) for each in configurations]
    lanes = lanes or block_lanes(filled[0], data.folds, data.problem, "float32")
    size = max(1, lanes // len(data.folds))

    def run() -> None:
        for first in range(0, len(filled), size):
            part = filled[first : first + size]
            evaluate(part, data.folds, data.problem, metric, seed=0, dtype="float32")

    return run


def grid(estimator: object, parameter: str, data: Data, rates: np.ndarray = RATES) -> Contender:
    splits = list(SPLITTER.split(data.features, data.labels))

    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            GridSearchCV(estimator, {parameter: list(rates)}, cv=splits, refit=False).fit(data.features, data.labels)

    return run


def mlp(optimizer: str, epochs: int, **extra: object) -> list[dict]:
    shared = {"hidden": (HIDDEN,), "batch_size": BATCH, "epochs": epochs, "optimizer": optimizer, "decay": "constant"}
    return [shared | {"learning_rate": float(rate)} | extra for rate in RATES]


def report(line: str, value: float, target: str) -> None:
    print(f"  {line:<78} {value:7.2f}   {target}", flush=True)


def scikit_learn(data: Data, epochs: int, repetitions: int) -> None:
    print(f"digits, 64-64-10, batch 64, 32 rates x 5 folds x {epochs} epochs, against GridSearchCV(MLPClassifier)")
    for optimizer, solver in (("momentum", "sgd"), ("adam", "adam")):
        estimator = MLPClassifier(
            (HIDDEN,), solver=solver, batch_size=BATCH, max_iter=epochs, alpha=0.0, nesterovs_momentum=False,
            n_iter_no_change=10**9, random_state=0,
        )  # fmt: skip
        found = turns(
            {"ours": search(data, mlp(optimizer, epochs)), "theirs": grid(estimator, "learning_rate_init", data)},
            repetitions,
        )
        steps = data.lane_steps(32, epochs)
        each = {name: 1e6 * statistics.median(seconds) / steps for name, seconds in found.items()}
        text = f"{optimizer}: {each['ours']:.1f} us per lane-step against {each['theirs']:.0f} us; times faster"
        report(text, ratio(found["theirs"], found["ours"]), "(at least 6)")


def pytorch(data: Data, epochs: int, repetitions: int) -> None:
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: comparison skipped")
        return
    import torch

    torch.set_num_threads(1)
    rates = RATES[::16]

    def loop(optimizer: str) -> None:
        for rate in rates:
            for fold in data.folds:
                torch.manual_seed(0)
                features, labels = torch.from_numpy(fold.features), torch.from_numpy(fold.targets)
                model = torch.nn.Sequential(
                    torch.nn.Linear(features.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 10)
                )
                loss = torch.nn.CrossEntropyLoss()
                if optimizer == "adam":
                    rule = torch.optim.Adam(model.parameters(), lr=rate)
                else:
                    rule = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
                for _ in range(epochs):
                    for rows in torch.randperm(len(features)).split(BATCH):
                        rule.zero_grad()
                        loss(model(features[rows]), labels[rows]).backward()
                        rule.step()
                with torch.no_grad():
                    model(torch.from_numpy(fold.validation_features)).argmax(dim=1)

    print(f"the same against an eager loop in PyTorch {torch.__version__} ({len(rates)} of the rates)")
    for optimizer in ("momentum", "adam"):
        found = turns(
            {"ours": search(data, mlp(optimizer, epochs)), "theirs": lambda name=optimizer: loop(name)}, repetitions
        )
        share = len(rates) / len(RATES)
        each = 1e6 * statistics.median(found["theirs"]) / data.lane_steps(len(rates), epochs)
        report(f"{optimizer}: PyTorch {each:.0f} us per lane-step; times faster",
               ratio(found["theirs"], found["ours"]) / share, "(at least 12)")  # fmt: skip


def products(data: Data, steps: int) -> Contender:
    """Do the five stacked matrix products of so many lane-steps, and nothing else."""
    lanes = block_lanes(complete(mlp("momentum", 1)[0]), data.folds, data.problem, "float32")
    folds = len(data.folds)
    shape, rng = (lanes // folds, folds), np.random.default_rng(0)

    def numbers(*axes: int) -> np.ndarray:
        return rng.standard_normal(axes).astype(np.float32)

    x, first, last = numbers(1, folds, BATCH, 64), numbers(*shape, 64, HIDDEN), numbers(*shape, HIDDEN, 10)
    hidden, outputs = numbers(*shape, BATCH, HIDDEN), numbers(*shape, BATCH, 10)
    slopes, first_gradient, last_gradient = np.empty_like(hidden), np.empty_like(first), np.empty_like(last)

    def run() -> None:
        for _ in range(max(1, steps // (shape[0] * folds))):
            np.matmul(x, first, out=hidden)
            np.matmul(hidden, last, out=outputs)
            np.matmul(hidden.swapaxes(-1, -2), outputs, out=last_gradient)
            np.matmul(outputs, last.swapaxes(-1, -2), out=slopes)
            np.matmul(x.swapaxes(-1, -2), slopes, out=first_gradient)

    return run


def bare_products(data: Data, epochs: int, repetitions: int) -> None:
    print("the same against the five bare stacked np.matmul of its shapes")
    steps = data.lane_steps(32, epochs)
    contenders = {name: search(data, mlp(name, epochs)) for name in ("momentum", "adam")}
    found = turns({**contenders, "products": products(data, steps)}, repetitions)
    each = 1e6 * statistics.median(found["products"]) / steps
    for name, target in (("momentum", "(at least 40)"), ("adam", "(at least 33)")):
        report(f"{name}: products {each:.1f} us per lane-step; per cent of their speed",
               100.0 * ratio(found["products"], found[name]), target)  # fmt: skip


def linear(data: Data, epochs: int, repetitions: int) -> None:
    print(f"breast_cancer, linear, batch 64 (the default), 32 rates x 5 folds x {epochs} epochs")
    estimator = SGDClassifier(
        loss="log_loss", penalty=None, learning_rate="constant", max_iter=epochs, tol=None, random_state=0
    )
    for optimizer in ("sgd", "adam"):
        ours = [each | {"model": "linear"} for each in mlp(optimizer, epochs)]
        found = turns({"ours": search(data, ours), "theirs": grid(estimator, "eta0", data)}, repetitions)
        each = 1e6 * statistics.median(found["ours"]) / data.lane_steps(32, epochs)
        report(f'{optimizer}: {each:.2f} us per lane-step; times faster than SGDClassifier(loss="log_loss")',
               ratio(found["theirs"], found["ours"]), "(at least 8)")  # fmt: skip


def mixture(data: Data, epochs: int, repetitions: int) -> None:
    print("a round of four optimizers against rounds of one")
    names = ("sgd", "momentum", "rmsprop", "adam")
    rounds = {name: search(data, mlp(name, epochs)) for name in names}
    mixed = [mlp(names[place % 4], epochs)[place] for place in range(len(RATES))]
    found = turns({**rounds, "mixed": search(data, mixed)}, repetitions)
    mean = [statistics.mean(each) for each in zip(*(found[name] for name in names), strict=True)]
    report("mixed over the mean of the four", ratio(found["mixed"], mean), "(at most 1.3)")
    report("mixed over momentum alone", ratio(found["mixed"], found["momentum"]), "(at most 1.3)")


def company(data: Data, epochs: int, repetitions: int) -> None:
    print("blocks of 1 to 32 configurations x 5 folds: us per lane-step")
    for optimizer in ("momentum", "adam"):
        found = turns(
            {
                str(count): search(data, mlp(optimizer, epochs)[:count], lanes=5 * count)
                for count in (1, 2, 4, 8, 16, 32)
            },
            repetitions,
        )
        parts = [
            f"{name}: {1e6 * statistics.median(each) / data.lane_steps(int(name), epochs):.1f}"
            for name, each in found.items()
        ]
        print(f"  {optimizer:<10}", "  ".join(parts), flush=True)


def training(data: Data, configurations: list[dict], *, with_curves: bool) -> Contender:
    """Train one round, block by block, with and without learning curves; nothing is scored."""
    filled = [complete(each) for each in configurations]
    size = max(1, block_lanes(filled[0], data.folds, data.problem, "float32") // len(data.folds))

    def run() -> None:
        for first in range(0, len(filled), size):
            part = filled[first : first + size]
            batch = int(part[0]["batch_size"])
            shared = plan(
                part[0], data.folds, data.problem, batch_size=batch, seed=0, dtype="float32", with_curves=with_curves
            )
            train(start(part, shared), shared)

    return run


def learning_curves(digits: Data, breast_cancer: Data, repetitions: int) -> None:
    print("what learning curves add to the training, 32 rates x 5 folds x 30 epochs")
    cases = {
        "digits, 64, momentum": (digits, mlp("momentum", 30)),
        "digits, 64, adam": (digits, mlp("adam", 30)),
        "breast_cancer, 16, adam, batch 16": (breast_cancer, mlp("adam", 30, hidden=(16,), batch_size=16)),
        "breast_cancer, linear, sgd": (breast_cancer, [each | {"model": "linear"} for each in mlp("sgd", 30)]),
    }
    for name, (data, configurations) in cases.items():
        contenders = {
            "with": training(data, configurations, with_curves=True),
            "without": training(data, configurations, with_curves=False),
        }
        found = turns(contenders, 2 * repetitions)
        report(f"{name}: per cent more", 100.0 * (ratio(found["with"], found["without"]) - 1.0), "(at most 8)")


def estimates(digits: Data, breast_cancer: Data, repetitions: int) -> None:
    print("what `cost_seconds` says over what is measured")
    cases = {
        "digits, 64": (digits, mlp("adam", 3)),
        "digits, 16": (digits, mlp("adam", 3, hidden=(16,))),
        "digits, 256": (digits, mlp("adam", 5, hidden=(256,))[:6]),
        "digits, 64-64 tanh": (digits, mlp("momentum", 3, hidden=(64, 64), activation="tanh")),
        "digits, 64 gelu": (digits, mlp("adam", 3, activation="gelu")),
        "digits, 64 dropout": (digits, mlp("adam", 3, dropout=0.2)),
        "digits, batch 16": (digits, mlp("adam", 2, batch_size=16)),
        "digits, linear": (digits, mlp("adam", 10, model="linear")),
        "breast_cancer, linear": (breast_cancer, mlp("adam", 30, model="linear")),
        "breast_cancer, 64": (breast_cancer, mlp("adam", 10)),
    }
    for name, (data, configurations) in cases.items():
        (seconds,) = turns({name: search(data, configurations)}, repetitions).values()
        estimate = sum(cost_seconds(complete(each), data.folds, data.problem, "float32") for each in configurations)
        report(name, estimate / statistics.median(seconds), "(near 1)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer epochs and turns, for a first impression")
    quick = parser.parse_args().quick
    epochs, repetitions = (3, 2) if quick else (10, 5)
    digits, breast_cancer = Data("digits", DIGITS), Data("breast_cancer", BREAST_CANCER)
    with threadpool_limits(1):
        search(digits, mlp("adam", 1))()
        scikit_learn(digits, epochs, repetitions)
        pytorch(digits, epochs, repetitions)
        bare_products(digits, epochs, repetitions)
        linear(breast_cancer, 30, repetitions)
        mixture(digits, epochs, repetitions)
        company(digits, epochs, repetitions)
        learning_curves(digits, breast_cancer, repetitions)
        estimates(digits, breast_cancer, repetitions)


if __name__ == "__main__":
    main()
