"""Inputs of the overview: what to show of a caseload."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Literal
from uuid import UUID

Sort = Literal["why", "name", "contact", "next"]
SORTS: tuple[Sort, ...] = ("why", "name", "contact", "next")
SIZES = (50, 100, 600)


class Why(IntFlag):
    """Why a client wants attention. The values rank them: one reason outweighs all the lesser ones together."""

    WAITING = 64
    ANSWERED = 32
    ESCALATED = 16
    OVERDUE = 8
    STALE = 4
    NEVER_MET = 2
    SILENT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseloadFilter:
    """Which clients to show, in which order, and which page of them. Empty fields do not narrow.

    `why` asks for any of the reasons (bits of `Why`); `step` and `status` go together; `attribute` is (key, value);
    `quiet_weeks` asks for a last contact at least so long ago, 0 for none ever.
    """

    search: str = ""
    cohort_id: UUID | None = None
    counsellor_id: UUID | None = None
    label_id: UUID | None = None
    # A saved filter, whose rule the reads are given beside.
    filter_id: UUID | None = None
    why: int = 0
    step: int | None = None
    status: str | None = None
    attribute: tuple[str, str] | None = None
    quiet_weeks: int | None = None
    review_soon: bool = False
    sort: Sort = "why"
    descending: bool = False
    size: int = 50
    page: int = 1

    @property
    def narrows(self) -> bool:
        """Whether anything is filtered at all."""
        return replace(self, sort="why", descending=False, size=50, page=1) != CaseloadFilter()
