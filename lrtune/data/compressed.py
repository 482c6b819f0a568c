"""Compressed tables, known by their content and never by their name: gzip, bzip2, xz, zstd, and a zip of one file.

What unpacks to a multiple of its size that no table has is refused before it fills the memory.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, NamedTuple

from lrtune.data.frames import damage
from lrtune.data.scratch import PIECE, PIECES_FROM, size_of, spooled
from lrtune.text.errors import DataError, counted, reason

SMALL, MOST_TIMES = 1 << 28, 100
"""Up to so many bytes anything is unpacked; beyond, up to so many times the size of the file."""

_STREAMS: Mapping[str, tuple[re.Pattern[bytes], Callable[..., Any]]] = {
    "gzip": (re.compile(rb"\x1f\x8b"), gzip.open),
    "bzip2": (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), bz2.open),
    "xz": (re.compile(rb"\xfd7zXZ\x00"), lzma.open),
}
_ZSTD = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18|\x28\xb5\x2f\xfd")
_ZIP = b"PK\x03\x04"
_DAMAGE = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)


def head(file: IO[bytes]) -> bytes:
    """Look at the first bytes of a file, by which it is known."""
    first = file.read(16)
    file.seek(0)
    return first


class Unpacked(NamedTuple):
    """What a file unpacks to, in memory if it is small, to be closed; and what has to be said of that."""

    content: IO[bytes]
    notes: tuple[str, ...] = ()


def unpacked(file: IO[bytes], where: str) -> Unpacked | None:
    """Unpack a file; None if it is not compressed.

    Raises
    ------
    DataError
        It is damaged, unpacks to more than can be a table, or is an archive of several files.

    """
    first = head(file)
    for name, (magic, stream) in _STREAMS.items():
        if magic.match(first):
            damaged = f"{where} is compressed with {name} and damaged"
            return Unpacked(spooled(_bounded(functools.partial(stream, file), size_of(file), where, damaged)))
    if _ZSTD.match(first):
        data = _unzstd(file.read(), where)
        note = f"{where} is read whole and not in pieces, since it is compressed with zstd; gzip would take less memory"
        return Unpacked(io.BytesIO(data), (note,) if len(data) > PIECES_FROM else ())
    return Unpacked(_unzipped(file, where)) if first.startswith(_ZIP) else None


def _bounded(opened: Callable[[], IO[bytes]], size: int, where: str, damaged: str) -> Iterator[bytes]:
    """Read what a stream unpacks of so many bytes, in pieces, until it is more than can be a table."""
    done = 0
    try:
        with opened() as content:
            while each := content.read(PIECE):
                done += len(each)
                if done > _most(size):
                    break
                yield each
    except (*_DAMAGE, RuntimeError) as error:
        raise DataError(f"{damaged}: {reason(error)}") from None
    _check_size(done, size, where)


def _most(size: int) -> int:
    return max(SMALL, MOST_TIMES * size)


def _check_size(unpacked: int, size: int, where: str) -> None:
    if unpacked > _most(size):
        raise DataError(
            f"{where} unpacks from {counted(size, 'byte')} to more than {counted(_most(size), 'byte')}; "
            "if that is a table, unpack it first"
        )


def check_archive(file: IO[bytes], where: str) -> None:
    """Refuse a zip archive whose files unpack to more than can be a table."""
    with zipfile.ZipFile(file) as archive:
        _check_size(sum(each.file_size for each in archive.infolist()), size_of(file), where)
    file.seek(0)


def _unzipped(file: IO[bytes], where: str) -> IO[bytes]:
    """Unpack the one file of a zip archive."""
    damaged = f"{where} is a damaged zip archive (an Excel workbook?)"
    try:
        with zipfile.ZipFile(file) as archive:
            files = [each for each in archive.infolist() if not each.is_dir() and not _is_noise(each.filename)]
            if len(files) == 1 and not files[0].filename.endswith((".xml", ".rels")):
                (single,) = files
                return spooled(_bounded(lambda: archive.open(single), single.compress_size, where, damaged))
    except DataError:
        raise
    except (*_DAMAGE, RuntimeError) as error:
        raise DataError(f"{damaged}: {reason(error)}") from None
    raise DataError(f"{where} is a zip archive of {counted(len(files), 'file')} (an Excel workbook?): save it as csv")


def _is_noise(name: str) -> bool:
    """Whether a file of an archive is what some systems add for themselves."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")


def _unzstd(data: bytes, where: str) -> bytes:
    """Unpack zstd by way of polars, which gives the lines of a text."""
    import polars as pl

    sentence = f"{where} is compressed with zstd and cannot be unpacked"
    try:
        frames = list(zstd_frames(data))
    except IndexError:
        raise DataError(f"{sentence}: it is cut off") from None
    _check_size(sum(bound for _, bound in frames), len(data), where)
    with damage(sentence):
        lines = pl.read_lines(io.BytesIO(b"".join(frame for frame, _ in frames))).to_series()
        return (lines.str.join("\n").item() or "").encode() + b"\n"


def zstd_frames(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Take the frames apart, each with a bound of what it unpacks to (RFC 8878, section 3.1).

    Polars unpacks without a bound, and takes a file for text that begins with a frame to be skipped.
    """
    place = 0
    while place < len(data):
        start = place
        if data[place] & 0xF0 == _SKIPPED:
            place += 8 + int.from_bytes(data[place + 4 : place + 8], "little")
            continue
        flags = data[place + 4]
        single = flags >> 5 & 1
        place += 5 + (not single) + (0, 1, 2, 4)[flags & 3] + (single, 2, 4, 8)[flags >> 6]
        last = bound = 0
        while not last:
            header = data[place] | data[place + 1] << 8 | data[place + 2] << 16
            last, kind, length = header & 1, header >> 1 & 3, header >> 3
            place += 3 + (1 if kind == _REPEATED else length)
            bound += length if kind != _COMPRESSED else _BLOCK
        place += 4 * (flags >> 2 & 1)
        yield data[start:place], bound


_SKIPPED, _REPEATED, _COMPRESSED, _BLOCK = 0x50, 1, 2, 1 << 17
