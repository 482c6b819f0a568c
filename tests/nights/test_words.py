"""What is said of a night, and of a folder of nights."""

from types import SimpleNamespace

import pytest

from lrtune.reporting.night_words import night_words
from lrtune.reporting.nightly import spark_lines, state_words


@pytest.mark.parametrize(
    ("mean", "said"),
    [
        (0.0, "as good as on the night before"),
        (1e-6, "less than 0.0001 better than on the night before"),
        (-0.01, "0.0100 worse than on the night before"),
    ],
)
def test_a_drift_of_nothing_is_no_loss(mean, said):
    drift = SimpleNamespace(mean=mean, low=mean - 0.02, high=mean + 0.02)
    night = SimpleNamespace(
        outcome="same", standing=SimpleNamespace(score=0.97), drift=drift, chart=None, gain=0.0, since=None
    )
    assert night_words(SimpleNamespace(nightly=night)).startswith(f"The champion is {said} (")


def test_after_a_rollback_the_night_is_named_that_the_champion_came_from():
    drift = SimpleNamespace(mean=0.01, low=-0.01, high=0.03)
    night = SimpleNamespace(
        outcome="same", standing=SimpleNamespace(score=0.97), drift=drift, chart=None, gain=0.0, since=2
    )
    assert night_words(SimpleNamespace(nightly=night)).startswith("The champion is 0.0100 better than in night 2 (")


def test_why_a_champion_cannot_be_tried_is_said_once():
    why = "this search's space does not have it: decay constant"
    night = SimpleNamespace(
        outcome="refused",
        standing=None,
        drift=None,
        no_drift=why,
        gain=None,
        no_gain=why,
        chart=None,
        promoted=True,
        repeats=False,
    )
    assert night_words(SimpleNamespace(nightly=night, mean=0.9)).count(why) == 1


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("same", "The champion is tonight's best itself, and stays."),
        ("kept", "Tonight's best gains +0.0100 on the champion, corrected"),
    ],
)
def test_where_a_search_went_on_with_the_same_table_there_is_no_drift_and_the_champion_is_named(outcome, said):
    """Before, "it" was the table; and the chart's verdict of the night before stood beside "not known"."""
    night = SimpleNamespace(
        outcome=outcome,
        standing=SimpleNamespace(score=0.97),
        drift=None,
        no_drift="the table is that of night 2",
        gain=SimpleNamespace(mean=0.01, low=-0.02, high=0.04),
        chart=SimpleNamespace(is_out=True),
        promoted=False,
        repeats=True,
    )
    found = night_words(SimpleNamespace(nightly=night))
    assert found.startswith(f"There is no drift: the table is that of night 2. {said}")
    assert "chance" not in found


def test_the_first_champion_is_called_so():
    night = SimpleNamespace(outcome="first", standing=None)
    assert night_words(SimpleNamespace(nightly=night, mean=0.9)).endswith("so this one is the first.")


@pytest.mark.parametrize(("metric", "said"), [("accuracy", "its accuracy is 0.9000"), ("log_loss", "its log loss is")])
def test_the_score_of_the_champion_needs_no_article(metric, said):
    last = SimpleNamespace(delivered=0.9, is_out=False, metric=metric, elected=1)
    assert said in state_words(SimpleNamespace(last=last))


@pytest.mark.parametrize("count", [1, 30, 300])
def test_the_line_of_nights_fits_a_terminal_of_60_columns(count):
    nights = [SimpleNamespace(is_out=False, promoted=at == count - 1, level=0.1 * at) for at in range(count)]
    lines = spark_lines(SimpleNamespace(nights=nights))
    assert max(map(len, lines)) <= 58
    assert len(lines[0]) == min(count, 56)
    assert lines[1].index("^") == len(lines[0]) - 1
