"""The generated documentation is up to date, and says what the tables say."""

from pathlib import Path

import pytest

from lrtune.reporting import reference
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


def test_only_the_part_between_the_markers_is_replaced():
    text = f"before\n{reference.BEGIN}\nold\n{reference.END}\nafter\n"
    assert reference.with_part(text) == f"before\n{reference.readme_part()}\nafter\n"
    assert reference.with_part("no markers") == "no markers"
