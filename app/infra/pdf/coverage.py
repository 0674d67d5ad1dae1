"""Which characters a font file can print: reads the `cmap` table of TrueType and OpenType files and collections.

Only the two formats that hold Unicode in practice are read: 4 (the basic plane) and 12 (all planes), as laid
down in the OpenType specification, chapter cmap.
"""

from __future__ import annotations

import struct
from pathlib import Path

Ranges = list[tuple[int, int]]


def covered(path: Path) -> Ranges:
    """The code points the first font of a file has glyphs for, as sorted ranges with both ends included.

    Raises ValueError for a file that is no such font.
    """
    data = path.read_bytes()
    try:
        start = struct.unpack_from(">I", data, 12)[0] if data[:4] == b"ttcf" else 0
        tables = struct.unpack_from(">H", data, start + 4)[0]
        offset = next(
            struct.unpack_from(">I", data, start + 12 + 16 * n + 8)[0]
            for n in range(tables)
            if data[start + 12 + 16 * n : start + 16 + 16 * n] == b"cmap"
        )
        found: Ranges = []
        for n in range(struct.unpack_from(">H", data, offset + 2)[0]):
            where = offset + struct.unpack_from(">I", data, offset + 4 + 8 * n + 4)[0]
            form = struct.unpack_from(">H", data, where)[0]
            if form == 4:
                found += _format_4(data, where)
            elif form == 12:
                found += _format_12(data, where)
    except (struct.error, StopIteration) as error:
        raise ValueError(f"{path.name} is not a readable font") from error
    return merged(found)


def merged(ranges: Ranges) -> Ranges:
    """The same code points in as few sorted ranges as possible."""
    result: Ranges = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(result[-1][1], high))
        else:
            result.append((low, high))
    return result


def _format_4(data: bytes, at: int) -> Ranges:
    segments = struct.unpack_from(">H", data, at + 6)[0] // 2
    ends = struct.unpack_from(f">{segments}H", data, at + 14)
    starts = struct.unpack_from(f">{segments}H", data, at + 16 + 2 * segments)
    deltas = struct.unpack_from(f">{segments}H", data, at + 16 + 4 * segments)
    offsets_at = at + 16 + 6 * segments
    offsets = struct.unpack_from(f">{segments}H", data, offsets_at)
    found: Ranges = []
    for n, (low, high) in enumerate(zip(starts, ends, strict=True)):
        for code in range(low, min(high, 0xFFFE) + 1):
            glyph = code
            if offsets[n]:
                glyph = struct.unpack_from(">H", data, offsets_at + 2 * n + offsets[n] + 2 * (code - low))[0]
                if not glyph:
                    continue
            if (glyph + deltas[n]) & 0xFFFF:
                found.append((code, code))
    return merged(found)


def _format_12(data: bytes, at: int) -> Ranges:
    groups = struct.unpack_from(">I", data, at + 12)[0]
    return [struct.unpack_from(">II", data, at + 16 + 12 * n) for n in range(groups)]
