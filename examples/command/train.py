"""A program that lrtune tunes: a linear model of classes, trained by stochastic gradient descent.

It is told everything by variables and files, so that it might as well be written in another language. It runs alone:

    python train.py
    lrtune search experiment.yaml
"""

import json
import os

import numpy as np


def task():
    """Read what lrtune tells; without it, rows and rates of our own."""
    if "LRTUNE_CONFIG" not in os.environ:
        rng = np.random.default_rng(0)
        features = rng.normal(size=(300, 5))
        labels = (features @ [2.0, -1.0, 0.0, 0.0, 1.0] > 0).astype(int)
        rows = {"train_X": features[:200], "train_y": labels[:200]}
        return rows | {"validation_X": features[200:], "validation_y": labels[200:]}, {"l2": 1e-3}, [0.1] * 200, 10, 0
    arrays = dict(np.load(os.environ["LRTUNE_ARRAYS"]))
    with open(os.environ["LRTUNE_CONFIG"]) as file:
        configuration = json.load(file)
    with open(os.environ["LRTUNE_RATES"]) as file:
        rates = [float(line) for line in file]
    return arrays, configuration, rates, int(os.environ["LRTUNE_EPOCHS"]), int(os.environ["LRTUNE_SEED"])


def tell(report):
    """Append a report, a JSON object on a line of its own."""
    if "LRTUNE_REPORT" in os.environ:
        with open(os.environ["LRTUNE_REPORT"], "a") as file:
            print(json.dumps(report), file=file)
    else:
        print(report)


def probabilities(features, weights):
    outputs = np.hstack([features, np.ones((len(features), 1))]) @ weights
    exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def main():
    arrays, configuration, rates, epochs, seed = task()
    features, validation = arrays["train_X"], arrays["validation_X"]
    classes, codes = np.unique(arrays["train_y"], return_inverse=True)
    truth = np.eye(len(classes))[codes]
    weights = np.zeros((features.shape[1] + 1, len(classes)))
    rng = np.random.default_rng(seed)
    steps = len(rates) // epochs  # of each epoch
    for epoch in range(epochs):
        order = rng.permutation(len(features))
        for step, rows in enumerate(np.array_split(order, steps)):
            slope = (probabilities(features[rows], weights) - truth[rows]) / len(rows)
            inputs = np.hstack([features[rows], np.ones((len(rows), 1))])
            weights -= rates[epoch * steps + step] * (inputs.T @ slope + configuration["l2"] * weights)
        found = probabilities(validation, weights)
        if len(found):
            chosen = found[np.arange(len(found)), np.searchsorted(classes, arrays["validation_y"])]
            tell({"epoch": epoch + 1, "loss": float(-np.log(np.maximum(chosen, 1e-12)).mean())})
    if "LRTUNE_PREDICTIONS" in os.environ:
        np.save(os.environ["LRTUNE_PREDICTIONS"] + ".npy", found)
        np.save(os.path.join(os.environ["LRTUNE_FOLDER"], "weights.npy"), weights)


if __name__ == "__main__":
    main()
