"""The table of layers: who may not import whom, which library has which door, and what a quick command may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lrtune

PACKAGE = Path(lrtune.__file__).parent

ROOMS = (
    *("text", "arrays", "space", "training", "data", "engines", "sampling", "run", "nights", "verdict", "experiment"),
    *("model", "trainers", "finder", "tuning", "handover", "reporting", "cli"),
)
"""From the ground floor up: a room imports rooms before it in this list, and none after it."""

MOST_ROOMS, MOST_ARROWS = 22, 102

IO = ("pathlib", "os", "io", "sqlite3", "shutil", "tempfile", "polars", "yaml", "json")
SCREEN = ("rich", "typer")
STORED = ("lrtune.run.study", "lrtune.run.folder", "lrtune.run.database", "lrtune.run.journal")

CODE = ("adapters", "core", "factors", "feedback", "jumps", "program", "pytorch", "templates", "texts")
"""What of the hand-over is about code alone, and so knows no folder and no file."""

NEVER_IMPORTS = {
    "text": ("numpy", *SCREEN),
    "training": ("lrtune.text", "lrtune.space", "sklearn", "joblib", "logging", "time", *SCREEN, *IO),
    "sampling": ("lrtune.training", "lrtune.data", *IO),
    "engines": ("lrtune.text", "lrtune.space", "lrtune.training", "lrtune.data", *SCREEN),
    "run": ("lrtune.data", "lrtune.training.population", *SCREEN),
    "run/journal": ("numpy",),
    "run/database": ("numpy",),
    "run/files": ("lrtune.space",),
    "run/lock": ("lrtune.space",),
    "nights": ("lrtune.space", "lrtune.training", "lrtune.data", "lrtune.engines", "lrtune.run.study", *SCREEN),
    "nights/control": ("numpy", *IO, "lrtune.run"),
    "nights/promotion": ("numpy", *IO, "lrtune.run"),
    "verdict": ("lrtune.data", "lrtune.engines", *SCREEN),
    "verdict/choice": IO,
    "verdict/correction": (*IO, *STORED),
    "verdict/explanation": (*IO, *STORED),
    "verdict/health": IO,
    "verdict/races": IO,
    "verdict/student": ("numpy", "scipy"),
    "trainers": ("lrtune.sampling", "lrtune.run", *SCREEN),
    "tuning": SCREEN,
    "handover": ("lrtune.data", *SCREEN),
    **{f"handover/{each}": ("lrtune.experiment", "lrtune.run", *IO) for each in CODE},
    "reporting": ("lrtune.trainers", "lrtune.run.journal", "lrtune.run.database", "lrtune.tuning.core"),
}

DOORS = {
    "polars": ("data/compressed.py", "data/frames.py", "data/inference.py", "data/text_cells.py"),
    "sklearn": (
        *("data/folds.py", "data/holdout.py", "data/archives.py"),
        *("trainers/anchors.py", "trainers/foreign/estimators.py", "model/estimator.py", "tuning/estimator.py"),
    ),
    "skops": ("model/foreign.py", "trainers/foreign/child.py"),
    "scipy": ("sampling", "verdict", "trainers/anchors.py"),
    "joblib": ("engines/processes.py",),
    "ray": ("engines/ray.py",),
    "dask": ("engines/dask.py",),
    "distributed": ("engines/dask.py",),
    "sqlite3": ("run/database.py", "run/lock.py"),
    "yaml": ("experiment",),
    "pydantic": ("experiment", "verdict/reading.py"),
    "altair": ("reporting/rate_figures.py",),
    "rich": ("reporting/console.py", "reporting/live.py", "cli"),
    "typer": ("cli",),
    "optuna": ("reporting/to_optuna.py",),
    "mlflow": ("reporting/to_mlflow.py",),
    **{
        each: (f"handover/adapters/{each}.py",)
        for each in ("keras", "lightgbm", "lightning", "transformers", "xgboost")
    },
}


def imports_of(path):
    """Yield every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_below(module, package):
    return module == package or module.startswith(package + ".")


def files_of(layer):
    single = PACKAGE / f"{layer}.py"
    return [single] if single.is_file() else sorted((PACKAGE / layer).rglob("*.py"))


def room(module):
    return module.split(".")[1]


def arrows():
    """Yield (file, room, imported room, module) for every import of one room by another."""
    for path in sorted(PACKAGE.rglob("*.py")):
        here = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for module in imports_of(path):
            if is_below(module, "lrtune") and module.count(".") and room(module) in ROOMS and room(module) != here:
                yield path.relative_to(PACKAGE).as_posix(), here, room(module), module


def test_the_list_of_rooms_is_the_tree():
    entries = {path.stem for path in PACKAGE.iterdir() if not path.name.startswith("__") and path.name != "py.typed"}
    assert entries == set(ROOMS)
    assert len(ROOMS) <= MOST_ROOMS


def test_imports_go_down_only():
    inside = [each for each in arrows() if each[1] in ROOMS]
    assert [(file, module) for file, here, there, module in inside if ROOMS.index(there) > ROOMS.index(here)] == []
    assert len({(here, there) for _, here, there, _ in arrows()}) <= MOST_ARROWS


@pytest.mark.parametrize("layer", NEVER_IMPORTS)
def test_a_layer_never_imports_what_the_table_forbids(layer):
    files = files_of(layer)
    assert files, f"the table names a layer that does not exist: {layer}"
    offences = [
        f"{path.relative_to(PACKAGE)} imports {module}"
        for path in files
        for module in imports_of(path)
        for forbidden in NEVER_IMPORTS[layer]
        if is_below(module, forbidden)
    ]
    assert offences == []


@pytest.mark.parametrize("library", DOORS)
def test_a_library_comes_in_by_its_door_only(library):
    offences = [
        str(path.relative_to(PACKAGE))
        for path in sorted(PACKAGE.rglob("*.py"))
        if any(is_below(module, library) for module in imports_of(path))
        and not any(path.relative_to(PACKAGE).as_posix().startswith(door) for door in DOORS[library])
    ]
    assert offences == []


def test_imports_have_no_cycle():
    modules = {
        "lrtune." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != PACKAGE / "__init__.py"
    }
    graph = {name: {m for m in imports_of(path) if m in modules and m != name} for name, path in modules.items()}
    done = set()
    while ready := {name for name in graph if name not in done and graph[name] <= done}:
        done |= ready
    assert sorted(set(graph) - done) == []


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import lrtune.cli", {"numpy", "polars", "sklearn", "altair", "scipy", "joblib", "pydantic", "yaml"}),
        ("import lrtune.experiment", {"numpy", "polars", "sklearn"}),
        ("import lrtune.training.evaluate", {"polars", "sklearn", "scipy", "joblib", "yaml", "rich", "typer"}),
        ("import lrtune.trainers.population", {"polars", "sklearn", "scipy", "joblib", "yaml", "pydantic", "rich"}),
        ("import lrtune.run.journal", {"numpy", "polars", "sklearn"}),
    ],
)
def test_quick_commands_and_workers_load_nothing_heavy(code, forbidden):
    probe = f"import sys; {code}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split()
    assert forbidden & set(loaded) == set()
