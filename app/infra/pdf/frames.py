"""Messages between the worker and its typesetting child: a length of four bytes, then so many bytes of JSON or PDF."""

from __future__ import annotations

import struct
from typing import IO

# A report of a thousand pages is below this; more means the stream is out of step.
LONGEST = 256 * 1024 * 1024


def send(stream: IO[bytes], *parts: bytes) -> None:
    """Write each part as a frame and flush."""
    whole = memoryview(b"".join(struct.pack(">I", len(part)) + part for part in parts))
    while whole:
        # An unbuffered stream may take only a part of what it is given.
        whole = whole[stream.write(whole) :]
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """The next frame; None at the end of the stream. Raises EOFError when it ends inside a frame."""
    head = _exactly(stream, 4)
    if head is None:
        return None
    size: int = struct.unpack(">I", head)[0]
    if size > LONGEST:
        raise EOFError("the stream is out of step")
    body = _exactly(stream, size)
    if body is None:
        raise EOFError("the stream ended inside a message")
    return body


def _exactly(stream: IO[bytes], size: int) -> bytes | None:
    parts: list[bytes] = []
    while size:
        part = stream.read(size)
        if not part:
            if parts:
                raise EOFError("the stream ended inside a message")
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
