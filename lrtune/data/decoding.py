"""From the bytes of a text file to UTF-8 with plain line ends; what is no text is refused with a word on what it is."""

from __future__ import annotations

import codecs

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


def decoded(data: bytes, where: str, encoding: str | None) -> tuple[bytes, tuple[str, ...]]:
    """Decode to UTF-8 without a byte order mark, with a line feed at every line's end; and notes.

    Raises
    ------
    DataError
        It is no text, or not in the encoding that was named.

    """
    for magic, what in _MAGIC.items():
        if data.startswith(magic):
            raise DataError(f"{where} {what}")
    if data.startswith(_TAR[1], _TAR[0]):
        raise DataError(f"{where} is a tar archive: unpack it first")
    data, notes = _utf8(data, where, encoding)
    return data.replace(b"\r\n", b"\n") if b"\n" in data else data.replace(b"\r", b"\n"), notes


def _utf8(data: bytes, where: str, encoding: str | None) -> tuple[bytes, tuple[str, ...]]:
    if encoding is not None:
        return _as(data, where, encoding), ()
    for marks, wide in _MARKS:
        if data.startswith(marks):
            return _as(data, where, wide), ()
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data[:SNIFFED_BYTES]:
        proposal = _proposal(data[:SNIFFED_BYTES])
        raise DataError(f"{where} {proposal}") if proposal else BinaryError(where)
    try:
        data.decode()
    except UnicodeDecodeError:
        return _latin(data, where)
    return data, ()


def _as(data: bytes, where: str, encoding: str) -> bytes:
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode()
    except LookupError:
        raise DataError(f"{where} cannot be read as {encoding}: that is no encoding of texts") from None
    except UnicodeDecodeError as error:
        byte, line = error.object[error.start], error.object.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{where} cannot be read as {encoding}: the byte {byte:#04x} in line {line} is no text in it"
        ) from None
    except UnicodeError:
        raise DataError(f"{where} cannot be read as {encoding}") from None


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


def _latin(data: bytes, where: str) -> tuple[bytes, tuple[str, ...]]:
    """Read as Windows-1252, which is Latin-1 with printable characters where Latin-1 has control characters."""
    start = np.frombuffer(data[:SNIFFED_BYTES], dtype=np.uint8)
    control = np.count_nonzero((start < 32) & ~np.isin(start, [9, 10, 13, 26]))
    if control > 0.01 * start.size:
        raise BinaryError(where)
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.encode(), (f"{where} is not UTF-8 and was read as Latin-1; set data.encoding if letters look wrong",)
