"""Looks at zip archives before a library reads them: it makes an object of each entry of their list, however many."""

from __future__ import annotations

from typing import BinaryIO

_BLOCK = 1 << 20
# Each entry of the list of contents begins so. Where the list is and how long, an archive says in more than one place
# and may lie in each; these marks it must have.
_ENTRY = b"PK\x01\x02"


def may_list_more_than(archive: BinaryIO, most: int) -> bool:
    """Whether the archive has the marks of more than `most` entries; it then need not have them, but it may."""
    found, before = 0, b""
    while found <= most and (block := archive.read(_BLOCK)):
        found += (before + block).count(_ENTRY)
        before = block[1 - len(_ENTRY) :]
    return found > most
