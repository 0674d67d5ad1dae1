"""Standing assignments: who joins their cohort is given them, who leaves it keeps them or not, as was chosen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Select, exists, select, text

from app.domain.saying import later, stored
from app.domain.template_content import missing_terms, parse_content
from app.features.assignments.models import Assignment, AssignmentMember
from app.features.assignments.registry import GIFTS
from app.features.assignments.service import ASSIGN
from app.features.audit.service import record_each
from app.features.clients.models import Client
from app.features.clients.policy import seen_by
from app.features.clients.queries import select_ids
from app.features.cohorts.models import CohortMember
from app.features.jobs.items import add_items
from app.features.jobs.models import Job, JobItem
from app.features.jobs.service import GOING_ON, create_job
from app.features.organizations.queries import today_here
from app.features.plans.models import TemplateVersion
from app.features.plans.queries import terms_of
from app.infra.db.open import UnitOfWork

WITHDRAW = "assignments.withdraw"
# How long a later member who could not be given a standing assignment is left before the next try.
_REST_AFTER_FAILURE = timedelta(days=1)
_LOG = structlog.get_logger()

_LEFT = text(
    """
    SELECT m.client_id FROM assignment_members m
    WHERE m.assignment_id = :assignment AND m.state = 'given'
      AND NOT EXISTS (SELECT FROM cohort_members c WHERE c.organization_id = m.organization_id
                      AND c.cohort_id = :cohort AND c.client_id = m.client_id)
    ORDER BY m.client_id
    """
)
_BACK = text(
    """
    SELECT m.client_id FROM assignment_members m
    JOIN cohort_members c ON c.organization_id = m.organization_id AND c.cohort_id = :cohort
                         AND c.client_id = m.client_id
    WHERE m.assignment_id = :assignment AND m.state IN ('left', 'kept', 'paused') ORDER BY m.client_id
    """
)
_MARK = text(
    "UPDATE assignment_members SET state = :state, changed_at = :now"
    " WHERE assignment_id = :assignment AND client_id = ANY(CAST(:clients AS uuid[]))"
)
# By name: pauses are of reviews, which stand above assignments on the ladder.
_PAUSE = text(
    """
    WITH paused AS (
        INSERT INTO review_pauses (client_id, kind, starts_on, note, created_at)
        SELECT g.id, 'other', :today, :note, :now FROM unnest(CAST(:clients AS uuid[])) AS g(id)
        RETURNING id, client_id
    )
    UPDATE assignment_members m
    SET state = 'paused', changed_at = :now, detail = m.detail || jsonb_build_object('pause', p.id)
    FROM paused p WHERE m.assignment_id = :assignment AND m.client_id = p.client_id
    """
)
_UNPAUSE = text(
    """
    WITH mine AS (
        SELECT q.id, q.starts_on FROM assignment_members m
        JOIN review_pauses q ON q.organization_id = m.organization_id AND q.id = CAST(m.detail ->> 'pause' AS uuid)
        WHERE m.assignment_id = :assignment AND m.client_id = ANY(CAST(:clients AS uuid[])) AND m.state = 'paused'
          AND q.ends_on IS NULL
    ), begun AS (
        UPDATE review_pauses q SET ends_on = CAST(:today AS date) - 1
        FROM mine WHERE q.id = mine.id AND mine.starts_on < :today
    )
    DELETE FROM review_pauses q USING mine WHERE q.id = mine.id AND mine.starts_on >= :today
    """
)


def follow_cohorts(uow: UnitOfWork) -> list[Job]:
    """See to who joined or left the cohorts of standing assignments since; returns the jobs made. Harmless to repeat.

    As at the first giving, it reaches only clients whom the one who made the assignment may see. A recipe with a term
    that does not exist waits for the term, and who could not be given it is tried again after a day, so that a fault
    makes no job a minute.
    """
    jobs = []
    standing = select(Assignment).where(Assignment.standing, Assignment.state == "active").order_by(Assignment.id)
    for assignment in uow.session.scalars(standing.with_for_update(skip_locked=True)).all():
        _see_back(uow, assignment)
        jobs += [job for job in (_see_off(uow, assignment), _give_to_joiners(uow, assignment)) if job is not None]
    return jobs


def _give_to_joiners(uow: UnitOfWork, assignment: Assignment) -> Job | None:
    joined = list(uow.session.scalars(_joined(uow, assignment)))
    if not joined or _under_way(uow, assignment, ASSIGN) or _waits_for_term(uow, assignment):
        return None
    outcomes = GIFTS[assignment.what].outcomes(uow, assignment, joined)
    new = [client for client in joined if outcomes[client] is None]
    if not new:
        return None
    job, _ = create_job(uow, ASSIGN, _params(uow, assignment))
    add_items(uow, job, new)
    return job


def _joined(uow: UnitOfWork, assignment: Assignment) -> Select[UUID]:
    has_it = exists().where(
        AssignmentMember.assignment_id == assignment.id,
        AssignmentMember.client_id == Client.id,
        AssignmentMember.state != "withdrawn",
    )
    failed = exists().where(
        JobItem.subject_id == Client.id,
        JobItem.state == "failed",
        JobItem.job_id == Job.id,
        Job.params["assignment"].astext == str(assignment.id),
        Job.finished_at > uow.now - _REST_AFTER_FAILURE,
    )
    return (
        select(Client.id)
        .join(CohortMember, CohortMember.client_id == Client.id)
        .where(
            CohortMember.cohort_id == assignment.cohort_id,
            CohortMember.since >= assignment.created_at,
            Client.active,
            seen_by(uow, assignment.created_by),
            ~has_it,
            ~failed,
        )
        .order_by(Client.id)
    )


def _see_back(uow: UnitOfWork, assignment: Assignment) -> None:
    """Who is in the cohort again and still has it, has it as a member; their reviews go on."""
    which: dict[str, Any] = {"assignment": assignment.id, "cohort": assignment.cohort_id}
    back = list(uow.session.scalars(_BACK, which))
    if not back:
        return
    which |= {"clients": back, "now": uow.now, "today": today_here(uow), "state": "given"}
    uow.session.execute(_UNPAUSE, which)
    uow.session.execute(_MARK, which)
    record_each(uow, "assignment.joined_again", "client", select_ids(back), assignment=str(assignment.id))


def _see_off(uow: UnitOfWork, assignment: Assignment) -> Job | None:
    """What becomes of it for those who left: they keep it, their reviews are paused, or a job takes it back."""
    which: dict[str, Any] = {"assignment": assignment.id, "cohort": assignment.cohort_id}
    left = list(uow.session.scalars(_LEFT, which))
    if not left or (assignment.on_leaving == "withdraw" and _under_way(uow, assignment, WITHDRAW)):
        return None
    if assignment.on_leaving == "withdraw":
        job, _ = create_job(uow, WITHDRAW, _params(uow, assignment))
        add_items(uow, job, left)
        return job
    which |= {"clients": left, "now": uow.now, "state": "left"}
    if assignment.on_leaving == "pause":
        which |= {"today": today_here(uow), "note": stored(later("Left a cohort whose assignment pauses then."))}
        uow.session.execute(_PAUSE, which)
    else:
        uow.session.execute(_MARK, which)
    done = "assignment.paused_for" if assignment.on_leaving == "pause" else "assignment.left"
    record_each(uow, done, "client", select_ids(left), assignment=str(assignment.id))
    return None


def _params(uow: UnitOfWork, assignment: Assignment) -> dict[str, object]:
    return {
        "assignment": str(assignment.id),
        "what": assignment.what,
        "step": assignment.step,
        "title": GIFTS[assignment.what].title(uow, assignment),
    }


def _under_way(uow: UnitOfWork, assignment: Assignment, kind: str) -> bool:
    job = select(Job.id).where(
        Job.kind == kind, Job.params["assignment"].astext == str(assignment.id), Job.state.in_(GOING_ON)
    )
    return uow.session.scalars(job.limit(1)).first() is not None


def _waits_for_term(uow: UnitOfWork, assignment: Assignment) -> bool:
    if assignment.what != "template":
        return False
    version = uow.session.get_one(
        TemplateVersion, (uow.actor.organization_id, assignment.template_id, assignment.template_version)
    )
    if missing_terms(parse_content(version.content), terms_of(uow)):
        _LOG.warning("standing_assignment_waits_for_term", assignment_id=str(assignment.id))
        return True
    return False
