"""A convolutional network on images of digits: an ordinary PyTorch loop, in which lrtune sets the rate.

Lines that end with "# lrtune" are those that a loop without it does not have, or has otherwise. The file knows nothing
of lrtune and runs alone:

    python digits_cnn.py
    lrtune search digits_cnn.yaml
    lrtune finder digits_cnn.yaml
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy


def load():
    """Give the images, 8 x 8 pixels of 0 to 1, and what they show."""
    digits = load_digits()
    return {"X": (digits.images[:, None] / 16).astype(np.float32), "y": digits.target}


def network(width):
    return nn.Sequential(
        *(nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(8 * width, 10)),
    )


def optimizer_of(name, model):
    if name == "adam":
        return torch.optim.Adam(model.parameters())
    return torch.optim.SGD(model.parameters(), momentum=0.9, nesterov=True)


def train(run):  # lrtune
    images, labels = torch.tensor(run.train.X), torch.tensor(run.train.y)  # lrtune
    held_out, truth = torch.tensor(run.validation.X), torch.tensor(run.validation.y)  # lrtune
    model = network(run["width"])  # lrtune
    optimizer = optimizer_of(run["optimizer"], model)  # lrtune
    for _ in range(run.epochs):  # lrtune
        model.train()
        for rows in run.batches():  # lrtune
            run.set_rate(optimizer)  # lrtune
            loss = cross_entropy(model(images[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            outputs = model(held_out)
            yield {"loss": cross_entropy(outputs, truth).item()}  # lrtune
    torch.save(model.state_dict(), run.folder / "model.pt")  # lrtune
    return outputs.softmax(1)  # lrtune


def predict(run, images):
    """Give the probabilities of the digits; for whoever loads the model (`lrtune predict` reads tables, not images)."""
    model = network(run["width"])
    model.load_state_dict(torch.load(run.folder / "model.pt"))
    with torch.no_grad():
        return model.eval()(torch.tensor(images)).softmax(1)


class Alone(dict):
    """What lrtune gives to `train`, as far as it is used here, for a training without lrtune."""

    epochs = 10

    def __init__(self, rate, **values):
        super().__init__(values)
        from pathlib import Path
        from types import SimpleNamespace

        images, labels = load().values()
        order = np.random.default_rng(0).permutation(len(labels))
        parts = (SimpleNamespace(X=images[rows], y=labels[rows]) for rows in (order[360:], order[:360]))
        self.train, self.validation = parts
        self.rate, self.folder = rate, Path()

    def batches(self):
        return np.array_split(np.random.permutation(len(self.train.y)), 23)

    def set_rate(self, optimizer):
        for group in optimizer.param_groups:
            group["lr"] = self.rate


if __name__ == "__main__":
    torch.manual_seed(0)
    for report in train(Alone(0.003, optimizer="adam", width=16)):
        print(report)
