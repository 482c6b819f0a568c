"""Callbacks for libraries that run the loop: every update has its rate, and reports come while the library trains.

Each callback is tried with its library where that is installed (extra), and all of them with a stand-in that calls back
in the order of that library.
"""

import json
import sys
import types
from types import SimpleNamespace

import numpy as np
import pytest

from lrtune.handover.adapters import (
    keras_callback,
    lightgbm_callback,
    lightning_callback,
    transformers_callback,
    xgboost_callback,
)
from lrtune.handover.adapters.following import Following
from lrtune.handover.adapters.xgboost import named_by_set
from lrtune.trainers.foreign.run import FitRows, FitRun
from lrtune.training.registry import complete_schedule
from lrtune.training.schedules import tabulate

EPOCHS, ROWS, SIZE = 3, 20, 8
STEPS = 3  # of 20 rows, 8 at a time


def a_run(tmp_path, size=SIZE, **settings):
    said = {"learning_rate": 0.5, "decay": "linear", "epochs": EPOCHS, "batch_size": size, **settings}
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2 * ROWS, 4)).astype(np.float32)
    targets = features.sum(axis=1).astype(np.float32)
    parts = [FitRows(features[rows], targets[rows], np.arange(ROWS)) for rows in (slice(ROWS), slice(ROWS, None))]
    about = {"seed": 1, "stream_seed": 1, "index": 0, "folder": tmp_path, "task": "regression", "classes": ()}
    return FitRun(complete_schedule(said), *parts, **about, fold=1, trial=0)


def rates(run, steps=STEPS):
    return tabulate([run.configuration], [steps], EPOCHS)[:, 0, 0]


# --------------------------------------------------------------------------------------------------------- following


class Loop:
    """A library that calls back: before and after each epoch, and before each update."""

    def __init__(self, following, epochs=EPOCHS, steps=STEPS):
        self.following, self.epochs, self.steps, self.seen = following, epochs, steps, []
        self.is_over = False

    def fit(self):
        try:
            for epoch in range(self.epochs):
                self.following.begin_epoch(self.steps)
                self.seen += [self.following.begin_update() for _ in range(self.steps)]
                self.following.end_epoch()
                self.following.tell({"loss": float(epoch)})
        finally:
            self.is_over = True
        return "made"


def drained(generator):
    found = []
    while True:
        try:
            found.append(next(generator))
        except StopIteration as end:
            return found, end.value


def test_every_update_has_its_rate_and_reports_come_one_by_one(tmp_path):
    run = a_run(tmp_path)
    loop = Loop(Following(run))
    generator = loop.following.reports(loop.fit)
    assert next(generator) == {"loss": 0.0}
    assert len(loop.seen) == STEPS  # the library waits
    assert drained(generator) == ([{"loss": 1.0}, {"loss": 2.0}], "made")
    assert loop.seen == pytest.approx(rates(run))
    assert run.update == EPOCHS * STEPS


def test_without_reports_the_library_does_not_wait(tmp_path):
    run = a_run(tmp_path)
    loop = Loop(Following(run))
    assert loop.fit() == "made"
    assert loop.seen == pytest.approx(rates(run))


def test_who_wants_no_more_reports_ends_the_training(tmp_path):
    loop = Loop(Following(a_run(tmp_path)))
    generator = loop.following.reports(loop.fit)
    next(generator)
    generator.close()
    assert loop.is_over
    assert len(loop.seen) == STEPS


def test_what_the_library_raises_is_raised_by_the_generator(tmp_path):
    following = Following(a_run(tmp_path))

    def fit():
        following.tell({"loss": 1.0})
        raise ValueError("so it is")

    generator = following.reports(fit)
    assert next(generator) == {"loss": 1.0}
    with pytest.raises(ValueError, match="so it is"):
        next(generator)


def test_a_report_acts_before_the_next_update(tmp_path):
    run = a_run(tmp_path, decay="plateau", **{"decay.patience": 1, "decay.factor": 0.1, "decay.threshold": 0.0})
    loop = Loop(Following(run))
    for epoch, _ in enumerate(loop.following.reports(loop.fit), start=1):
        run.watch(1.0, epoch)  # never better than the first
    assert len(run.monitor.y) == 2
    assert run.scales[0] == 1.0
    assert loop.seen == pytest.approx(np.repeat(run.scales, STEPS) * 0.5)


def test_sets_of_rows_are_called_as_lrtune_does():
    found = [("train", "rmse", 1.0), ("validation", "rmse", 2.0), ("validation", "mae", 3.0), ("monitor", "rmse", 4.0)]
    wanted = {"train_loss": 1.0, "train_rmse": 1.0, "loss": 2.0, "rmse": 2.0, "mae": 3.0, "monitor": 4.0}
    assert named_by_set(found) == wanted


# -------------------------------------------------------------------------------------------------- with stand-ins


def module(monkeypatch, name, **contents):
    made = types.ModuleType(name)
    made.__dict__.update(contents)
    monkeypatch.setitem(sys.modules, name, made)
    return made


