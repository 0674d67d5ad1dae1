"""Names of files as their senders give them, without what could deceive or harm."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 120
_FORBIDDEN = re.compile(r'[<>:"/\\|?*%;]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def safe_name(name: str) -> str:
    """The last part of a file's name without what could deceive or harm: controls, direction marks, path signs.

    It keeps its ending and is at most 120 characters long; a name of which nothing is left is "file".
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(" " if sign.isspace() else sign for sign in last if unicodedata.category(sign)[0] != "C")
    kept = " ".join(_FORBIDDEN.sub("_", kept).split()).strip(". ")
    stem, dot, ending = kept.rpartition(".")
    if not dot:
        stem, ending = kept, ""
    stem = stem.strip(". ") or "file"
    if _DEVICES.fullmatch(stem):
        stem = f"_{stem}"
    ending = ending[:10]
    room = LONGEST - len(ending) - len(dot)
    return f"{stem[:room].rstrip()}{dot}{ending}"
