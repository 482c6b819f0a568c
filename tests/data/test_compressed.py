"""Compressed tables, known by their content; bombs and damage are sentences."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from lrtune.data import compressed
from lrtune.data.tables import load
from lrtune.text.errors import DataError

CSV = 'a,b\n1,x\n2,"q\nr"\n3,é\n'.encode()


def zstd(data):
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(data)
    return out.getvalue().to_pybytes()


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
    return out.getvalue()


PACK = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
    "zip": lambda d: zipped(t_csv=d),
}


@pytest.fixture
def read(tmp_path):
    def reader(content, name="table"):
        (tmp_path / name).write_bytes(content)
        return load(name, base=tmp_path)

    return reader


@pytest.mark.parametrize("kind", PACK)
def test_a_compressed_table_is_read_whatever_it_is_called(read, kind):
    table = read(PACK[kind](CSV))
    assert table.columns["a"].values.tolist() == [1, 2, 3]
    assert table.columns["b"].levels == ("q\nr", "x", "é")
    with pytest.raises(DataError, match="empty"):
        read(PACK[kind](b"\n"))


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zip"])
def test_any_format_may_be_compressed(read, kind):
    out = io.BytesIO()
    pl.DataFrame({"a": [1, 2], "b": ["x", None]}).write_parquet(out)
    assert read(PACK[kind](out.getvalue())).columns["b"].levels == ("x",)
    out = io.BytesIO()
    np.savez(out, a=[1, 2], y=["u", "v"])
    assert read(PACK[kind](out.getvalue())).target == "y"
    assert read(PACK[kind]("a;b\nö;1\n".encode("latin-1"))).columns["a"].levels == ("ö",)
    assert read(PACK[kind]("a;b\nö;1\n".encode("utf-16"))).columns["a"].levels == ("ö",)


def test_several_parts_are_one_file(read):
    first, second = CSV[:10], CSV[10:]
    for pack in (gzip.compress, bz2.compress, lzma.compress, zstd):
        assert read(pack(first) + pack(second)).rows == 3
    skippable = b"\x53\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    assert read(skippable + zstd(CSV)).rows == 3


@pytest.mark.parametrize("kind", PACK)
def test_damage_is_a_sentence(read, kind):
    whole = PACK[kind](CSV * 50)
    for damaged in (whole[:-9], whole[: len(whole) // 2], whole[:40] + b"\xff\x00\xff" + whole[43:]):
        with pytest.raises(DataError, match=f"^table .*{kind}"):
            read(damaged)


@pytest.mark.parametrize("kind", PACK)
def test_a_bomb_is_refused_before_it_is_unpacked(read, kind, monkeypatch):
    monkeypatch.setattr(compressed, "SMALL", 1 << 20)
    bomb = PACK[kind](b"a,b\n" + b"0,0\n" * (1 << 20))
    with pytest.raises(
        DataError, match=r"^table unpacks from [\d,]+ bytes to more than [\d,]+ bytes; if that is a table"
    ):
        read(bomb)
    one_line = PACK[kind](b"0" * (1 << 22))
    with pytest.raises(DataError, match=r"^(table|t\.npz) unpacks from"):
        read(one_line)


def test_a_bomb_of_arrays_is_refused(read, monkeypatch):
    monkeypatch.setattr(compressed, "SMALL", 1 << 20)
    out = io.BytesIO()
    np.savez_compressed(out, X=np.zeros((1 << 19, 2)), y=np.zeros(1 << 19))
    with pytest.raises(DataError, match=r"^(table|t\.npz) unpacks from"):
        read(out.getvalue(), "t.npz")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: gzip.compress(gzip.compress(CSV)), "is compressed with gzip, more than once"),
        (lambda: gzip.compress(lzma.compress(CSV)), "is compressed with xz, more than once"),
        (lambda: zipped(a_csv=CSV, b_csv=CSV), "is a zip archive of 2 files"),
        (lambda: zstd("a;b\nö;1\n".encode("latin-1")), "zstd and cannot be unpacked: invalid utf8"),
        (lambda: gzip.compress(b""), "empty"),
    ],
)
def test_what_cannot_be_a_table_is_said(read, made, message):
    with pytest.raises(DataError, match=message):
        read(made())


def test_an_archive_of_files_is_no_table(read):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo("t.csv")
        info.size = len(CSV)
        archive.addfile(info, io.BytesIO(CSV))
    with pytest.raises(DataError, match="tar archive"):
        read(out.getvalue())


def test_what_some_systems_add_to_a_zip_does_not_count(read):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/t.csv", CSV)
        archive.writestr("__MACOSX/folder/._t.csv", b"\0")
        archive.writestr("folder/.DS_Store", b"\0")
    assert read(out.getvalue()).rows == 3


def test_an_encrypted_zip_is_a_sentence(read):
    content = bytearray(zipped(t_csv=CSV))
    content[6] |= 1  # the flag in the local header ...
    content[content.index(b"PK\x01\x02") + 8] |= 1  # ... and in the central directory
    with pytest.raises(DataError, match="encrypted"):
        read(bytes(content))


def test_the_bound_of_zstd_is_one():
    for data in (b"", CSV, CSV * 10_000, b"0" * 1_000_000, np.random.default_rng(0).bytes(300_000)):
        packed = zstd(data)
        frames = list(compressed.zstd_frames(packed + b"\x50\x2a\x4d\x18\x01\0\0\0." + packed))
        assert [frame for frame, _ in frames] == [packed, packed]
        assert all(len(data) <= bound <= len(data) + (1 << 17) for _, bound in frames)
