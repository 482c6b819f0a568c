"""From the bytes of a text file to UTF-8 with plain line ends; what is no text is refused with a word on what it is.

What is decided, the encoding and the kind of line ends, is decided by the whole file; what is held is a piece of it.
"""

from __future__ import annotations

import codecs
import contextlib
import itertools
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import IO

import numpy as np

from lrtune.text.errors import DataError

SNIFFED_BYTES = 1 << 18
"""So much of a file is looked at where looking at all of it would take long."""

_MAGIC = {
    b"SQLite": "is an SQLite database: export the table as csv",
    b"%PDF": "is a PDF document, not a table",
    b"\x93NUMPY": "is one NumPy array without names: save it with np.savez(path, X=..., y=...)",
    b"\x80\x04\x95": "is a Python pickle, which can run code and is never loaded: save it as csv or parquet",
    b"PK\x03\x04": "is a zip archive (an Excel workbook?): save it as csv",
    b"\x1f\x8b": "is compressed with gzip, more than once: unpack it first",
    b"BZh91AY&SY": "is compressed with bzip2, more than once: unpack it first",
    b"\xfd7zXZ": "is compressed with xz, more than once: unpack it first",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd, more than once: unpack it first",
}
_MARKS = (
    ((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), "utf-32"),  # one of them begins like that of UTF-16
    ((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-16"),
)
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_TAR = (257, b"ustar")


class BinaryError(DataError):
    """A file is no text; whoever knows the other formats may add what can be read."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} is not a table: it holds binary data")


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A text file as UTF-8 without a byte order mark, with a line feed at every line's end.

    To iterate is to read it from its beginning, in pieces of any length; one that has been begun ends with the next.

    Parameters
    ----------
    file
        What holds the bytes.
    piece
        So many of them are read at a time; -1 reads all at once.
    skipped
        Bytes of the byte order mark of UTF-8.
    encoding
        What to decode from; None where it is UTF-8 without an error.
    end
        What ends a line, beside a line feed.
    notes
        What had to be decided.

    """

    file: IO[bytes]
    piece: int
    skipped: int = 0
    encoding: str | None = None
    end: bytes = b"\r\n"
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[bytes]:
        """Read it, piece by piece."""
        held = b""
        for each in self._encoded():
            whole = held + each
            held = whole[-1:] if self.end == b"\r\n" and whole.endswith(b"\r") else b""  # its line feed may follow
            yield whole[: len(whole) - len(held)].replace(self.end, b"\n")
        if held:
            yield held

    def _encoded(self) -> Iterator[bytes]:
        pieces = _pieces(self.file, self.skipped, self.piece)
        if self.encoding is None:
            return pieces
        return (text.encode() for text in _texts(pieces, self.encoding))


def decoded(file: IO[bytes], where: str, encoding: str | None, piece: int = -1) -> Decoded:
    """Find out how to decode a file, of which so many bytes are read at a time (-1: all at once).

    Raises
    ------
    DataError
        It is no text, or not in the encoding that was named.

    """
    file.seek(0)
    start = file.read(SNIFFED_BYTES)
    for magic, what in _MAGIC.items():
        if start.startswith(magic):
            raise DataError(f"{where} {what}")
    if start.startswith(_TAR[1], _TAR[0]):
        raise DataError(f"{where} is a tar archive: unpack it first")
    if encoding is None:
        encoding = next((wide for marks, wide in _MARKS if start.startswith(marks)), None)
    if encoding is not None:
        return _as(Decoded(file, piece, encoding=_ordered(encoding, start)), where, encoding)
    skipped = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
    if b"\0" in start[skipped:]:
        proposal = _proposal(start[skipped:])
        raise DataError(f"{where} {proposal}") if proposal else BinaryError(where)
    try:
        return Decoded(file, piece, skipped, end=_end(_pieces(file, skipped, piece), "utf-8"))
    except _UndecodableError:
        return _latin(Decoded(file, piece, skipped), start[skipped:], where)


class _UndecodableError(Exception):
    """A byte is no text, in a line counted from 1."""

    def __init__(self, byte: int, line: int) -> None:
        super().__init__()
        self.byte, self.line = byte, line


def _pieces(file: IO[bytes], start: int, piece: int) -> Iterator[bytes]:
    file.seek(start)
    while each := file.read(piece):
        yield each


def _texts(pieces: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Decode pieces, without the byte order mark."""
    decoder, lines, is_first = codecs.getincrementaldecoder(encoding)(), 0, True
    for each in itertools.chain(pieces, [b""]):
        kept = decoder.getstate()[0]
        try:
            text = decoder.decode(each, final=not each)
        except UnicodeDecodeError as error:
            line = 1 + lines - kept.count(b"\n") + error.object.count(b"\n", 0, error.start)
            raise _UndecodableError(error.object[error.start], line) from None
        lines += each.count(b"\n")
        if text:
            yield text.removeprefix("\ufeff") if is_first else text
            is_first = False


def _end(pieces: Iterable[bytes], encoding: str) -> bytes:
    """Decode all of a file, and tell what ends its lines."""
    has_feeds = False
    for text in _texts(pieces, encoding):
        has_feeds = has_feeds or "\n" in text
    return b"\r\n" if has_feeds else b"\r"


def _proposal(start: bytes) -> str | None:
    """Propose an encoding for a file that has none of the known marks, if in one it begins with lines of text."""
    for encoding in _WIDE:
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(start)
        except UnicodeDecodeError:
            continue
        if {"\n", "\r"} & set(text) and all(each.isprintable() or each.isspace() for each in text):
            return (
                f"looks like {encoding} without a byte order mark: set data.encoding: {encoding}, or save it as UTF-8"
            )
    return None


def _ordered(encoding: str, start: bytes) -> str:
    """Name the order of bytes where a file has no mark of it: the machine's, as Python takes it for a whole text."""
    name = codecs.lookup(encoding).name
    marks = next((marks for marks, wide in _MARKS if wide == name), ())
    return encoding if not marks or start.startswith(marks) else f"{name}-{sys.byteorder[:1]}e"


def _as(text: Decoded, where: str, encoding: str) -> Decoded:
    """Decode by the encoding that was named or marked."""
    try:
        with contextlib.suppress(UnicodeError):
            bytes(4).decode(encoding)  # refuses what encodes no texts; a decoder in pieces would not
        return replace(text, end=_end(_pieces(text.file, 0, text.piece), text.encoding or encoding))
    except LookupError:
        raise DataError(f"{where} cannot be read as {encoding}: that is no encoding of texts") from None
    except _UndecodableError as error:
        raise DataError(
            f"{where} cannot be read as {encoding}: the byte {error.byte:#04x} in line {error.line} is no text in it"
        ) from None
    except UnicodeError:
        raise DataError(f"{where} cannot be read as {encoding}") from None


def _latin(text: Decoded, start: bytes, where: str) -> Decoded:
    """Read as Windows-1252, which is Latin-1 with printable characters where Latin-1 has control characters."""
    seen = np.frombuffer(start, dtype=np.uint8)
    control = np.count_nonzero((seen < 32) & ~np.isin(seen, [9, 10, 13, 26]))
    if control > 0.01 * seen.size:
        raise BinaryError(where)
    notes = (f"{where} is not UTF-8 and was read as Latin-1; set data.encoding if letters look wrong",)
    for encoding in ("cp1252", "latin-1"):
        with contextlib.suppress(_UndecodableError):
            end = _end(_pieces(text.file, text.skipped, text.piece), encoding)
            return replace(text, encoding=encoding, end=end, notes=notes)
    raise AssertionError("every byte is a character of Latin-1")
