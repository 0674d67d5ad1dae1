"""Writes a cohort's figures as files: for whoever asked, as they may see them at that moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from flask_babel import lazy_gettext

from app.domain import access
from app.domain.access import Permission
from app.domain.errors import OctantError
from app.features.audit.service import record
from app.features.clients.policy import member_now
from app.features.jobs.files import offer_file
from app.features.jobs.kinds import JobKind, SlowWork
from app.features.jobs.leftovers import clear, drop
from app.features.jobs.models import Job
from app.features.jobs.service import Settled
from app.features.organizations.service import organization_of
from app.features.reports.cohort_files import TEMPLATE, document, write_cohort_workbook
from app.features.reports.cohort_picture import read_picture
from app.features.reports.cohort_service import FORMS, question_of
from app.features.reports.document import Writer
from app.features.reports.keeping import kept_until
from app.features.reports.naming import FIGURES, file_stem, folder_of
from app.features.reports.origin import template_version
from app.features.reports.sources import load_sources
from app.infra.db.open import UnitOfWork
from app.infra.pdf.press import press
from app.infra.runtime import Runtime
from app.infra.sheets import XLSX
from app.infra.storage import stored_of

_LOG = structlog.get_logger()
_MEDIA_TYPES = {
    "pdf": "application/pdf",
    "xlsx": XLSX,
}


def _load(_uow: UnitOfWork, _job: Job, cohorts: Sequence[UUID]) -> Sequence[UUID]:
    return cohorts


def _act(runtime: Runtime, job: Job, cohorts: Sequence[UUID]) -> Mapping[UUID, Settled]:
    return {cohort: _write(runtime, job) for cohort in cohorts}


def _write(runtime: Runtime, job: Job) -> Settled:
    here = job.organization_id
    with runtime.database.unit_of_work(access.system(here), request_id=job.request_id) as uow:
        who = member_now(uow, job.created_by) if job.created_by is not None else None
        sources = load_sources(uow, [])
        clear(runtime, uow, job, folder_of(job.id))
    if who is None or not who.may(Permission.READ_AGGREGATES):
        return Settled("failed", "Whoever asked for this report may not have it any more.")
    try:
        with runtime.database.unit_of_work(who, request_id=job.request_id) as uow:
            picture = read_picture(uow, question_of(job.params))
    except OctantError as error:
        return Settled("failed", error.sentence)
    writer = Writer(sources, job.params["locale"])
    printed = press(1).print_one(TEMPLATE, document(picture, writer))
    if printed.problem is not None:
        _LOG.error("cohort_figures_not_printed", job_id=str(job.id), problem=printed.problem)
        return Settled("failed", "The report could not be printed. Tell your administrator.")
    pdf = runtime.storage.keep(here, ".pdf", printed.pdf, folder=folder_of(job.id))
    with runtime.storage.writing(here, ".xlsx", folder=folder_of(job.id)) as pending:
        lines = write_cohort_workbook(pending.path, picture, writer)
    made = {
        "moment": picture.moment.isoformat(),
        "lines": lines,
        "people": picture.people.this.people,
        "template": template_version(),
        "withheld": picture.threshold is not None,
        "whole": picture.whole,
    }
    return Settled("done", None, made | {"files": {"pdf": pdf.as_json(), "xlsx": pending.stored.as_json()}})


def _store(uow: UnitOfWork, job: Job, outcomes: Mapping[UUID, Settled]) -> None:
    zone = ZoneInfo(organization_of(uow).time_zone)
    for cohort, outcome in outcomes.items():
        made: dict[str, Any] | None = outcome.result
        if made is None:
            continue
        day = datetime.fromisoformat(made["moment"]).astimezone(zone).date()
        for form, kept in made["files"].items():
            name, media_type = f"{file_stem(job.params['title'])} {day.isoformat()}.{form}", _MEDIA_TYPES[form]
            offer_file(
                uow,
                job,
                stored_of(kept),
                kind=FORMS[form],
                name=name,
                media_type=media_type,
                owner=job.created_by,
                whole=made["whole"],
            )
        record(uow, "report.figures_made", "cohort", cohort, job=str(job.id), lines=made["lines"])


KIND = JobKind(
    name=FIGURES,
    label=lazy_gettext("Write a cohort's figures"),
    permission=Permission.READ_AGGREGATES,
    batch_size=1,
    slow=SlowWork(load=_load, act=_act, store=_store, drop=drop),
    kept_until=kept_until,
)
