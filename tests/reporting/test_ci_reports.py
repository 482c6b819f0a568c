import xml.etree.ElementTree as ET

import pytest

from lrtune.reporting.annotations import annotation, gate_annotations
from lrtune.reporting.blocks import Facts, Grid, Headline, Lines, Remarks
from lrtune.reporting.junit import JunitCase, gate_cases, junit_text
from lrtune.reporting.summary import escaped, markdown
from lrtune.verdict.gates import Gate, State

NASTY = "<b>&\"'\x1b[31m\x00\ufffe\ud800 ]]>"
GATES = [
    Gate("fail-under", State.PASSED, "mean accuracy 0.97 is not under 0.95", {}),
    Gate("baseline", State.FAILED, "worse by 5 % on 3 folds", {}),
    Gate("baseline", State.UNKNOWN, NASTY, {}),
]


def test_a_report_counts_its_cases_and_says_what_failed():
    text = junit_text("wine", [JunitCase("search", "", "accuracy 0.97", 1.5), *gate_cases(GATES)])
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ')
    suites = ET.fromstring(text)
    (suite,) = suites
    for element in (suites, suite):
        assert [element.get(key) for key in ("tests", "failures", "errors", "time")] == ["4", "1", "1", "1.500"]
    assert suite.get("name") == "wine"
    assert {each.get("classname") for each in suite} == {"lrtune.wine"}
    assert [each.get("name") for each in suite] == ["search", "fail-under", "baseline", "baseline"]
    assert [[inner.tag for inner in each] for each in suite] == [["system-out"]] * 2 + [["failure"], ["error"]]
    assert suite[2][0].get("message") == suite[2][0].text == "worse by 5 % on 3 folds"


def test_whatever_a_sentence_contains_the_report_can_be_read():
    text = junit_text(NASTY, [JunitCase("search", outcome, NASTY) for outcome in ("", "failure", "error")])
    suite = ET.fromstring(text.encode())[0]
    shown = "<b>&\"'\\x1b[31m\\x00\\ufffe\\ud800 ]]>"
    assert suite.get("name") == shown
    assert [each[0].text for each in suite] == [shown] * 3
    assert suite[1][0].get("message") == shown


def test_annotations_cannot_be_broken_out_of():
    assert gate_annotations("a:b,c", GATES[:2]) == [
        "::notice title=lrtune%3A a%3Ab%2Cc%3A fail-under::mean accuracy 0.97 is not under 0.95",
        "::error title=lrtune%3A a%3Ab%2Cc%3A baseline::worse by 5 %25 on 3 folds",
    ]
    line = annotation("error", "one\ntwo", "first\r\n::error::second\x1b[0m")
    assert line == "::error title=one%0Atwo::first%0A::error::second\\x1b[0m"
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 3.2e-3 ± 1", "plain 3.2e-3 ± 1"),
        ("a|b", r"a\|b"),
        ("<img src=x>", r"\<img src=x\>"),
        ("*_`[x](y)", r"\*\_\`\[x\](y)"),
        ("&lt; \\ #1 $x$ ~", r"\&lt; \\ \#1 \$x\$ \~"),
        ("two\nlines", "two lines"),
        ("\x1b[0m", r"\\x1b\[0m"),
    ],
)
def test_texts_stay_texts_in_markdown(text, shown):
    assert escaped(text) == shown


def test_every_block_of_a_page_has_its_markdown():
    page = [
        Headline("accuracy 0.97"),
        Facts("", [("rate", "3e-2")]),
        Facts("gates", [("baseline", "passed: equal")]),
        Grid("trials", ("trial", "score", "differs"), [("0", "0.9", "a|b")], left=(1,)),
        Remarks("notes", ["one", "two"]),
        Lines("next", ["lrtune show x_y"]),
    ]
    assert markdown("wine_1", page) == (
        "## lrtune: wine\\_1\n\n**accuracy 0.97**\n\n"
        "|  |  |\n|---|---|\n| rate | 3e-2 |\n\n"
        "### gates\n\n|  |  |\n|---|---|\n| baseline | passed: equal |\n\n"
        "### trials\n\n| trial | score | differs |\n|---:|---|---|\n| 0 | 0.9 | a\\|b |\n\n"
        "### notes\n\n- one\n- two\n\n"
        "### next\n\n```\nlrtune show x_y\n```\n"
    )
