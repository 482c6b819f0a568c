"""Messages between a worker and the process that runs somebody else's code: JSON and arrays, nothing that executes."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from typing import IO, Any, NamedTuple

import numpy as np

from lrtune.arrays import Array

_LENGTHS = struct.Struct("<QQ")


class Message(NamedTuple):
    """What is said, in JSON's types, and the arrays that go with it, by name."""

    said: Mapping[str, Any]
    arrays: Mapping[str, Array]


def write(stream: IO[bytes], said: Mapping[str, Any], arrays: Mapping[str, Array] | None = None) -> None:
    """Write a message; arrays of objects are refused, because reading them would execute what they hold."""
    body = io.BytesIO()
    if arrays:
        np.savez(body, allow_pickle=False, **arrays)
    head = json.dumps(said).encode()
    stream.write(_LENGTHS.pack(len(head), body.tell()) + head)
    stream.write(body.getbuffer())
    stream.flush()


def read(stream: IO[bytes]) -> Message | None:
    """Wait for the next message; None at the end of the stream, also in the middle of one."""
    lengths = _exactly(stream, _LENGTHS.size)
    if lengths is None:
        return None
    head, body = (_exactly(stream, length) for length in _LENGTHS.unpack(lengths))
    if head is None or body is None:
        return None
    if not body:
        return Message(json.loads(head), {})
    with np.load(io.BytesIO(body), allow_pickle=False) as archive:
        return Message(json.loads(head), {name: archive[name] for name in archive.files})


def _exactly(stream: IO[bytes], length: int) -> bytes | None:
    parts = []
    while length:
        part = stream.read(length)
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
