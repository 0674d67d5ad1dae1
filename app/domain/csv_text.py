"""Lines of CSV that a spreadsheet program shows as text and never runs (TRUST S11)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

# With these a spreadsheet program takes a cell for a formula, also behind what it strips.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
# At the start of a file, so that spreadsheet programs read it as UTF-8.
BYTE_ORDER_MARK = "\ufeff"


def neutral(value: object) -> str:
    """The cell for a value: text that begins like a formula gets an apostrophe in front; numbers stay numbers."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    clean = value.replace("\0", "")
    return "'" + clean if value.startswith(_STARTS) or clean.lstrip().startswith(_STARTS) else clean


def csv_line(values: Iterable[object]) -> str:
    """One line, ended, every value through `neutral`."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([neutral(value) for value in values])
    return buffer.getvalue()
