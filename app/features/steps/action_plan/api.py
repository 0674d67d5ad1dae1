"""JSON of step 7: the schedule, what a slip moves, files, where an action stands, the calendar's address."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, g
from flask_babel import gettext
from sqlalchemy import select

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.steps import StepKey
from app.features.plans import queries
from app.features.steps.action_plan import evidence, feeds
from app.features.steps.action_plan.evidence import AddEvidence
from app.features.steps.action_plan.figures import Work, goal_shares, work_of
from app.features.steps.action_plan.models import ActionEvidence, CalendarFeed
from app.features.steps.action_plan.pages import feed_address, send_evidence
from app.features.steps.action_plan.report import available
from app.features.steps.action_plan.schemas import (
    CalendarSchema,
    EvidenceQuery,
    EvidenceSchema,
    EvidenceUploadSchema,
    MarkedSchema,
    MarkSchema,
    NewCalendarSchema,
    ScheduleSchema,
    SlipQuery,
    SlipSchema,
)
from app.features.steps.action_plan.service import MarkAction, mark_action
from app.features.steps.action_plan.words import risk_words
from app.features.steps.parts import action_status
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.paging import page
from app.infra.web.api.schemas import page_of
from app.infra.web.context import actor, runtime, unit_of_work
from app.infra.web.words import say_here

blueprint = ApiBlueprint(
    "Actions", __name__, description="The schedule of a plan's actions, their files, the calendar."
)
_PLAN = "/plans/<uuid:plan_id>"
_FILE = f"{_PLAN}/evidence/<uuid:evidence_id>"


@blueprint.get(f"{_PLAN}/schedule")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, ScheduleSchema)
def read_schedule(plan_id: UUID) -> dict[str, Any]:
    """When each action happens as things stand, what the end hangs on, what is at risk, the load by month."""
    with unit_of_work() as uow:
        work, shares = _work(uow, plan_id)
    names = work.names
    return {
        "today": work.today,
        "end": work.schedule.end,
        "slots": [
            {
                "action": row["id"],
                "text": row["text"],
                "start": slot.start,
                "finish": slot.finish,
                "latest": slot.latest,
                "slack": slot.slack,
                "assumed": slot.assumed,
                "status": action_status(row),
            }
            for row in work.rows
            if (slot := work.schedule.slots.get(row["id"])) is not None
        ],
        "critical": list(work.schedule.critical),
        "risks": [
            {
                "action": name,
                "why": risk.why.value,
                "days": risk.days,
                "other": risk.other,
                "month": risk.month,
                "sentence": risk_words(risk, names, say_here),
            }
            for name, risks in work.risks.items()
            for risk in risks
        ],
        "months": [
            {"month": month, "hours": hours, "available": available(month, work.hours_a_week)}
            for month, hours in work.load.hours.items()
        ],
        "uncounted": list(work.load.uncounted),
        "goals": shares,
    }


@blueprint.get(f"{_PLAN}/schedule/slip")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.arguments(SlipQuery, location="query")
@blueprint.response(200, SlipSchema)
def read_slip(query: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """What a delay of one open action would move; nothing is changed."""
    with unit_of_work() as uow:
        work, _ = _work(uow, plan_id)
    names = work.names
    if query["action"] not in {row["id"] for row in work.open()}:
        raise InvalidInput([FieldProblem("action", gettext("Choose an action that is not done yet."))])
    moved = work.moved_by(query["action"], query["days"])
    return {
        "moved": [
            {"action": one.id, "text": names[one.id], "days": one.days, "finish": one.finish, "late": one.late}
            for one in moved
        ]
    }


@blueprint.put(f"{_PLAN}/actions/<action>/status")
@requires(Permission.OWN_PLAN)
@blueprint.arguments(MarkSchema)
@blueprint.response(200, MarkedSchema)
def set_action_status(body: dict[str, Any], plan_id: UUID, action: str) -> dict[str, Any]:
    """Say where an action stands; possible also after the counsellor accepted the step."""
    with unit_of_work() as uow:
        stored = mark_action(uow, MarkAction(plan_id=plan_id, action=action, **body), gettext)
        row = next(row for row in stored.content["actions"] if row["id"] == action)
        return {"version": stored.version, "action": row}


@blueprint.get(f"{_PLAN}/evidence")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.arguments(EvidenceQuery, location="query")
@blueprint.response(200, page_of(EvidenceSchema))
def list_evidence(query: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """The files that show actions of a plan, without removed ones."""
    with unit_of_work() as uow:
        queries.find_plan(uow, plan_id)
        found = select(ActionEvidence).where(ActionEvidence.plan_id == plan_id, ActionEvidence.removed_at.is_(None))
        if "action" in query:
            found = found.where(ActionEvidence.action == query["action"])
        return page(uow, found, (ActionEvidence.created_at, ActionEvidence.id), query)


@blueprint.post(f"{_PLAN}/actions/<action>/evidence")
@requires(Permission.OWN_PLAN)
@blueprint.arguments(EvidenceUploadSchema, location="files")
@blueprint.response(201, EvidenceSchema)
def add_evidence(files: dict[str, Any], plan_id: UUID, action: str) -> ActionEvidence:
    """Add a file that shows an action. The same file sent again is the one that is there."""
    upload = files["file"]
    command = AddEvidence(plan_id, action, upload.filename or "")
    return evidence.add_evidence(runtime(), actor(), command, upload.stream, gettext, request_id=g.request_id)


@blueprint.get(f"{_FILE}/content")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
def download_evidence(plan_id: UUID, evidence_id: UUID) -> Response:
    """The file itself; who took it is audited, unless it is their own."""
    with unit_of_work() as uow:
        row = evidence.take_evidence(uow, plan_id, evidence_id)
    return send_evidence(row)  # type: ignore[return-value] # Werkzeug's response is what Flask sends


@blueprint.delete(_FILE)
@requires(Permission.OWN_PLAN)
@blueprint.response(200, EvidenceSchema)
def remove_evidence(plan_id: UUID, evidence_id: UUID) -> ActionEvidence:
    """Remove a file; for seven days it can be brought back."""
    with unit_of_work() as uow:
        return evidence.remove_evidence(uow, plan_id, evidence_id, gettext)


@blueprint.post(f"{_FILE}/restore")
@requires(Permission.OWN_PLAN)
@blueprint.response(200, EvidenceSchema)
def restore_evidence(plan_id: UUID, evidence_id: UUID) -> ActionEvidence:
    """Bring a removed file back."""
    with unit_of_work() as uow:
        return evidence.restore_evidence(uow, plan_id, evidence_id, gettext)


@blueprint.get(f"{_PLAN}/calendar")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, CalendarSchema)
def read_calendar(plan_id: UUID) -> dict[str, Any]:
    """Whether calendars can read the client's dates."""
    with unit_of_work() as uow:
        return _calendar(feeds.live_feed(uow, queries.find_plan(uow, plan_id).client_id))


