"""Reads of assigning: what a preview says, and which assignments there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text

from app.domain.errors import NotFound
from app.features.assignments.gifts import OUTCOMES
from app.features.assignments.models import Assignment
from app.features.assignments.registry import GIFTS
from app.features.cohorts.models import Cohort
from app.features.organizations.models import Membership
from app.features.plans.models import PlanTemplate, TemplateVersion
from app.infra.db.open import UnitOfWork

_COUNT = """
    SELECT outcome, count(*) AS clients,
           count(*) FILTER (WHERE email <> '' AND NOT EXISTS (
               SELECT FROM suppressed_addresses x WHERE x.address = lower(chosen.email))) AS reachable
    FROM chosen GROUP BY outcome ORDER BY count(*) DESC
"""
_MEMBERS = text(
    "SELECT assignment_id, state, count(*) AS clients FROM assignment_members"
    " WHERE assignment_id = ANY(CAST(:ids AS uuid[])) GROUP BY assignment_id, state"
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some are not given it: the code and its sentence, and how many they are."""

    code: str
    sentence: str
    clients: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What an assignment would do, in numbers of clients.

    `already` have it, `refused` cannot have it, each with reasons; `mailed` of the new ones would get the mail that
    tells of it, if it is to be told; `unreachable` of the new ones have no e-mail address that takes mail. `not_seen`
    were named besides and are not the actor's to see.
    """

    not_seen: int
    chosen: int
    new: int
    already: list[Reason]
    refused: list[Reason]
    mailed: int
    unreachable: int


@dataclass(frozen=True, slots=True)
class StandingLine:
    """An assignment as the list shows it: what it gives, to which cohort, by whom, and its members by state."""

    assignment: Assignment
    title: str
    cohort: str | None
    creator: str | None
    members: dict[str, int]


def count_outcomes(
    uow: UnitOfWork, assignment: Assignment, clients: Sequence[UUID], *, tell: bool, not_seen: int = 0
) -> Preview:
    """Count what giving the assignment to these clients would do, in one statement however many."""
    gift = GIFTS[assignment.what]
    rows = gift.count(uow, assignment, clients, _COUNT)
    new = next((row for row in rows if row.outcome is None), None)
    reasons = [
        (OUTCOMES[r.outcome][0], Reason(r.outcome, OUTCOMES[r.outcome][1], r.clients)) for r in rows if r.outcome
    ]
    return Preview(
        not_seen=not_seen,
        chosen=sum(row.clients for row in rows),
        new=new.clients if new else 0,
        already=[reason for has, reason in reasons if has],
        refused=[reason for has, reason in reasons if not has],
        mailed=new.reachable if new and tell else 0,
        unreachable=new.clients - new.reachable if new else 0,
    )


def latest_published(uow: UnitOfWork) -> list[tuple[PlanTemplate, int]]:
    """Templates that can be assigned, each with its latest published version, by name."""
    latest = (
        select(TemplateVersion.template_id, func.max(TemplateVersion.version).label("version"))
        .where(TemplateVersion.state == "published")
        .group_by(TemplateVersion.template_id)
        .subquery()
    )
    rows = uow.session.execute(
        select(PlanTemplate, latest.c.version)
        .join(latest, latest.c.template_id == PlanTemplate.id)
        .where(PlanTemplate.archived_at.is_(None))
        .order_by(PlanTemplate.name)
    )
    return [(template, version) for template, version in rows]


def find_assignment(uow: UnitOfWork, assignment_id: UUID, *, lock: bool = False) -> Assignment:
    """The assignment. Raises NotFound when there is none."""
    found = select(Assignment).where(Assignment.id == assignment_id)
    assignment = uow.session.scalars(found.with_for_update() if lock else found).one_or_none()
    if assignment is None:
        raise NotFound("There is no such assignment.")
    return assignment


def standing_lines(uow: UnitOfWork) -> list[StandingLine]:
    """The standing assignments that go on or rest, newest first."""
    rows = uow.session.execute(
        select(Assignment, Cohort.name, Membership.name)
        .join(Cohort, Cohort.id == Assignment.cohort_id)
        .outerjoin(Membership, Membership.id == Assignment.created_by)
        .where(Assignment.standing, Assignment.state.in_(("active", "paused")))
        .order_by(Assignment.created_at.desc(), Assignment.id)
    ).all()
    members: dict[UUID, dict[str, int]] = {}
    ids = [assignment.id for assignment, _, _ in rows]
    for row in uow.session.execute(_MEMBERS, {"ids": ids}):
        members.setdefault(row.assignment_id, {})[row.state] = row.clients
    return [
        StandingLine(one, GIFTS[one.what].title(uow, one), cohort, creator, members.get(one.id, {}))
        for one, cohort, creator in rows
    ]
