"""What stands beside the actions: pictures while they are typed, files, what a slip moves, the calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from app.features.plans.rooms import Section
from app.features.steps.action_plan.content import is_link
from app.features.steps.action_plan.evidence import by_action, evidence_of
from app.features.steps.action_plan.feeds import live_feed
from app.features.steps.action_plan.models import ActionEvidence
from app.features.steps.action_plan.report import report_section
from app.features.steps.action_plan.words import status_words
from app.features.steps.desk import Desk
from app.features.steps.parts import action_status, written
from app.infra.web.words import say_here


@dataclass(frozen=True, slots=True)
class Shown:
    """An action with what shows it: where it stands, a link that may be opened (None: none), its files."""

    id: str
    text: str
    stands: str
    link: str | None
    files: Sequence[ActionEvidence]


def beside_actions(desk: Desk) -> Mapping[str, Any]:
    """The schedule as blocks (while it is typed), each action with its files, those of removed ones, the calendar."""
    section = report_section(desk.content, desk.around, say_here)
    files = dict(by_action(evidence_of(desk.uow, desk.view.plan.id)))
    words = status_words(gettext)
    shown = [
        Shown(
            row["id"],
            row["text"],
            words[action_status(row)],
            safe_link(row),
            files.pop(row["id"], []),
        )
        for row in written(desk.content, "actions", "text")
    ]
    return {
        "section": section if desk.open else Section(section.title, ()),
        "actions": shown,
        "lost": [row for rows in files.values() for row in rows],
        # The client's own page links to the calendar's, which knows.
        "feed": None if desk.uow.actor.client_id else live_feed(desk.uow, desk.view.client.id),
        "plan_id": desk.view.plan.id,
    }


def safe_link(row: Mapping[str, Any]) -> str | None:
    """The link that shows an action, where it may be opened; older content was never checked."""
    link = row.get("evidence_link") or ""
    return link if is_link(link) else None
