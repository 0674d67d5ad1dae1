"""What the use cases of own reports take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

FORMS = ("csv", "xlsx", "jsonl", "parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveExtract:
    """An own report to keep: its name, what it asks for, and whether everybody may use it."""

    name: str
    definition: Mapping[str, Any]
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunExtract:
    """Write a file of a report that is kept; the same key twice is one job."""

    extract_id: UUID
    form: str
    locale: str
    idempotency_key: str | None = None
