"""Writes a run of a schedule as a job: for one reader, as they may see it at that moment, and tells them by mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext
from sqlalchemy import and_, select

from app.domain import access
from app.domain.access import Actor, Permission
from app.domain.errors import OctantError, TooMany
from app.domain.saying import later
from app.domain.wording import people_words
from app.features.clients.policy import member_now
from app.features.extracts.definition import stored_definition
from app.features.extracts.models import Extract, ExtractRun
from app.features.extracts.queries import visible_extracts
from app.features.extracts.runner import keep_runs, write_runs
from app.features.figures.aggregates import Aggregates, read_aggregates
from app.features.figures.exports import FILE, MEDIA_TYPES, Made, Reader, keep_export, name_of, write_answers
from app.features.figures.layer import ask, question_of
from app.features.figures.paper import Print, print_aggregates
from app.features.figures.words import whose_words
from app.features.jobs.files import offer_file
from app.features.jobs.kinds import JobKind, SlowWork
from app.features.jobs.leftovers import clear, drop
from app.features.jobs.models import Job, JobItem
from app.features.jobs.runner import sentence_of
from app.features.jobs.service import Settled
from app.features.organizations.models import Organization
from app.features.schedules.asking import ask_for
from app.features.schedules.contents import AGGREGATES, CLIENTS, EXTRACT, FIGURES, PDF, Content, content_of, withheld
from app.features.schedules.making import KIND
from app.features.schedules.models import Schedule, ScheduleRun
from app.features.schedules.settling import lost_by, refuse, settle
from app.infra.db.holding import to_refer
from app.infra.db.open import UnitOfWork
from app.infra.locales import regional
from app.infra.runtime import Runtime
from app.infra.speech import speaker
from app.infra.storage import stored_of

_FOLDER = "schedules-{}"


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What is to be written for a reader; of an own report it has a run."""

    reader: Actor
    locale: str
    form: str
    content: Content
    extract_run: UUID | None = None


def _load(_uow: UnitOfWork, _: Job, runs: Sequence[UUID]) -> list[UUID]:
    return list(runs)


def _act(runtime: Runtime, job: Job, runs: list[UUID]) -> Mapping[UUID, Settled]:
    outcomes = {}
    for run_id in runs:
        try:
            outcomes[run_id] = _write(runtime, job, run_id)
        except OctantError as error:
            # They may have less than the report asks for, or none of it: they get nothing, and its owner reads why.
            outcomes[run_id] = Settled("skipped", sentence_of(error))
    return outcomes


def _write(runtime: Runtime, job: Job, run_id: UUID) -> Settled:
    with runtime.database.unit_of_work(access.system(job.organization_id), request_id=job.request_id) as uow:
        loaded = _prepare(uow, job, run_id)
    if isinstance(loaded, str):
        return Settled("skipped", loaded)
    if loaded.extract_run is not None:
        written = write_runs(runtime, job, [loaded.extract_run])[loaded.extract_run].result or {}
        return Settled("done", None, {**written, "extract_run": str(loaded.extract_run)})
    if loaded.content.what in (FIGURES, AGGREGATES):
        return _write_figures(runtime, job, loaded)
    with runtime.database.unit_of_work(loaded.reader, request_id=job.request_id) as uow:
        report_job = ask_for(uow, loaded.content, locale=loaded.locale, key=f"schedule:{run_id}")
        return Settled("done", None, {"report_job": str(report_job.id)})


def _prepare(uow: UnitOfWork, job: Job, run_id: UUID) -> _Loaded | str:
    """What is to be written, or why nothing is."""
    run, schedule = _run_of(uow, run_id)
    content = content_of(schedule)
    reader = member_now(uow, run.membership_id)
    unwanted = _unwanted(schedule, run, content) or lost_by(uow, run, schedule)
    if unwanted is not None or reader is None:
        return unwanted or ""
    loaded = _Loaded(reader, uow.session.scalars(select(Organization.locale)).one(), schedule.form, content)
    return loaded if content.what != EXTRACT else _prepare_extract(uow, job, schedule, loaded)


def _prepare_extract(uow: UnitOfWork, job: Job, schedule: Schedule, loaded: _Loaded) -> _Loaded | str:
    extract = uow.session.scalars(
        to_refer(select(Extract).where(Extract.id == schedule.extract_id, visible_extracts(loaded.reader)))
    ).one_or_none()
    if extract is None:
        # As it is now: it may have been deleted at this very moment.
        uow.session.refresh(schedule)
        return (
            later("The own report was deleted.")
            if schedule.extract_id is None
            else later("The own report is not for everybody any more.")
        )
    made = uow.session.scalars(select(ExtractRun).where(ExtractRun.job_id == job.id)).one_or_none()
    if made is None:
        made = ExtractRun(
            extract_id=extract.id,
            owner_id=loaded.reader.membership_id,
            name=schedule.name,
            form=schedule.form,
            locale=loaded.locale,
            definition=stored_definition(extract.definition).as_json(),
            job_id=job.id,
            created_at=uow.now,
        )
        uow.session.add(made)
        uow.session.flush()
    return replace(loaded, extract_run=made.id)


def _unwanted(schedule: Schedule, run: ScheduleRun, content: Content) -> str | None:
    """Why a run that was made is not to be written any more; what was asked for by hand is, also during a pause."""
    if schedule.state == "ended":
        return later("The schedule was ended meanwhile.")
    if schedule.state == "paused" and not run.occurrence.startswith("now:"):
        return schedule.why or later("The schedule was paused meanwhile.")
    if content.what == CLIENTS and content.cohort_id is None and content.filter_id is None:
        return later("The filter was deleted.")
    return None


