"""Use cases of reports: one client's report now, a cohort's as a job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ARRAY, Select, Text, cast, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB

from app.domain.access import Actor
from app.domain.errors import Conflict, NotFound, TooMany
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.cohorts.models import Cohort, CohortMember
from app.features.cohorts.queries import get_cohort
from app.features.jobs.items import add_items
from app.features.jobs.models import Job, JobItem, StoredFile
from app.features.jobs.service import GOING_ON, create_job
from app.features.plans.models import Plan
from app.features.reports.commands import ReportCohort, ReportSelected
from app.features.reports.comparison import print_comparison, read_comparison
from app.features.reports.document import TEMPLATE, documents
from app.features.reports.naming import CLIENT_FILE, COHORT, file_stem
from app.features.reports.parts import WHOLE, Parts
from app.features.reports.sources import load_source
from app.features.selections.commands import Target
from app.features.selections.models import Selection
from app.features.selections.service import choose, find_selection
from app.features.selections.service import members as selected_members
from app.infra.db.open import UnitOfWork
from app.infra.pdf.press import press
from app.infra.runtime import Runtime

_LOG = structlog.get_logger()
# What a job's parameters say that may differ from one asking to the next, and is not what is asked for.
_NOT_ASKED = ("selection", "title")


@dataclass(frozen=True, slots=True)
class ClientReport:
    """A finished report and the name to save it by."""

    pdf: bytes
    name: str


def write_client_report(
    runtime: Runtime, actor: Actor, client_id: UUID, parts: Parts = WHOLE, *, request_id: str = ""
) -> ClientReport:
    """Write one client's report now, within the time limit of the press, and note who took it.

    Raises NotFound for a client the actor may not see, TooMany when the press has no time for it.
    """
    with runtime.database.unit_of_work(actor, request_id=request_id) as uow:
        sources = load_source(uow, client_id)
    ((_, document),) = documents(sources, parts)
    printed = press().print_one(TEMPLATE, document)
    if printed.problem is not None:
        _LOG.error("report_not_printed", client_id=str(client_id), problem=printed.problem)
        raise TooMany("The report could not be made just now. Try again in a minute.")
    with runtime.database.unit_of_work(actor, request_id=request_id) as uow:
        record(uow, "report.made", "client", client_id, **parts.as_json())
    source = sources.clients[0]
    return ClientReport(printed.pdf, file_stem(f"{source.external_id} {source.name}") + ".pdf")


def write_comparison(
    runtime: Runtime, actor: Actor, plan_id: UUID, revisions: tuple[int, int], locale: str, *, request_id: str = ""
) -> ClientReport:
    """Compare two revisions of a plan in a PDF, and note who took it.

    Raises NotFound for a plan or revision the actor may not see, TooMany when the press has no time for it.
    """
    before, after = revisions
    with runtime.database.unit_of_work(actor, request_id=request_id) as uow:
        found, writer = read_comparison(uow, plan_id, before, after, locale)
    pdf = print_comparison(found, writer)
    with runtime.database.unit_of_work(actor, request_id=request_id) as uow:
        record(uow, "plan.compared", "plan", plan_id, before=before, after=after)
    return ClientReport(pdf, file_stem(f"{found.name} {before}-{after}") + ".pdf")


@dataclass(frozen=True, slots=True)
class CohortPreview:
    """How many reports a cohort's job would write, and how many of them are of clients without a plan."""

    cohort: Cohort
    reports: int
    without_plan: int
    not_yours: int


def preview_cohort(uow: UnitOfWork, cohort_id: UUID) -> CohortPreview:
    """The numbers before the job; raises NotFound for a cohort the actor may not use."""
    cohort = get_cohort(uow, cohort_id)
    all_members = uow.session.scalar(select(func.count()).where(CohortMember.cohort_id == cohort_id)) or 0
    chosen = members(uow, cohort_id).subquery()
    planned = exists().where(Plan.client_id == chosen.c.id, Plan.status == "active")
    reports = uow.session.scalar(select(func.count()).select_from(chosen)) or 0
    with_plan = uow.session.scalar(select(func.count()).select_from(chosen).where(planned)) or 0
    return CohortPreview(cohort, reports, reports - with_plan, all_members - reports)


def report_cohort(uow: UnitOfWork, command: ReportCohort) -> Job:
    """Start the job that writes a cohort's reports; the same key finds the job made before, and so does asking for the
    same while it runs.

    Raises NotFound for a cohort the actor may not use, Conflict for a key that was used for something else.
    """
    cohort = get_cohort(uow, command.cohort_id)
    params = {"cohort": str(cohort.id), "title": cohort.name, **command.parts.as_json()}
    job, new = job_for(uow, params, command.idempotency_key, scheduled=command.scheduled)
    if new:
        add_items(uow, job, members(uow, cohort.id))
        record(uow, "report.cohort_asked", "cohort", cohort.id, job=str(job.id), clients=job.total)
    elif job.created_by != uow.actor.membership_id or asked_for(job.params) != asked_for(params):
        raise Conflict("This was already sent with another choice. Open the page anew.")
    return job


@dataclass(frozen=True, slots=True)
class SelectedPreview:
    """How many reports a selection's job would write, and how many of them are of clients without a plan."""

    selection: Selection
    reports: int
    without_plan: int
    not_yours: int


def preview_selected(uow: UnitOfWork, target: Target) -> SelectedPreview:
    """The numbers before the job, of the target frozen as it is now. Raises as `selections.service.choose`."""
    selection = choose(uow, target)
    chosen = _selected(uow, selection).subquery()
    planned = exists().where(
        Plan.organization_id == uow.actor.organization_id, Plan.client_id == chosen.c.id, Plan.status == "active"
    )
    reports, with_plan = uow.session.execute(
        select(func.count(), func.count().filter(planned)).select_from(chosen)
    ).one()
    return SelectedPreview(selection, reports, reports - with_plan, len(selection.client_ids) - reports)


