"""What a category with many levels would cost in the first layer: a one-hot product, a gather, and Adam's update.

    python benchmarks/wide_categories.py

Prints, for columns of so many levels, the milliseconds of the forward product and its gradient both ways, and of the
update of their weights, on one core. The gather takes columns of the weights, and its gradient is a sparse product.
"""

import argparse
import sys
import time

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

LANES, UNITS, ROWS = 8, 64, 256
CASES = ((1, 100), (10, 100), (1, 1_000), (1, 10_000), (1, 100_000))


def milliseconds(call, times):
    """Time a call, the first one apart."""
    call()
    begin = time.process_time()
    for _ in range(times):
        call()
    return 1e3 * (time.process_time() - begin) / times


def measured(columns, levels, rng):
    """Measure one case: product, gather, update (ms)."""
    width = columns * levels
    weights = rng.normal(size=(LANES, UNITS, width)).astype(np.float32)
    codes = rng.integers(0, levels, (columns, ROWS)) + levels * np.arange(columns)[:, None]
    rows = np.zeros((ROWS, width), np.float32)
    rows[np.arange(ROWS), codes] = 1.0
    one_hot = np.ascontiguousarray(rows.T)
    delta = rng.normal(size=(LANES, UNITS, ROWS)).astype(np.float32)
    by_level = np.ascontiguousarray(weights.swapaxes(1, 2))
    scattered, flat = sparse.csr_matrix(one_hot), np.ascontiguousarray(delta.transpose(2, 0, 1).reshape(ROWS, -1))
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    gradient = rng.normal(size=weights.shape).astype(np.float32)

    def product():
        np.matmul(weights, one_hot)
        np.matmul(delta, rows)

    def gather():
        by_level[:, codes.ravel()].reshape(LANES, columns, ROWS, UNITS).sum(axis=1)
        _ = scattered @ flat

    def adam():
        np.multiply(first, 0.9, out=first)
        np.add(first, 0.1 * gradient, out=first)
        np.multiply(second, 0.999, out=second)
        np.add(second, 0.001 * gradient * gradient, out=second)
        np.subtract(weights, 1e-3 * first / (np.sqrt(second) + 1e-8), out=weights)

    times = 20 if width <= 10_000 else 3
    return [milliseconds(each, times) for each in (product, gather, adam)]


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    rng = np.random.default_rng(0)
    print(f"{LANES} lanes, {UNITS} units, {ROWS} rows; ms of product, gather and update")
    with threadpool_limits(1):
        for columns, levels in CASES:
            found = "  ".join(f"{each:9.2f}" for each in measured(columns, levels, rng))
            print(f"  {columns:3} columns of {levels:7,} levels: {found}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
