"""What is kept of a report that was sent to somebody: its moment, its files, and which of them they may take today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.features.extracts.queries import get_run
from app.features.figures.exports import get_export
from app.features.jobs.models import Job, StoredFile
from app.features.jobs.queries import files_of
from app.features.reports.cohort_service import find_report
from app.features.schedules.contents import COHORT
from app.features.schedules.models import Schedule, ScheduleRun
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file: its name, its checksum, which stays, and the file itself while it is there and theirs to take."""

    name: str
    sha256: str
    file: StoredFile | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What was sent: its form, which may be another by now, the moment of the data, the files, whether small groups
    were withheld, and whether the days of keeping are over."""

    form: str
    data_at: datetime | None
    files: tuple[KeptFile, ...]
    withheld: bool
    over: bool


def kept_of(uow: UnitOfWork, run: ScheduleRun, schedule: Schedule) -> Kept:
    """What is kept of a run that was sent to the actor."""
    if run.extract_run_id is not None:
        made, _, file = get_run(uow, run.extract_run_id)
        assert made.sha256 is not None
        one = KeptFile(made.form.upper(), made.sha256.hex(), file)
        return Kept(made.form, made.data_at, (one,), bool(made.withheld), made.file_id is None)
    if run.figure_export_id is not None:
        export, file = get_export(uow, run.figure_export_id)
        one = KeptFile(export.form.upper(), export.sha256.hex(), file)
        return Kept(export.form, export.data_at, (one,), export.threshold is not None, export.file_id is None)
    assert run.report_job_id is not None
    there = select(StoredFile.id).where(StoredFile.job_id == run.report_job_id, StoredFile.expires_at.is_(None))
    over = uow.session.scalars(there.limit(1)).first() is None
    if schedule.what == COHORT:
        report = find_report(uow, run.report_job_id)
        files = report.made["files"].items()
        return Kept(
            schedule.form,
            report.moment,
            tuple(KeptFile(form.upper(), kept["sha256"], report.files.get(form)) for form, kept in files),
            report.made["withheld"],
            over,
        )
    origin = uow.session.scalars(select(Job).where(Job.id == run.report_job_id)).one().result.get("origin") or {}
    taken = {file.name: file for file in files_of(uow, run.report_job_id, limit=1000)}
    named = tuple(KeptFile(one["name"], one["sha256"], taken.get(one["name"])) for one in origin.get("files", ()))
    moment = origin.get("data_from")
    return Kept(schedule.form, datetime.fromisoformat(moment) if moment else None, named, False, over)
