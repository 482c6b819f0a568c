"""A search that is stopped by Ctrl-C in the middle of its writing."""

from contextlib import contextmanager

from lrtune.run.journal import Journal


@contextmanager
def interrupted_after(monkeypatch, transactions):
    """Let journals write so many transactions, and none after them."""
    left, append = iter(range(transactions)), Journal.append

    def crash(journal, events):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return append(journal, events)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", crash)
        yield
