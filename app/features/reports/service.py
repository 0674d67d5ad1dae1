"""Use cases of reports: one client's report now, a cohort's as a job."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import Select, exists, func, select

from app.domain.access import Actor
from app.domain.errors import Conflict, NotFound, TooMany
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.cohorts.models import Cohort, CohortMember
from app.features.cohorts.queries import get_cohort
from app.features.jobs.models import Job, StoredFile
from app.features.jobs.service import add_items, create_job
from app.features.plans.models import Plan
from app.features.reports.commands import ReportCohort
from app.features.reports.comparison import print_comparison, read_comparison
from app.features.reports.document import TEMPLATE, documents
from app.features.reports.sources import load_source
from app.infra.db.open import UnitOfWork
from app.infra.pdf.press import press
from app.infra.runtime import Runtime

_LOG = structlog.get_logger()
COHORT = "reports.cohort"
CLIENT_FILE = "client_report"
# Letters of all scripts are kept; what a file system or a shell could take amiss is not.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class ClientReport:
    """A finished report and the name to save it by."""

    pdf: bytes
    name: str


def write_client_report(runtime: Runtime, actor: Actor, client_id: UUID, *, request_id: str = "") -> ClientReport:
    """Write one client's report now, within the time limit of the press, and note who took it.

    Raises NotFound for a client the actor may not see, TooMany when the press has no time for it.
    """
    with runtime.database.unit_of_work(actor, request_id=request_id) as uow:
        sources = load_source(uow, client_id)
    ((_, document),) = documents(sources)
    printed = press().print_one(TEMPLATE, document)
    if printed.problem is not None:
        _LOG.error("report_not_printed", client_id=str(client_id), problem=printed.problem)
        raise TooMany("The report could not be made just now. Try again in a minute.")
    with runtime.database.unit_of_work(actor, request_id=request_id) as uow:
        record(uow, "report.made", "client", client_id)
    source = sources.clients[0]
    return ClientReport(printed.pdf, safe_name(f"{source.external_id} {source.name}") + ".pdf")


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
    return ClientReport(pdf, safe_name(f"{found.name} {before}-{after}") + ".pdf")


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
    """Start the job that writes a cohort's reports; the same key finds the job made before.

    Raises NotFound for a cohort the actor may not use, Conflict for a key that was used for something else.
    """
    cohort = get_cohort(uow, command.cohort_id)
    job, new = create_job(uow, COHORT, {"cohort": str(cohort.id)}, idempotency_key=command.idempotency_key)
    if new:
        add_items(uow, job, members(uow, cohort.id))
        record(uow, "report.cohort_asked", "cohort", cohort.id, job=str(job.id), clients=job.total)
    elif job.created_by != uow.actor.membership_id or job.params["cohort"] != str(cohort.id):
        raise Conflict("This was already sent for another cohort. Open the page anew.")
    return job


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
        .where(StoredFile.client_id == client_id, StoredFile.kind == CLIENT_FILE, visible_clients(uow.actor))
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
            visible_clients(uow.actor),
        )
    ).one_or_none()
    if file is None:
        raise NotFound("There is no such report, or it is not yours.")
    record(uow, "report.downloaded", "client", client_id, file=str(file_id))
    return file


def safe_name(text: str) -> str:
    """A file name without its ending that every system takes, at most 80 characters."""
    cleaned = _UNSAFE.sub(" ", unicodedata.normalize("NFC", text))
    return re.sub(r"\s+", " ", cleaned).strip(" .")[:_LONGEST_NAME].strip(" .") or "report"