@blueprint.post(f"{_PLAN}/calendar")
@requires(Permission.OWN_PLAN)
@blueprint.response(201, NewCalendarSchema)
def make_calendar(plan_id: UUID) -> dict[str, Any]:
    """Make an address from which a calendar reads the client's dates; the one before ends. It is told this once."""
    with unit_of_work() as uow:
        feed, token = feeds.renew_feed(uow, plan_id, gettext)
        return _calendar(feed) | {"address": feed_address(token)}


@blueprint.delete(f"{_PLAN}/calendar")
@requires(Permission.OWN_PLAN, Permission.WORK_PLANS)
@blueprint.response(204)
def end_calendar(plan_id: UUID) -> None:
    """End the address at once."""
    with unit_of_work() as uow:
        feeds.end_feed(uow, plan_id, gettext)


def _work(uow: UnitOfWork, plan_id: UUID) -> tuple[Work, list[dict[str, Any]]]:
    view = queries.view_plan(uow, plan_id)
    around = queries.surroundings_of(uow, view, StepKey.ACTION_PLAN)
    content = view.content(StepKey.ACTION_PLAN)
    shares = [
        {"goal": text, "done": share.done, "planned": share.planned} for text, share in goal_shares(content, around)
    ]
    return work_of(content, around, uow.now.date()), shares


def _calendar(feed: CalendarFeed | None) -> dict[str, Any]:
    return {
        "on": feed is not None,
        "made_at": feed.created_at if feed else None,
        "read_at": feed.read_at if feed else None,
    }
