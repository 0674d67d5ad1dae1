"""How much of a page the blocks of a report take, roughly: enough to tell what need not be parted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Any

# In millimetres: the printed width, a line of text, one of a table without and with its edges, a small heading.
_WIDE, _LINE, _CELL, _ROW, _HEAD = 174.0, 4.6, 4.0, 5.4, 9.0
# So many letters stand in a line; a wide sign takes the room of two.
_LETTERS, _FIRST_WIDE = 105, "\u1100"
_DRAWN = re.compile(r"<svg[^>]*? width=\"([\d.]+)\" height=\"([\d.]+)\"")
# A drawing this wide, in its own pixels, takes the whole width of the page.
_PAGE_WIDTH = 680
# What is higher than this may have its table on the next page.
_TALL = 78.0
# The last section is not parted where it takes about half a page, as far as can be told.
_SHORT = 150.0
# Lower than this it would be a few lines on a page.
_FEW = 60.0


def drawn(svg: str) -> dict[str, Any]:
    """How much of the page's width a drawing takes, in percent, its height, and whether that makes it a tall one.

    One made for a phone is not blown up to the page.
    """
    found = _DRAWN.search(svg)
    width, height = (float(found[1]), float(found[2])) if found else (_PAGE_WIDTH, 0.0)
    share = min(1.0, width / _PAGE_WIDTH)
    high = _WIDE * share * height / width
    return {"width": 100 * share, "high": high, "tall": high > _TALL}


def keep_the_end(sections: Sequence[dict[str, Any]]) -> None:
    """Mark what of the last section goes together, so that no page has a few lines alone.

    One that takes about half a page at most is kept `whole`; one of a few lines is `joined` to the block before it.
    """
    if not sections:
        return
    *_, last = sections
    high = 2 * _HEAD + sum(map(_high, last["blocks"]))
    last["whole"] = high < _SHORT
    before = sections[-2]["blocks"][-1] if len(sections) > 1 else None
    last["joined"] = before is not None and high < _FEW and _high(before) + high < _SHORT


def _high(block: Mapping[str, Any]) -> float:
    match block["kind"]:
        case "text":
            return _HEAD + _lines(block["text"].splitlines())
        case "list":
            return _HEAD + _lines(block["lines"])
        case "chart":
            return (
                _HEAD
                + _lines([" ".join(block["notes"])])
                + _ROW * (1 + len(block["rows"])) * (1 if len(block["columns"]) < 4 else 2)
            )
        case _:
            return _HEAD + float(block.get("high", 0.0)) + _table(block["columns"], block["rows"])


def _lines(lines: Iterable[str]) -> float:
    return _LINE * sum(ceil(_letters(line) / _LETTERS) for line in lines)


def _letters(said: str) -> int:
    return len(said) + sum(sign >= _FIRST_WIDE for sign in said)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> float:
    """As if all columns were of one width, which they are where that saves the most lines."""
    letters = max(4, _LETTERS / max(1, len(columns)) - 3)
    high = 0.0
    for row in [columns, *rows] if rows else []:
        high += _ROW + _CELL * (max(ceil(_letters(cell) / letters) for cell in row) - 1)
    return high
