"""Counts with withheld cells as files: a few lines, written one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from arro3.core import Array, DataType, Field, Schema, Table
from arro3.io import write_parquet

from app.domain.saying import Say
from app.features.extracts.counted import Counted
from app.features.extracts.writing import About
from app.infra.sheets import Cell, Workbook, write_csv


def write_counted(form: str, path: Path, counted: Counted, about: About, _: Say) -> int:
    """Write the lines in one of the forms; a count that is withheld is said to be. Returns how many lines."""
    headings = [*counted.headings, _("People")]
    lines = list(_lines(counted, _("withheld")))
    _WRITE[form](path, headings, lines, about)
    return len(lines)


def _lines(counted: Counted, withheld: str) -> Iterator[list[Cell]]:
    for values, number in counted.lines:
        yield [*values, withheld if number is None else number]


def _csv(path: Path, headings: Sequence[str], lines: list[list[Cell]], _: About) -> None:
    with path.open("wb") as handle:
        write_csv(handle, [headings, *lines])


def _workbook(path: Path, headings: Sequence[str], lines: list[list[Cell]], about: About) -> None:
    with Workbook(path, title=about.title, language=about.language, moment=about.moment) as book:
        sheet = book.sheet(about.sheet, headings, widths=[28] * len(headings))
        for line in lines:
            sheet.write(line)


def _json_lines(path: Path, headings: Sequence[str], lines: list[list[Cell]], _: About) -> None:
    with path.open("w", encoding="utf-8") as handle:
        for line in lines:
            handle.write(json.dumps(dict(zip(headings, line, strict=True)), ensure_ascii=False) + "\n")


def _parquet(path: Path, headings: Sequence[str], lines: list[list[Cell]], about: About) -> None:
    *values, counts = zip(*lines, strict=True) if lines else [()] * len(headings)
    columns = [Array([str(value) for value in column], DataType.utf8()) for column in values]
    columns.append(Array([count if isinstance(count, int) else None for count in counts], DataType.int64()))
    # Withheld is empty here: the column is of numbers.
    kinds = [*(DataType.utf8() for _ in values), DataType.int64()]
    schema = Schema([Field(name, kind) for name, kind in zip(headings, kinds, strict=True)])
    write_parquet(Table.from_arrays(columns, schema=schema), str(path), key_value_metadata={"title": about.title})


_WRITE: Mapping[str, Callable[[Path, Sequence[str], list[list[Cell]], About], None]] = {
    "csv": _csv,
    "xlsx": _workbook,
    "jsonl": _json_lines,
    "parquet": _parquet,
}
