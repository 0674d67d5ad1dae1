"""Files of own reports, and reports that fall due by the calendar, as a drill runs them together.

The former are long work, whose lease is kept while it lives. The latter are one run, one report and one mail for each
occurrence and reader; those of people are written by a job of the reader's own.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import time, timedelta
from zipfile import ZipFile

from sqlalchemy import select, text

from app.domain.access import Actor, Role
from app.domain.recurrence import Recurrence
from app.drill.phases import Faults, Phase, Subject, whole
from app.features.cohorts.commands import ChangeMembers, CreateCohort
from app.features.cohorts.service import add_members, create_cohort
from app.features.extracts.commands import FORMS, RunExtract, SaveExtract
from app.features.extracts.models import ExtractRun
from app.features.extracts.service import FILE, KIND, create_extract, run_extract
from app.features.jobs.models import StoredFile
from app.features.organizations.queries import today_here
from app.features.reports.naming import ARCHIVE_FILE
from app.features.schedules import contents
from app.features.schedules.commands import SaveSchedule
from app.features.schedules.letters import READY_KIND
from app.features.schedules.service import create_schedule
from app.infra.db.open import Bell, UnitOfWork

_STEPS = {
    "rows": "steps",
    "columns": ["client.external_id", "client.given_name", "client.family_name", "step", "status", "due_on"],
    "rule": None,
    "group": [],
    "order": [],
}
_READERS, _PEOPLE = 3, 5
# An own report for each reader, and the reports of a few people for one of them.
_RUNS = _READERS + 1
_OWN, _SCHEDULE = "own report", "schedule"
# By night mails wait for the morning, and are no work that is left.
_WAITS = (
    f"SELECT greatest({_RUNS} - count(*), 0) + count(*) FILTER (WHERE state = 'making')"
    " + (SELECT count(*) FROM messages WHERE state IN ('queued', 'handed', 'unknown') AND not_before <= now())"
    " FROM schedule_runs"
)
_DUE = text("UPDATE schedules SET since = :since, next_at = :now")


def writing(subject: Subject) -> Phase:
    """Each file asked for or due is there once, is whole, has every row, and no attempt cut short lies beside it.

    Of what was due each reader has one run and one mail.
    """
    readers: list[Actor] = []
    asked = threading.Event()

    def begin() -> None:
        readers.extend(subject.member(Role.ADMIN, 90 + number)[0] for number in range(_READERS))
        with subject.place.runtime.database.unit_of_work(readers[0]) as uow:
            _keep_schedules(uow, readers)

    def ask() -> None:
        with subject.place.runtime.database.unit_of_work(readers[0]) as uow:
            extract = create_extract(uow, SaveExtract(name="Steps", definition=_STEPS)).id
            for form in FORMS:
                run_extract(uow, RunExtract(extract_id=extract, form=form, locale="en"))
            uow.session.execute(_DUE, {"since": uow.now - timedelta(days=2), "now": uow.now})
            uow.ring(Bell.PROMPT)
        asked.set()

    def over() -> bool:
        return asked.is_set() and subject.open_jobs() == 0 and subject.number(_WAITS) == 0

    def parts() -> frozenset[str]:
        if not asked.is_set():
            return frozenset({_OWN, _SCHEDULE})
        ours = subject.number("SELECT count(*) FROM jobs WHERE kind = :kind AND finished_at IS NULL", kind=KIND)
        theirs = subject.number("SELECT count(*) FROM jobs WHERE scheduled AND finished_at IS NULL")
        left = {_OWN: ours, _SCHEDULE: theirs + subject.number(_WAITS)}
        return frozenset(name for name, number in left.items() if number)

    def faults() -> Faults:
        return _files(subject) + _sent(subject) + Faults(0, 0, subject.unfinished())

    return Phase(name="write files", begin=begin, over=over, faults=faults, go=ask, parts=parts)


def _keep_schedules(uow: UnitOfWork, readers: list[Actor]) -> None:
    """Weekly ones, so that one occurrence is due however long the drill takes."""
    today = today_here(uow)
    when = Recurrence(cadence="weekly", weekday=today.weekday(), at=time(0), starts_on=today - timedelta(days=1))
    steps = create_extract(uow, SaveExtract(name="Steps by the calendar", definition=_STEPS, shared=True)).id
    few = create_cohort(uow, CreateCohort(name="Reported by the calendar")).id
    people = uow.session.scalars(text("SELECT id FROM clients ORDER BY id LIMIT :n"), {"n": _PEOPLE}).all()
    add_members(uow, ChangeMembers(cohort_id=few, clients=list(people)))
    ids = tuple(one.membership_id for one in readers if one.membership_id is not None)
    for content, form, recipients in (
        (contents.extract(steps), "csv", ids),
        (contents.clients_of_cohort(few), contents.ZIP, ids[:1]),
    ):
        create_schedule(
            uow, SaveSchedule(name="Drilled", recurrence=when, content=content, form=form, recipients=recipients)
        )


def _files(subject: Subject) -> Faults:
    rows = subject.number("SELECT count(*) FROM plan_steps")
    storage, expected = subject.place.runtime.storage, len(FORMS) + _READERS
    with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
        runs = uow.session.scalars(select(ExtractRun)).all()
        files = {file.id: file for file in uow.session.scalars(select(StoredFile).where(StoredFile.kind == FILE))}
    lost, beside = max(0, expected - len(runs)), max(0, len(files) - len(runs)) + max(0, len(runs) - expected)
    for run in runs:
        file = files.get(run.file_id) if run.file_id else None
        if file is None or run.row_count != rows or not whole(storage.path(file.location), file.sha256):
            lost += 1
        else:
            beside += len(list(storage.locations(subject.organization, file.location.split("/")[-2]))) - 1
    return Faults(lost, beside, 0)


def _sent(subject: Subject) -> Faults:
    """What was due: a run and a mail for each reader, and the archive with everybody in it."""
    with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
        states = Counter(uow.session.scalars(text("SELECT state FROM schedule_runs")))
        told = uow.session.execute(
            text("SELECT recipient, state FROM messages WHERE kind = :kind"), {"kind": READY_KIND}
        )
        mails = Counter((recipient, state) for recipient, state in told)
        archives = uow.session.scalars(
            select(StoredFile.location)
            .where(StoredFile.kind == ARCHIVE_FILE)
            .where(text("job_id IN (SELECT report_job_id FROM schedule_runs)"))
        ).all()
    lost = _RUNS - states["sent"] + abs(_PEOPLE - sum(_reports_in(subject, location) for location in archives))
    doubled = max(0, states.total() - _RUNS) + max(0, mails.total() - _RUNS)
    taken = subject.mails()
    for address in {address for address, _ in mails}:
        left = mails[address, "sent"]
        lost += max(0, left - taken[address])
        doubled += max(0, taken[address] - left)
    return Faults(lost + max(0, _RUNS - mails.total()), doubled, states["making"])


def _reports_in(subject: Subject, location: str) -> int:
    with ZipFile(subject.place.runtime.storage.path(location)) as archive:
        return sum(name.endswith(".pdf") for name in archive.namelist())
