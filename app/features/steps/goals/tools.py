"""What stands beside the goals: the pictures while they are typed, and the levels that are locked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext

from app.features.plans.rooms import Section
from app.features.steps.desk import Desk
from app.features.steps.goals.content import LEVELS
from app.features.steps.goals.figures import counted, locked_since
from app.features.steps.goals.report import report_section
from app.features.steps.goals.words import level_words
from app.infra.web.words import say_here


@dataclass(frozen=True, slots=True)
class Locked:
    """A goal whose levels are locked: since when, its levels now, and each change with its day, the latest first."""

    id: str
    text: str
    since: date
    levels: Mapping[str, str]
    changes: Sequence[tuple[date, str]]


def beside_goals(desk: Desk) -> Mapping[str, Any]:
    """The goals as blocks (while they are typed), the goals with locked levels, and the words of the levels."""
    section = report_section(desk.content, desk.around, say_here)
    locked = [
        Locked(
            row["id"],
            row["text"],
            date.fromisoformat(since[:10]),
            row.get("levels") or {},
            [(date.fromisoformat(one["at"][:10]), one["why"]) for one in reversed(row.get("changes") or ())],
        )
        for row in counted(desk.content, desk.around)
        if (since := locked_since(row, desk.around))
    ]
    words = level_words(gettext)
    return {
        "section": section if desk.open else Section(section.title, ()),
        "locked": locked,
        "levels": [(level, words[int(level)]) for level in LEVELS],
        "open": desk.open,
    }