def report_selected(uow: UnitOfWork, command: ReportSelected) -> Job:
    """Start the job that writes the reports of a selection; the same key finds the job made before, and so does asking
    for the same people while it runs.

    Raises Gone for a selection that has expired, Conflict for a key that was used for something else.
    """
    selection = find_selection(uow, command.selection_id)
    chosen = hashlib.sha256(b"".join(sorted(one.bytes for one in selection.client_ids))).hexdigest()
    params = {"selection": str(selection.id), "title": selection.name, "chosen": chosen, **command.parts.as_json()}
    job, new = job_for(uow, params, command.idempotency_key, scheduled=command.scheduled)
    if new:
        add_items(uow, job, _selected(uow, selection))
        record(uow, "report.selection_asked", "selection", selection.id, job=str(job.id), clients=job.total)
    elif job.created_by != uow.actor.membership_id or asked_for(job.params) != asked_for(params):
        raise Conflict("This was already sent with another choice. Open the page anew.")
    return job


def retry_failed(uow: UnitOfWork, job: Job) -> Job:
    """Start a job for those of an ended one whose report failed; asking again while it runs finds it.

    Raises Conflict where nobody failed whom the actor may see.
    """
    failed = (
        select(Client.id)
        .join(JobItem, (JobItem.organization_id == Client.organization_id) & (JobItem.subject_id == Client.id))
        .where(JobItem.job_id == job.id, JobItem.state == "failed", visible_clients(uow.actor))
        .order_by(JobItem.position)
    )
    retried, new = job_for(uow, {**job.params, "retry_of": str(job.id)}, None)
    if new:
        if not add_items(uow, retried, failed):
            raise Conflict("Nobody failed in this job whom you may see, so there is nothing to try again.")
        record(uow, "job.retried", "job", job.id, job=str(retried.id), clients=retried.total)
    return retried


def asked_for(params: Mapping[str, Any]) -> dict[str, Any]:
    """What makes two requests the same: whose reports, and what is in them."""
    return {name: value for name, value in params.items() if name not in _NOT_ASKED}


def job_for(
    uow: UnitOfWork, params: Mapping[str, Any], key: str | None, kind: str = COHORT, *, scheduled: bool = False
) -> tuple[Job, bool]:
    """The job that is asked for, and whether it is new: one with the key, or one of the actor's that is under way.

    What is `scheduled` goes by its key alone: the actor may have paused theirs, or may yet.
    """
    if scheduled:
        job, new = create_job(uow, kind, params, idempotency_key=key)
        job.scheduled = True
        return job, new
    asked = asked_for(params)
    # Two who ask at once, in two windows say, come one after the other.
    whose = [kind, str(uow.actor.organization_id), str(uow.actor.membership_id), asked]
    uow.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:whose, 0))"), {"whose": json.dumps(whose, sort_keys=True)}
    )
    known = key is not None and uow.session.scalar(select(Job.id).where(Job.kind == kind, Job.idempotency_key == key))
    if not known:
        under_way = uow.session.scalars(
            select(Job)
            .where(
                Job.kind == kind,
                Job.state.in_(GOING_ON),
                Job.created_by.is_not_distinct_from(uow.actor.membership_id),
                Job.params.op("-")(cast(list(_NOT_ASKED), ARRAY(Text))) == literal(asked, JSONB),
            )
            .order_by(Job.created_at)
            .limit(1)
        ).one_or_none()
        if under_way is not None:
            return under_way, False
    return create_job(uow, kind, params, idempotency_key=key)


def _selected(uow: UnitOfWork, selection: Selection) -> Select[UUID]:
    return selected_members(uow, selection).where(Client.active)


def members(uow: UnitOfWork, cohort_id: UUID) -> Select[UUID]:
    """Ids of a cohort's active members whom the actor may see, by name."""
    return (
        select(Client.id)
        .join(CohortMember, CohortMember.client_id == Client.id)
        .where(CohortMember.cohort_id == cohort_id, Client.active, visible_clients(uow.actor))
        .order_by(Client.family_folded, Client.given_folded, Client.id)
    )


def files_of_client(uow: UnitOfWork, client_id: UUID, *, limit: int = 10) -> list[StoredFile]:
    """Reports kept of a client the actor may see, newest first."""
    statement = (
        select(StoredFile)
        .join(Client, Client.id == StoredFile.client_id)
        .where(
            StoredFile.client_id == client_id,
            StoredFile.kind == CLIENT_FILE,
            StoredFile.expires_at.is_(None),
            visible_clients(uow.actor),
        )
        .order_by(StoredFile.created_at.desc())
        .limit(limit)
    )
    return list(uow.session.scalars(statement))


def take_file(uow: UnitOfWork, client_id: UUID, file_id: UUID) -> StoredFile:
    """A kept report to be downloaded, noted in the audit ledger. Raises NotFound for one the actor may not have."""
    file = uow.session.scalars(
        select(StoredFile)
        .join(Client, Client.id == StoredFile.client_id)
        .where(
            StoredFile.id == file_id,
            StoredFile.client_id == client_id,
            StoredFile.kind == CLIENT_FILE,
            StoredFile.expires_at.is_(None),
            visible_clients(uow.actor),
        )
    ).one_or_none()
    if file is None:
        raise NotFound("There is no such report, or it is not yours.")
    record(uow, "report.downloaded", "client", client_id, file=str(file_id))
    return file
