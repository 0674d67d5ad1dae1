"""Use cases of a cohort's figures as files: have them written, find them, take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, true

from app.domain.access import Permission
from app.domain.errors import Conflict, Forbidden, NotFound
from app.domain.saying import recalled
from app.features.audit.service import record
from app.features.jobs.items import add_items
from app.features.jobs.models import Job, JobItem, StoredFile
from app.features.jobs.service import GOING_ON
from app.features.reports.cohort_picture import read_picture
from app.features.reports.commands import CohortQuestion, ReportFigures
from app.features.reports.naming import FIGURES, FIGURES_PDF, FIGURES_WORKBOOK
from app.features.reports.service import asked_for, job_for
from app.infra.db.open import UnitOfWork

FORMS = {"pdf": FIGURES_PDF, "xlsx": FIGURES_WORKBOOK}


@dataclass(frozen=True, slots=True)
class CohortReport:
    """A report that was asked for: its job, what is kept of it once it is made, and its files while they may be taken.

    `made` has the moment of the data, how many lines, which templates were used and what decides who may take it.
    """

    job: Job
    made: dict[str, Any]
    files: dict[str, StoredFile]
    problem: str | None = None

    @property
    def moment(self) -> datetime | None:
        """The moment of the data."""
        return datetime.fromisoformat(self.made["moment"]) if self.made else None

    @property
    def going_on(self) -> bool:
        """Whether the files may still come."""
        return self.job.state in GOING_ON


def question_of(params: dict[str, Any]) -> CohortQuestion:
    """What a job's parameters ask."""
    return CohortQuestion(UUID(params["cohort"]), params["against"], params["withhold"])


def report_figures(uow: UnitOfWork, command: ReportFigures) -> Job:
    """Start the job that writes a cohort's figures; the same key, or the same asked while it runs, finds it.

    Raises as `read_picture`, Forbidden for who is no member, Conflict for a key that was used for something else.
    """
    if uow.actor.membership_id is None:
        raise Forbidden("Only a member can have a report written.")
    question = command.question
    picture = read_picture(uow, question)
    params = {
        "cohort": str(question.cohort_id),
        "against": question.against,
        "withhold": question.withhold,
        "locale": command.locale,
        "title": picture.name,
    }
    key = command.idempotency_key
    whose = f"{uow.actor.membership_id}:{key}" if key else None
    job, new = job_for(uow, params, whose, FIGURES, scheduled=command.scheduled)
    if new:
        add_items(uow, job, [question.cohort_id])
        record(
            uow, "report.figures_asked", "cohort", question.cohort_id, job=str(job.id), against=question.against or None
        )
    elif asked_for(job.params) != asked_for(params):
        raise Conflict("This was already sent with another choice. Open the page anew.")
    return job


def list_reports(uow: UnitOfWork, *, limit: int = 20) -> Sequence[Job]:
    """The jobs of the reports the reader asked for, newest first; without those of schedules."""
    mine = select(Job).where(Job.kind == FIGURES, Job.created_by == uow.actor.membership_id, ~Job.scheduled)
    return uow.session.scalars(mine.order_by(Job.created_at.desc(), Job.id).limit(limit)).all()


def find_report(uow: UnitOfWork, job_id: UUID) -> CohortReport:
    """A report by its job. Raises NotFound for one that is not the reader's to see."""
    found = select(Job).where(Job.id == job_id, Job.kind == FIGURES, _visible(uow))
    job = uow.session.scalars(found).one_or_none()
    if job is None:
        raise NotFound("There is no such report, or it is not yours.")
    item = uow.session.execute(select(JobItem.result, JobItem.reason).where(JobItem.job_id == job_id)).first()
    made, reason = ((item.result or {}), item.reason) if item is not None else ({}, None)
    files: dict[str, StoredFile] = {}
    if made and _may_take(uow, made):
        forms = {kind: form for form, kind in FORMS.items()}
        rows = select(StoredFile).where(StoredFile.job_id == job_id, StoredFile.expires_at.is_(None))
        files = {forms[file.kind]: file for file in uow.session.scalars(rows)}
    return CohortReport(job, made, files, recalled(reason or job.error))


def take_figures(uow: UnitOfWork, job_id: UUID, form: str) -> StoredFile:
    """A report's file to be downloaded, noted in the audit ledger. Raises NotFound for one the reader may not have."""
    file = find_report(uow, job_id).files.get(form)
    if file is None:
        raise NotFound("There is no such file, or it is not yours.")
    record(uow, "report.figures_downloaded", "job", job_id, form=form)
    return file


def _visible(uow: UnitOfWork) -> ColumnElement[bool]:
    return true() if uow.actor.may(Permission.READ_ALL_JOBS) else Job.created_by == uow.actor.membership_id


def _may_take(uow: UnitOfWork, made: dict[str, Any]) -> bool:
    """Whether the reader may see today what the files told their owner then: who had more rights may have less now."""
    if not made["withheld"] and not uow.actor.may(Permission.READ_CLIENTS):
        return False
    return not made["whole"] or uow.actor.may(Permission.READ_ALL_AGGREGATES)
