"""What can go wrong, as a tree.

::

    LrtuneError                     anything this package raises on purpose; the CLI prints it, exit code 2
    ├── ExperimentError             the experiment file is wrong; carries every problem found, with lines
    ├── DataError                   a table cannot be read, or does not fit what is asked of it
    ├── SpaceError                  a search space is illegal, or too large for the strategy
    ├── ConfigurationError          a configuration has illegal values, or keys that do not exist
    ├── StudyError                  a study's folder is damaged, locked, or belongs to another experiment
    │   ├── DamagedError            a file of it is not what was written
    │   └── NoStudyError            there is no study, or none yet
    ├── ModelError                  a saved model is damaged, or cannot predict the table it was given
    └── NoUsableResultError         every trial failed or diverged; the CLI exits with 5

Those about data, configurations and models are a ``ValueError`` as well, which is what callers of a scikit-learn
estimator expect.

Every message says what is wrong, where, what was got, what is allowed, and the nearest name if there is one.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

_WORD = re.compile(r"\S{401,}")
"""Longer than what people write, paths included."""


def shortened(sentence: str) -> str:
    """Cut what no person wrote out of a sentence: the middle of a word of more than 400 characters.

    >>> shortened("unknown key " + "x" * 1000)[205:240]
    'xxxxxxx...(700 characters)...xxxxxx'
    """

    def cut(found: re.Match[str]) -> str:
        word = found.group()
        return f"{word[:200]}...({len(word) - 300:,} characters)...{word[-100:]}"

    return _WORD.sub(cut, sentence)


class LrtuneError(Exception):
    """Base of all errors that are the answer to a wrong input rather than a defect of the program."""

    def __init__(self, sentence: str) -> None:
        super().__init__(shortened(sentence))


class ExperimentError(LrtuneError):
    """The experiment is wrong.

    Parameters
    ----------
    problems
        One finished sentence for each mistake, already carrying file, line and key path.

    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(map(shortened, problems))
        super().__init__("\n".join(self.problems))


class DataError(LrtuneError, ValueError):
    """A table cannot be read, or does not fit what is asked of it."""


class SpaceError(LrtuneError):
    """A search space is illegal, or too large for the strategy that should walk it."""


class ConfigurationError(LrtuneError, ValueError):
    """A configuration has illegal values, or keys that do not exist."""


class StudyError(LrtuneError):
    """A study's folder is damaged, locked, or belongs to another experiment."""


class DamagedError(StudyError):
    """A study's file is not what was written."""


class NoStudyError(StudyError):
    """There is no study, or none yet."""


class ModelError(LrtuneError, ValueError):
    """A saved model is damaged, or cannot predict the table it was given."""


class NoUsableResultError(LrtuneError):
    """Every trial failed or diverged, so that there is nothing to choose from."""


@contextlib.contextmanager
def named_as_typed(typed: Mapping[str, str]) -> Iterator[None]:
    """Name settings in the problems of an experiment as they were typed, and not as ``--set``.

    Parameters
    ----------
    typed
        What was typed, an option or a keyword with its value, for each setting ``key.path=value`` that it stands for.

    """
    try:
        yield
    except ExperimentError as error:
        raise ExperimentError([_as_typed(each, typed) for each in error.problems]) from error


def _as_typed(problem: str, typed: Mapping[str, str]) -> str:
    for name, setting in typed.items():
        if problem.startswith(f"--set {setting}: "):
            return name + problem.removeprefix(f"--set {setting}")
    return problem


def listed(texts: Sequence[str], most: int = 12) -> str:
    """List things in a sentence, the first dozen of them.

    >>> listed(["a", "b"]), listed(["a", "b", "c"], most=2)
    ('a, b', 'a, b and 1 more')
    """
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def counted(number: int, noun: str, several: str | None = None) -> str:
    """Count things in a sentence.

    >>> counted(1, "row"), counted(2000, "row"), counted(2, "class", "classes")
    ('1 row', '2,000 rows', '2 classes')
    """
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"


def encodable(text: str) -> str:
    """Replace what no file can hold: halves of characters, which code of somebody else may have put into a text."""
    return text.encode("utf-8", "replace").decode("utf-8")


def reason(error: BaseException) -> str:
    r"""Give the first line of what a library says, as far as it fits a sentence, or the name of its error.

    >>> reason(ValueError("no table\nat all")), reason(EOFError())
    ('no table', 'EOFError')
    """
    line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return line if len(line) <= 200 else f"{line[:197]}..."


def named(names: Sequence[str], most: int = 12) -> str:
    """Quote names, the first dozen of them.

    >>> named(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"'{name}'" for name in names[:most]) + more


MANY = 30
"""Names that a sentence lists."""

LONGEST = 200
"""Characters of a name that is compared with others: no longer one is a slip of the pen."""


def nearest(name: str, allowed: Iterable[str], otherwise: str = "allowed:") -> str:
    """End a message about an unknown name: the nearest allowed one, else all of them, or the first `MANY`.

    >>> nearest("evry", ["every", "factor"])
    "did you mean 'every'?"
    >>> nearest("zzz", ["every", "factor"])
    "allowed: 'every', 'factor'"
    """
    names = list(allowed)
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6) if len(str(name)) <= LONGEST else []
    if close:
        return f"did you mean '{close[0]}'?"
    more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
    return f"{otherwise} " + ", ".join(f"'{each}'" for each in names[:MANY]) + more
