"""A ZIP that is written piece by piece and can be gone on with after any end; its bytes follow from its contents alone.

Nothing is compressed and every entry has the same time, so that the same entries give the same bytes whoever writes
them, when and in how many goes. What has been written describes itself: the directory at the end is made from the heads
of the entries. The form is that of the .ZIP application note (4.3.7, 4.3.12, 4.3.16), without ZIP64: `MOST_ENTRIES` and
`MOST_BYTES` are what it holds.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import IO

MOST_ENTRIES = 65_000
MOST_BYTES = 4_000 << 20
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION = 20
# Made on a system whose names are paths with / (3), read and written by its owner.
_MADE_BY, _MODE = 3 << 8 | _VERSION, 0o100600 << 16
_UTF8 = 0x800
# The first moment the form can say: 1980-01-01 00:00.
_TIME, _DATE = 0, 1 << 5 | 1


def head(name: str, size: int, crc: int) -> bytes:
    """What stands before an entry's content of `size` bytes with this CRC-32."""
    written = name.encode()
    fields = (_VERSION, _UTF8, 0, _TIME, _DATE, crc, size, size, len(written), 0)
    return _LOCAL.pack(b"PK\x03\x04", *fields) + written


def entry(name: str, content: bytes) -> bytes:
    """A whole entry; entries one after the other are the beginning of an archive."""
    return head(name, len(content), zlib.crc32(content)) + content


def weight(name: str, size: int) -> int:
    """The bytes an entry adds to a finished archive, its line in the directory included."""
    return _LOCAL.size + _CENTRAL.size + 2 * len(name.encode()) + size


def write_directory(handle: IO[bytes], end: int) -> None:
    """Finish an archive whose entries fill the file up to `end`. Raises ValueError where they do not."""
    lines = list(_directory(handle, end))
    directory = b"".join(lines)
    handle.seek(end)
    handle.write(directory)
    handle.write(_END.pack(b"PK\x05\x06", 0, 0, len(lines), len(lines), len(directory), end, 0))
    handle.truncate()


def _directory(handle: IO[bytes], end: int) -> Iterator[bytes]:
    at = 0
    while at < end:
        handle.seek(at)
        signature, *_, crc, size, _size, long, extra = _LOCAL.unpack(handle.read(_LOCAL.size))
        if signature != b"PK\x03\x04" or extra:
            raise ValueError("this is not the head of an entry")
        name = handle.read(long)
        fields = (_MADE_BY, _VERSION, _UTF8, 0, _TIME, _DATE, crc, size, size, long, 0, 0, 0, 0, _MODE, at)
        yield _CENTRAL.pack(b"PK\x01\x02", *fields) + name
        at += _LOCAL.size + long + size
    if at != end:
        raise ValueError("the last entry is not whole")
