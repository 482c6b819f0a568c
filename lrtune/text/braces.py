"""Names in braces within a text, which something stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable

BRACES = re.compile(r"(?<!\$)\{([A-Za-z_][\w.-]*)\}")
"""A name in braces; one behind a dollar sign is a variable of the shell."""


def named_in(words: Iterable[str]) -> list[str]:
    """List the names in braces, each once, in the order of the words.

    >>> named_in(["--rate={rate}", "{config}", "${HOME}", '{"key": 1}', "{rate}"])
    ['rate', 'config']
    """
    return list(dict.fromkeys(name for word in words for name in BRACES.findall(word)))
