"""What README and docs tell to type is typed, in a folder like a clone, and what they show is what is printed."""

import re
from pathlib import Path

import pytest
import yaml
from documents import BLOCK, ROOT, blocks, clone, differs, executed, pictures, renewed

from lrtune.run.versions import kernels

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in DOCUMENTS}
GENERATED = {"docs/api.md", "docs/optimizers.md", "docs/schedules.md"}
"""Written by `make docs`; their blocks of Python are signatures."""

LANGUAGES = {"sh", "console", "python", "yaml", "text", "json"}
SHOWN_WITH = {"machine": "x86_64", "numpy": "AVX512_SPR", "blas": "openblas SkylakeX"}
"""The kernels that what is shown was printed with: with others the last digits of sums differ, and so may scores."""

NOT_RUN = 39
"""How many blocks are not run; one more should be a decision."""


def slug(heading):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def without_blocks(text):
    return BLOCK.sub("", text)


def has_commands(name):
    return any(block.commands() and block.not_run is None and block.file is None for block in blocks(TEXTS[name]))


@pytest.mark.parametrize("name", [name for name in sorted(set(TEXTS) - GENERATED) if has_commands(name)])
def test_what_is_told_to_type_works_and_prints_what_is_shown(name, tmp_path):
    clone(tmp_path)
    failures = []
    for block, command, shown, code, printed, errors in executed(TEXTS[name], tmp_path):
        place = f"{name}:{block.line}: {command}"
        if code != block.exits_with:
            failures.append(f"{place}\nexit code {code}\n{errors}")
        elif shown is not None and kernels() == SHOWN_WITH and (part := differs(shown, printed)) is not None:
            failures.append(f"{place}\nshown: {part}\nprinted:\n{printed}")
    assert not failures, "\n\n".join(failures)
    for picture in pictures(TEXTS[name]):
        assert (tmp_path / picture).is_file(), f"no command of {name} draws {picture}"


def test_what_is_not_run_has_a_reason():
    reasons = [block.not_run for text in TEXTS.values() for block in blocks(text) if block.not_run is not None]
    assert len(reasons) == NOT_RUN
    assert min(map(len, reasons)) > len("a reason")


@pytest.mark.parametrize("name", sorted(set(TEXTS) - GENERATED))
def test_every_block_says_what_it_is(name):
    fences = re.findall(r"^ *```(.*)$", TEXTS[name], flags=re.MULTILINE)
    assert set(fences[::2]) <= LANGUAGES
    assert len(fences) == 2 * len(BLOCK.findall(TEXTS[name]))
    for block in blocks(TEXTS[name]):
        if block.language not in ("sh", "console"):
            assert not re.search(r"^(\$ |lrtune |python )", block.text, flags=re.MULTILINE), block.line
    assert not re.search(r"^    (\$ |lrtune |python )", without_blocks(TEXTS[name]), flags=re.MULTILINE)


@pytest.mark.parametrize("name", TEXTS)
def test_every_program_that_is_named_is_there(name):
    for path in re.findall(r"python ((?:benchmarks|tests|examples)/[\w/]+\.py)", TEXTS[name]):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("name", TEXTS)
def test_no_link_is_broken(name):
    here = ROOT / name
    for link in re.findall(r"\]\(([^)\s]+)\)", without_blocks(TEXTS[name])):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (here.parent / path).resolve() if path else here
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", without_blocks(target.read_text(encoding="utf-8")), flags=re.MULTILINE)
            assert anchor in map(slug, headings), link


@pytest.mark.parametrize("name", [name for name in TEXTS if name.startswith("docs/") and name != "docs/README.md"])
def test_every_page_is_in_the_index(name):
    assert f"({Path(name).relative_to('docs').as_posix()})" in TEXTS["docs/README.md"]


def test_pictures_are_small_and_shown():
    shown = {picture for text in TEXTS.values() for picture in pictures(text)}
    there = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").iterdir()}
    assert set(there) == shown
    assert max(there.values()) < 150_000


def test_the_experiment_in_the_readme_is_the_one_behind_its_output():
    shown = next(block.text for block in blocks(TEXTS["README.md"]) if block.text.startswith("data:\n  path:"))
    assert yaml.safe_load(shown) == yaml.safe_load((ROOT / "configs" / "digits.yaml").read_text(encoding="utf-8"))


def test_parts_that_are_left_out_are_found():
    assert differs("a 1.5 s\n[...]\nd\n", "a 2 s\nb\nc\nd\n") is None
    assert differs("a\n[...]\nc\n", "a\nb\nc\nd\n") == "c"
    assert differs("a\nc\n", "a\nb\nc\n") == "a c"
    assert differs("[...]\nb\n[...]\n", "a\nb\nc\n") is None


def test_what_is_printed_now_takes_the_place_of_what_was_shown():
    assert renewed("a 1\nb\n", "a 2\nc\n") == "a 2\nc\n"
    assert renewed("a 1\n[...]\nc 1\n[...]\n", "a 2\nb\nc 2\nd\n") == "a 2\n[...]\nc 2\n[...]\n"
    assert renewed("[...]\nc 1\n", "a 2\nb\nc 2\nd\n") == "[...]\nc 2\nd\n"
    assert renewed("[...]\nx\n", "a\nb\n") is None
