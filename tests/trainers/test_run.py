"""What a function is given: rows, values, batches, and the rate of every update."""

from types import SimpleNamespace

import numpy as np
import pytest

import lrtune
from lrtune.trainers.foreign.run import FitRows, FitRun, TrainingError
from lrtune.training.registry import complete_schedule

ROWS = 20


def made(tmp_path, **settings):
    configuration = {"learning_rate": 0.4, "decay": "linear", "epochs": 3, "batch_size": 8, "width": 5, **settings}
    X = np.arange(2.0 * ROWS).reshape(ROWS, 2)
    train = FitRows(X, np.arange(ROWS), 100 + np.arange(ROWS))
    return FitRun(
        complete_schedule(configuration) if "learning_rate" in configuration else configuration,
        train,
        FitRows(X[:4], np.arange(4), np.arange(4)),
        seed=7,
        stream_seed=0,
        index=1,
        folder=tmp_path,
        task="regression",
        classes=(),
        fold=2,
        trial=3,
    )


def test_batches_walk_through_every_row_once_in_another_order_each_epoch(tmp_path):
    run = made(tmp_path)
    epochs = [list(run.batches()) for _ in range(3)]
    assert [[len(rows) for rows in epoch] for epoch in epochs] == [[8, 8, 4]] * 3
    orders = [np.concatenate(epoch).tolist() for epoch in epochs]
    assert all(sorted(order) == list(range(ROWS)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    assert run.update == 9
    assert [np.concatenate(list(made(tmp_path).batches())).tolist()] == orders[:1]


def test_the_rate_of_an_update_moves_with_the_batches_alone(tmp_path):
    run = made(tmp_path)
    expected = lrtune.Schedule("linear", learning_rate=0.4, epochs=3, steps_per_epoch=3).rates.tolist()
    seen = []
    for _ in range(run.epochs):
        for _rows in run.batches():
            assert run.rate == run.rate
            seen.append(run.rate)
    assert seen == expected


def test_a_loader_of_ones_own_sets_how_many_updates_an_epoch_has(tmp_path):
    run, loader = made(tmp_path), ["a", "b"]
    seen = [(batch, run.rate) for _ in range(run.epochs) for batch in run.updates(loader)]
    expected = lrtune.Schedule("linear", learning_rate=0.4, epochs=3, steps_per_epoch=2).rates.tolist()
    assert seen == list(zip(["a", "b"] * 3, expected, strict=True))


def test_groups_of_pytorch_keep_the_ratio_of_their_rates(tmp_path):
    run = made(tmp_path)
    optimizer = SimpleNamespace(param_groups=[{"lr": 0.1}, {"lr": 0.01}])
    rates = []
    for _rows in run.batches():
        assert run.set_rate(optimizer) == run.rate
        rates.append([group["lr"] for group in optimizer.param_groups])
    assert np.allclose(rates, [[each, each / 10] for each in (0.4, 0.4 * 8 / 9, 0.4 * 7 / 9)])


def test_an_optimizer_of_keras_is_assigned_the_rate(tmp_path):
    run, optimizer = made(tmp_path), SimpleNamespace(learning_rate=1.0)
    run.set_rate(optimizer)
    assert optimizer.learning_rate == 0.4


def test_a_decay_that_watches_gets_a_tenth_of_the_rows_which_train_nothing(tmp_path):
    run = made(tmp_path, decay="plateau")
    assert (len(run.train.y), len(run.monitor.y)) == (18, 2)
    assert sorted([*run.train.y, *run.monitor.y]) == list(range(ROWS))
    assert (run.monitor.indices - 100).tolist() == run.monitor.y.tolist()
    assert not len(made(tmp_path).monitor.y)


def test_parameters_are_read_by_name(tmp_path):
    run = made(tmp_path)
    assert (run["width"], run.get("depth", 2), "width" in run, "depth" in run) == (5, 2, True, False)
    with pytest.raises(TrainingError, match=r"run\['depth'\]: there is no such parameter; did you mean 'width'\?"):
        run["depth"]


@pytest.mark.parametrize(
    ("misuse", "expected"),
    [
        (lambda run: list(run.updates(iter([1, 2]))), "has no length"),
        (lambda run: list(run.updates([])), "the loader is empty"),
        (lambda run: list(run.batches(0)), "expected at least 1 row, got 0"),
        (lambda run: run.set_rate(object()), "object is no optimizer of PyTorch or Keras"),
        (lambda run: [list(run.updates([1, 2])), list(run.updates([1, 2, 3]))], "had 2 updates and has 3 now"),
    ],
)
def test_misuse_is_said_in_a_sentence(misuse, expected, tmp_path):
    with pytest.raises(TrainingError, match=expected):
        misuse(made(tmp_path))


def test_without_a_rate_in_the_experiment_there_is_none(tmp_path):
    run = made(tmp_path)
    run = FitRun(
        {"width": 5},
        run.train,
        run.validation,
        seed=0,
        stream_seed=0,
        index=0,
        folder=tmp_path,
        task="",
        classes=(),
        fold=1,
        trial=0,
    )
    with pytest.raises(TrainingError, match=r"run\.rate: the experiment has no rate; search learning_rate"):
        _ = run.rate
    with pytest.raises(TrainingError, match=r"run\.epochs: the experiment says none; set training.epochs"):
        _ = run.epochs
    assert [len(rows) for rows in run.batches(15)] == [15, 5]
