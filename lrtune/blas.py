"""One BLAS thread: the same product rounds differently on one and two."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import cast


def one_blas_thread() -> AbstractContextManager[object]:
    """Hold BLAS to one thread."""
    from threadpoolctl import threadpool_limits

    return cast("AbstractContextManager[object]", threadpool_limits(1, user_api="blas"))
