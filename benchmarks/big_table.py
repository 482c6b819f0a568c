"""A made-up table of any number of rows, for what `docs/scale.md` says of tables that are large.

    python benchmarks/big_table.py [--rows N] [--columns N] [--task TASK] [--levels N] [--seed N] [--output FILE]

Of five columns four are numbers, ``x0``, ``x1``, ...: every fifth of them has 0.5 % missing cells, and as many are
whole. The rest are categories, ``c0``, ``c1``, ..., of 2 to 1,000 levels, the first of which are more frequent than the
last; ``--levels N`` adds one more, ``many``, of N levels. The target ``y`` is a class, ``no`` or ``yes``, or with
``--task regression`` a number: half of its variance comes from eight numbers and three categories, by way of products
and waves that no linear model sees.

The table is made and written in pieces of 50,000 rows, each from a stream of its own, as CSV or, if FILE ends so, as
Parquet, a row group for each piece. Without ``--output`` a small one is written to a temporary folder and only counted.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

PIECE = 50_000
SHARE_OF_NUMBERS, MISSING = 0.8, 0.005
MOST_LEVELS = 1_000


def pieces(rows: int, columns: int, *, task: str, levels: int, seed: int) -> Iterator[pl.DataFrame]:
    """Make the table, at most `PIECE` rows at a time; a piece depends on its number and on nothing before it."""
    numbers = round(SHARE_OF_NUMBERS * columns)
    sizes = {
        f"c{place}": int(size)
        for place, size in enumerate(np.geomspace(2, MOST_LEVELS, max(columns - numbers, 1)).round())
    }
    if levels:
        sizes["many"] = levels
    for place, start in enumerate(range(0, rows, PIECE)):
        random = np.random.default_rng([seed, place])
        yield _piece(random, min(PIECE, rows - start), numbers, sizes, task)


def _piece(random: np.random.Generator, rows: int, numbers: int, sizes: dict[str, int], task: str) -> pl.DataFrame:
    values = random.standard_normal((numbers, rows))
    codes = {name: (size * random.random(rows) ** 2).astype(np.int64) for name, size in sizes.items()}
    first = values[np.arange(8) % numbers]
    signal = (
        first[0] * first[1] + np.sin(2 * first[2]) + np.abs(first[3]) + 0.5 * first[4] ** 2 + first[5:8].sum(axis=0)
    )
    for name in list(codes)[:3]:
        signal = signal + np.sin(codes[name] * 2.4)  # levels beside each other have nothing in common
    target = signal + signal.std() * random.standard_normal(rows)
    found = {}
    for place, column in enumerate(values):
        cells = np.round(column * 1000) if place % 5 == 1 else np.round(column * 10.0 ** (place % 3), 6)
        series = pl.Series(f"x{place}", cells)
        if place % 5 == 0:
            series = pl.select(pl.when(pl.Series(random.random(rows) >= MISSING)).then(series).alias(series.name))
            series = series.to_series()
        found[f"x{place}"] = series
    for name, each in codes.items():
        found[name] = pl.Series(name, each).cast(pl.String).str.pad_start(len(str(sizes[name])), "0")
        found[name] = (name + "_" + found[name]).alias(name)
    middle = 2.5  # about the median of the signal
    found["y"] = pl.Series("y", np.round(target, 4)) if task == "regression" else _classes(target > middle)
    return pl.DataFrame(list(found.values()))


def _classes(yes: np.ndarray) -> pl.Series:
    return pl.Series("y", np.where(yes, "yes", "no"))


def write(path: Path, frames: Iterator[pl.DataFrame]) -> int:
    """Write pieces one below the other and count their rows."""
    return _write_parquet(path, frames) if path.suffix == ".parquet" else _write_csv(path, frames)


def _write_csv(path: Path, frames: Iterator[pl.DataFrame]) -> int:
    rows = 0
    with path.open("wb") as file:
        for frame in frames:
            frame.write_csv(file, include_header=not rows)
            rows += frame.height
    return rows


def _write_parquet(path: Path, frames: Iterator[pl.DataFrame]) -> int:
    """Keep the pieces beside the file until all are there: only then can they be streamed into it."""
    rows = 0
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        for place, frame in enumerate(frames):
            frame.write_ipc(Path(folder) / f"{place:06}.arrow")
            rows += frame.height
        pl.scan_ipc(Path(folder) / "*.arrow").sink_parquet(path, row_group_size=PIECE)
    return rows


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--task", choices=["classes", "regression"], default="classes")
    parser.add_argument("--levels", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=None)
    asked = parser.parse_args()
    frames = pieces(asked.rows, asked.columns, task=asked.task, levels=asked.levels, seed=asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        path = asked.output or Path(folder) / "big.csv"
        rows = write(path, frames)
        print(f"{path.name}: {rows:,} rows, {path.stat().st_size / 1e6:,.1f} MB")


if __name__ == "__main__":
    main()