class Optimizer:
    """As PyTorch's: the second group has half the rate of the first."""

    def __init__(self):
        self.param_groups = [{"lr": 1.0}, {"lr": 0.5}]


def test_keras(tmp_path, monkeypatch):
    module(monkeypatch, "keras", callbacks=SimpleNamespace(Callback=type("Callback", (), {})))
    run, seen = a_run(tmp_path), []
    callback = keras_callback(run)
    callback.params, callback.model = {"steps": STEPS}, SimpleNamespace(optimizer=SimpleNamespace(learning_rate=None))

    def fit():
        for epoch in range(EPOCHS):
            callback.on_epoch_begin(epoch, logs=None)
            for step in range(STEPS):
                callback.on_train_batch_begin(step, logs=None)
                seen.append(callback.model.optimizer.learning_rate)
            callback.on_epoch_end(epoch, logs={"loss": 1.0, "val_loss": 2.0, "val_mae": np.float32(3)})

    found, _ = drained(callback.reports(fit))
    assert found == [{"train_loss": 1.0, "loss": 2.0, "mae": 3.0}] * EPOCHS
    assert seen == pytest.approx(rates(run))


def test_lightning_steps_once_for_several_batches(tmp_path, monkeypatch):
    library = module(monkeypatch, "lightning.pytorch", Callback=type("Callback", (), {}))
    module(monkeypatch, "lightning", pytorch=library)
    run, seen, optimizer = a_run(tmp_path), [], Optimizer()
    callback = lightning_callback(run)
    trainer = SimpleNamespace(num_training_batches=5, accumulate_grad_batches=2, optimizers=[optimizer])
    trainer.callback_metrics = {"val_loss": np.float64(2.0), "train_loss": 1.0}

    def fit():
        trainer.sanity_checking = True
        callback.on_validation_end(trainer, None)
        trainer.sanity_checking = False
        for _ in range(EPOCHS):
            callback.on_train_epoch_start(trainer, None)
            for number in range(5):
                callback.on_train_batch_start(trainer, None, None, number)
                if number % 2 == 1 or number == 4:
                    seen.append([group["lr"] for group in optimizer.param_groups])
            callback.on_validation_end(trainer, None)
            callback.on_train_epoch_end(trainer, None)

    found, _ = drained(callback.reports(fit))
    assert found == [{"loss": 2.0, "train_loss": 1.0}] * EPOCHS
    assert np.array(seen) == pytest.approx(rates(run)[:, None] * [1.0, 0.5])


def test_transformers(tmp_path, monkeypatch):
    module(monkeypatch, "transformers", TrainerCallback=type("TrainerCallback", (), {}))
    run, seen, optimizer = a_run(tmp_path), [], Optimizer()
    callback = transformers_callback(run)
    said = (SimpleNamespace(num_train_epochs=EPOCHS), SimpleNamespace(max_steps=EPOCHS * STEPS), None)

    def fit():
        for _ in range(EPOCHS):
            callback.on_epoch_begin(*said)
            for _ in range(STEPS):
                callback.on_step_begin(*said, optimizer=optimizer)
                seen.append(optimizer.param_groups[0]["lr"])
                optimizer.param_groups[0]["lr"] = 0.0  # the Trainer's own schedule
            callback.on_epoch_end(*said)
            callback.on_evaluate(*said, metrics={"eval_loss": 2.0, "eval_accuracy": 0.5, "epoch": 1.0, "note": "x"})

    found, _ = drained(callback.reports(fit))
    assert found == [{"loss": 2.0, "accuracy": 0.5}] * EPOCHS
    assert seen == pytest.approx(rates(run))


# ------------------------------------------------------------------------------------------- with the real libraries


@pytest.mark.extra
def test_xgboost_rounds_have_the_rates(tmp_path):
    xgboost = pytest.importorskip("xgboost")
    run = a_run(tmp_path, size=ROWS)
    rows, held_out = (xgboost.DMatrix(part.X, part.y) for part in (run.train, run.validation))
    callback, parameters = xgboost_callback(run), {"max_depth": 1, "base_score": 0.0, "lambda": 0.0}
    sets = {"num_boost_round": EPOCHS, "evals": [(held_out, "validation")], "verbose_eval": False}
    found, model = drained(callback.reports(lambda: xgboost.train(parameters, rows, callbacks=[callback], **sets)))
    first, *rest = (float(each) for each in rates(run, 1))
    peer = xgboost.callback.LearningRateScheduler([*rest, 0.0])  # what it says of a round holds from the next one on
    told = {}
    other = xgboost.train({**parameters, "learning_rate": first}, rows, callbacks=[peer], evals_result=told, **sets)
    assert np.array_equal(model.predict(held_out), other.predict(held_out))
    assert [each["loss"] for each in found] == told["validation"]["rmse"]


