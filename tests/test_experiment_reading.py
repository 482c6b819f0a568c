"""YAML as people write it: numbers, booleans, lines, and a sentence for everything that goes wrong."""

import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lrtune.experiment.reading.yaml_text import read_file, read_text
from lrtune.experiment.writing.yaml_text import yaml_text
from lrtune.text.errors import ExperimentError


def value(text):
    return read_text(f"key: {text}", "x.yaml").values["key"]


def problems(text):
    with pytest.raises(ExperimentError) as caught:
        read_text(text, "x.yaml").raise_problems()
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-4", 1e-4),
        ("1E5", 1e5),
        (".5", 0.5),
        ("5.", 5.0),
        ("+1.5e+3", 1500.0),
        ("-.inf", -math.inf),
        ("12", 12),
        ("-3", -3),
        ("0x1F", 31),
        ("0o17", 15),
        ("007", 7),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("Y", "Y"),
        ("2020-01-31", "2020-01-31"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("1e", "1e"),
        ("e5", "e5"),
        (".", "."),
        ("-", "-"),
        ("'1e-4'", "1e-4"),
        ('"true"', "true"),
        ("[1, 2.5, a]", [1, 2.5, "a"]),
        ("{low: 1e-3, high: 1}", {"low": 1e-3, "high": 1}),
        ("<<", "<<"),
        ("=", "="),
    ],
)
def test_scalars_are_read_as_yaml_1_2_does(text, expected):
    if text == "-":  # a list with one empty item
        expected = [None]
        assert read_text("key:\n  -\n", "x.yaml").values["key"] == expected
        return
    read = value(text)
    assert read == expected
    assert type(read) is type(expected)


def test_not_a_number_is_read():
    assert math.isnan(value(".nan"))


def test_lines_of_keys_and_items():
    document = read_text("a: 1\nb:\n  c:\n    - 1\n    - {d: 2,\n       e: 3}\n", "x.yaml")
    lines = {path: origin.line for path, origin in document.origins.items()}
    assert lines[("a",)] == 1
    assert lines[("b", "c")] == 3
    assert lines[("b", "c", 0)] == 4
    assert lines[("b", "c", 1, "d")] == 5
    assert lines[("b", "c", 1, "e")] == 6
    assert document.origin(("b", "c", 1, "nothing", "here")).line == 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3: a: duplicate key; it is given in line 1 already"),
        ("a:\n  b: {c: 1, c: 2}\n", "x.yaml:2: a.b.c: duplicate key; it is given in line 2 already"),
        ("a: 1\n5: 2\n", "x.yaml:2: top level: a key must be text, got '5'"),
        ("a:\n  [b]: 2\n", "x.yaml:2: a: a key must be text, got a collection"),
        ("a:\n\tb: 1\n", "x.yaml:2: not valid YAML: a tab is used for indentation; YAML wants spaces"),
        ("a: [1, 2\nb: 3\n", "x.yaml:2: not valid YAML: expected ',' or ']', but got ':'"),
        ("a: 'b\n", "x.yaml:2: not valid YAML: found unexpected end of stream"),
        ("a: b: c\n", "x.yaml:1: not valid YAML: mapping values are not allowed here"),
        ("a: &x [1]\nb: *x\n", "x.yaml:2: aliases (*name) are not supported; write the value out"),
        ("a: *x\n", "x.yaml:1: aliases (*name) are not supported; write the value out"),
        ("a: 1\n---\nb: 1\n", "x.yaml:2: has more than one document (---); an experiment is a single one"),
        (
            "a: !!python/object:os.system 1\n",
            "x.yaml:1: a: the tag !!python/object:os.system is not supported; write the plain value",
        ),
        ("a: !mine [1]\n", "x.yaml:1: a: the tag !mine is not supported; write the plain value"),
        ("a: !!int ten\n", "x.yaml:1: a: 'ten' is not a legal int"),
        ("- a\n- b\n", "x.yaml:1: must be a mapping with keys such as 'data', 'search' and 'space'"),
        ("just text\n", "x.yaml:1: must be a mapping with keys such as 'data', 'search' and 'space'"),
        ("", "x.yaml: is empty; an experiment needs at least data.path and data.target"),
        ("# a comment\n", "x.yaml: is empty; an experiment needs at least data.path and data.target"),
        ("a: \x07\n", "x.yaml:1: has a character that no text has (U+0007)"),
        ("a: " + "[" * 40 + "]" * 40, "x.yaml:1: nested deeper than 30 levels"),
        ("a: " + "[" * 20_000, "x.yaml:1: nested deeper than 30 levels"),
    ],
)
def test_what_is_no_experiment_is_a_sentence_with_its_line(text, expected):
    assert problems(text) == [expected]


