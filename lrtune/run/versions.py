"""What a result was made with: versions, and the kernels that decide how sums are rounded."""

from __future__ import annotations

ENGINE = 3
"""Goes up whenever a change makes the engine give other bytes for the same experiment."""


def versions() -> dict[str, str]:
    """Name the versions that a result may depend on."""
    import platform
    from importlib.metadata import version

    names = ("lrtune", "numpy", "scikit-learn", "scipy", "polars")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def kernels() -> dict[str, str]:
    """Name the machine, NumPy's widest instruction set in use and BLAS's kernels: other ones round differently."""
    import platform

    import numpy as np
    from threadpoolctl import threadpool_info

    blas = sorted({f"{each['internal_api']} {each.get('architecture', '')}".strip() for each in threadpool_info()})
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return {"machine": platform.machine(), "numpy": found[-1] if found else "baseline", "blas": ", ".join(blas)}