@pytest.mark.extra
def test_lightgbm_rounds_have_the_rates(tmp_path):
    lightgbm = pytest.importorskip("lightgbm")
    run = a_run(tmp_path, size=ROWS)
    parameters = {"min_data_in_leaf": 1, "min_data_in_bin": 1, "num_leaves": 3, "verbosity": -1, "metric": "l2"}

    def fit(callbacks):
        rows = lightgbm.Dataset(run.train.X, run.train.y)
        held_out = lightgbm.Dataset(run.validation.X, run.validation.y, reference=rows)
        sets = {"num_boost_round": EPOCHS, "valid_sets": [held_out], "valid_names": ["validation"]}
        return lightgbm.train(parameters, rows, callbacks=callbacks, **sets)

    callback, told = lightgbm_callback(run), {}
    found, model = drained(callback.reports(lambda: fit(callback.callbacks)))
    schedule = [float(each) for each in rates(run, 1)]
    other = fit([lightgbm.reset_parameter(learning_rate=schedule), lightgbm.record_evaluation(told)])
    assert np.array_equal(model.predict(run.validation.X), other.predict(run.validation.X))
    assert [each["loss"] for each in found] == told["validation"]["l2"]


@pytest.mark.extra
@pytest.mark.filterwarnings("default")
def test_keras_updates_have_the_rates(tmp_path):
    keras = pytest.importorskip("keras")
    run = a_run(tmp_path)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer="zeros", use_bias=False)])
    model.compile(optimizer=keras.optimizers.SGD(123.0), loss="mse")
    callback, sizes = keras_callback(run), {"batch_size": SIZE, "epochs": EPOCHS, "shuffle": False, "verbose": 0}
    held_out = (run.validation.X, run.validation.y)
    found, _ = drained(
        callback.reports(
            lambda: model.fit(run.train.X, run.train.y, validation_data=held_out, callbacks=[callback], **sizes)
        )
    )
    weights = descent(run)
    assert model.get_weights()[0][:, 0] == pytest.approx(weights, rel=1e-4)
    assert found[-1]["loss"] == pytest.approx(((held_out[0] @ weights - held_out[1]) ** 2).mean(), rel=1e-4)


def descent(run):
    """Gradient descent on the squared error in rows as they stand, with the rates."""
    weights, place = np.zeros(4), 0
    for _ in range(EPOCHS):
        for start in range(0, ROWS, SIZE):
            features, targets = run.train.X[start : start + SIZE], run.train.y[start : start + SIZE]
            weights -= rates(run)[place] * 2.0 * features.T @ (features @ weights - targets) / len(targets)
            place += 1
    return weights


@pytest.mark.extra
@pytest.mark.filterwarnings("default")
def test_lightning_updates_have_the_rates(tmp_path):
    torch, lightning = pytest.importorskip("torch"), pytest.importorskip("lightning.pytorch")
    run = a_run(tmp_path)

    class Line(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.line = torch.nn.Linear(4, 1, bias=False)
            torch.nn.init.zeros_(self.line.weight)

        def training_step(self, batch, _number):
            return ((self.line(batch[0])[:, 0] - batch[1]) ** 2).mean()

        def validation_step(self, batch, number):
            self.log("val_loss", self.training_step(batch, number))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=123.0)

    def rows(part, size):
        tensors = torch.utils.data.TensorDataset(torch.tensor(part.X), torch.tensor(part.y))
        return torch.utils.data.DataLoader(tensors, batch_size=size)

    module, callback = Line(), lightning_callback(run)
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = lightning.Trainer(
        max_epochs=EPOCHS, accelerator="cpu", callbacks=[callback], default_root_dir=tmp_path, **quiet
    )
    found, _ = drained(callback.reports(lambda: trainer.fit(module, rows(run.train, SIZE), rows(run.validation, ROWS))))
    assert module.line.weight.detach().numpy()[0] == pytest.approx(descent(run), rel=1e-4)
    assert len(found) == EPOCHS
    assert all(np.isfinite(each["loss"]) for each in found)


@pytest.mark.extra
@pytest.mark.filterwarnings("default")
def test_transformers_updates_have_the_rates(tmp_path):
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    run = a_run(tmp_path)

    class Line(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.line = torch.nn.Linear(4, 1, bias=False)
            torch.nn.init.zeros_(self.line.weight)

        def forward(self, features=None, labels=None):
            return {"loss": ((self.line(features)[:, 0] - labels) ** 2).mean()}

    class InOrder(transformers.Trainer):
        def _get_train_sampler(self, *_more):
            return torch.utils.data.SequentialSampler(self.train_dataset)

    def rows(part):
        return [{"features": x, "labels": y} for x, y in zip(part.X, part.y, strict=True)]

    model, callback = Line(), transformers_callback(run)
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path),
        num_train_epochs=EPOCHS,
        per_device_train_batch_size=SIZE,
        eval_strategy="epoch",
        save_strategy="no",
        optim="sgd",
        learning_rate=123.0,
        max_grad_norm=0.0,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = InOrder(
        model, arguments, train_dataset=rows(run.train), eval_dataset=rows(run.validation), callbacks=[callback]
    )
    found, _ = drained(callback.reports(trainer.train))
    assert model.line.weight.detach().numpy()[0] == pytest.approx(descent(run), rel=1e-4)
    assert len(found) == EPOCHS
    assert json.dumps(found)
