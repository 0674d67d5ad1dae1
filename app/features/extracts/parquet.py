"""Parquet of an own report: the JSON lines of the same rows, read with the kinds of the columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from arro3.core import DataType, Field, Schema
from arro3.io import read_json, write_parquet
from sqlalchemy import Integer

from app.features.extracts.statements import Cell, Reading
from app.features.extracts.writing import About, write_json_lines
from app.infra.db.open import UnitOfWork

# Rows read at once, and rows of a group of the file: what is kept in memory at a time.
_AT_ONCE, _GROUP = 8_192, 65_536


def write_parquet_file(uow: UnitOfWork, reading: Reading, path: Path, about: About) -> int:
    """Write Parquet by the columns' keys and with codes as they are stored; return the number of rows."""
    lines = path.with_suffix(".lines")
    try:
        number = write_json_lines(uow, reading, lines, about)
        schema = Schema([Field(cell.key, _kind(cell)) for cell in reading.cells])
        with lines.open("rb") as source:
            write_parquet(
                read_json(source, schema, batch_size=_AT_ONCE),
                str(path),
                compression="snappy",
                max_row_group_size=_GROUP,
                key_value_metadata=described(about),
            )
        return number
    finally:
        lines.unlink(missing_ok=True)


def described(about: About) -> dict[str, str]:
    """The title of the file and the moment of its data, as one entry: several are written in an order that changes."""
    return {"about": json.dumps({"title": about.title, "data_at": about.moment.isoformat()}, ensure_ascii=False)}


def _kind(cell: Cell) -> Any:
    """The column's kind in the file; moments are of the organization's clock and bear no zone."""
    if cell.kind == "number":
        return DataType.int64() if isinstance(cell.source.type, Integer) else DataType.float64()
    kinds = {"boolean": DataType.bool(), "date": DataType.date32(), "moment": DataType.timestamp("us")}
    return kinds.get(cell.kind, DataType.utf8())
