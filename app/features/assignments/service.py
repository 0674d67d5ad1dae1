"""Use cases of assigning: preview elsewhere, here the assignment with its job, and its end."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, exists, or_, select, true

from app.domain.access import Role
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.errors import FieldProblem as Problem
from app.domain.template_content import missing_terms, parse_content
from app.features.assignments.commands import AssignTemplate
from app.features.assignments.models import Assignment
from app.features.assignments.queries import check_target, published_version, target_of
from app.features.audit.service import record
from app.features.clients.models import CaseloadEntry, Client
from app.features.cohorts.models import Cohort, CohortMember
from app.features.jobs.models import Job, JobItem
from app.features.jobs.service import add_items, create_job
from app.features.organizations.models import Membership, Organization
from app.features.plans.models import Plan, TemplateVersion
from app.features.plans.queries import terms_of
from app.features.plans.templates import refuse_missing_terms
from app.infra.db.open import UnitOfWork

ASSIGN = "assignments.assign"
# How long a later member who could not be given a standing assignment is left before the next try.
_REST_AFTER_FAILURE = timedelta(days=1)
_LOG = structlog.get_logger()


def assign_template(uow: UnitOfWork, command: AssignTemplate) -> Job:
    """Start giving a template to the command's target; returns the job that does it.

    Repeating it with the same key returns the first job. A target of nobody makes a job that ends at once.
    Raises InvalidInput for a bad target or a term that does not exist, NotFound for a foreign or unpublished template
    or cohort, Conflict for a key that was used for something else.
    """
    check_target(uow, command)
    template, version = published_version(uow, command.template_id, command.version)
    # A recipe that cannot be followed is refused before a job exists, with the places to mend.
    refuse_missing_terms(uow, parse_content(version.content))
    job, new = create_job(uow, ASSIGN, {}, idempotency_key=command.idempotency_key)
    if not new:
        _same_as_before(uow, job, command)
        return job
    assignment = Assignment(
        template_id=command.template_id,
        template_version=command.version,
        cohort_id=command.cohort_id,
        started_on=command.started_on,
        standing=command.standing,
        job_id=job.id,
        created_by=uow.actor.membership_id,
        created_at=uow.now,
    )
    uow.session.add(assignment)
    uow.session.flush()
    job.params = {"assignment": str(assignment.id), "title": _title(uow, template.name, command)}
    add_items(uow, job, target_of(uow, command))
    record(
        uow,
        "assignment.created",
        "assignment",
        assignment.id,
        **{k: str(v) for k, v in asdict(command).items() if k in ("template_id", "version", "cohort_id", "standing")},
        clients=job.total,
    )
    return job


def _same_as_before(uow: UnitOfWork, job: Job, command: AssignTemplate) -> None:
    """Raise Conflict unless the job does what the command asks, for the same person."""
    made = uow.session.scalars(
        select(Assignment).where(Assignment.job_id == job.id, Assignment.created_by == uow.actor.membership_id)
    ).one_or_none()
    same = made is not None and (
        made.template_id,
        made.template_version,
        made.started_on,
        made.cohort_id,
        made.standing,
    ) == (command.template_id, command.version, command.started_on, command.cohort_id, command.standing)
    if same and command.cohort_id is None:
        items = uow.session.scalars(select(JobItem.subject_id).where(JobItem.job_id == job.id))
        same = set(items) == set(uow.session.scalars(target_of(uow, command)))
    if not same:
        raise Conflict("This was already sent with other choices. Open the page anew and choose again.")


def _title(uow: UnitOfWork, template: str, command: AssignTemplate) -> str:
    if command.cohort_id is None:
        return template
    cohort = uow.session.scalars(select(Cohort.name).where(Cohort.id == command.cohort_id)).one()
    return f"{template} · {cohort}"


def end_assignment(uow: UnitOfWork, assignment_id: UUID) -> None:
    """Stop giving a standing assignment to later members; plans already given stay.

    Raises NotFound, InvalidInput when it does not go on anyway, Forbidden for one that somebody else made,
    except for administrators.
    """
    assignment = uow.session.scalars(select(Assignment).where(Assignment.id == assignment_id)).one_or_none()
    if assignment is None:
        raise NotFound("There is no such assignment.")
    if uow.actor.role is not Role.ADMIN and assignment.created_by != uow.actor.membership_id:
        raise Forbidden("Somebody else made this. Ask them, or an administrator of your organization.")
    if assignment.state != "active" or not assignment.standing:
        raise InvalidInput([Problem("assignment", "This assignment does not go on for later members.")])
    assignment.state = "ended"
    record(uow, "assignment.ended", "assignment", assignment.id)


def extend_standing(uow: UnitOfWork) -> list[Job]:
    """Give every standing assignment to members who joined since and have no plan; returns the jobs made.

    As at the first giving, it reaches only clients whom the one who made it may see.
    Harmless to repeat: a client gets one plan however often this runs. A recipe with a term that does not exist waits
    for the term, and who could not be given it is tried again after a day, so that a fault makes no job a minute.
    """
    jobs = []
    terms = terms_of(uow)
    standing = select(Assignment).where(Assignment.standing, Assignment.state == "active").order_by(Assignment.id)
    for assignment in uow.session.scalars(standing.with_for_update(skip_locked=True)):
        joined = (
            select(Client.id)
            .join(CohortMember, CohortMember.client_id == Client.id)
            .where(
                CohortMember.cohort_id == assignment.cohort_id,
                CohortMember.since >= assignment.created_at,
                Client.active,
                _seen_by(assignment.created_by),
                ~exists().where(Plan.client_id == Client.id, Plan.status == "active"),
                ~exists().where(
                    JobItem.subject_id == Client.id,
                    JobItem.state == "failed",
                    JobItem.job_id == Job.id,
                    Job.params["assignment"].astext == str(assignment.id),
                    Job.finished_at > uow.now - _REST_AFTER_FAILURE,
                ),
            )
        )
        if uow.session.scalars(joined.limit(1)).first() is None:
            continue
        open_job = select(Job.id).where(
            Job.kind == ASSIGN,
            Job.params["assignment"].astext == str(assignment.id),
            Job.state.in_(("queued", "running", "undoing")),
        )
        if uow.session.scalars(open_job.limit(1)).first() is not None:
            continue
        version = uow.session.get_one(
            TemplateVersion, (uow.actor.organization_id, assignment.template_id, assignment.template_version)
        )
        if missing_terms(parse_content(version.content), terms):
            _LOG.warning("standing_assignment_waits_for_term", assignment_id=str(assignment.id))
            continue
        job, _ = create_job(uow, ASSIGN, {"assignment": str(assignment.id)})
        add_items(uow, job, joined)
        jobs.append(job)
    return jobs


def _seen_by(membership_id: UUID | None) -> ColumnElement[bool]:
    """`visible_clients` of an active member who is not here to ask; all clients for Octant's own doing."""
    if membership_id is None:
        return true()
    member = (Membership.id == membership_id, Membership.active)
    counsellor = exists().where(*member, Membership.role == Role.COUNSELLOR.value)
    return or_(
        exists().where(*member, Membership.role == Role.ADMIN.value),
        and_(
            counsellor,
            exists().where(Organization.organization_id == Client.organization_id, Organization.shares_caseloads),
        ),
        and_(
            counsellor,
            exists().where(
                CaseloadEntry.organization_id == Client.organization_id,
                CaseloadEntry.client_id == Client.id,
                CaseloadEntry.membership_id == membership_id,
            ),
        ),
    )
