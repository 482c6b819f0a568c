"""The generated documentation is up to date, and says what the tables say."""

from pathlib import Path

import pytest

from lrtune.reporting import reference
from lrtune.sampling.catalogue import STRATEGIES
from lrtune.training.registry import DECAYS, OPTIMIZERS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", reference.pages(ROOT), ids=lambda path: path.name)
def test_generated_files_are_up_to_date(path):
    assert path.read_text(encoding="utf-8") == reference.pages(ROOT)[path], "run `make docs`"


@pytest.mark.parametrize(("entries", "page"), [(DECAYS, "schedules.md"), (OPTIMIZERS, "optimizers.md")])
def test_every_entry_has_a_section_with_formula_source_and_factors(entries, page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for entry in entries.values():
        section = text.split(f"\n## {entry.name}\n")[1].split("\n## ")[0]
        assert entry.formula in section
        assert entry.source in section
        for factor in entry.factors:
            (row,) = [line for line in section.splitlines() if line.startswith(f"| `{factor.name}` |")]
            assert factor.meaning in row


@pytest.mark.parametrize("part", reference.PARTS, ids=lambda part: part.name)
def test_only_the_part_between_the_markers_is_replaced(part):
    text = f"before\n{part.begin}\nold\n{part.end}\nafter\n"
    assert part.put_into(text) == f"before\n{part.text()}\nafter\n"
    assert part.put_into("no markers") == "no markers"
    assert part.begin in (ROOT / part.file).read_text(encoding="utf-8")


def test_an_entry_that_is_added_is_documented(monkeypatch):
    monkeypatch.setitem(STRATEGIES, "toy", STRATEGIES["grid"]._replace(name="toy", summary="plays"))
    (text,) = (each.text() for each in reference.PARTS if each.name == "strategies")
    assert "| `toy` | plays | few, finite dimensions | 256 |" in text


def test_a_file_keeps_all_of_its_parts():
    found = reference.pages(ROOT)
    for part in reference.PARTS:
        for line in part.lines():
            assert line in found[ROOT / part.file].splitlines()
