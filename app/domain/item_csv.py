"""Reads a table of items (one row an item) into an instrument definition."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from app.domain.errors import FieldProblem
from app.domain.instrument_reading import MOST_ITEMS
from app.domain.instruments import DefinitionError
from app.domain.reading import short
from app.domain.saying import later

# No questionnaire has more; beyond some thousand digits Python refuses to read a number at all.
_MOST_DIGITS = 7
KEYS = {"+": 1, "+1": 1, "1": 1, "-": -1, "-1": -1, "−": -1}


@dataclass(frozen=True, slots=True)
class ItemColumns:
    """The column headings of an item table; without a `key` column no item is reversed.

    With a `facet` column a scale's id is the two together: domain N and facet 1 make N1.
    """

    number: str = "index"
    text: str = "text"
    scale: str = "domain"
    key: str | None = "key"
    facet: str | None = None


@dataclass(frozen=True, slots=True)
class ScaleRule:
    """How every scale of an item table is scored; see `Scale` for the meaning of the fields."""

    method: str = "sum"
    offset: float = 0.0
    min_answered: float = 0.8


def definition_from_item_csv(
    text: str,
    details: Mapping[str, Any],
    *,
    columns: ItemColumns = ItemColumns(),
    rule: ScaleRule = ScaleRule(),
    scale_titles: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A definition for `parse_definition`: `details` (all fields but items and scales) plus the table's rows.

    Scales appear in the order of their first item and take their title from `scale_titles` or their id.
    Raises `DefinitionError` naming each bad line and column.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), restkey="")
    named = (columns.number, columns.text, columns.scale, columns.facet, columns.key)
    wanted = [name for name in named if name is not None]
    missing = [name for name in wanted if name not in (rows.fieldnames or ())]
    if missing:
        raise DefinitionError(
            [
                FieldProblem("line 1", later('There is no column "%(name)s". Add it or name another.', name=name))
                for name in missing
            ]
        )
    problems: list[FieldProblem] = []
    items: list[dict[str, str | int]] = []
    scale_ids: dict[str, None] = {}
    try:
        # One more than any questionnaire has is read, so that a file of nothing but lines is not.
        listed = [(rows.line_num, row) for row in islice(rows, MOST_ITEMS + 1)]
    except csv.Error as error:
        raise DefinitionError(
            [FieldProblem(f"line {rows.line_num + 1}", later("This is not readable as CSV (%(error)s).", error=error))]
        ) from None
    if len(listed) > MOST_ITEMS:
        raise DefinitionError([FieldProblem("file", later("Give at most %(most)s items.", most=MOST_ITEMS))])
    for line_number, row in listed:
        line = f"line {line_number}"
        cells = {name: (row[name] or "").strip() for name in wanted}
        problems += [
            FieldProblem(f"{line}, {name}", "This cell is empty. Fill it in.") for name in wanted if not cells[name]
        ]
        number, key = cells[columns.number], cells[columns.key] if columns.key is not None else "+"
        whole = number.isdecimal() and len(number) <= _MOST_DIGITS
        if number and not whole:
            problems.append(
                FieldProblem(
                    f"{line}, {columns.number}", later("%(number)s is not a whole number.", number=short(number))
                )
            )
        if key and key not in KEYS:
            problems.append(
                FieldProblem(f"{line}, {columns.key}", later("%(key)s is no key. Write + or -.", key=short(key)))
            )
        scale = cells[columns.scale] + (cells[columns.facet] if columns.facet is not None else "")
        scale_ids[scale] = None
        items.append(
            {
                "id": number,
                "text": cells[columns.text],
                "scale": scale,
                "key": KEYS.get(key, 1),
                "order": int(number) if whole else 0,
            }
        )
    if not items:
        problems.append(FieldProblem("line 2", "The table has no items. Add one row for each."))
    if problems:
        raise DefinitionError(problems)
    titles = scale_titles or {}
    scales = [
        {
            "id": scale,
            "title": titles.get(scale, scale),
            "method": rule.method,
            "offset": rule.offset,
            "min_answered": rule.min_answered,
        }
        for scale in scale_ids
    ]
    return {**details, "items": items, "scales": scales}
