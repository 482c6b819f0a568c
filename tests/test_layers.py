"""The table of layers: who may not import whom, which library has which door, and what a quick command may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lrtune

PACKAGE = Path(lrtune.__file__).parent

LRTUNE_OUTSIDE_TRAINING = tuple(
    f"lrtune.{path.stem}" for path in sorted(PACKAGE.iterdir()) if path.stem not in {"training", "__init__", "py"}
)
IO = ("pathlib", "os", "io", "sqlite3", "shutil", "tempfile", "polars", "yaml", "json")

NEVER_IMPORTS = {
    "training": (*LRTUNE_OUTSIDE_TRAINING, "sklearn", "joblib", "yaml", "rich", "logging", "time", "pathlib"),
    "sampling": ("lrtune.training", "lrtune.data", "lrtune.trainers.population", "lrtune.run.study", "lrtune.run", *IO),
    "selection": (*IO, "lrtune.run", "lrtune.reporting"),
    "selection/student": ("numpy", "scipy"),
    "explanation": ("lrtune.run.study", "lrtune.run", "lrtune.reporting", *IO),
    "pruning": IO,
    "health": IO,
    "correction": (*IO, "lrtune.run.study", "lrtune.experiment", "lrtune.data"),
    "judging": (
        "lrtune.tuning",
        "lrtune.trainers.population",
        "lrtune.trainers.preparation",
        "lrtune.reporting",
        "lrtune.data",
        "rich",
        "typer",
    ),
    "run": ("lrtune.reporting", "lrtune.tuning", "lrtune.data", "lrtune.trainers.preparation", "rich", "typer"),
    "workers": ("lrtune",),
    "storage": (
        "lrtune.space.trial",
        "lrtune.run.study",
        "lrtune.tuning",
        "lrtune.data",
        "lrtune.trainers.preparation",
    ),
    "storage/journal": ("numpy",),
    "storage/database": ("numpy",),
    "evaluation": ("lrtune.sampling", "lrtune.run.study", "lrtune.run", "rich"),
    "tuning": ("lrtune.reporting", "rich", "typer"),
    "formats": ("lrtune.reporting", "rich", *IO),
    "handover": ("lrtune.reporting", "lrtune.experiment", "lrtune.data", "lrtune.run.study", "rich", "typer", *IO),
    "reporting": ("lrtune.tuning", "lrtune.trainers.population", "lrtune.run.journal", "lrtune.run.database"),
}

DOORS = {
    "polars": ("data/compressed.py", "data/frames.py", "data/inference.py"),
    "sklearn": ("data/folds.py", "data/holdout.py", "data/archives.py", "model/estimator.py"),
    "scipy": ("sampling", "selection", "health", "correction", "pruning.py"),
    "joblib": ("workers.py",),
    "sqlite3": ("storage/database.py", "storage/lock.py"),
    "yaml": ("experiment",),
    "pydantic": ("experiment",),
    "altair": ("reporting/figures.py",),
    "rich": ("reporting/console.py", "reporting/live.py", "cli"),
    "typer": ("cli",),
    "optuna": ("reporting/to_optuna.py",),
    "mlflow": ("reporting/to_mlflow.py",),
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


@pytest.mark.parametrize("layer", NEVER_IMPORTS)
def test_a_layer_never_imports_what_the_table_forbids(layer):
    files = files_of(layer)
    assert files, f"the table names a layer that does not exist: {layer}"
    offences = [
        f"{path.relative_to(PACKAGE)} imports {module}"
        for path in files
        for module in imports_of(path)
        for forbidden in NEVER_IMPORTS[layer]
        if is_below(module, forbidden) and not (layer == "workers" and module == "lrtune")
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


def test_nobody_imports_the_command_line():
    offences = [
        str(path.relative_to(PACKAGE))
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] not in {"cli", "__main__.py"}
        and any(is_below(module, "lrtune.cli") for module in imports_of(path))
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
        ("import lrtune.run.journal", {"numpy", "polars", "sklearn"}),
    ],
)
def test_quick_commands_and_workers_load_nothing_heavy(code, forbidden):
    probe = f"import sys; {code}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split()
    assert forbidden & set(loaded) == set()
