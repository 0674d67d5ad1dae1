"""Writes the file of an own report as a job: for whoever asked, as they may see it at that moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext
from sqlalchemy import insert, select, text, update

from app.domain import access
from app.domain.access import Permission
from app.domain.errors import Forbidden
from app.domain.saying import Say
from app.features.audit.service import record
from app.features.clients.policy import member_now, sees_everybody
from app.features.extracts.columns import row_words
from app.features.extracts.counted import count_safely
from app.features.extracts.definition import parse_definition, stored_definition
from app.features.extracts.models import ExtractRun
from app.features.extracts.parquet import write_parquet_file
from app.features.extracts.queries import clients_in, fields_of, must_not_see_small, offered, reading_of
from app.features.extracts.service import FILE, KIND
from app.features.extracts.small_files import write_counted
from app.features.extracts.statements import Reading
from app.features.extracts.writing import MEDIA_TYPES, TEMPLATE, About, write_csv, write_json_lines, write_workbook
from app.features.jobs.files import offer_file
from app.features.jobs.kinds import JobKind, SlowWork
from app.features.jobs.leftovers import clear, drop
from app.features.jobs.models import Job, JobItem
from app.features.jobs.service import Settled
from app.features.organizations.models import Organization
from app.features.reports.naming import file_stem
from app.infra.db.open import UnitOfWork
from app.infra.db.whole import joined_as_sets
from app.infra.runtime import Runtime
from app.infra.speech import speaker
from app.infra.storage import Stored, stored_of

_FOLDER = "extracts-{}"
_WRITERS: Mapping[str, Callable[[UnitOfWork, Reading, Path, About], int]] = {
    "csv": write_csv,
    "xlsx": write_workbook,
    "jsonl": write_json_lines,
    "parquet": write_parquet_file,
}


@dataclass(frozen=True, slots=True)
class _Written:
    """A file as it lies there, and what is kept of it.

    `people` are who is in it, where that decides who may have it; of a `whole` one everybody may be.
    """

    stored: Stored
    rows: int
    data_at: datetime
    withheld: bool
    whole: bool
    people: tuple[UUID, ...]


def _load(_uow: UnitOfWork, _: Job, runs: Sequence[UUID]) -> list[UUID]:
    return list(runs)


def write_runs(runtime: Runtime, job: Job, runs: list[UUID]) -> Mapping[UUID, Settled]:
    """Write the files of these runs, each for its owner; what became of each is what `keep_runs` takes."""
    outcomes = {}
    for run_id in runs:
        written = _write(runtime, job, run_id)
        outcomes[run_id] = Settled("done", None, _as_json(written))
    return outcomes


def _write(runtime: Runtime, job: Job, run_id: UUID) -> _Written:
    """Write the file from one statement, so that all of it is of one moment."""
    here = job.organization_id
    with runtime.database.unit_of_work(access.system(here), request_id=job.request_id) as uow:
        run = uow.session.scalars(select(ExtractRun).where(ExtractRun.id == run_id)).one()
        who = member_now(uow, run.owner_id)
        if who is None or not who.may(Permission.OWN_REPORTS):
            raise Forbidden("Whoever asked for this report may not have it any more.")
        clear(runtime, uow, job, _FOLDER.format(job.id))
        say = speaker(run.locale)
        definition = stored_definition(run.definition)
        words = row_words(say, say("People"))
        about = About(run.name, run.locale, uow.now, words[definition.rows])
        with runtime.storage.writing(here, f".{run.form}", folder=_FOLDER.format(job.id)) as pending:
            limited = not (must_not_see_small(who) or sees_everybody(who))
            if must_not_see_small(who):
                rows, moment = _counted(uow, run, pending.path, about, say)
                people: set[UUID] = set()
            else:
                reading = reading_of(uow, definition, who, say)
                # A large one takes longer than a page may; a workbook is put together while its moment is held.
                for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                    uow.session.execute(text(f"SET LOCAL {limit} = '1h'"))
                people = set(uow.session.scalars(clients_in(reading))) if limited else set()
                # Row after row is found by keys, which needs no guess of how many there are.
                with joined_as_sets(uow, whole=not (limited or reading.in_turn)):
                    rows, moment = _WRITERS[run.form](uow, reading, pending.path, about), uow.now
                if limited:
                    # Whoever came meanwhile may be in the file.
                    people |= set(uow.session.scalars(clients_in(reading)))
        withheld = must_not_see_small(who)
        return _Written(pending.stored, rows, moment, withheld, not limited, tuple(sorted(people)))


def _counted(uow: UnitOfWork, run: ExtractRun, path: Path, about: About, say: Say) -> tuple[int, datetime]:
    """Write counts of enough people; how many lines, and the moment of the figures."""
    definition = stored_definition(run.definition)
    columns = offered(uow, definition.rows, say)
    fields = fields_of(uow, definition.rows, say, own_labels=False)
    # Whoever asked may have been allowed more then.
    checked = parse_definition(definition.as_json(), columns, fields, small=True)
    counted = count_safely(uow, checked, columns, say)
    return write_counted(run.form, path, counted, replace(about, moment=counted.moment), say), counted.moment


def _as_json(written: _Written) -> dict[str, Any]:
    return written.stored.as_json() | {
        "rows": written.rows,
        "data_at": written.data_at.isoformat(),
        "withheld": written.withheld,
        "whole": written.whole,
        "whose": [str(one) for one in written.people],
    }


def keep_runs(uow: UnitOfWork, job: Job, outcomes: Mapping[UUID, Settled]) -> None:
    """Offer the files that `write_runs` wrote, and keep with each run what is known of its file."""
    for run_id, outcome in outcomes.items():
        found = outcome.result
        if found is None:
            continue
        run = uow.session.scalars(select(ExtractRun).where(ExtractRun.id == run_id)).one()
        data_at = datetime.fromisoformat(found["data_at"])
        zone = uow.session.scalars(select(Organization.time_zone)).one()
        name = f"{file_stem(run.name)} {data_at.astimezone(ZoneInfo(zone)).date().isoformat()}.{run.form}"
        media_type = MEDIA_TYPES[run.form]
        stored, whole = stored_of(found), found["whole"]
        file = offer_file(
            uow, job, stored, kind=FILE, name=name, media_type=media_type, owner=run.owner_id, whole=whole
        )
        run.data_at, run.row_count, run.withheld, run.file_id = data_at, found["rows"], found["withheld"], file.id
        run.sha256, run.template = file.sha256, TEMPLATE
        _note_people(uow, job, [UUID(one) for one in found["whose"]])
        record(uow, "extract.made", "extract_run", run.id, rows=found["rows"], form=run.form)


def _note_people(uow: UnitOfWork, job: Job, people: Sequence[UUID]) -> None:
    """Note who is in the file as done items of the job: it is its owner's only while all of them are theirs to see."""
    if not people:
        return
    rows = [
        {
            "organization_id": job.organization_id,
            "job_id": job.id,
            "subject_id": one,
            "position": position,
            "state": "done",
        }
        for position, one in enumerate(people, start=1)
    ]
    uow.session.connection().execute(insert(JobItem), rows)
    uow.session.execute(update(Job).where(Job.id == job.id).values(total=Job.total + len(rows)))


WRITE = JobKind(
    name=KIND,
    label=lazy_gettext("Write an own report"),
    permission=Permission.OWN_REPORTS,
    batch_size=1,
    slow=SlowWork(load=_load, act=write_runs, store=keep_runs, drop=drop),
    long=True,
)