def test_a_number_that_no_float_can_hold_is_refused():
    assert problems("a: " + "9" * 5000)[0].startswith("x.yaml:1: a: ")


def test_an_alias_bomb_does_nothing():
    bomb = "a: &a [x, x]\n" + "\n".join(f"b{n}: &b{n} [*{'a' if n == 0 else f'b{n - 1}'}, *a]" for n in range(50))
    assert problems(bomb) == ["x.yaml:2: aliases (*name) are not supported; write the value out"]


class TestFiles:
    def problem(self, path):
        with pytest.raises(ExperimentError) as caught:
            read_file(path)
        assert len(caught.value.problems) == 1
        return caught.value.problems[0]

    def test_a_byte_order_mark_and_windows_lines_do_not_matter(self, tmp_path):
        path = tmp_path / "a.yaml"
        path.write_bytes("\ufeffa: ü\r\nb: 2\r\n".encode())
        assert read_file(path).values == {"a": "ü", "b": 2}

    def test_a_missing_file_names_its_neighbour(self, tmp_path):
        (tmp_path / "digits.yaml").write_text("a: 1")
        assert (
            self.problem(tmp_path / "digit.yaml") == f"{tmp_path}/digit.yaml: no such file; did you mean 'digits.yaml'?"
        )
        assert self.problem(tmp_path / "no" / "x.yaml") == f"{tmp_path}/no/x.yaml: no such file"

    def test_a_folder(self, tmp_path):
        assert "is a folder" in self.problem(tmp_path)

    def test_a_table(self, tmp_path):
        path = tmp_path / "iris.csv"
        path.write_text("a,b\n1,2\n")
        assert self.problem(path) == f"{path}: is a table, not an experiment; use --data {path} --target COLUMN"

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"\x80\x81\xff", "is not a text file in UTF-8"),
            (b"a: \0\n", "is a binary file"),
            (b"a: 1\n" * 300_000, "is too long for an experiment (1,500,000 bytes)"),
        ],
    )
    def test_no_text(self, tmp_path, content, expected):
        path = tmp_path / "x.yaml"
        path.write_bytes(content)
        assert expected in self.problem(path)

    def test_a_name_that_no_file_can_have(self, tmp_path):
        assert "cannot be read" in self.problem(tmp_path / ("x" * 5000))
        assert "cannot be read" in self.problem(tmp_path / "a\0b")


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufeff\ufffe\uffff"))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.sampled_from(
        ["yes", "no", "1e-4", "1E5", ".5", "0x10", "0o7", "null", "~", "", "true", "2020-01-01", "<<", "a: b", "#"]
    ),
)
plain_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(texts, plain_values, min_size=1, max_size=4))
def test_reading_what_was_written_gives_the_same_values(values):
    read = read_text(yaml_text(values), "x.yaml")
    assert read.problems == []
    assert read.values == values
    assert repr(read.values) == repr(values)


def test_written_texts_mean_the_same_to_readers_of_yaml_1_1():
    values = {"data": {"positive": "yes", "a": "1e-4", "b": "on", "c": "2020-01-01", "rate": 1e-5}}
    assert yaml.safe_load(yaml_text(values)) == values


def test_sections_are_blocks_and_ranges_lines():
    text = yaml_text(
        {"search": {"folds": 5}, "space": {"decay": ["linear", {"step": {"every": [5, 10]}}], "x": {"low": 1}}}
    )
    assert text == (
        "search:\n  folds: 5\nspace:\n  decay:\n    - linear\n    - step: {every: [5, 10]}\n  x: {low: 1}\n"
    )


@pytest.mark.parametrize("text", ['a: "\\U0011FFFF"', 'a: "\\UFFFFFFFF"'])
def test_a_code_that_no_character_has_is_a_sentence(text):
    (problem,) = problems(text)
    assert problem.startswith("x.yaml: not valid YAML: ")


def test_long_values_are_cut_in_sentences():
    (problem,) = problems(f"{'k' * 900}: 1\n{'k' * 900}: 2")
    assert len(problem) < 500
    assert "...(" in problem


def test_long_lists_are_cut_in_sentences():
    document = read_text(f"a: [{','.join(map(str, range(5000)))}]", "x.yaml")
    document.put(("a", "b"), 1, document.root)
    with pytest.raises(ExperimentError) as caught:
        document.raise_problems()
    assert "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...] and has no keys" in caught.value.problems[0]
