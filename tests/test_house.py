"""What CONTRIBUTING says of the house is so: its rooms, its places, its packages."""

import ast
import re
from pathlib import Path

import pytest

import lrtune

PACKAGE = Path(lrtune.__file__).parent
TEXT = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_picture_shows_the_rooms():
    picture = TEXT.split("```\nlrtune/\n")[1].split("```")[0]
    shown = re.findall(r"^  (\w+)(?:/|\.py) ", picture, re.MULTILINE)
    there = {path.stem for path in PACKAGE.iterdir() if not path.name.startswith("__") and path.name != "py.typed"}
    assert set(shown) == there


def test_every_place_that_is_named_is_there():
    table = TEXT.split("### Where is ...?")[1].split("\n\n", 2)[1]
    rows = [line.split("|")[2] for line in table.splitlines()[2:]]
    assert len(rows) >= 30
    for row in rows:
        first = None
        for place in re.findall(r"`([\w/]+(?:\.py)?)`", row):
            path = PACKAGE / place
            if not path.exists() and first is not None:  # a second file of the same folder
                path = first.parent / place
            assert path.exists(), place
            first = first or path


@pytest.mark.parametrize("package", sorted(PACKAGE.rglob("__init__.py")), ids=lambda path: path.parent.name)
def test_the_docstring_of_a_package_lists_its_modules(package):
    inside = {path.stem for path in package.parent.glob("*.py") if not path.name.startswith("__")}
    inside |= {path.parent.name for path in package.parent.glob("*/__init__.py")}
    said = ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or ""
    listed = set(re.findall(r"^    (\w+) +\S", said.rpartition("::\n")[2], re.MULTILINE))
    assert inside - listed == set()
    assert listed - inside == set()


def test_no_two_public_classes_have_one_name():
    where = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where.setdefault(node.name, []).append(path.relative_to(PACKAGE).as_posix())
    assert {name: files for name, files in where.items() if len(files) > 1} == {}
