"""What a release is made of: the two distributions, what they say of themselves, and what they need."""

import ast
import email
import importlib.metadata
import itertools
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import lrtune

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PICTURES = f"{PROJECT['urls']['Source']}/raw/v{PROJECT['version']}/"
MADE_BY_BUILDING = {"PKG-INFO", "setup.cfg"}


def git(*words):
    """Ask git about the checkout; None where there is no git, or the project lies in a checkout of another one."""
    try:
        found = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout


def tracked():
    top = git("rev-parse", "--show-toplevel")
    if top is None or not Path(top.strip()).samefile(ROOT):
        pytest.skip("needs the checkout, and git")
    return {each for each in git("ls-files", "--cached", "-z").split("\0") if each and (ROOT / each).exists()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A copy of the checkout among everything that git ignores, and both distributions made from it."""
    copy, made = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("made")
    for each in tracked():
        (copy / each).parent.mkdir(parents=True, exist_ok=True)
        (copy / each).write_bytes((ROOT / each).read_bytes())
    for ignored, place in itertools.product((ROOT / ".gitignore").read_text().split(), (".", "lrtune", "tests")):
        litter = copy / place / ignored.replace("*", "other") / "litter.pyc"
        litter.parent.mkdir(parents=True)
        litter.write_text("")
        if place == ".":
            litter.with_suffix(".py").write_text("")
    for kind in ("sdist", "wheel"):
        code = f"from setuptools import build_meta; build_meta.build_{kind}({str(made)!r})"
        done = subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module")
def source(built):
    """The source distribution: its files by name."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        files = [each for each in archive if each.isfile()]
        return {each.name.partition("/")[2]: archive.extractfile(each).read() for each in files}


def test_the_source_distribution_holds_what_git_has(source):
    made = {each for each in source if each in MADE_BY_BUILDING or each.startswith("lrtune.egg-info/")}
    assert made >= MADE_BY_BUILDING
    assert set(source) - made == tracked()


def test_the_wheel_holds_the_package_and_nothing_else(built):
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        names = {each for each in archive.namelist() if ".dist-info/" not in each}
    assert names == {each for each in tracked() if each.startswith("lrtune/")}


def slug(heading):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_links_of_the_page_on_an_index_are_absolute_and_lead_to_what_is_there(source):
    page = email.message_from_bytes(source["PKG-INFO"]).get_payload(decode=True).decode()
    links = re.findall(r"\]\(([^)]*)\)", page)
    assert len(links) == len(re.findall(r"\]\(([^)]*)\)", (ROOT / "README.md").read_text(encoding="utf-8"))) > 20
    home = f"{PROJECT['urls']['Source']}/blob/v{PROJECT['version']}/"
    assert [each for each in links if each.startswith(PICTURES) and each.removeprefix(PICTURES) not in source] == []
    for path, _, anchor in (each.removeprefix(home).partition("#") for each in links if each.startswith(home)):
        assert path in source or any(each.startswith(f"{path}/") for each in source), path
        headings = re.findall(r"^#+ (.*)$", source[path].decode(), flags=re.MULTILINE) if anchor else []
        assert not anchor or anchor in map(slug, headings), (path, anchor)
    assert [each for each in links if not each.startswith("https://")] == []


def test_the_page_on_an_index_is_the_readme_with_the_links_of_this_release(source):
    message = email.message_from_bytes(source["PKG-INFO"])
    home = f"{PROJECT['urls']['Source']}/blob/v{PROJECT['version']}/"
    page = message.get_payload(decode=True).decode()
    assert re.sub(rf"(!\[[^\]]*\]\(){PICTURES}", r"\1", page).replace(home, "") == source["README.md"].decode()
    assert message["Description-Content-Type"] == "text/markdown"
    assert len(message.get_all("Project-URL")) == len(PROJECT["urls"])


def test_the_version_and_the_oldest_python_are_stated_alike():
    oldest = PROJECT["requires-python"].removeprefix(">=")
    versions = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", each)]
    assert (lrtune.__version__, versions[0]) == (PROJECT["version"], oldest)


# --- what is imported is declared, and what is declared is imported

MODULES = importlib.metadata.packages_distributions()
EXTRAS = PROJECT["optional-dependencies"]
OPTIONAL = [*(each for name in ("optuna", "mlflow", "ray", "dask") for each in EXTRAS[name]), "pandas", "torch"]
"""Imported where they are wanted, and by who has them; pandas and PyTorch belong to the caller."""


def imported(folder):
    """List the distributions whose modules the files of a folder import."""
    files = sorted((ROOT / folder).rglob("*.py"))
    names = {each for path in files for node in ast.walk(ast.parse(path.read_bytes())) for each in modules(node)}
    tops = {each.partition(".")[0] for each in names}
    foreign = tops - {"lrtune", *(each.stem for each in files)} - set(sys.stdlib_module_names)
    return {normal(MODULES.get(each, [each])[0]) for each in foreign}


def modules(node):
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []


def declared(requirements):
    return {normal(re.match(r"[\w.-]+", each)[0]) for each in requirements}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_package_needs_what_it_declares_and_declares_what_it_needs():
    assert imported("lrtune") - declared(OPTIONAL) == declared(PROJECT["dependencies"])


def test_the_tests_need_what_they_declare_and_declare_what_they_need():
    known, used = declared([*PROJECT["dependencies"], *OPTIONAL, *EXTRAS["test"]]), imported("tests")
    assert used <= known
    assert declared(EXTRAS["test"]) - used == {"pytest-xdist", "setuptools"}  # used by `pytest -n`, and above