def _write_figures(runtime: Runtime, job: Job, loaded: _Loaded) -> Settled:
    here = job.organization_id
    with runtime.database.unit_of_work(loaded.reader, request_id=job.request_id) as uow:
        clear(runtime, uow, job, _FOLDER.format(job.id))
        found = _answers(uow, loaded.content)
        place = uow.session.execute(
            select(Organization.name, Organization.time_zone, Organization.counsellor_word, Organization.accent)
        ).one()
    answers = [*found.numbers, *found.groups]
    reader, whole = _reader(loaded.locale, place), loaded.reader.may(Permission.READ_ALL_AGGREGATES)
    with runtime.storage.writing(here, f".{loaded.form}", folder=_FOLDER.format(job.id)) as pending:
        if loaded.form == PDF:
            pending.path.write_bytes(_printed(found, reader, Print(place.name, place.accent), whole=whole))
        else:
            title = place.name if loaded.content.what == AGGREGATES else ""
            write_answers(pending.path, loaded.form, answers, reader, title)
    result = pending.stored.as_json() | {
        "rows": sum(len(answer.numbers) for answer in answers),
        "empty": not any(one.number for answer in answers for one in answer.numbers),
        "name": name_of(answers, loaded.form),
        "data_at": answers[0].moment.isoformat(),
        "threshold": answers[0].threshold,
        "locale": loaded.locale,
        "form": loaded.form,
        "whole": whole,
    }
    return Settled("done", None, result)


def _answers(uow: UnitOfWork, content: Content) -> Aggregates:
    """All of one moment; one figure alone is one of the groups."""
    if content.what == AGGREGATES:
        return read_aggregates(uow, withhold=withheld(content))
    return Aggregates((), (ask(uow, question_of(content.question or {})),))


def _printed(found: Aggregates, reader: Reader, look: Print, *, whole: bool) -> bytes:
    try:
        return print_aggregates(found, reader, look, name=whose_words(reader.say, whole=whole))
    except TooMany as busy:
        # Nobody refuses it to the reader: it is tried again.
        raise RuntimeError("the figures could not be printed") from busy


def _reader(locale: str, place: Any) -> Reader:
    say = speaker(locale)
    counsellor = people_words("", place.counsellor_word, say)["counsellor"]
    return Reader(say, locale, regional(locale, place.time_zone), place.time_zone, counsellor)


def _store(uow: UnitOfWork, job: Job, outcomes: Mapping[UUID, Settled]) -> None:
    for run_id, outcome in outcomes.items():
        run, schedule = _run_of(uow, run_id)
        if run.state != "making":
            continue
        if outcome.state != "done" or outcome.result is None:
            refuse(uow, run, "refused" if outcome.state == "skipped" else "failed", outcome.reason)
        elif schedule.what == EXTRACT:
            _keep_extract(uow, job, schedule, run, outcome.result)
        elif schedule.what in (FIGURES, AGGREGATES):
            _keep_figures(uow, job, schedule, run, outcome.result)
        else:
            # Settled once that job has ended; see `settling`.
            run.report_job_id = UUID(outcome.result["report_job"])


def _keep_extract(uow: UnitOfWork, job: Job, schedule: Schedule, run: ScheduleRun, found: Mapping[str, Any]) -> None:
    made = UUID(found["extract_run"])
    keep_runs(uow, job, {made: Settled("done", None, dict(found))})
    settle(uow, schedule, run, found["rows"], {"extract_run_id": made}, empty=found["rows"] == 0)


def _keep_figures(uow: UnitOfWork, job: Job, schedule: Schedule, run: ScheduleRun, found: Mapping[str, Any]) -> None:
    media_type = MEDIA_TYPES[found["form"]]
    file = offer_file(
        uow,
        job,
        stored_of(found),
        kind=FILE,
        name=found["name"],
        media_type=media_type,
        owner=run.membership_id,
        whole=found["whole"],
    )
    made = Made(
        found["form"],
        found["locale"],
        datetime.fromisoformat(found["data_at"]),
        found["threshold"],
        found["rows"],
        file.sha256,
    )
    question = None if schedule.what == AGGREGATES else question_of(schedule.question or {})
    export = keep_export(uow, run.membership_id, question, made, job_id=job.id, file_id=file.id)
    settle(uow, schedule, run, found["rows"], {"figure_export_id": export.id}, empty=found["empty"])


def _finish(runtime: Runtime, organization_id: UUID, job_id: UUID) -> dict[str, Any]:
    """Say of a run that was given up that it failed: its worker never came to keep anything."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        for run in uow.session.scalars(
            select(ScheduleRun).where(
                ScheduleRun.job_id == job_id, ScheduleRun.state == "making", ScheduleRun.report_job_id.is_(None)
            )
        ).all():
            reason = uow.session.scalars(
                select(JobItem.reason).where(JobItem.job_id == job_id, JobItem.subject_id == run.id)
            ).one_or_none()
            refuse(uow, run, "failed", reason)
    return {}


def _run_of(uow: UnitOfWork, run_id: UUID) -> tuple[ScheduleRun, Schedule]:
    row = uow.session.execute(
        select(ScheduleRun, Schedule)
        .join(
            Schedule,
            and_(Schedule.organization_id == ScheduleRun.organization_id, Schedule.id == ScheduleRun.schedule_id),
        )
        .where(ScheduleRun.id == run_id)
    ).one()
    return row[0], row[1]


WRITE = JobKind(
    name=KIND,
    label=lazy_gettext("Write a report of a schedule"),
    permission=Permission.OWN_REPORTS,
    batch_size=1,
    slow=SlowWork(load=_load, act=_act, store=_store, drop=drop),
    finish=_finish,
    # As long as an own report takes.
    long=True,
)
