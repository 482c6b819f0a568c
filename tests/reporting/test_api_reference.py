"""The page about Python names everything that can be called, and every parameter of it."""

import inspect
import re

import pytest

import lrtune
from lrtune.reporting.api_reference import api_page

PAGE = api_page()


@pytest.mark.parametrize("name", lrtune.__all__)
def test_every_public_name_has_a_section_that_says_what_its_parameters_are(name):
    section = PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert len(section.split()) > 5
    member = getattr(lrtune, name)
    described = set(re.findall(r"\w+", " ".join(re.findall(r"^- `(.+)`:$", section, re.MULTILINE))))
    inherits = {"Regressor": "Classifier", "search_steps": "search"}  # whose docstrings say so
    if name not in inherits:
        assert set(inspect.signature(member).parameters) - described - {"self"} <= {"parameters"}, name


def test_sections_lists_and_examples_are_markdown():
    assert "```pycon\n>>>" in PAGE
    assert "``" not in PAGE.replace("```", "")
    assert not re.search(r"^-{4,}$", PAGE, re.MULTILINE)
