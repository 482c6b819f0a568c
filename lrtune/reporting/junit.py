"""A search and its gates as a JUnit report: the XML that CI servers read as test results."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lrtune.text import formats
from lrtune.verdict.conditions import Gate, State


class JunitCase(NamedTuple):
    """One test case.

    Attributes
    ----------
    name
        What was tested.
    outcome
        Empty if it passed; ``failure`` if it did not; ``error`` if it could not be tested.
    sentence
        What came out.
    seconds
        How long it took.

    """

    name: str
    outcome: str
    sentence: str
    seconds: float = 0.0


def gate_cases(gates: Iterable[Gate]) -> list[JunitCase]:
    """Make a test case of every gate; one that could not be checked is an error."""
    outcomes = {State.PASSED: "", State.FAILED: "failure", State.UNKNOWN: "error"}
    return [JunitCase(each.called, outcomes[each.state], each.sentence) for each in gates]


def junit_text(name: str, cases: Sequence[JunitCase]) -> str:
    """Write the report.

    Parameters
    ----------
    name
        Of the experiment.
    cases
        The search itself, then the gates.

    """
    counts = {
        "tests": len(cases),
        "failures": sum(each.outcome == "failure" for each in cases),
        "errors": sum(each.outcome == "error" for each in cases),
        "skipped": 0,
        "time": _seconds(sum(each.seconds for each in cases)),
    }
    shown = {key: str(value) for key, value in counts.items()}
    whole = {key: value for key, value in shown.items() if key != "skipped"}  # which only a suite has
    suites = ET.Element("testsuites", {"name": "lrtune", **whole})
    suite = ET.SubElement(suites, "testsuite", {"name": formats.printable(name), **shown})
    for each in cases:
        _add(suite, f"lrtune.{formats.printable(name)}", each)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _add(suite: ET.Element, group: str, case: JunitCase) -> None:
    element = ET.SubElement(suite, "testcase", classname=group, name=case.name, time=_seconds(case.seconds))
    sentence = formats.printable(case.sentence)  # XML cannot hold control characters, however they are written
    if case.outcome:
        ET.SubElement(element, case.outcome, message=sentence, type=case.name).text = sentence
    else:
        ET.SubElement(element, "system-out").text = sentence


def _seconds(value: float) -> str:
    return f"{value:.3f}"
