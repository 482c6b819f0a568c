"""Functions that are named now and imported when they are first called.

An entry of a table holds its functions, and most commands only look up what an entry is called, what is legal, or
which way a metric goes. They must not wait for NumPy.
"""

from __future__ import annotations

import importlib
from typing import Any


class Deferred:
    """The functions of a module, which is imported when one of them is called.

    A type checker is shown the module itself, so that a name which does not exist is an error::

        if TYPE_CHECKING:
            from lrtune.training.metrics import functions
        else:
            functions = Deferred("lrtune.training.metrics.functions")

    >>> Deferred("math").sqrt(4.0)
    2.0
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def called(*given: Any, **named: Any) -> Any:
            return getattr(importlib.import_module(self._module), name)(*given, **named)

        called.__name__ = name
        return called
