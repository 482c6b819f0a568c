"""One BLAS thread, as in searches: small products are slower on more of them, and are rounded otherwise."""

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session", autouse=True)
def _one_blas_thread():
    with threadpool_limits(1, user_api="blas"):
        yield
