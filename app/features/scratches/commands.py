"""Frozen inputs of the use cases of scratch copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginScratch:
    """Copy a plan as it stands, to try changes on; the first changes may come with it."""

    plan_id: UUID
    title: str = ""
    changes: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TryChange:
    """Put one more change on top of those of a copy."""

    plan_id: UUID
    scratch_id: UUID
    change: Mapping[str, Any]
