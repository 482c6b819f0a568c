"""The faults by hand still name lines that are there: a tool that nobody runs every day must not rot meanwhile."""

from collections import Counter

from faults import FAULTS, ROOT


def test_each_fault_names_a_piece_that_stands_once_in_its_file():
    wrong = [each.name for each in FAULTS if (ROOT / each.file).read_text(encoding="utf-8").count(each.old) != 1]
    assert wrong == []
    assert not [name for name, times in Counter((each.file, each.name) for each in FAULTS).items() if times > 1]


def test_the_tests_that_should_notice_a_fault_are_there():
    assert not [each.name for each in FAULTS for test in each.tests if not (ROOT / test).exists()]
