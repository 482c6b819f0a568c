"""What the files of a run's folder are called: spelled here and nowhere else."""

DATABASE = "study.db"
"""The journal; SQLite keeps its log and its index beside it."""

LOCK = ".lrtune.lock"
OBSERVED = "observed.npz"
PREDICTIONS, PROBABILITIES = "out_of_fold.bin", "class_probabilities.bin"

EXPERIMENT, BEST = "experiment.yaml", "best.yaml"
TRIALS, RESULT = "trials.csv", "result.json"
"""The result is written last: a run that has it is finished."""

REPORT = "report.html"
"""What was found, for people: beside the result, and nothing reads it."""

MODEL, NESTED, FITS, AT_WORK, EXCHANGE = "model", "nested", "fits", "at_work", "exchange"
"""Folders: the last ones have what each fit of somebody else's code leaves, how far blocks are that train, and what
workers on other machines take and give."""

DESCRIPTION, WEIGHTS, SAVED = "model.json", "model.npz", "files"
"""In the folder of a model: what it is, its numbers, and what a program that trains has saved."""

BASELINE_SCORES = "baseline.json"
"""Scores of a baseline's configuration on the run's folds, where it had to be trained again."""

ROW_SCORES = "row_scores.npz"
NIGHTS = "history.jsonl"
"""What single rows added to the score of what is delivered, for the next night to compare itself with."""

TAKEN = "taken_over.json"
"""What the run takes over from others: champions that are tried first."""

RETRAINED = "retrained.json"
"""In a folder that is not the search's own: what a retrained trial is."""

RATES, RATE_TABLE, RATE_FIGURE = "finder.json", "finder.csv", "finder.svg"
FINDER = (RATES, RATE_TABLE, RATE_FIGURE)
"""What a search of rates leaves."""

_BESIDE = tuple(f"{DATABASE}-{each}" for each in ("wal", "shm", "journal"))

SCALING = (SCALING_NUMBERS, SCALING_FIGURE) = ("scaling.json", "scaling.svg")
"""What a search for the way of rates with a size leaves."""

FOLLOWED = (
    DATABASE,
    *_BESIDE,
    LOCK,
    PREDICTIONS,
    PROBABILITIES,
    MODEL,
    NESTED,
    FITS,
    AT_WORK,
    EXCHANGE,
)
"""What is written in place; everything else is put there as a whole, instead of a link that may be there."""

OWN = (*FOLLOWED, OBSERVED, TAKEN, ROW_SCORES, NIGHTS, EXPERIMENT, BEST, TRIALS, RESULT, REPORT, *FINDER, *SCALING)
"""What a run's folder is made of."""
