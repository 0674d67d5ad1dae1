"""Revisions: a plan frozen whole as canonical JSON, and the difference between any two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.canonical import digest
from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from app.domain.saying import later
from app.domain.steps import ActorKind, StepKey
from app.features.audit.service import record
from app.features.plans.acting import note
from app.features.plans.models import Plan, PlanRevision, TemplateVersion
from app.features.plans.policy import kind_of
from app.features.plans.queries import comment_counts, find_plan, latest_assessments, view_plan
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class StepDifference:
    """One step in two revisions: the frozen step (status, due_on, reason, content, ...) of each."""

    step: StepKey
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def content_changed(self) -> bool:
        """Whether what was written differs, not only where the step stands."""
        return bool(self.before["content"] != self.after["content"])


def freeze_revision(
    uow: UnitOfWork, plan: Plan, reason: str, review_id: UUID | None = None, *, revision: int | None = None
) -> PlanRevision:
    """Write the plan's open revision whole to `plan_revisions` and open the next; contents stay and go on.

    `revision` names the one to freeze (default: the plan's, as the caller loaded it). Freezing one that is
    frozen returns it and changes nothing, so a repeated call is harmless. Raises InvalidInput without a reason,
    Conflict for a revision that is not open.
    """
    # A review opened by its link may freeze the plan it reviews; a client's own session may not.
    if uow.actor.kind == "member" and kind_of(uow.actor) is not ActorKind.COUNSELLOR:
        raise Forbidden(later("Only the %(counsellor)s can freeze a revision."))
    if not reason.strip():
        raise InvalidInput([FieldProblem("reason", "Write why this revision ends; it is kept with it.")])
    number = plan.revision if revision is None else revision
    plan = find_plan(uow, plan.id, lock=True)
    frozen = uow.session.scalars(
        select(PlanRevision).where(PlanRevision.plan_id == plan.id, PlanRevision.revision == number)
    ).one_or_none()
    if frozen is not None:
        return frozen
    if number != plan.revision:
        raise Conflict(
            later(
                "Revision %(number)s is not open; revision %(open)s is. Load the page again.",
                number=number,
                open=plan.revision,
            )
        )
    snapshot = take_snapshot(uow, plan.id)
    snapshot |= {"reason": reason.strip(), "review": review_id and str(review_id)}
    frozen = PlanRevision(
        plan_id=plan.id,
        revision=number,
        snapshot=snapshot,
        checksum=digest(snapshot),
        reason=reason.strip(),
        frozen_by=uow.actor.membership_id,
        frozen_at=uow.now,
    )
    uow.session.add(frozen)
    plan.revision = number + 1
    note(uow, plan, None, "revision_frozen", {"revision": number, "reason": reason.strip()})
    record(uow, "plan.revision_frozen", "plan", plan.id, revision=number, checksum=frozen.checksum)
    return frozen


def take_snapshot(uow: UnitOfWork, plan_id: UUID) -> dict[str, Any]:
    """The plan as it stands, as plain JSON: steps with contents, counts of comments, template, assessments used."""
    view = view_plan(uow, plan_id)
    plan = view.plan
    comments = comment_counts(uow, plan_id)
    checksum = uow.session.scalars(
        select(TemplateVersion.checksum).where(
            TemplateVersion.template_id == plan.template_id, TemplateVersion.version == plan.template_version
        )
    ).one()
    steps = {}
    for key in StepKey:
        row = view.step(key)
        steps[key.value] = {
            "status": row.status,
            "due_on": _iso(row.due_on),
            "reason": row.reason,
            "stale": row.stale,
            "changed_at": _iso(row.changed_at),
            "content": view.content(key),
            "version": view.version(key),
            "comments": comments.get(key, 0),
        }
    return {
        "format": 1,
        "plan": str(plan.id),
        "client": str(plan.client_id),
        "revision": plan.revision,
        "started_on": _iso(plan.started_on),
        "template": {
            "id": str(plan.template_id),
            "version": plan.template_version,
            "name": view.template_name,
            "checksum": checksum,
        },
        "steps": steps,
        "assessments": [
            {
                "id": str(taken.id),
                "instrument": instrument.key,
                "version": taken.version,
                "taken_at": _iso(taken.taken_at),
                "status": status,
                "scores": [[name, score] for name, score in scores],
            }
            for taken, instrument, status, scores in latest_assessments(uow, plan.client_id)
        ],
    }


def is_intact(revision: PlanRevision) -> bool:
    """Whether the frozen revision still has the checksum it was frozen with."""
    return digest(revision.snapshot) == revision.checksum


def snapshot_of(uow: UnitOfWork, plan_id: UUID, revision: int) -> dict[str, Any]:
    """The frozen revision's snapshot, or the plan as it stands for the open one. Raises NotFound otherwise."""
    plan = find_plan(uow, plan_id)
    if revision == plan.revision:
        return take_snapshot(uow, plan_id)
    row = uow.session.scalars(
        select(PlanRevision).where(PlanRevision.plan_id == plan_id, PlanRevision.revision == revision)
    ).one_or_none()
    if row is None:
        raise NotFound("This plan has no such revision.")
    return row.snapshot


def compare_revisions(uow: UnitOfWork, plan_id: UUID, before: int, after: int) -> list[StepDifference]:
    """The steps that differ between two revisions (either may be the open one), in order."""
    old, new = snapshot_of(uow, plan_id, before)["steps"], snapshot_of(uow, plan_id, after)["steps"]
    told = ("status", "due_on", "reason", "content")
    return [
        StepDifference(key, old[key], new[key])
        for key in StepKey
        if any(old[key][name] != new[key][name] for name in told)
    ]


def _iso(value: date | datetime | None) -> str | None:
    return None if value is None else value.isoformat()
