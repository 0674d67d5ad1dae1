"""Values as text that PostgreSQL itself writes: for CSV, and as cells of a workbook's sheet.

A million rows leave the database as they stand in the file, so that nothing is done for each of them here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, Numeric, Text, case, cast, func, literal, literal_column, or_

from app.features.extracts.statements import Cell
from app.infra.sheets import LONGEST

# What `str.strip` takes off, but for the space that most texts with it have inside and not in front. A character that
# begins a formula may stand behind any of these, see `app.domain.csv_text.neutral`.
_SPACES = r"[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_FORMULA = rf"^(?:[\u0009\u000a\u000d]|{_SPACES}*[=+\-@\uff1d\uff0b\uff0d\uff20])"
# Ranges of first characters that neither are spaces nor begin a formula: nearly every text is told by one comparison.
_HARMLESS = ((65, 132), (48, 57), (161, 5759), (12289, 65280))
# What XML 1.0 cannot hold (section 2.2), but for what PostgreSQL cannot hold either.
_UNPRINTABLE = "".join(chr(code) for code in (*range(1, 9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF))
# Days count from here; Excel has a 29 February 1900 that never was, so that earlier ones stay text.
_FIRST_DAY, _ZERO_DAY = "1900-03-01", "1899-12-30"


def csv_cell(cell: Cell) -> ColumnElement[Any]:
    """The value as it stands in a CSV file: text that a spreadsheet would run has an apostrophe before it."""
    if cell.words is not None:
        return _in_words(cell)
    if cell.kind == "boolean":
        return _yes_or_no(cell.source)
    if cell.kind == "number":
        return _number(cell.source)
    return cell.source if cell.kind != "text" else _neutral(cell.source)


def _neutral(value: ColumnElement[Any]) -> ColumnElement[Any]:
    first = func.ascii(value)
    harmless = or_(*(first.between(literal_column(str(a)), literal_column(str(b))) for a, b in _HARMLESS))
    runs = value.op("~", is_comparison=True)(literal(_FORMULA, Text))
    return case((harmless, value), (runs, literal("'", Text).concat(value)), else_=value)


def sheet_cell(cell: Cell, styles: dict[str, str]) -> ColumnElement[Any]:
    """The value as a cell of a sheet; `styles` are the numbers of the formats of dates and moments in the workbook."""
    value = cell.source
    if cell.words is not None:
        return _whole(_in_words(cell), _text)
    if cell.kind == "number":
        return _whole(_number(value), lambda one: _tagged("<c><v>", cast(one, Text), "</v></c>"))
    if cell.kind == "boolean":
        return _whole(value, lambda one: _tagged('<c t="b"><v>', cast(cast(one, Integer), Text), "</v></c>"))
    if cell.kind in ("date", "moment"):
        days = value - literal_column(f"DATE '{_ZERO_DAY}'")
        if cell.kind == "moment":
            days = func.round(func.extract("epoch", days) / literal_column("86400"), literal_column("9"))
        dated = _tagged(f'<c s="{styles[cell.kind]}"><v>', cast(days, Text), "</v></c>")
        return _whole(
            value,
            lambda one: case((one >= literal_column(f"DATE '{_FIRST_DAY}'"), dated), else_=_text(cast(one, Text))),
        )
    return _whole(value, _text)


def _whole(value: ColumnElement[Any], write: Any) -> ColumnElement[Any]:
    """What `write` makes of a value that is there, else an empty cell, which keeps the place of those behind it."""
    return func.coalesce(write(value), literal("<c/>", Text))


def _tagged(before: str, value: ColumnElement[Any], behind: str) -> ColumnElement[Any]:
    return literal(before, Text).concat(value).concat(literal(behind, Text))


def _text(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Text as an inline string: escaped for XML, and a line break written so that a row stays on one line."""
    kept = func.left(
        func.translate(value, literal(_UNPRINTABLE, Text), literal("", Text)), literal_column(str(LONGEST))
    )
    # A workbook reads "_x0041_" as "A": the underscore of one that somebody typed is written so itself.
    typed = func.regexp_replace(
        kept, literal("_(?=x[0-9A-Fa-f]{4}_)", Text), literal("_x005F_", Text), literal("g", Text)
    )
    escaped: ColumnElement[Any] = case((func.strpos(kept, literal("_x", Text)) > 0, typed), else_=kept)
    for found, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\n", "&#10;"), ("\r", "&#13;")):
        escaped = func.replace(escaped, literal(found, Text), literal(written, Text))
    return _tagged('<c t="inlineStr"><is><t xml:space="preserve">', escaped, "</t></is></c>")


def _in_words(cell: Cell) -> ColumnElement[Any]:
    words = cell.words or {}
    if not words:
        return cast(cell.source, Text)
    pairs = [(literal(code, Text), literal(word, Text)) for code, word in words.items()]
    return case(*((cell.source == code, word) for code, word in pairs), else_=cast(cell.source, Text))


def _yes_or_no(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((value.is_(True), literal("true", Text)), (value.is_(False), literal("false", Text)))


def _number(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A number without noughts at its end; whole ones stay as they are."""
    return func.trim_scale(value) if isinstance(value.type, Numeric) and not isinstance(value.type, Float) else value
